"""`jobwire check`: what is wrong with the file, and what the sources say."""

from __future__ import annotations

from monitor.simulator import Simulator
from tests.integration.cli.commands import Jobwire


async def test_a_good_file_is_summed_up(jobwire: Jobwire) -> None:
    """Exit code 0, how much there is, and warnings with their place."""
    done = await jobwire("check")

    assert (done.code, done.err) == (0, "")
    assert done.lines[-1] == f"{jobwire.config}: ok: 4 sources, 1 target, 2 routes, 6 warnings"
    assert done.lines[0].startswith(f"{jobwire.config}:")
    assert "warning: sources.drivers.token: a secret stands in the file" in done.lines[0]


async def test_every_problem_is_named_with_its_place(bare: Jobwire) -> None:
    """Exit code 2; all problems at once, for people and for programs."""
    bare.configure("sources:\n  a: {provider: worklayr}\n  b: {provider: devrev, token: x, every: soon}\n")

    done, as_json = await bare("check"), await bare("check", "--json")

    assert (done.code, as_json.code, done.err) == (2, 2, "")
    assert [line.split(": ")[0] for line in done.lines] == [
        f"{bare.config}:2:17",
        f"{bare.config}:3:42",
        str(bare.config),
    ]
    assert done.lines[-1].endswith("2 problems")
    assert [(one["level"], one["line"], one["column"]) for one in as_json.json] == [("error", 2, 17), ("error", 3, 42)]
    assert all(one["file"] == str(bare.config) and one["text"] for one in as_json.json)


async def test_live_asks_each_source_once(jobwire: Jobwire, sim: Simulator) -> None:
    """One page of each list, quotas and the end of tokens where they are known, nothing stored."""
    done = await jobwire("check", "--live", "--json")

    answers = {one["source"]: one for one in done.json if "source" in one}
    assert done.code == 0
    assert list(answers) == ["drivers", "tax", "ats", "dev"]
    assert all(one["ok"] and one["items"] for one in answers.values())
    assert answers["ats"]["quota"]["limit"] == 200
    assert answers["drivers"]["expires_at"] is not None
    assert [len(server.requests) for server in sim.servers.values()] == [1, 1, 1, 1]
    assert not (jobwire.home / "var").exists()


async def test_live_says_which_source_is_wrong(jobwire: Jobwire, sim: Simulator) -> None:
    """Exit code 1, and the reason beside the others' answers."""
    sim.devrev.fault(status=401, times=None)

    done = await jobwire("check", "--live")

    rows = {line.split()[0]: line for line in done.lines}
    assert done.code == 1
    assert "credentials_rejected" in rows["dev"]
    assert " ok " in rows["tax"]
    assert sim.devrev.token not in done.out + done.err
