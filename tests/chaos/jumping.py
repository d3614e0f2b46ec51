"""A host clock that is set to another time while a worker works."""

from __future__ import annotations

from typing import Any

from tests.chaos.dying import Trouble
from tests.installation import Hands


class Jump(Trouble):
    """The clock of the worker's host jumps by so many minutes at the command."""

    def __init__(self, at: int, minutes: float) -> None:
        super().__init__(at)
        self.hands = Hands()
        self.minutes = minutes

    async def befall(self, command: Any) -> Any:
        self.hands.pass_(minutes=self.minutes)
        return await command
