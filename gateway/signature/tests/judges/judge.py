"""Judges of PyPI: python judge.py PROGRAM SEED. PROGRAM signs and checks with our code (examples/judged.rs)."""

import base64
import hashlib
import hmac
import json
import random
import re
import subprocess
import sys
import time
from datetime import datetime, timezone
from urllib.parse import parse_qs, urlencode

from pywa.utils import webhook_updates_validator
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from twilio.request_validator import HMAC_SHA1, HMAC_SHA256, RequestValidator

PROGRAM, SEED = sys.argv[1], int(sys.argv[2])
CASES = 200
# The libraries look at the machine's clock: everything is signed now.
NOW_MS = int(time.time() * 1000)
DRAW = random.Random(SEED)
PIECES = ["a", "0", " ", '"', "\\", "\\u00e4", "\\/", "\r\n", "\t", "ä", "Ł", "日", "👋", "{", "}", "&amp;", "&#039;", "%41", "+", "=", "$"]


def text(most):
    return "".join(DRAW.choice(PIECES) for _ in range(DRAW.randint(1, most)))


def keyed():
    """A secret. Blank ones are refused."""
    return "k" + text(60)


def header(headers, name):
    return next(value for held, value in headers if held.lower() == name)


class Form(dict):
    """A form as Twilio's library reads it: a name may have several values."""

    def getall(self, name):
        return self[name]


class Meta:
    """pywa only checks: what is signed comes from Python's hmac."""

    scheme = "meta"

    def case(self):
        return {"secret": keyed(), "text": text(400)}

    def make(self, case):
        tag = hmac.new(case["secret"].encode(), case["text"].encode(), hashlib.sha256).hexdigest()
        return [["X-Hub-Signature-256", f"sha256={tag}"]]

    def check(self, case, body, headers):
        return webhook_updates_validator(case["secret"], body.encode(), header(headers, "x-hub-signature-256"))


class WooCommerce:
    """No library: WooCommerce's `generate_signature` with WordPress' `wp_specialchars_decode`, by their sources."""

    scheme = "woocommerce"
    padded = [(r"&#0*39;", "&#039;"), (r"(?i)&#x0*27;", "&#x27;"), (r"&#0*34;", "&#034;"), (r"(?i)&#x0*22;", "&#x22;")]
    padded += [(r"&#0*60;", "&#060;"), (r"&#0*62;", "&#062;"), (r"&#0*38;", "&#038;"), (r"(?i)&#x0*26;", "&#x26;")]
    entities = {"&#039;": "'", "&#x27;": "'", "&quot;": '"', "&#034;": '"', "&#x22;": '"', "&lt;": "<", "&#060;": "<"}
    entities |= {"&gt;": ">", "&#062;": ">", "&amp;": "&", "&#038;": "&", "&#x26;": "&"}

    def case(self):
        return {"secret": keyed(), "text": text(400)}

    def make(self, case):
        key = case["secret"]
        for pattern, entity in self.padded:
            key = re.sub(pattern, entity, key)
        key = re.sub("|".join(map(re.escape, self.entities)), lambda found: self.entities[found.group()], key)
        tag = hmac.new(key.encode(), case["text"].encode(), hashlib.sha256).digest()
        return [["X-WC-Webhook-Signature", base64.b64encode(tag).decode()]]

    def check(self, case, body, headers):
        expected = self.make({**case, "text": body})[0][1]
        return hmac.compare_digest(expected, header(headers, "x-wc-webhook-signature"))


class StandardWebhooks:
    scheme = "standard-webhooks"

    def case(self):
        key = base64.b64encode(DRAW.randbytes(DRAW.randint(24, 64))).decode()
        return {"secret": f"whsec_{key}", "text": text(400), "message_id": f"msg_{DRAW.getrandbits(60)}"}

    def make(self, case):
        seconds = case["at_ms"] // 1000
        signed = Webhook(case["secret"]).sign(case["message_id"], datetime.fromtimestamp(seconds, tz=timezone.utc), case["text"])
        return [["webhook-id", case["message_id"]], ["webhook-timestamp", str(seconds)], ["webhook-signature", signed]]

    def check(self, case, body, headers):
        try:
            Webhook(case["secret"]).verify(body, {name.lower(): value for name, value in headers}, json_parse=False)
        except WebhookVerificationError:
            return False
        return True


