from __future__ import annotations

from pathlib import Path

import pytest

from monitor.demo import home
from monitor.demo.home import Home
from monitor.demo.world import free_or_any, restored
from monitor.errors import JobwireError, UsageError
from monitor.simulator import keep


def test_one_demo_holds_a_directory(tmp_path: Path) -> None:
    """A second one is told by whom, and may have it when the first has ended."""
    first, second = Home(tmp_path / "d"), Home(tmp_path / "d")
    with first.held(), pytest.raises(JobwireError, match=r"process \d+\) already runs"), second.held():
        pass
    with second.held():
        assert second.path.stat().st_mode & 0o077 == 0


def test_what_belongs_to_something_else_is_left_alone(tmp_path: Path) -> None:
    """The store of a real installation is no place for a demo, and neither is a file or what cannot be written."""
    (tmp_path / "var" / "store").mkdir(parents=True)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="something else than a demo"), Home(tmp_path / "var").held():
        pass
    with pytest.raises(UsageError, match="is a file"), Home(tmp_path / "file").held():
        pass
    with pytest.raises(JobwireError, match="cannot write to"), Home(tmp_path / "file" / "below").held():
        pass


def test_secrets_are_made_once(tmp_path: Path) -> None:
    """The same secret, seed and ports after a restart; what cannot be read is made anew."""
    place = Home(tmp_path)
    made = place.memory(3)
    made.ports = list(range(1, 9))
    place.remember(made)
    assert Home(tmp_path).memory(9) == made
    (tmp_path / "demo.json").write_text("{")
    assert place.memory(9).seed == 9
    assert place.memory(9).secret != made.secret


def test_a_world_that_cannot_be_read_is_a_new_one(tmp_path: Path) -> None:
    """Half a file and one of another version begin anew; one that was kept goes on."""
    place = Home(tmp_path)
    _, sim = restored(place, 5, [0] * 5)
    sim.step()
    place.keep_world(home.World(12.5, keep.dump(sim)))
    left, again = restored(place, 5, [0] * 5)
    assert left is not None
    assert left.at == 12.5
    assert keep.dump(again) == keep.dump(sim)
    place.keep_world(home.World(12.5, {"version": -1}))
    assert restored(place, 5, [0] * 5)[0] is None
    (tmp_path / "world.json").write_text('{"at": 1, "ke')
    assert restored(place, 5, [0] * 5)[0] is None


def test_forgetting_leaves_nothing_of_the_demo(tmp_path: Path) -> None:
    """But what is not its own stays."""
    place = Home(tmp_path)
    place.memory(1)
    place.write_config("a: 1")
    (tmp_path / "store").mkdir()
    (tmp_path / "notes.txt").touch()
    place.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_port_that_is_taken_is_given_up(unused_tcp_port: int) -> None:
    """Ports are kept over restarts, unless somebody else has them now."""
    import socket

    with socket.socket() as other:
        other.bind(("127.0.0.1", unused_tcp_port))
        other.listen()
        assert free_or_any(unused_tcp_port) == 0
    assert free_or_any(unused_tcp_port) == unused_tcp_port
