"""What these questions need to know of a configured source."""

from __future__ import annotations

from typing import Protocol

from monitor.ladders import Clockwork
from monitor.providers.base import Provider, SourceOptions
from monitor.schedule import Pace


class Watched(Protocol):
    """A configured source (`monitor.pipeline.source.Source`)."""

    @property
    def name(self) -> str:
        """Its name in the config file."""
        ...

    @property
    def options(self) -> SourceOptions:
        """Its options."""
        ...

    @property
    def pace(self) -> Pace:
        """How often it is asked."""
        ...

    @property
    def provider(self) -> Provider:
        """Who speaks its API."""
        ...

    @property
    def credential(self) -> str:
        """The name of the budget it spends from."""
        ...

    @property
    def clockwork(self) -> Clockwork:
        """Its zone and ladders."""
        ...
