"""The world outside, played on loopback: four provider APIs that live, a webhook receiver, a Slack
look-alike.

Independent code: nothing here imports the product, so that a mistake in the product's providers or signatures
cannot hide behind the same mistake here.
"""

from __future__ import annotations

from monitor.simulator.simulator import Simulator

__all__ = ["Simulator"]
