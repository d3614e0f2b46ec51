"""The config file, read: what each section becomes, and its defaults."""

from __future__ import annotations

import json
import time
from datetime import time as clock
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import ConfigError
from monitor.settings import EMBEDDED, Settings, load
from tests.unit.settings.configs import SOURCES, TARGETS, Configs

HOUR = 3_600.0
DAY = 86_400.0


def test_a_file_with_one_source_is_enough(configs: Configs) -> None:
    """Everything else has a default."""
    read = configs.load(SOURCES)

    assert (read.store.url, read.store.data_dir) == (EMBEDDED, Path("var"))
    assert (read.web.host, read.web.port, read.web.tokens) == ("127.0.0.1", 8080, ())
    assert read.egress.allow == ()
    assert list(read.sources) == ["tax"]
    assert (read.deadlines, read.stuck, read.targets, read.routes) == ({}, (), {}, ())


def test_sources_and_targets_have_the_options_of_their_kind(configs: Configs) -> None:
    """Each entry is validated by the model of its provider or type."""
    read = configs.load(SOURCES + TARGETS)
    source, target = read.sources["tax"], read.targets["ops"]

    assert (source.name, source.provider) == ("tax", "worklayer")
    assert type(source.options).__module__ == "monitor.providers.worklayer"
    assert source.options.every == 60.0
    assert (target.name, target.type) == ("ops", "webhook")
    assert type(target.options).__module__ == "monitor.targets.webhook"
    assert target.options.destinations() == {"url": "https://hooks.example.org/x"}


def test_values_from_the_environment_fit_where_numbers_are_due(configs: Configs) -> None:
    """A value that is one `${...}` may be a number, true or false, or nothing; elsewhere it stays text."""
    text = """
        sources:
          tax:
            provider: worklayer
            token: ${TOKEN}
            every: "${EVERY}s"
            concurrency: ${CONCURRENCY}
            removal_limit: ${LIMIT:-0.25}
            enabled: ${ENABLED}
            rate: ${RATE:-}
            page_size: ${SIZE:-}
        """
    environ = {"TOKEN": "12345", "EVERY": "5", "CONCURRENCY": "7", "ENABLED": "no"}

    options: Any = configs.load(text, environ).sources["tax"].options

    assert options.token.get_secret_value() == "12345"
    assert (options.every, options.concurrency, options.removal_limit) == (5.0, 7, 0.25)
    assert (options.enabled, options.rate, options.page_size) == (False, None, 100)


def test_the_store_of_the_environment_wins(configs: Configs) -> None:
    """JOBWIRE_STORE_URL replaces the file's; an empty one does not."""
    text = SOURCES + "store: {url: 'redis://file:6379/1', data_dir: data}\n"

    assert configs.load(text).store.url == "redis://file:6379/1"
    assert configs.load(text, {"JOBWIRE_STORE_URL": ""}).store.url == "redis://file:6379/1"
    assert configs.load(text, {"JOBWIRE_STORE_URL": "unix:///run/x.sock"}).store.url == "unix:///run/x.sock"
    assert configs.load(SOURCES, {"JOBWIRE_STORE_URL": "redis://env"}).store.url == "redis://env"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("embedded", "embedded"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("rediss://user:p@ss@host:6379/0?x=y", "rediss://host:6379/0"),
        ("unix:///run/redis.sock?password=secret", "unix:///run/redis.sock"),
        ("redis://host/0?password=p@ss", "redis://..."),
        ("redis://:p?p@ss@host", "redis://..."),
        ("redis+sentinel://:p@ss@a:26379,b:26379/main", "redis+sentinel://a:26379,b:26379/main"),
    ],
)
def test_the_store_is_named_without_its_password(configs: Configs, url: str, address: str) -> None:
    """`address` is for people, and `repr` leaves the URL out."""
    store = configs.load(f"{SOURCES}store: {{url: '{url}'}}\n").store

    assert store.address == address
    assert "p@ss" not in repr(store)


