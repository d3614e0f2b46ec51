"""One registered target with its samples, for the checks of the contract suite."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from monitor.exchange import Request, Response
from monitor.targets import TARGETS
from monitor.targets.base import Message, Outcome, Target, TargetOptions
from monitor.values import secrets_of
from tests.drive import drive, sample
from tests.unit.targets.events import CLAIMED

NOW = datetime(2026, 1, 5, 9, 30, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Case:
    """One registered target with its samples."""

    name: str

    @property
    def given(self) -> dict[str, Any]:
        """The sample options as the config file has them."""
        options: dict[str, Any] = json.loads(sample(self.name, "options.json"))
        return options

    @property
    def options(self) -> TargetOptions:
        """The sample options, validated."""
        options: TargetOptions = TARGETS[self.name].options.model_validate(self.given)
        return options

    @property
    def target(self) -> Target:
        """The target built from them."""
        return TARGETS[self.name].build("here", self.options)

    def secrets(self) -> list[str]:
        """Every secret among the sample options, those within URLs too."""
        found = [secret.get_secret_value() for _, secret in secrets_of(self.options)]
        for url in self.options.destinations().values():
            parts = urlsplit(url)
            found += [part for part in (parts.password, parts.query) if part]
        return found

    def answers(self, fate: str) -> list[Response]:
        """The sample answers after which a delivery has this fate."""
        answers = json.loads(sample(self.name, "answers.json"))[fate]
        assert answers, f"answers.json has no answer for {fate}"
        return [
            Response(one["status"], one.get("headers", {}), one.get("text", "").encode(), address="192.0.2.1")
            for one in answers
        ]

    def outcome(self, response: Response, *events: bytes) -> Outcome:
        """What becomes of an attempt to which everything is answered alike."""
        result = drive(self.target.send(self.message(*events)), lambda request: response).result
        assert isinstance(result, Outcome)
        return result

    def requests(self, *events: bytes, attempt: int = 1) -> list[Request]:
        """What a successful attempt asks for."""
        success = self.answers("delivered")[0]
        return drive(self.target.send(self.message(*events, attempt=attempt)), lambda request: success).requests

    def message(self, *events: bytes, attempt: int = 1) -> Message:
        """A message about these events, or about one of ours."""
        return Message("evt_4kq7aaaa", events or (CLAIMED,), attempt, NOW)
