"""No secret is ever shown: not by settings, not by problems, not by warnings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.settings import check
from monitor.settings.generate import env_file
from tests.unit.settings.configs import Configs

ROOT = Path(__file__).resolve().parents[3]
PLANTED = "pl4nted-S3cret-value/with+signs=and-length"

EVERYWHERE = """
store: {url: "%s", data_dir: "%s", extra: "%s"}
web: {listen: "%s", tokens: ["%s", 5]}
egress: {allow: ["%s"]}
sources:
  a: {provider: "%s"}
  b: {provider: worklayer, token: "%s", client_id: "%s", client_secret: "%s", every: "%s", timezone: "%s"}
  c: {provider: worklayer, token: "%s", client_id: x, client_secret: "%s"}
  d: {provider: bindbee, token: "a b %s", connector_token: "%s\\n", rate: "%s", max_body: "%s", base_url: "%s"}
  e: {provider: devrev, token: "%s", enabled: "%s", concurrency: "%s", removal_limit: "%s", mode: "%s", tokn: "%s"}
  f: "%s"
deadlines: {worklayer.job.deadline_approaching: {before: ["%s"], send_at: "%s"}}
stuck: [{type: "%s", state: "%s", for: "%s"}]
targets:
  a: {type: webhook, url: "%s", secret: "whsec_%s", timeout: "%s", retry: ["%s"]}
  b: {type: webhook, url: "https://u:%s@10.0.0.1/%s", secret: "%s", headers: {x: "ä%s", host: "%s"}}
  c: {type: webhook, url: "https://x.example.org", secrets: ["%s", "whsk_%s"], ordered: "%s", format: "%s"}
  d: {type: "%s"}
routes:
  - {to: ["%s"], match: {type: "%s", source: "%s", provider: "%s", where: {x: {exists: "%s"}}}, severity: "%s"}
  - {to: "%s", group_by: ["%s"], group_wait: "%s", labels: {type: "%s"}, mute: [{location: "%s", years: ["%s"]}]}
"""


def told(configs: Configs, text: str, environ: dict[str, str]) -> str:
    """Everything that is said of a file."""
    report = configs.check(text, environ)
    assert report.problems
    return "\n".join(map(str, [*report.problems, *report.warnings]))


def test_a_secret_from_the_environment_is_in_no_problem(configs: Configs) -> None:
    """Wherever it is put, right or wrong, and whatever is wrong with it; the variable is named instead."""
    said = told(configs, EVERYWHERE.replace("%s", "${SECRET}"), {"SECRET": PLANTED})

    assert PLANTED not in said
    assert "'${SECRET}' is not a duration" in said


def test_a_secret_from_a_file_is_in_no_problem(configs: Configs) -> None:
    """The same for `${file:...}`."""
    (configs.path.parent / "secret").write_text(PLANTED)

    assert PLANTED not in told(configs, EVERYWHERE.replace("%s", "${file:secret}"), {})


def test_a_secret_in_the_file_is_in_no_problem(configs: Configs) -> None:
    """Long literals are not repeated either, even where no secret was due."""
    assert PLANTED not in told(configs, EVERYWHERE.replace("%s", PLANTED), {})


def test_a_secret_in_broken_yaml_is_in_no_problem(configs: Configs) -> None:
    """Not the line that could not be read, nor the one before it."""
    for broken in (f'token: "{PLANTED}\n', f"token: {{{PLANTED}\n", f"token: *{PLANTED}\n", f"a: {PLANTED}: b\n"):
        assert PLANTED not in told(configs, broken, {})


def test_settings_do_not_show_secrets() -> None:
    """`repr` of the default config's settings holds none of its tokens, nor the signing secret."""
    environ = env_file((ROOT / "config" / "example.env").read_text())
    planted = {
        name: f"{text}-{PLANTED}" for name, text in environ.items() if "TOKEN" in name or "CLIENT_SECRET" in name
    }
    planted |= {name: f"{environ[name]}/{PLANTED}" for name in ("OPS_HOOK_URL", "SLACK_WEBHOOK_URL")}
    environ |= {**planted, "JOBWIRE_STORE_URL": f"redis://:{PLANTED}@localhost"}

    report = check(ROOT / "config" / "jobwire.yaml", environ)

    assert report.problems == ()
    shown = f"{report!r} {report.settings!s}"
    assert PLANTED not in shown
    assert environ["OPS_HOOK_SECRET"] not in shown


@given(secret=st.text("abcdefghij0123456789+/=_-", min_size=8, max_size=60))
def test_no_secret_of_any_shape_is_told(secret: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whatever its letters and length, from the environment and next to other text."""
    path = tmp_path_factory.getbasetemp() / "secrets.yaml"
    path.write_text(EVERYWHERE.replace("%s", "${SECRET}").replace("every: ", "every: 5"))

    report = check(path, {"SECRET": secret})

    assert secret not in json.dumps([problem.text for problem in report.problems])
