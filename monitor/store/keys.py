"""Every key in Redis: its name, what it holds and how long it lives. Nothing else names a key.

All keys of an installation share a prefix, so that two installations on one Redis do not meet.

| key | type | holds | lives |
| --- | --- | --- | --- |
| `P:source:NAME` | hash | epoch, slot, baseline, freshness, failures, scans made and asked for | with the source |
| `P:lease:NAME` | string | `epoch:owner` of the running scan | lease, seconds |
| `P:items:NAME` | hash | item id -> 16 bytes of digest, 4 of version, compressed document | while the item is there |
| `P:docs:NAME` | hash | removed item id -> compressed document | 90 days after removal |
| `P:dictionaries:NAME` | hash | name -> deflated dictionary by which documents are compressed | with the source |
| `P:gone:NAME` | sorted set | removed item ids by the time of removal | as above |
| `P:open:NAME` | set | ids of items that a narrow walk must show | while they are expected |
| `P:inside:NAME:PART` | hash | six bytes of a resource's ref -> the item it lies in | with the item |
| `P:pages:NAME` | hash | request -> validator, hash, headers and ids of the page that came | while scans ask for it |
| `P:counts:NAME` | hash | `kind state` -> how many | with the source |
| `P:missing:NAME` | hash | item, or item and ref, not seen by complete scans | until seen or removed |
| `P:doubts:NAME` | hash | items that scans saw but do not believe yet | until settled |
| `P:shape:NAME` | hash | kind -> field paths and their types as items show them | with the source |
| `P:drift:NAME` | set | what was told once: schema drift, credentials that end | with the source |
| `P:scans:NAME` | hash | totals of what scans of a source did, since ever | with the source |
| `P:recent:NAME` | list | the last 50 scans of a source in numbers, newest first | with the source |
| `P:minutes:NAME:HOUR` | hash | minute of an hour -> events of a source (`-`: of none), last complete scan | 49 hours |
| `P:history:KEY` | list | revisions of a resource, newest first, at most 50 | 90 days |
| `P:deadlines` | sorted set | source, item, ref and type by when a rung is due (ms) | until told or disarmed |
| `P:armed` | string | when something was armed last that was due before (ms) | a minute |
| `P:events` | stream | every event: id, type, body | retention |
| `P:event:ID` | string | stream id of an event | retention |
| `P:relay` | string | stream id up to which events are in lanes | always |
| `P:due` | sorted set | targets by when their first lane is due (ms) | while it has lanes |
| `P:lanes:TARGET` | sorted set | lanes by when they are due, or their lease ends (ms) | while not empty |
| `P:lane:TARGET:LANE` | list | delivery ids in order | while not empty |
| `P:delivery:ID` | hash | event, target, status, attempts | retention |
| `P:deliveries:TARGET` | sorted set | delivery ids by time made (ms) | retention |
| `P:pending:TARGET` | sorted set | those of them that wait | until sent, retention |
| `P:failed:TARGET` | sorted set | those of them that were given up | until sent again, retention |
| `P:target:NAME` | hash | failures in a row, since when, disabled, last success, totals, digest | with the target |
| `P:attempts:NAME` | hash | totals of attempts at a target by outcome, and how long things took | with the target |
| `P:attempted:HOUR` | hash | minute of an hour -> attempts by outcome, arrivals by how long they took | 49 hours |
| `P:group:TARGET:LANE` | hash | a group's book, its timers, what it is | while it has members, retention |
| `P:members:TARGET:LANE` | set | conditions that stand in a group, by key and family | until told that they are over |
| `P:conditions` | hash | key of a thing -> its conditions | while open, 2 h after, until told |
| `P:briefs` | hash | key of a thing -> what of its conditions is open, in brief | with `P:conditions` |
| `P:silences` | hash | id -> silence | 14 days after its end |
| `P:hold:TARGET` | string | nothing is sent before this time (ms) | until then |
| `P:budget:CREDENTIAL` | hash | pause, quota, concurrency, who sends and who waits, by a hash of the credential | 1 h |
| `P:token:NAME` | string | an access token, sealed with `store.key` | as long as the token |
| `P:secrets` | hash | target -> the secrets that rotation made, sealed with `store.key` | with the target |
| `P:buying:NAME` | string | who buys a token for all workers now | seconds |
| `P:asked:KEY` | string | the answer to a call with an Idempotency-Key, by a hash of it | a day |
| `P:signedout:NAME` | string | a session of a person that was signed out | until it would have ended |
| `P:spans` | hash | how many spans collectors took, and how many were dropped | always |
| `P:workers` | hash | worker -> its version, how its config is, when it was last seen | an hour after its last beat |
| `P:state` | string | the version of all that is stored here | always |
| `P:bell` | stream | one entry, rewritten to wake consumers | always |
"""

from __future__ import annotations

from dataclasses import dataclass

