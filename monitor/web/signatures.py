"""How each provider proves that a webhook is its own. Pure: headers, raw body and secret in, yes or no out."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping

from pydantic import SecretStr

from monitor.web.tokens import same_as_one


def verified(provider: str, headers: Mapping[str, str], body: bytes, secret: SecretStr) -> bool:
    """Whether the webhook knows the secret, in the provider's own way; compared in constant time.

    Providers that publish no way bring the secret itself, as a bearer token or in `X-Hook-Secret`.
    """
    return _SCHEMES.get(provider, _brings_it)(headers, body, secret)


def _devrev(headers: Mapping[str, str], body: bytes, secret: SecretStr) -> bool:
    """https://developer.devrev.ai/public/guides/webhooks: HMAC-SHA256 of the raw body, in hex."""
    return same_as_one(headers.get("X-DevRev-Signature", "").lower(), [SecretStr(_digest(body, secret).hex())])


def _bindbee(headers: Mapping[str, str], body: bytes, secret: SecretStr) -> bool:
    """https://docs.bindbee.dev: HMAC-SHA256 of the raw body, in base64url; padding is not worth a refusal."""
    wanted = base64.urlsafe_b64encode(_digest(body, secret)).decode().rstrip("=")
    return same_as_one(headers.get("X-Bindbee-Webhook-Signature", "").rstrip("="), [SecretStr(wanted)])


def _brings_it(headers: Mapping[str, str], body: bytes, secret: SecretStr) -> bool:  # noqa: ARG001 - one shape for all
    scheme, _, given = headers.get("Authorization", "").partition(" ")
    brought = given.strip() if scheme.lower() == "bearer" else headers.get("X-Hook-Secret", "")
    return same_as_one(brought, [secret])


def _digest(body: bytes, secret: SecretStr) -> bytes:
    return hmac.digest(secret.get_secret_value().encode(), body, hashlib.sha256)


_SCHEMES: Mapping[str, Callable[[Mapping[str, str], bytes, SecretStr], bool]] = {"devrev": _devrev, "bindbee": _bindbee}
