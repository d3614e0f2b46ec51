"""Watches jobs, contracts and interviews at four providers and tells webhooks and Slack what changed.

The way of the data, module by module:

    schedule   who is due: one worker claims a slot of a source and gets a growing epoch, the fence
    scan       providers  -> items           pages as they come; the raw bytes of each item and its id
    sift       items      -> changed items   fingerprints of raw bytes against Redis; the unchanged stop here
    diff       item       -> changes         parsed, normalised to resources, compared with the stored ones
    rules      changes    -> events          names, revisions, deadlines; or a named reason for none
    commit     state + events                one Redis script, fenced by the epoch: keeps both or neither
    relay      events     -> lanes           routes matched, each event put into the lanes of its targets; conditions
    deliver    lane       -> target          claimed under a lease, sent, recorded, rescheduled or finished

Four sentences carry it. A state and its event are written together. An event's id is a function of what
happened, so any repetition is the same event. ARQ rings bells, Redis keeps the books. Absence is not a
state: only complete scans can miss something, and only twice.

Where to look:

    resources diff rules events deadlines ringing stuck schedule      what has happened: pure, no loop, no clock
    routing/ conditions/ grouping/ silences                           who hears what, and when: pure as well
    providers/ targets/                                               one file each: requests, answers
    http/ exchange egress                                             limits, retries and guards
    store/                                                            the only code that speaks Redis
    settings/                                                         the config file
    pipeline/                                                         gather, decide, apply
    status/                                                           what people ask, for cli and web alike
    bootstrap                                                         the only code that constructs
    answers                                                           what cli and web both answer
    cli/ web/                                                         what people see
    embedded/ supervise                                               the bundled server; processes of `up`
    simulator/ demo/                                                  stand-ins of the outside; a world to look at
    telemetry/                                                        traces for a collector
    receive                                                           for receivers: needs nothing else of this

Imports point one way, from the bottom of this list to the top; `pyproject.toml` has the contracts and the
test run keeps them. The ARQ tasks that call the pipeline are in the package `workers`.
"""

from __future__ import annotations

__version__ = "0.1.0"
