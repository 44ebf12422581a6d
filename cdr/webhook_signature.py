"""Sign what a webhook posts, so that its receiver knows that it is ours and fresh (HMAC-SHA256; docs/webhook.md)."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

SIGNATURE_HEADER: Final = "X-Dialer-Signature"
EVENT_ID_HEADER: Final = "X-Dialer-Event-Id"
DELIVERY_HEADER: Final = "X-Dialer-Delivery"
OLD_SECRET_S: Final = 86_400.0
"""After a rotation the secret before it signs too for so long."""


def endpoint_secret(key: str, campaign_id: int, generation: int) -> str:
    """Return an endpoint's secret: derived from the installation's key, so that no database holds it."""
    mark = hmac.digest(key.encode(), b"webhook/%d/%d" % (campaign_id, generation), hashlib.sha256)
    return "whsec_" + base64.urlsafe_b64encode(mark).decode().rstrip("=")


def fingerprint(secret: str) -> str:
    """Return what tells two secrets apart and gives neither away."""
    return hashlib.sha256(b"fingerprint/" + secret.encode()).hexdigest()[:16]


def signature(secrets: Sequence[str], body: bytes, *, at: int) -> str:
    """Return the header `t=<unix seconds>,v1=<hex>`, with one v1 for each secret in force."""
    marks = [hmac.digest(secret.encode(), b"%d." % at + body, hashlib.sha256).hex() for secret in secrets]
    return ",".join([f"t={at}", *(f"v1={mark}" for mark in marks)])