def test_ladders_are_sorted_and_may_be_empty(configs: Configs) -> None:
    """The widest rung comes first, each once; no rung tells nothing before."""
    text = """
        deadlines:
          worklayer.job.deadline_approaching: {before: [1h, 3d, 24h, 1d], send_at: 09:30}
          driver_jobs.contract.expiring: {before: []}
        """
    ladders = configs.load(SOURCES + Configs.dedent(text)).deadlines

    assert ladders["worklayer.job.deadline_approaching"].before == (3 * DAY, DAY, HOUR)
    assert ladders["worklayer.job.deadline_approaching"].send_at == clock(9, 30)
    assert ladders["driver_jobs.contract.expiring"].before == ()


def test_routes_become_a_tree_of_plain_values(configs: Configs) -> None:
    """One word stands for a list of one; what is not given is None, so that the parent's counts."""
    text = """
        routes:
          - name: outer
            match:
              type: "*.job.failed"
              source: [tax]
              where: {resource.fields.total: {gte: "${MIN}", lt: 1000}, resource.fields.x: {exists: false, in: [a, 1]}}
            to: ops
            group_by: [...]
            group_wait: 0s
            severity: critical
            labels: {team: 7}
            routes:
              - {to: [], continue: true, group_by: []}
          - {to: [ops]}
        """
    outer, last = configs.load(SOURCES + TARGETS + Configs.dedent(text), {"MIN": "100"}).routes
    (inner,) = outer.routes

    assert (outer.name, outer.to, outer.group_by, outer.group_wait) == ("outer", ("ops",), ("...",), 0.0)
    assert (outer.match.type, outer.match.source, outer.match.kind) == (("*.job.failed",), ("tax",), ())
    assert {path: one.operators for path, one in outer.match.where.items()} == {
        "resource.fields.total": {"gte": 100, "lt": 1000},
        "resource.fields.x": {"exists": False, "in": ("a", 1)},
    }
    assert (outer.severity, outer.labels, outer.continue_) == ("critical", {"team": "7"}, False)
    assert (inner.to, inner.continue_, inner.group_by, inner.group_wait) == ((), True, (), None)
    assert (last.match.type, last.to, last.group_by) == ((), ("ops",), None)


def test_what_later_versions_act_on_is_read_already(configs: Configs) -> None:
    """stuck rules, time intervals and escalation have their shapes."""
    text = """
        stuck:
          - {type: worklayer.job, state: UNCLAIMED, for: 4h, unless_changed: description}
        routes:
          - to: [ops]
            repeat_interval: 4h
            mute:
              - {times: [{start_time: "22:00", end_time: "24:00"}], weekdays: [saturday, "monday:friday"],
                 days_of_month: [1, "-3:-1"], months: [december, "1:3"], years: [2026], location: Europe/London}
            escalate: {after: 15m, to: ops}
        """
    read = configs.load(SOURCES + TARGETS + Configs.dedent(text))
    (rule,), (route,) = read.stuck, read.routes

    assert (rule.type, rule.state, rule.for_, rule.unless_changed) == (
        "worklayer.job",
        "UNCLAIMED",
        4 * HOUR,
        ("description",),
    )
    assert route.repeat_interval == 4 * HOUR
    assert route.mute is not None
    assert route.mute[0].times[0].end_time == "24:00"
    assert route.mute[0].days_of_month == ("1", "-3:-1")
    assert route.escalate is not None
    assert (route.escalate.after, route.escalate.to) == (900.0, ("ops",))


def test_a_key_with_nothing_after_it_counts_as_not_given(configs: Configs) -> None:
    """As is left when all that follows is commented out."""
    text = """
        store:
        web:
          tokens:
        egress:
          allow:
        sources: {tax: {provider: worklayer, token: abc, every: null, rate: null, timezone: ~}}
        deadlines:
        stuck:
        targets:
        routes:
        """
    assert configs.load(text) == configs.load(SOURCES)


