"""docs/events.md, made from what providers declare. `monitor.cli.generate` writes it."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.eventschema import ALWAYS, EventType, catalogue
from monitor.vocabulary import Vocabulary

INTRODUCTION = """\
# Events

<!-- Made from the code by `.venv/bin/python -m monitor.cli.generate`: edit what it is made from, not this page. -->

An event is one fact about one resource: a [CloudEvent 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md)
in JSON. `jobwire schema events` prints the JSON Schema of every type, `jobwire schema asyncapi` an AsyncAPI 3.0
document of what webhooks get, `jobwire events --json` what has happened. [receiving.md](receiving.md) says what to do
with them.

```json
{"specversion": "1.0", "id": "evt_i5uduvphgc72crmwo4tgios5", "source": "/sources/tax", "type": "worklayer.job.claimed",
 "subject": "job/a9749189-c82b-488b-a448-8f74c3d254e0", "time": "2026-01-05T09:30:02.114Z",
 "datacontenttype": "application/json", "sequence": "00000000000000000009",
 "data": {"provider": "worklayer", "source": "tax", "key": "tax/job/a9749189-c82b-488b-a448-8f74c3d254e0",
  "resource": {"kind": "job", "id": "a9749189-c82b-488b-a448-8f74c3d254e0", "parent": null,
               "title": "Tony Stark | 2021 | 1040", "state": "CLAIMED", "url": null, "fields": {"total_amount": 199}},
  "revision": 7,
  "state": {"before": "UNCLAIMED", "after": "CLAIMED"},
  "changes": [{"field": "transmit_time", "before": null, "after": "2022-05-18T18:35:29.131Z"}],
  "deadline": null,
  "occurred_at": "2022-05-18T18:35:30.136Z",
  "last_seen_before": "2026-01-05T09:29:31Z", "first_seen_after": "2026-01-05T09:30:01Z"}}
```

| member | is |
| --- | --- |
| `id` | a function of source, kind, id, revision, type and deadline rung: whatever repeats an event repeats its id, \
so a receiver may drop repetitions by the id alone |
| `type` | `PROVIDER.KIND.WHAT`; for a change of state WHAT is the **new state in snake_case** |
| `subject` | `KIND/ID` of the resource; `source/NAME` or `target/NAME` for news about the monitor |
| `time` | when the monitor saw it |
| `sequence` | counts the events of a resource; 20 digits, so that text order is number order |
| `data.key` | `SOURCE/KIND/ID`: what a receiver should file it under |
| `data.resource` | how it is now; `fields` holds everything else the provider sent, as it was sent |
| `data.revision` | counts the states of the resource: 1 at first sight, one more at each change |
| `data.state` | the provider's own words, before and after; null in events of the clock and of the monitor |
| `data.changes` | every tracked field that differs, before and after |
| `data.deadline` | only in events of the clock: \
`{"date": "2025-12-20", "rung": "30d", "days_left": 30, "late": "0s"}` for dates, \
`{"at": "...", "rung": "24h", "seconds_left": 86400, "late": "0s"}` for instants |
| `data.occurred_at` | the provider's own stamp; null if it has none, or none that moved with this; never of a removal |
| `data.last_seen_before`, `data.first_seen_after` | the change happened between these two looks |
| `data.related` | resources that come or go with this one, or that it is about as well; absent if there are none |
| `data.skipped` | earlier events that this one stands for: [catching up](#catching-up); absent if there are none |
| `data.details` | only in `jobwire.*` events: what, why, since when, how many |

One scan that changes the state and three fields of a resource makes one event, the state's, with all changes in it.
States may be skipped between two scans: before and after are as seen. A state that no document lists works like any
other, and `jobwire.source.schema_drift` tells of it once. The first complete scan of a source is silent but for
`jobwire.source.baselined`.

## Catching up

A target with `catch_up: latest` gets, of what waited through an outage, only the newest event of each resource. An
outage is an open circuit, a hold that the receiver asked for, a disabled target, or a wait of more than a minute. The
event is the stored one, with its own id, and lists at its end those it takes the place of:

```json
"skipped": [{"id": "evt_...", "type": "worklayer.job.claimed", "time": "2026-01-05T09:30:02.114Z", "revision": 7,
             "state": {"before": "UNCLAIMED", "after": "CLAIMED"}, "changed": ["transmit_time"]}]
```

The list is stored before the event is sent, so the bytes of all attempts are the same, and what was sent once never
changes. An event gives way only to a later revision of the same resource, which shows it whole: whatever the earlier
one ended, the later one shows as ended. An event of the clock stands for no change, `jobwire.*` news always come one
by one, and resources are never merged. The last 100 are listed; `revision` shows that there were more, and `GET
/api/v1/events` has them all. What gave way is recorded as `superseded`.

Patterns (`match.type` of routes, `jobwire events --type`) are globs by segment: `*` is one segment, `**` any number.
"""


def events_page(vocabularies: Sequence[Vocabulary]) -> str:
    """What providers declare in, the page out."""
    types = catalogue(vocabularies)
    parts = [INTRODUCTION, _always()]
    for vocabulary in vocabularies:
        parts.append(f"## {vocabulary.provider}\n")
        for kind, spec in vocabulary.kinds.items():
            prefix = f"{vocabulary.provider}.{kind}."
            tracked = ", ".join(f"`{path}`" for path in spec.tracked) or "nothing"
            parts.append(f"### `{vocabulary.provider}.{kind}`\n\nTracked: the state, {tracked}.\n")
            parts.append(_table([one for one in types if one.name.startswith(prefix)], prefix))
    monitor = [one for one in types if one.family == "monitor"]
    parts += ["## About the monitor itself\n", _rows([(one.name, one.text) for one in monitor])]
    return "\n".join(parts)


def _always() -> str:
    return "## Of every kind\n\n" + _rows([(f"PROVIDER.KIND.{what}", text) for what, text in ALWAYS.items()])


def _table(types: Sequence[EventType], prefix: str) -> str:
    return _rows([(one.name, one.text) for one in types if one.name.removeprefix(prefix) not in ALWAYS])


def _rows(rows: Sequence[tuple[str, str]]) -> str:
    return (
        "\n".join(["| type | told when |", "| --- | --- |", *(f"| `{name}` | {text} |" for name, text in rows)]) + "\n"
    )