SEPARATOR = "\x1f"
"""Between the parts of a composed member; no provider sends this control character in an id."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The key names of one installation."""

    prefix: str = "jobwire"

    def of(self, *parts: str) -> str:
        """A key from its parts."""
        return ":".join((self.prefix, *parts))

    def source(self, name: str) -> str:
        """State of a source."""
        return self.of("source", name)

    def lease(self, name: str) -> str:
        """Lease of a source's scan."""
        return self.of("lease", name)

    def items(self, name: str) -> str:
        """Digests and documents of a source's items."""
        return self.of("items", name)

    def docs(self, name: str) -> str:
        """Documents of a source's removed items."""
        return self.of("docs", name)

    def dictionaries(self, name: str) -> str:
        """Dictionaries of a source's documents."""
        return self.of("dictionaries", name)

    def gone(self, name: str) -> str:
        """Removed items of a source."""
        return self.of("gone", name)

    def open(self, name: str) -> str:
        """Items of a source that narrow walks show."""
        return self.of("open", name)

    def inside(self, name: str, part: str) -> str:
        """Which items of a source hold what, by a part of the refs."""
        return self.of("inside", name, part)

    def pages(self, name: str) -> str:
        """Pages of a source that a 304 may vouch for."""
        return self.of("pages", name)

    def counts(self, name: str) -> str:
        """Resources of a source by kind and state."""
        return self.of("counts", name)

    def missing(self, name: str) -> str:
        """What complete scans of a source missed."""
        return self.of("missing", name)

    def doubts(self, name: str) -> str:
        """What scans of a source saw but do not believe yet."""
        return self.of("doubts", name)

    def shape(self, name: str) -> str:
        """What items of a source look like."""
        return self.of("shape", name)

    def drift(self, name: str) -> str:
        """What was told once of a source."""
        return self.of("drift", name)

    def scans(self, name: str) -> str:
        """What scans of a source did in all."""
        return self.of("scans", name)

    def recent(self, name: str) -> str:
        """The last scans of a source."""
        return self.of("recent", name)

    def minutes(self, name: str, hour: int) -> str:
        """What happened to a source in an hour (since 1970), by its minutes."""
        return self.of("minutes", name, str(hour))

    def attempted(self, hour: int) -> str:
        """What attempts came to in an hour (since 1970), by its minutes."""
        return self.of("attempted", str(hour))

    def attempts(self, target: str) -> str:
        """What attempts at a target came to in all."""
        return self.of("attempts", target)

    def history(self, key: str) -> str:
        """Revisions of one resource (`source/kind/id`)."""
        return self.of("history", key)

    def lanes(self, target: str) -> str:
        """Lanes of a target."""
        return self.of("lanes", target)

    def delivery(self, id: str) -> str:
        """One delivery."""
        return self.of("delivery", id)

    def deliveries(self, target: str) -> str:
        """Deliveries of a target."""
        return self.of("deliveries", target)

    def pending(self, target: str) -> str:
        """Deliveries of a target that wait."""
        return self.of("pending", target)

    def failed(self, target: str) -> str:
        """Deliveries of a target that were given up."""
        return self.of("failed", target)

    def target(self, name: str) -> str:
        """State of a target."""
        return self.of("target", name)

    def hold(self, target: str) -> str:
        """Hold of a target."""
        return self.of("hold", target)

    def event(self, id: str) -> str:
        """Where an event stands in the stream."""
        return self.of("event", id)

    def budget(self, credential: str) -> str:
        """What a credential may spend, by a hash of it."""
        return self.of("budget", credential)

    def token(self, name: str) -> str:
        """A sealed access token."""
        return self.of("token", name)

    def buying(self, name: str) -> str:
        """Who buys that token now."""
        return self.of("buying", name)

    @property
    def secrets(self) -> str:
        """Signing secrets that rotation made."""
        return self.of("secrets")

    def asked(self, key: str) -> str:
        """The answer to what was asked under a key."""
        return self.of("asked", key)

    def group(self, target: str, lane: str) -> str:
        """One group of a target."""
        return self.of("group", target, lane)

    def members(self, target: str, lane: str) -> str:
        """Conditions of one group."""
        return self.of("members", target, lane)

    @property
    def conditions(self) -> str:
        """All conditions."""
        return self.of("conditions")

    @property
    def briefs(self) -> str:
        """All open conditions in brief."""
        return self.of("briefs")

    @property
    def silences(self) -> str:
        """All silences."""
        return self.of("silences")

    @property
    def deadlines(self) -> str:
        """All armed deadlines."""
        return self.of("deadlines")

    @property
    def armed(self) -> str:
        """When a deadline was armed last that was due already."""
        return self.of("armed")

    @property
    def events(self) -> str:
        """The event log."""
        return self.of("events")

    @property
    def relay(self) -> str:
        """The relay's cursor."""
        return self.of("relay")

    @property
    def due(self) -> str:
        """Targets with work."""
        return self.of("due")

    @property
    def spans(self) -> str:
        """What became of spans."""
        return self.of("spans")

    def signed_out(self, name: str) -> str:
        """That a person's session was ended."""
        return self.of("signedout", name)

    @property
    def workers(self) -> str:
        """Who works."""
        return self.of("workers")

    @property
    def state(self) -> str:
        """The version of what is stored."""
        return self.of("state")

    @property
    def bell(self) -> str:
        """The bell."""
        return self.of("bell")
