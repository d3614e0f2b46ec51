"""Everything that can be wrong with a config file, and what `check` says of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.settings import check
from tests.unit.settings.configs import SECRET, SOURCES, TARGETS, Configs


def test_a_missing_file_says_how_to_name_another(tmp_path: Path) -> None:
    """Also a directory, and a name that no file can have."""
    for path, why in ((tmp_path / "none.yaml", "No such file"), (tmp_path, "directory"), (tmp_path / "\0", "name")):
        (problem,) = check(path, {}).problems

        assert str(problem).startswith(f"{path}:1:1: cannot be read: ")
        assert why in problem.text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "1:1: is empty: write at least sources; the sections are store, web, egress, telemetry, sources,"),
        (b"# nothing\n\n", "1:1: is empty"),
        (b"a: 1\nb: \xff\n", "2:4: is not UTF-8 text"),
        (b"- a\n", "1:1: the file must hold keys with values: store, web, egress, telemetry, sources"),
        (b"hello\n", "1:1: the file must hold keys with values"),
        (b"{}\n", "1:1: sources: no source: name at least one account to watch"),
        (b"sources:\n", "1:1: sources: no source: name at least one account to watch"),
        (b"sources: {}\n", "1:1: sources: no source"),
        (b"sources: [a]\n", "1:1: sources: should be keys with values"),
        (b"sources: {tax: {provider: worklayer, token: a}\n", "1:47: this is not YAML: a comma or the closing bracket"),
        (b"x" * 16_000_001, "1:1: is larger than 16,000,000 bytes"),
    ],
)
def test_a_file_that_holds_no_config(configs: Configs, content: bytes, said: str) -> None:
    """Each is one problem with its place."""
    configs.path.write_bytes(content)

    (problem,) = check(configs.path, {}).problems

    assert str(problem).removeprefix(f"{configs.path}:").startswith(said)


def test_a_byte_order_mark_is_no_problem(configs: Configs) -> None:
    """Editors on Windows write one."""
    configs.path.write_bytes(b"\xef\xbb\xbf" + SOURCES.encode())

    assert check(configs.path, {}).problems == ()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{provider: worklayr, token: a}", "1:27: sources.tax.provider: unknown provider 'worklayr'; did you mean w"),
        ("{provider: smtp}", "unknown provider 'smtp'; allowed: driver_jobs, worklayer, bindbee, devrev"),
        ("{provider: 5}", "1:27: sources.tax.provider: should be one of: driver_jobs, worklayer, bindbee, devrev"),
        ("{token: a}", "1:11: sources.tax.provider: missing: one of driver_jobs, worklayer, bindbee, devrev"),
        ("hello", "1:16: sources.tax: should be keys with values, provider among them"),
        ("{provider: devrev, tokn: a, token: b}", "1:35: sources.tax.tokn: unknown key; did you mean token?"),
        ("{provider: devrev}", "1:11: sources.tax.token: missing: personal access token or service account token"),
        ("{provider: devrev, token: 5}", "1:42: sources.tax.token: should be text: put it in quotes"),
        ("{provider: devrev, token: a, every: 60}", "sources.tax.every: 60 is not a duration: write a number and a u"),
        ("{provider: devrev, token: a, every: 5 m}", "sources.tax.every: '5 m' is not a duration"),
        ("{provider: devrev, token: a, every: 500ms}", "1:52: sources.tax.every: should be at least 1s"),
        ("{provider: devrev, token: a, limit: 500}", "sources.tax.limit: should be at most 100"),
        ("{provider: devrev, token: a, limit: many}", "sources.tax.limit: should be a whole number"),
        ("{provider: devrev, token: a, limit: 1.5}", "sources.tax.limit: should be a whole number"),
        ("{provider: devrev, token: a, removal_limit: x}", "sources.tax.removal_limit: should be a number"),
        ("{provider: devrev, token: a, removal_limit: 0}", "sources.tax.removal_limit: should be more than 0"),
        ("{provider: devrev, token: a, enabled: maybe}", "sources.tax.enabled: should be true or false"),
        ("{provider: devrev, token: a, track: x}", "sources.tax.track: should be a list"),
        ("{provider: devrev, token: a, track: [1]}", "1:53: sources.tax.track[0]: should be text: put it in quotes"),
        ("{provider: devrev, token: a, mode: aftr}", "sources.tax.mode: should be one of: after, before; did you mean"),
        ("{provider: devrev, token: a, rate: fast}", "sources.tax.rate: 'fast' is not a rate"),
        ("{provider: devrev, token: a, max_body: 1PB}", "sources.tax.max_body: '1PB' is not a size"),
        ("{provider: devrev, token: a, timezone: Mars}", "sources.tax.timezone: 'Mars' is not a time zone"),
        ("{provider: devrev, token: a, base_url: ftp://x}", "sources.tax.base_url: not an address: write http:// or"),
        ("{provider: driver_jobs, token: a}", "sources.tax.base_url: missing: host root of the API"),
        ("{provider: worklayer}", "1:11: sources.tax: needs token, or client_id and client_secret"),
        ('{provider: devrev, token: "${NO}"}', "1:42: sources.tax.token: environment variable NO is not set"),
        ('{provider: devrev, token: "${file:no}"}', "sources.tax.token: file 'no' does not exist"),
        ('{provider: devrev, token: "${NO:?ask Ann}"}', "sources.tax.token: environment variable NO: ask Ann"),
        ('{provider: devrev, token: "${NO:-}"}', "1:42: sources.tax.token: missing: personal access token"),
        ("{provider: devrev, token: a, token: b}", "1:45: duplicate key 'token': it stands on line 1 already"),
    ],
)
def test_a_source_that_is_wrong(configs: Configs, entry: str, said: str) -> None:
    """One problem for one mistake: at the value where there is one, at the key where it is about the key."""
    (problem,) = configs.problems(f"sources: {{tax: {entry}}}\n")

    assert said in problem


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{type: webhok}", "unknown type 'webhok'; did you mean webhook?"),
        ("{url: https://x.example}", "targets.ops.type: missing: one of webhook"),
        (f"{{type: webhook, url: not a url, secret: {SECRET}}}", "targets.ops.url: the URL holds a space"),
        (f"{{type: webhook, url: //x, secret: {SECRET}}}", "targets.ops.url: not a URL"),
        ("{type: webhook, url: https://x.example, secret: whsec_abc}", "targets.ops.secret: a whsec_ secret is the"),
        ("{type: webhook, url: https://x.example, secret: whsec_!}", "targets.ops.secret: "),
        ("{type: webhook, url: https://x.example, secret: whsk_QUJD}", "targets.ops.secret: "),
        (f"{{type: webhook, url: http://10.1.2.3/x, secret: {SECRET}}}", "targets.ops.url: 10.1.2.3 is a private addr"),
        (f"{{type: webhook, url: http://localhost:1, secret: {SECRET}}}", "targets.ops.url: 127.0.0.1 is a loopback"),
        (f"{{type: webhook, url: https://x.example, secret: {SECRET}, timeout: 5h}}", "should be at most 2m"),
        (f"{{type: webhook, url: https://x.example, secret: {SECRET}, retry: [5s, 5]}}", "targets.ops.retry[1]: 5 is"),
        (f"{{type: webhook, url: https://x.example, secret: {SECRET}, headers: {{host: a}}}}", "the header host is"),
        (
            f"{{type: webhook, url: https://x.example, secret: {SECRET}, retry: [{'1s, ' * 65}]}}",
            "targets.ops.retry: has 65 entries, at most 64 are allowed",
        ),
    ],
)
def test_a_target_that_is_wrong(configs: Configs, entry: str, said: str) -> None:
    """Types, URLs, secrets that cannot be decoded, private addresses."""
    (problem,) = configs.problems(f"{SOURCES}targets: {{ops: {entry}}}\n")

    assert problem.startswith("2:")
    assert said in problem


def test_an_address_that_egress_allows_is_no_problem(configs: Configs) -> None:
    """And a wrong egress list does not make it one."""
    target = f"targets: {{ops: {{type: webhook, url: http://10.1.2.3/x, secret: {SECRET}}}}}\n"

    assert configs.problems(f"{SOURCES}{target}egress: {{allow: [10.0.0.0/8]}}\n") == []
    assert configs.problems(f"{SOURCES}{target}egress: {{allow: [nonsense]}}\n") == [
        "3:18: egress.allow[0]: 'nonsense' is not a network: write a CIDR such as 10.0.0.0/8"
    ]


@pytest.mark.parametrize("name", ["UK", "-a", "_a", "a b", "a.b", "ä", '""', "a/b"])
def test_a_name_that_is_no_name(configs: Configs, name: str) -> None:
    """Names become parts of keys, subjects and file names."""
    problems = configs.problems(f"sources: {{{name}: {{provider: worklayer, token: a}}}}\n")

    assert len(problems) == 1
    assert problems[0].startswith("1:11: sources")
    assert "use small letters, digits, - and _" in problems[0]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("stor: {}", "2:1: stor: unknown section; did you mean store?"),
        (
            "metrics: {}",
            "unknown section; allowed: store, web, egress, telemetry, sources, deadlines, stuck, targets, intervals",
        ),
        ("store: {url: 'postgres://x/y'}", "2:14: store.url: is not a store: write embedded, redis://HOST:PORT/DB"),
        ("store: {url: 'redis://'}", "store.url: is not a store"),
        ("store: {data_dir: ~/x}", "store.data_dir: ~ is not a directory here: write ${HOME}"),
        ("store: {dir: x}", "2:9: store.dir: unknown key; allowed: url, data_dir"),
        ("store: x", "2:8: store: should be keys with values"),
        ("web: {listen: 8080}", "web.listen: should be text: put it in quotes"),
        ("web: {listen: 'localhost:99999'}", "web.listen: is not an address to listen on: write HOST:PORT"),
        ("web: {listen: '0.0.0.0:8080'}", "2:1: web: listens beyond loopback, which takes a token"),
        ("web: {tokens: ['']}", "2:16: web.tokens[0]: must not be empty"),
        ("web: {tokens: abc}", "web.tokens: should be a list"),
        ("egress: {allow: 10.0.0.0/8}", "egress.allow: should be a list"),
        ("deadlines: {worklayer.job.deadline_aproaching: {before: [1d]}}", "did you mean worklayer.job.deadline_appr"),
        ("deadlines: {acme.job.due: {before: [1d]}}", "no deadline of this name; allowed: worklayer.job.deadline_app"),
        ("deadlines: {worklayer.job.deadline_approaching: {before: [0s]}}", "told by worklayer.job.deadline_missed"),
        ("deadlines: {worklayer.job.deadline_approaching: {before: [soon]}}", ".before[0]: 'soon' is not a duration"),
        ("deadlines: {worklayer.job.deadline_approaching: {before: [], send_at: 25:00}}", "write HH:MM, such as 09:00"),
        ("deadlines: {worklayer.job.deadline_approaching: {holidays: [25.12.2026]}}", "write YYYY-MM-DD, such as 2026"),
        ("stuck: {}", "2:1: stuck: should be a list: begin each entry with `- `"),
        (
            "stuck: [{type: worklayer.jb, state: X, for: 4h}]",
            "stuck[0].type: no such kind; did you mean worklayer.job?",
        ),
        ("stuck: [{type: acme.job, state: X, for: 4h}]", "stuck[0].type: no such kind"),
        ("stuck: [{type: worklayer, state: X, for: 4h}]", "does not have the right form: provider and kind, such as"),
        ("stuck: [{type: worklayer.job, state: X}]", "stuck[0].for: missing: how long it may last"),
        ("stuck: [{type: worklayer.job, state: X, for: 0s}]", "stuck[0].for: should be more than 0s"),
        ("routes: {}", "2:1: routes: should be a list: begin each entry with `- `"),
        ("routes: [x]", "2:10: routes[0]: should be keys with values"),
    ],
)
def test_a_section_that_is_wrong(configs: Configs, section: str, said: str) -> None:
    """Each with its path and what is allowed."""
    (problem,) = configs.problems(f"{SOURCES}{section}\n")

    assert said in problem


def test_dates_are_told_in_whole_days(configs: Configs) -> None:
    """A rung of hours would mean nothing for a date without a time."""
    text = "sources: {uk: {provider: driver_jobs, base_url: https://x.example, token: a}}\n"
    text += "deadlines: {driver_jobs.contract.expiring: {before: [36h]}}\n"

    (problem,) = configs.problems(text)

    assert problem.startswith('2:45: deadlines["driver_jobs.contract.expiring"].before: a date is told in whole days')


@pytest.mark.parametrize(
    ("route", "said"),
    [
        ("{to: [opps]}", "3:16: routes[0].to[0]: unknown target 'opps'; did you mean ops?"),
        ("{to: nobody}", "3:15: routes[0].to: unknown target 'nobody'; allowed: ops"),
        ("{to: [ops, ops]}", "routes[0].to: names ops more than once"),
        (
            "{routes: [{routes: [{to: [zzz]}]}]}",
            "routes[0].routes[0].routes[0].to[0]: unknown target 'zzz'; allowed: o",
        ),
        ("{to: [ops], escalate: {after: 5m, to: [zzz]}}", "routes[0].escalate.to[0]: unknown target 'zzz'"),
        ("{to: [ops], escalate: {after: 5m, to: []}}", "routes[0].escalate.to: must not be empty"),
        ("{}", "3:10: routes[0]: sends nowhere: write to: [TARGET], or to: [] if these events are not to be sent"),
        ("{routes: [{name: a}]}", "routes[0].routes[0]: sends nowhere"),
        ("{name: a, to: [ops], routes: [{name: a}]}", "routes[0].routes[0].name: another route above is called 'a'"),
        ("{to: [ops], group_by: [team]}", "routes[0].group_by[0]: 'team' is no label of this route; allowed: source,"),
        ("{to: [ops], group_by: [typ]}", "did you mean type?"),
        ("{to: [ops], group_by: [type, type]}", "routes[0].group_by: names type more than once"),
        ("{to: [ops], group_by: [..., type]}", "routes[0]: group_by: [...] puts each event alone"),
        ("{to: [ops], labels: {type: x}}", "routes[0]: labels: type is what events carry themselves"),
        ("{to: [ops], labels: {a-b: x}}", "routes[0].labels"),
        ("{to: [ops], group_wait: 5}", "routes[0].group_wait: 5 is not a duration"),
        ("{to: [ops], group_interval: 0s}", "routes[0].group_interval: should be more than 0s"),
        ("{to: [ops], severity: crit}", "routes[0].severity: should be one of: info, warning, critical; did you mean"),
        ("{to: [ops], continue_: true}", "routes[0].continue_: unknown key; did you mean continue?"),
        ('{to: [ops], match: {where: {"a\\nb": 5}}}', 'routes[0].match.where["a\\nb"]: should be keys with values'),
        ("{to: [ops], continue: 1.5}", "routes[0].continue: should be true or false"),
        ("{to: [ops], mach: {}}", "3:22: routes[0].mach: unknown key; did you mean match?"),
        ("{to: [ops], match: {tpye: x}}", "routes[0].match.tpye: unknown key; did you mean type?"),
        ("{to: [ops], match: {type: worklayr.job.x}}", "no event type begins with 'worklayr'; did you mean worklayer?"),
        (
            "{to: [ops], match: {type: ['*.job.x', 'a b']}}",
            "routes[0].match.type[1]: is not an event type: write words",
        ),
        ("{to: [ops], match: {source: txa}}", "routes[0].match.source: unknown source 'txa'; did you mean tax?"),
        ("{to: [ops], match: {provider: [devrv]}}", "unknown provider 'devrv'; did you mean devrev?"),
        ("{to: [ops], match: {where: {a: 5}}}", "routes[0].match.where.a: should be keys with values"),
        ("{to: [ops], match: {where: {a: {}}}}", "routes[0].match.where.a: compares nothing: write one or more of eq"),
        ("{to: [ops], match: {where: {a: {like: x}}}}", "routes[0].match.where.a.like: unknown key; allowed: eq, ne"),
        ("{to: [ops], match: {where: {a: {gt: true}}}}", "routes[0].match.where.a.gt: should be a number or text"),
        ("{to: [ops], match: {where: {a.b: {eq: [1]}}}}", '.where["a.b"].eq: should be text, a number, true or false'),
        ("{to: [ops], match: {where: {a: {in: 5}}}}", "routes[0].match.where.a.in: should be a list"),
        (
            "{to: [ops], mute: [{weekdays: [monday]}]}",
            "routes[0].mute[0].location: missing: time zone in which all this",
        ),
        ("{to: [ops], mute: [{weekdays: [mon], location: UTC}]}", "does not have the right form: such as saturday or"),
        (
            "{to: [ops], mute: [{times: [{start_time: '17:00', end_time: '09:00'}], location: UTC}]}",
            "routes[0].mute[0].times[0]: ends before it starts: for a night write two ranges",
        ),
    ],
)
def test_a_route_that_is_wrong(configs: Configs, route: str, said: str) -> None:
    """At any depth."""
    (problem,) = configs.problems(f"{SOURCES}{TARGETS}routes: [{route}]\n")

    assert said in problem


def test_what_a_route_may_say(configs: Configs) -> None:
    """Globs, jobwire's own events, labels set above, names inherited: none of these is a problem."""
    text = """
        routes:
          - to: [ops]
            labels: {team: blue}
            match: {type: ["**", "jobwire.source.*", "*layer.job.x"], source: "t*", provider: [jobwire, "*"]}
            routes:
              - {group_by: [team, type]}
          - {to: []}
        """
    assert configs.problems(SOURCES + TARGETS + Configs.dedent(text)) == []


