"""Signs with Twilio's own library for Python with both algorithms, and lets its validator confirm each answer."""

import hashlib
from importlib.metadata import version
from urllib.parse import parse_qs, urlencode

from common import CASES, body_text, pairs, write
from twilio.request_validator import HMAC_SHA1, HMAC_SHA256, RequestValidator

URL = "https://hooks.example.com/in/sms?foo=1"


class Form(dict):
    """A form as the library reads it: a name may have several values."""

    def getall(self, name):
        return self[name]


def headers(algorithm, signature):
    settings = [["X-Twilio-Webhooks-Signature-Settings", "algorithm=HMAC_SHA256"]]
    return (settings if algorithm == HMAC_SHA256 else []) + [["X-Twilio-Signature", signature]]


def confirm(secret, url, params, signature, algorithm):
    validator = RequestValidator(secret)
    if not validator.validate(url, params, signature, algorithm):
        raise SystemExit("the validator refused a signature")
    if validator.validate(url + "x", params, signature, algorithm):
        raise SystemExit("the validator accepted a changed URL")


def vectors():
    for algorithm in (HMAC_SHA1, HMAC_SHA256):
        for body, secret in pairs(CASES["text_secrets"]):
            text = body_text(body)
            url = f"{URL}&bodySHA256={hashlib.sha256(text.encode('utf-8')).hexdigest()}"
            signature = RequestValidator(secret).compute_signature(url, {}, algorithm)
            confirm(secret, url, text, signature, algorithm)
            yield {"name": f"{algorithm} {body['name']}", "secret": secret, "body": body, "method": "POST", "url": url, "headers": headers(algorithm, signature)}
        for name, pairs_of_form in CASES["forms"].items():
            secret, text = CASES["text_secrets"][0], urlencode([tuple(pair) for pair in pairs_of_form])
            form = Form(parse_qs(text, keep_blank_values=True))
            signature = RequestValidator(secret).compute_signature(URL, form, algorithm)
            confirm(secret, URL, form, signature, algorithm)
            yield {"name": f"{algorithm} {name}", "secret": secret, "body": {"text": text}, "method": "POST", "url": URL, "headers": headers(algorithm, signature)}


write(
    "twilio-python.json",
    {
        "scheme": "twilio",
        "origin": {
            "package": "PyPI twilio",
            "version": version("twilio"),
            "function": "request_validator.RequestValidator.compute_signature; each confirmed by validate",
        },
        "vectors": list(vectors()),
    },
)
