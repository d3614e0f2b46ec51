"""What works but deserves a look: secrets written out, addresses without TLS, settings that do nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel

from monitor.settings.model import Settings, host_of, is_loopback
from monitor.settings.problems import Path, Problems, find
from monitor.settings.routes import every_route
from monitor.values import secrets_of
from monitor.yamlfile import Scalar

LITERAL = "stands in the file itself"
"""What every warning about a secret that is written out says; `jobwire doctor` finds them by it."""

_SECRET_HEADER = re.compile(r"auth|token|secret|key|passw|cookie|credential", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"//[^@/]*:(?!\$\{)[^@/]+@")


def advise(settings: Settings, warnings: Problems) -> None:
    """The settings of a file without problems in; what deserves a look is added to `warnings`."""
    _literal_secrets(settings, warnings)
    _without_tls(settings, warnings)
    _unchecked(settings, warnings)
    _unused(settings, warnings)


def _literal_secrets(settings: Settings, warnings: Problems) -> None:
    holders: list[tuple[Path, BaseModel]] = [(("store",), settings.store), (("web",), settings.web)]
    holders += [(("telemetry",), settings.telemetry)]
    holders += [(("sources", name), source.options) for name, source in settings.sources.items()]
    holders += [(("targets", name), target.options) for name, target in settings.targets.items()]
    for path in _secrets(holders):
        node = find(warnings.root, path)
        if isinstance(node, Scalar) and node.text and "${" not in node.text:
            warnings.add(path, f"a secret {LITERAL}: write ${{NAME}} or ${{file:/path}}")
    url = find(warnings.root, ("store", "url"))
    if isinstance(url, Scalar) and _URL_PASSWORD.search(url.text):
        warnings.add(("store", "url"), f"a password {LITERAL}: write ${{NAME}} or set JOBWIRE_STORE_URL")


def _unchecked(settings: Settings, warnings: Problems) -> None:
    options = parse_qs(urlsplit(settings.store.url).query)
    if "none" in options.get("ssl_cert_reqs", ()):
        warnings.add(("store", "url"), "ssl_cert_reqs=none believes whoever answers: name its authority, ssl_ca_certs")


def _secrets(holders: list[tuple[Path, BaseModel]]) -> Iterator[Path]:
    for path, options in holders:
        for key, _ in secrets_of(options):
            if key[0] != "headers" or _SECRET_HEADER.search(str(key[-1])):
                yield (*path, *key)


def _without_tls(settings: Settings, warnings: Problems) -> None:
    for path, url in _addresses(settings):
        if url.lower().startswith("http://") and not is_loopback(host_of(url)):
            warnings.add(path, "http:// sends credentials and content readable for all on the way: use https://")


def _addresses(settings: Settings) -> Iterator[tuple[Path, str]]:
    """Every URL that is connected to, with its path in the file."""
    for name, source in settings.sources.items():
        for key in source.options.model_fields_set:
            if key.endswith("url"):
                yield ("sources", name, key), str(getattr(source.options, key))
    for name, target in settings.targets.items():
        for option, url in target.options.destinations().items():
            yield ("targets", name, option), url


def _unused(settings: Settings, warnings: Problems) -> None:
    for name, source in settings.sources.items():
        if not source.options.enabled:
            warnings.add(("sources", name, "enabled"), "false: this source is not scanned")
    if not settings.routes:
        warnings.add(("routes",), "no route: events are stored and sent nowhere")
        return
    used = {name for _, route in every_route(settings.routes) for name in route.to or ()}
    used |= {name for _, route in every_route(settings.routes) if route.escalate for name in route.escalate.to}
    for name in settings.targets:
        if name not in used:
            warnings.add(("targets", name), "no route sends to this target", at_key=True)
