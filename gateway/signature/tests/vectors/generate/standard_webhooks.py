"""Signs with the reference library of Standard Webhooks for Python."""

from datetime import datetime, timezone
from importlib.metadata import version

from common import CASES, body_text, pairs, write
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

# This library also reads a secret without base64 padding.
SECRETS = CASES["base64_secrets"] + ["whsec_AAECAwQFBgcICQoLDA0ODw"]


def headers(webhook, message_id, seconds, text):
    at = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": webhook.sign(message_id, at, text),
    }


def confirm(webhook, message_id, text):
    """The library's own check reads the machine's clock, so it confirms the same case signed now."""
    now = headers(webhook, message_id, int(datetime.now(timezone.utc).timestamp()), text)
    webhook.verify(text, now, json_parse=False)
    try:
        webhook.verify(text + " ", now, json_parse=False)
    except WebhookVerificationError:
        return
    raise SystemExit("verify accepted a changed body")


def vectors():
    for index, (body, secret) in enumerate(pairs(SECRETS)):
        message_id = CASES["message_ids"][index % 2]
        seconds = CASES["timestamps_s"][index % 2]
        webhook, text = Webhook(secret), body_text(body)
        confirm(webhook, message_id, text)
        signed = headers(webhook, message_id, seconds, text)
        yield {
            "name": body["name"],
            "secret": secret,
            "body": body,
            "headers": [list(pair) for pair in signed.items()],
            "message_id": message_id,
            "timestamp_s": seconds,
        }


write(
    "standard-webhooks-python.json",
    {
        "scheme": "standard-webhooks",
        "origin": {
            "package": "PyPI standardwebhooks",
            "version": version("standardwebhooks"),
            "function": "webhooks.Webhook.sign",
        },
        "vectors": list(vectors()),
    },
)
