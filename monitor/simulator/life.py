"""A seed in, one believable change after another out: what makes the stand-ins live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, NamedTuple, Protocol

from monitor.simulator.documents import Doc

Move = Callable[[], str | None]


class Change(NamedTuple):
    """One thing that happened: at which provider, to which id, and in words."""

    provider: str
    item_id: Any
    text: str

    def __str__(self) -> str:
        return f"{self.provider}: {self.text}"


class Story(Protocol):
    """The life of one provider: what may happen there, each move giving its words, or None when it cannot
    happen now.
    """

    name: str
    last_id: Any

    def moves(self) -> Sequence[tuple[int, Move]]:
        """Give every kind of move with its weight: how often it is in one deck."""
        ...

    def born(self) -> Doc:
        """Make a new document and store it."""
        ...


class Deck:
    """Deals the moves of a story in random order, each as often as its weight, then shuffles again.

    Dealing instead of drawing makes every kind of change appear early, which a short demo needs.
    """

    def __init__(self, story: Story, rng: Random) -> None:
        self._rng = rng
        self._moves = [move for weight, move in story.moves() for _ in range(weight)]
        self._left: list[int] = []  # places in _moves, so that a deck can be kept in the middle of a deal

    def _deal(self) -> Move:
        if not self._left:
            self._left = list(range(len(self._moves)))
            self._rng.shuffle(self._left)
        return self._moves[self._left.pop(0)]

    def play(self) -> str:
        """Make one change and give its words; moves that cannot happen now are passed over."""
        for _ in range(3 * len(self._moves)):
            text = self._deal()()
            if text is not None:
                return text
        return "nothing could happen"


class Life:
    """Lets changes happen: one at a time by ``step``, or ``rate`` a second over all providers while it
    runs.
    """

    def __init__(self, stories: Sequence[Story], rng: Random, rate: float) -> None:
        self.rate = rate
        self.history: list[Change] = []
        self.on_change: Callable[[Change], object] | None = None
        self._rng = rng
        self._pace = Random(rng.random())  # apart, so that the clock does not decide what happens
        self._stories = {story.name: story for story in stories}
        self._decks = {story.name: Deck(story, Random(rng.random())) for story in stories}
        self._turns: list[str] = []
        self._task: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()

    def step(self, provider: str | None = None) -> Change:
        """Make one change, at the given provider or at the next in turn; raises ``KeyError`` for an unknown
        one.
        """
        if provider is None:
            if not self._turns:
                self._turns = sorted(self._stories)
                self._rng.shuffle(self._turns)
            provider = self._turns.pop()
        text = self._decks[provider].play()
        return self.record(Change(provider, self._stories[provider].last_id, text))

    def record(self, change: Change) -> Change:
        """Note a change, also one that was made by hand, and tell whoever listens."""
        self.history.append(change)
        del self.history[:-1000]
        if self.on_change is not None:
            self.on_change(change)
        return change

    @property
    def parts(self) -> dict[str, object]:
        """Everything in here with a memory, by name."""
        decks = {f"{name} deck": deck for name, deck in self._decks.items()}
        return {"life": self, **self._stories, **decks}

    def set_rate(self, rate: float) -> None:
        """Change how many changes happen a second; 0 lets time stand still. Raises ``ValueError`` below 0."""
        if not 0 <= rate <= 1000:
            raise ValueError("the rate is 0 to 1000 changes a second")
        self.rate = rate
        self._woken.set()

    def start(self) -> None:
        """Begin to live in the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="simulator-life")

    async def stop(self) -> None:
        """End the life; what is there stays."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            wait = self._pace.uniform(0.5, 1.5) / self.rate if self.rate else None
            try:
                await asyncio.wait_for(self._woken.wait(), wait)
            except TimeoutError:
                if self.rate:
                    self.step()
