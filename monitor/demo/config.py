"""How often is looked and who is told: the config file of the demo, as anybody would write it."""

from __future__ import annotations

import json
from pathlib import Path

from monitor.demo.plan import Pace
from monitor.simulator import Receiver, Simulator, SlackLookalike

HOOK = "ops-hook"
SLACK = "team"


URGENT = ("*.contract.expiring", "*.job.failed")
"""What goes to Slack as well."""


_CONFIG = """\
# Written by `jobwire demo` at every start. It is a config file like any other, and commands take it by -c.
# Addresses and credentials are made up: they work on this machine, while the demo runs.

store:
  url: embedded
  data_dir: {data_dir}

web:
  listen: 127.0.0.1:{page}

sources:
  fleet:
    provider: driver_jobs
    base_url: {sim.driver_jobs.base_url}
    token: {sim.driver_jobs.token}
    every: {pace.calm}
    timezone: Europe/London
  tax:
    provider: worklayer
    base_url: {sim.worklayer.base_url}
    client_id: {sim.worklayer.client_id}
    client_secret: {sim.worklayer.client_secret}
    token_url: {sim.worklayer.token_url}
    audience: {sim.worklayer.audience}
    every: {pace.quick}
  ats:
    provider: bindbee
    base_url: {sim.bindbee.base_url}
    token: {sim.bindbee.token}
    connector_token: {sim.bindbee.connector_token}
    every: {pace.calm}
  exports:
    provider: devrev
    base_url: {sim.devrev.base_url}
    token: {sim.devrev.token}
    every: {pace.quick}

targets:
  {hook}:
    type: webhook
    url: {receiver.url}
    secret: {secret}
  {slack_name}:
    type: slack
    webhook_url: {slack.webhook_url}

# Targets may reach public addresses only, unless they are named. The receivers of the demo are on this machine.
egress:
  allow: [127.0.0.0/8]

routes:
  # What a person should see: to Slack, in one message for what comes together, and to the webhook.
  - name: urgent
    match:
      type: {urgent}
    to: [{slack_name}, {hook}]
    group_by: [source, type]
    group_wait: {pace.group_wait}
  # Everything else, to the webhook.
  - name: everything
    to: [{hook}]
"""


def config_text(
    data_dir: Path, sim: Simulator, receiver: Receiver, slack: SlackLookalike, secret: str, pace: Pace, page: int
) -> str:
    """The text of the file. JSON strings are YAML strings, whatever is in the path."""
    return _CONFIG.format(
        data_dir=json.dumps(str(data_dir.absolute())),
        sim=sim,
        receiver=receiver,
        slack=slack,
        secret=secret,
        pace=pace,
        page=page,
        urgent=json.dumps(URGENT),
        hook=HOOK,
        slack_name=SLACK,
    )
