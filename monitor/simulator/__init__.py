"""The world outside, played on loopback: four provider APIs that live, a webhook receiver, a Slack
look-alike.

Independent code: nothing here imports the product, so that a mistake in the product's providers or signatures
cannot hide behind the same mistake here.
"""

from __future__ import annotations

from monitor.simulator.receiver import Delivery, Receiver
from monitor.simulator.script import Reply
from monitor.simulator.simulator import Simulator
from monitor.simulator.slack import SlackLookalike
from monitor.simulator.slack_messages import SlackMessage, render

__all__ = ["Delivery", "Receiver", "Reply", "Simulator", "SlackLookalike", "SlackMessage", "render"]