def test_settings_cannot_be_changed(configs: Configs) -> None:
    """They are frozen values."""
    read = configs.load(SOURCES)

    with pytest.raises(AttributeError):
        read.routes = ()  # type: ignore[misc]  # that this is an error is the point


def test_load_raises_what_check_reports(configs: Configs) -> None:
    """One ConfigError holds every problem, one a line, each with file, line, column and path."""
    with pytest.raises(ConfigError) as raised:
        configs.load("sources: {tax: {provider: worklayr}}\nstores: {}\n")

    assert [(one.file, one.line, one.column) for one in raised.value.problems] == [
        (str(configs.path), 1, 27),
        (str(configs.path), 2, 1),
    ]
    assert str(raised.value) == (
        f"{configs.path}:1:27: sources.tax.provider: unknown provider 'worklayr'; did you mean worklayer?\n"
        f"{configs.path}:2:1: stores: unknown section; did you mean store?"
    )


def test_five_hundred_sources_load_in_half_a_second(configs: Configs) -> None:
    """A large file costs little processor time; the best of three, since neighbours disturb."""
    entry = """
          s{n}:
            provider: {provider}
            token: "${{TOKEN}}"
            connector_token: abc
            every: 30s
            timezone: Europe/London
            track: [a, b]
        """
    lines = [Configs.dedent(entry.format(n=n, provider="bindbee")).replace("\n", "\n  ") for n in range(500)]
    text = "sources:\n" + "".join(lines)

    def seconds() -> float:
        started = time.process_time()
        assert len(configs.load(text, {"TOKEN": "x"}).sources) == 500
        return time.process_time() - started

    assert min(seconds() for _ in range(3)) < 0.5


@pytest.fixture(scope="module")
def anything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that each example overwrites."""
    return tmp_path_factory.mktemp("configs") / "jobwire.yaml"


def outcome(path: Path, content: bytes) -> Settings | ConfigError:
    """What comes of a file with this content."""
    path.write_bytes(content)
    try:
        return load(path, {"A": "x"})
    except ConfigError as error:
        return error


@given(st.binary(max_size=200))
def test_any_bytes_give_settings_or_problems(anything: Path, content: bytes) -> None:
    """Nothing else is raised."""
    assert isinstance(outcome(anything, content), ConfigError)


WORDS = """
    store url data_dir web listen tokens egress allow sources tax provider token every rate headers deadlines
    worklayer.job.deadline_approaching before send_at stuck type state for unless_changed targets ops secret retry
    routes match to continue group_by group_wait mute active location times labels escalate after where eq in
"""
KEYS = st.sampled_from(WORDS.split())
SCALARS = (
    st.sampled_from(["worklayer", "bindbee", "webhook", "5s", "${A}", "${B}", "$", "*", "...", "embedded", "ops", "x"])
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)


@given(document=st.dictionaries(KEYS, DOCUMENTS, max_size=8))
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=200)
def test_any_document_gives_settings_or_problems(anything: Path, document: dict[str, Any]) -> None:
    """Known keys in the wrong places, with the wrong values: still nothing else is raised."""
    found = outcome(anything, json.dumps(document).encode())

    assert isinstance(found, Settings) or found.problems


def test_deliveries_are_kept_as_long_as_their_targets_retry(configs: Configs) -> None:
    """Two weeks unless the file says otherwise; a schedule that is longer is a problem with its place."""
    assert configs.load(SOURCES).store.retention == 14 * 86400
    assert configs.load(SOURCES + "store: {retention: 30d}\n").store.retention == 30 * 86400
    (problem,) = configs.problems(SOURCES + TARGETS + "store: {retention: 2d}\n")
    assert "targets.ops.retry: may go on for 3." in problem
    assert "store.retention" in problem
