"""WooCommerce: there is no library of its own for receivers, so this follows `WC_Webhook::generate_signature` with Python's `hmac`, and WordPress'
`wp_specialchars_decode` (`ENT_QUOTES`) by its tables: zeros before a number go, then every known entity is replaced once."""

import base64
import hashlib
import hmac
import re
from platform import python_version

from common import CASES, body_text, pairs, write

PADDED = [(r"&#0*39;", "&#039;"), (r"(?i)&#x0*27;", "&#x27;"), (r"&#0*34;", "&#034;"), (r"(?i)&#x0*22;", "&#x22;")]
PADDED += [(r"&#0*60;", "&#060;"), (r"&#0*62;", "&#062;"), (r"&#0*38;", "&#038;"), (r"(?i)&#x0*26;", "&#x26;")]
ENTITIES = {"&#039;": "'", "&#x27;": "'", "&quot;": '"', "&#034;": '"', "&#x22;": '"', "&lt;": "<", "&#060;": "<"}
ENTITIES |= {"&gt;": ">", "&#062;": ">", "&amp;": "&", "&#038;": "&", "&#x26;": "&"}


def specialchars_decode(text):
    for pattern, entity in PADDED:
        text = re.sub(pattern, entity, text)
    return re.sub("|".join(map(re.escape, ENTITIES)), lambda found: ENTITIES[found.group()], text)


def vectors():
    for body, secret in pairs(CASES["text_secrets"] + CASES["html_secrets"]):
        key = specialchars_decode(secret).encode("utf-8")
        tag = hmac.new(key, body_text(body).encode("utf-8"), hashlib.sha256).digest()
        header = base64.b64encode(tag).decode("ascii")
        yield {"name": body["name"], "secret": secret, "body": body, "headers": [["X-WC-Webhook-Signature", header]]}


write(
    "woocommerce-python.json",
    {
        "scheme": "woocommerce",
        "origin": {
            "package": "none: written after WooCommerce's and WordPress' sources, which publish no library for receivers",
            "version": f"Python {python_version()}",
            "function": "hmac and re of Python; see generate/woocommerce.py",
        },
        "vectors": list(vectors()),
    },
)
