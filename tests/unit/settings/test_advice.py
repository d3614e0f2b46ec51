"""What `check` warns of: it works, but deserves a look."""

from __future__ import annotations

import pytest

from tests.unit.settings.configs import SECRET, Configs

ENVIRON = {"TOKEN": "abc", "SECRET": SECRET}
GOOD = """\
sources: {tax: {provider: worklayer, token: "${TOKEN}"}}
targets: {ops: {type: webhook, url: https://hooks.example.org/x, secret: "${SECRET}"}}
routes: [{to: [ops]}]
"""


def test_a_good_file_has_no_warnings(configs: Configs) -> None:
    """Nothing is said for the sake of saying it."""
    assert configs.warnings(GOOD, ENVIRON) == []


def test_secrets_in_the_file_are_advised_against(configs: Configs) -> None:
    """Wherever a secret may stand; not what only looks like one, nor what comes from elsewhere."""
    text = f"""
        store: {{url: "redis://user:pass@host"}}
        sources:
          a: {{provider: worklayer, client_id: x, client_secret: literal}}
          b: {{provider: bindbee, token: "Bearer ${{TOKEN}}", connector_token: literal}}
        targets:
          ops:
            type: webhook
            url: https://hooks.example.org/x
            secrets: ["${{SECRET}}", {SECRET}]
            headers: {{authorization: literal, x-environment: production}}
        routes: [{{to: [ops]}}]
        """
    assert configs.warnings(text, ENVIRON | {"TOKEN": "abc"}) == [
        "2:14: store.url: a password stands in the file itself: write ${NAME} or set JOBWIRE_STORE_URL",
        "4:57: sources.a.client_secret: a secret stands in the file itself: write ${NAME} or ${file:/path}",
        "5:69: sources.b.connector_token: a secret stands in the file itself: write ${NAME} or ${file:/path}",
        "10:28: targets.ops.secrets[1]: a secret stands in the file itself: write ${NAME} or ${file:/path}",
        "11:30: targets.ops.headers.authorization: a secret stands in the file itself: write ${NAME} or ${file:/path}",
    ]


@pytest.mark.parametrize("url", ["redis://user:${PASSWORD}@host", "redis://host/0", "${URL:-redis://h}", "embedded"])
def test_a_store_without_a_literal_password_is_fine(configs: Configs, url: str) -> None:
    """Only a password that stands in the file is one too many."""
    assert configs.warnings(f'{GOOD}store: {{url: "{url}"}}\n', ENVIRON | {"PASSWORD": "x"}) == []


def test_a_store_that_anybody_may_pose_as_is_advised_against(configs: Configs) -> None:
    """TLS without a look at the certificate keeps nobody out."""
    text = GOOD + 'store: {url: "rediss://host/0?ssl_cert_reqs=none"}\n'
    (said,) = configs.warnings(text, ENVIRON)
    assert "store.url: ssl_cert_reqs=none believes whoever answers" in said
    assert configs.warnings(GOOD + 'store: {url: "rediss+sentinel://a,b/main?ssl_ca_certs=/ca"}\n', ENVIRON) == []


def test_plain_http_is_advised_against(configs: Configs) -> None:
    """Except on this machine, where nobody listens in."""
    text = """
        egress: {allow: [127.0.0.0/8]}
        sources:
          a: {provider: devrev, token: "${TOKEN}", base_url: http://api.example.org}
          b: {provider: devrev, token: "${TOKEN}", base_url: "http://127.0.0.1:8000"}
          c: {provider: devrev, token: "${TOKEN}", base_url: "http://localhost:8000"}
        targets:
          ops: {type: webhook, url: http://hooks.example.org/x, secret: "${SECRET}"}
          here: {type: webhook, url: "http://127.0.0.1:9000/x", secret: "${SECRET}"}
        routes: [{to: [ops, here]}]
        """
    told = "http:// sends credentials and content readable for all on the way: use https://"

    assert configs.warnings(text, ENVIRON) == [
        f"4:54: sources.a.base_url: {told}",
        f"8:29: targets.ops.url: {told}",
    ]


def test_what_is_said_of_days_does_nothing_for_an_instant(configs: Configs) -> None:
    """A time of day, business days and notice are for dates."""
    text = """
        sources: {tax: {provider: worklayer, token: "${TOKEN}"}, uk: {provider: driver_jobs, token: "${TOKEN}",
                  base_url: "https://x.example.org"}}
        deadlines:
          worklayer.job.deadline_approaching: {send_at: 09:00, business_days: true, holidays: [], notice: null}
          driver_jobs.contract.expiring: {send_at: 09:00, business_days: true, holidays: [2026-12-25], notice: 28d}
        stuck: [{type: worklayer.job, state: UNCLAIMED, for: 4h}]
        """

    assert [one.split(": ")[1:] for one in configs.warnings(text, ENVIRON) if "does nothing" in one] == [
        [f'deadlines["worklayer.job.deadline_approaching"].{key}', "does nothing here", why]
        for key in ("send_at", "business_days")
        for why in ["this is an instant, told by the clock"]
    ]


@pytest.mark.parametrize("sections", ["web: null\nstuck:\n", "web: {}\nstuck: []\n"])
def test_an_empty_section_is_not_worth_a_word(configs: Configs, sections: str) -> None:
    """It asks for nothing."""
    assert configs.warnings(GOOD + sections, ENVIRON) == []


def test_what_is_never_used_is_said(configs: Configs) -> None:
    """Sources that are off, and targets that no route sends to, however deep in the tree."""
    text = """
        sources:
          tax: {provider: worklayer, token: "${TOKEN}", enabled: false}
        targets:
          ops: {type: webhook, url: https://hooks.example.org, secret: "${SECRET}"}
          deep: {type: webhook, url: https://hooks.example.org, secret: "${SECRET}"}
          never: {type: webhook, url: https://hooks.example.org, secret: "${SECRET}"}
        routes:
          - {to: [ops], routes: [{match: {kind: job}, to: [deep]}]}
        """
    assert configs.warnings(text, ENVIRON) == [
        "3:58: sources.tax.enabled: false: this source is not scanned",
        "7:3: targets.never: no route sends to this target",
    ]


def test_a_file_without_routes_sends_nothing(configs: Configs) -> None:
    """Said once, not for each target."""
    text = GOOD.replace("routes: [{to: [ops]}]\n", "")

    assert configs.warnings(text, ENVIRON) == ["1:1: routes: no route: events are stored and sent nowhere"]
