"""Which targets would get an event, and by which route. Nothing is sent or stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from monitor.bootstrap import router_of
from monitor.errors import UsageError
from monitor.events import state_name
from monitor.providers import PROVIDERS
from monitor.routing import Decision
from monitor.settings import Settings
from monitor.settings.agreement import vocabularies
from monitor.vocabulary import Vocabulary


class DecisionView(msgspec.Struct, frozen=True):
    """One target that would get the event: by which route, how grave, when its group is sent (seconds)."""

    target: str
    route: str
    severity: str
    group_wait: float
    group_interval: float
    labels: dict[str, str]


class DecisionsView(msgspec.Struct, frozen=True):
    """Everybody who would get an event; nobody, where no route takes it."""

    targets: list[str]
    decisions: list[DecisionView]


def decided(settings: Settings, event: Mapping[str, Any]) -> list[Decision]:
    """An event as JSON values in, who would get it out."""
    return router_of(settings).decide(event)


def decisions_view(found: list[Decision]) -> DecisionsView:
    """What routes decided in, what programs see of it out."""
    return DecisionsView([one.target for one in found], [_view(one) for one in found])


def checked_event(values: object, where: str) -> dict[str, Any]:
    """JSON values in, the same as an event of ours out; UsageError, naming `where` they are from, for anything else."""
    if not isinstance(values, dict) or not isinstance(values.get("type"), str):
        raise UsageError(f"{where} holds no event of ours: `type` or `data` is missing")
    data = values.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("resource"), dict | None):
        raise UsageError(f"{where} holds no event of ours: `type` or `data` is missing")
    return values


def sample_event(settings: Settings, type_: str, source: str | None, state: str | None) -> dict[str, Any]:
    """What is known of an event of this type from this source; UsageError when they do not fit together."""
    if source is not None and source not in settings.sources:
        raise UsageError(f"no source is called {source!r}")
    provider, _, rest = type_.partition(".")
    kind, _, what = rest.partition(".")
    own = provider == "jobwire"
    if not what and type_ != "jobwire.test":
        raise UsageError(f"{type_!r} is no event type: write PROVIDER.KIND.WHAT, such as worklayer.job.claimed")
    if source is not None and not own and settings.sources[source].provider != provider:
        raise UsageError(
            f"source {source!r} speaks {settings.sources[source].provider}, so {type_} never comes from it"
        )
    vocabulary = vocabularies(settings, PROVIDERS).get(provider)
    resource: dict[str, Any] | None = (
        None if own else {"kind": kind, "state": state or _state_of(vocabulary, kind, what), "fields": {}}
    )
    subject = f"{kind}/{source or '-'}" if own else f"{kind}/-"
    named = settings.sources[source].provider if source else None
    facts = {
        "provider": named if own else provider,
        "source": source,
        "key": f"{source}/{subject}",
        "resource": resource,
    }
    return {"id": "evt_test", "type": type_, "subject": subject, "data": facts}


def _state_of(vocabulary: Vocabulary | None, kind: str, what: str) -> str | None:
    """The state that an event is named by, in the provider's own words; None where the type names none."""
    spec = vocabulary.kinds.get(kind) if vocabulary else None
    return next((one for one in sorted(spec.states) if state_name(one) == what), None) if spec else None


def _view(one: Decision) -> DecisionView:
    return DecisionView(one.target, one.route, one.severity, one.group_wait, one.group_interval, dict(one.labels))
