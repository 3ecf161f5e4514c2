"""Meta: `pywa` only checks, so the signature is made with Python's own `hmac` and kept if `pywa` accepts it (and refuses it for a changed body)."""

import hashlib
import hmac
from importlib.metadata import version

from common import CASES, body_text, pairs, write
from pywa.utils import webhook_updates_validator


def vectors():
    for body, secret in pairs(CASES["text_secrets"]):
        raw = body_text(body).encode("utf-8")
        header = "sha256=" + hmac.new(secret.encode("utf-8"), raw, hashlib.sha256).hexdigest()
        if not webhook_updates_validator(secret, raw, header):
            raise SystemExit("pywa refused a signature")
        if webhook_updates_validator(secret, raw + b" ", header):
            raise SystemExit("pywa accepted a changed body")
        yield {"name": body["name"], "secret": secret, "body": body, "headers": [["X-Hub-Signature-256", header]]}


write(
    "meta-python.json",
    {
        "scheme": "meta",
        "origin": {
            "package": "PyPI pywa (not Meta's own: Meta publishes no library that checks X-Hub-Signature-256)",
            "version": version("pywa"),
            "function": "utils.webhook_updates_validator, which only checks; signature made with Python's hmac",
        },
        "vectors": list(vectors()),
    },
)