class Twilio:
    """By form or by JSON, whose hash is in the URL."""

    scheme = "twilio"

    def case(self):
        url = f"https://hooks.example.com/in/{DRAW.randint(1, 999)}?foo={DRAW.randint(1, 999)}"
        if DRAW.random() < 0.5:
            body = text(400)
            url += f"&bodySHA256={hashlib.sha256(body.encode()).hexdigest()}"
            return {"secret": keyed(), "text": body, "url": url, "form": None}
        fields = [(DRAW.choice(["Body", "From", "a", "b", "MediaUrl0"]), text(20)) for _ in range(DRAW.randint(1, 8))]
        body = urlencode(fields)
        return {"secret": keyed(), "text": body, "url": url, "form": body}

    def params(self, case, body):
        # The library reads the text of a body by its hash, and a form by its fields.
        return body if case["form"] is None else Form(parse_qs(body, keep_blank_values=True))

    def make(self, case):
        algorithm = DRAW.choice([HMAC_SHA1, HMAC_SHA256])
        params = {} if case["form"] is None else self.params(case, case["text"])
        signature = RequestValidator(case["secret"]).compute_signature(case["url"], params, algorithm)
        settings = [["X-Twilio-Webhooks-Signature-Settings", "algorithm=HMAC_SHA256"]]
        return (settings if algorithm == HMAC_SHA256 else []) + [["X-Twilio-Signature", signature]]

    def check(self, case, body, headers):
        algorithm = HMAC_SHA256 if any("settings" in name.lower() for name, _ in headers) else HMAC_SHA1
        validator = RequestValidator(case["secret"])
        return validator.validate(case["url"], self.params(case, body), header(headers, "x-twilio-signature"), algorithm)


def ours(cases):
    lines = "".join(json.dumps({key: value for key, value in case.items() if key not in ("text", "form")}) + "\n" for case in cases)
    ran = subprocess.run([PROGRAM], input=lines.encode(), capture_output=True)
    if ran.returncode != 0:
        raise SystemExit(f"our program failed: {ran.stderr.decode()}")
    return [json.loads(line) for line in ran.stdout.decode().splitlines()]


def demand(condition, what, found):
    if not condition:
        raise SystemExit(f"{what}, with the seed {SEED}: {json.dumps(found)}")


def sit(judge):
    name, cases = judge.scheme, []
    for _ in range(CASES):
        case = {"scheme": name, "method": "POST", "at_ms": NOW_MS - DRAW.randint(0, 60) * 1000, **judge.case()}
        cases.append({**case, "body": case["text"].encode().hex()})
    made = [{**case, "headers": judge.make(case)} for case in cases]
    for case, answer in zip(made, ours(made)):
        demand(answer["accepted"], f"we refuse what the judge of {name} signed", case)
    changed = [{**case, "body": case["body"] + "3d"} for case in made]
    for case, answer in zip(changed, ours(changed)):
        demand(not answer["accepted"], f"we accept what the judge of {name} did not sign", case)
    ways = 0
    for case, answer in zip(cases, ours(cases)):
        for headers in answer["ways"]:
            ways += 1
            demand(judge.check(case, case["text"], headers), f"the judge of {name} refuses what we signed", [case, headers])
            refused = not judge.check(case, case["text"] + "=", headers)
            demand(refused, f"the judge of {name} accepts what we did not sign", [case, headers])
    print(f"{name}: {CASES} signatures of the judge's, {ways} of ours")


for judge in (Meta(), WooCommerce(), StandardWebhooks(), Twilio()):
    sit(judge)