def test_a_wrong_store_in_the_environment_is_told_as_such(configs: Configs) -> None:
    """The file is not to blame, and the URL, which may hold a password, is not shown."""
    (problem,) = configs.problems(SOURCES, {"JOBWIRE_STORE_URL": "mysql://u:hunter2@h"})

    assert problem.startswith("1:1: environment variable JOBWIRE_STORE_URL is not a store: write embedded, redis://")
    assert "hunter2" not in problem


def test_everything_wrong_is_told_at_once(configs: Configs) -> None:
    """In the order of the file, whatever kind of mistake; a route's own mistake hides no unknown target."""
    text = """
        sources:
          a: {provider: devrev, token: "${NO}"}
          b: {provider: devrev, token: x, every: 1}
          b: {provider: devrev, token: x}
        targets:
          ops: {type: webhok}
        routes:
          - {to: [nobody], severity: crit}
          - {to: [ops], typ: x, routes: [{to: [zzz]}]}
        extra: 1
        """
    problems = configs.problems(text)

    assert [problem.split(": ")[0] for problem in problems] == [
        "3:32",
        "4:42",
        "5:3",
        "7:15",
        "9:11",
        "9:30",
        "10:17",
        "10:40",
        "11:1",
    ]


def test_a_value_without_its_variable_makes_one_problem(configs: Configs) -> None:
    """What validation would say of the missing value is left out."""
    text = SOURCES + TARGETS.replace("https://hooks.example.org/x", '"${URL}"').replace(SECRET, '"${SECRET}"')

    assert [problem.split(" (")[0] for problem in configs.problems(text)] == [
        "2:37: targets.ops.url: environment variable URL is not set: set it where jobwire starts",
        "2:55: targets.ops.secret: environment variable SECRET is not set: set it where jobwire starts",
    ]
