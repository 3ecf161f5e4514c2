"""A client that knows nothing of Tidegate (pywa, MIT) talks to the double: it must understand its answers, errors, webhooks and signatures.

    pip install pywa==4.5.0
    cargo build -p tidegate-double --example standalone
    python gateway/double/tests/judges/pywa_judge.py target/debug/examples/standalone
"""

import http.server
import subprocess
import sys
import threading
import time

import httpx
from pywa import WhatsApp, errors, types
from pywa.types.templates import BodyText, TemplateLanguage

PHONE_ID, TOKEN, SECRET = "106540352242922", "EAAstandalone", "standalone-secret"
PERSON = "16505551234"
DEADLINE_S = 20

seen = []


class Hook(http.server.BaseHTTPRequestHandler):
    """Hands every webhook to pywa, which checks its signature and parses it."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        refused = wa.webhook_update_validator(body, self.headers["X-Hub-Signature-256"])
        forged = wa.webhook_update_validator(body + b" ", self.headers["X-Hub-Signature-256"])
        assert not refused, refused
        assert forged, "a changed body must be refused"
        # pywa 4.5.0 cannot read a failed status: it wants the contacts that Meta documents to be missing there.
        if b'"failed"' not in body:
            wa.webhook_update_handler(body)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def expect(error, call):
    try:
        call()
    except error as found:
        return found
    raise AssertionError(f"expected {error.__name__}")


def told(what):
    return httpx.get(f"{url}/_double/{what}", trust_env=False).json()


def wait_for(what):
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        found = [entry for entry in list(seen) if what(entry)]
        if found:
            return found[0]
        time.sleep(0.02)
    raise AssertionError(f"not seen; seen: {seen}")


hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
threading.Thread(target=hook.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{hook.server_address[1]}/"
double = subprocess.Popen([sys.argv[1], "0", address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
try:
    url = double.stdout.readline().strip()
    session = httpx.Client(trust_env=False)
    wa = WhatsApp(phone_id=PHONE_ID, token=TOKEN, session=session, server=None, app_secret=SECRET, verify_token="x", api_version=25.0)
    session.base_url = f"{url}/v25.0"

    @wa.on_message()
    def on_message(_, message: types.Message):
        seen.append(("text", message.id, message.text, message.from_user.name))

    @wa.on_message_status()
    def on_status(_, status: types.MessageStatus):
        code = status.error.code if status.error else None
        seen.append((str(status.status.value), status.id, status.tracker, code))

    def template(*values, name="order_sent", **named):
        return wa.send_template(
            to=PERSON, name=name, language=TemplateLanguage.ENGLISH_US, params=[BodyText.params(*values, **named)], tracker="msg_1"
        )

    sent = template("Ann", "17")
    for word in ("sent", "delivered", "read"):
        entry = wait_for(lambda entry: entry[0] == word and entry[1] == sent.id)
        assert entry[2:] == ("msg_1", None), entry
    template(name="welcome", first_name="Ann")
    expect(errors.TemplateParamCountMismatch, lambda: template("Ann"))
    expect(errors.TemplateParamFormatMismatch, lambda: template(first="Ann", second="17"))
    expect(errors.TemplateNotExists, lambda: template("Ann", name="order_lost"))

    late = wa.send_message(to=PERSON, text="outside the window")
    end = time.monotonic() + DEADLINE_S
    while not any(s["message_id"] == late.id and s["error_code"] == 131047 for s in told("statuses")):
        assert time.monotonic() < end, told("statuses")
        time.sleep(0.02)
    ask = {"phone_number_id": PHONE_ID, "from": PERSON, "name": "Zoë", "text": "sì 😀"}
    inbound = httpx.post(f"{url}/_double/inbound", json=ask, trust_env=False).json()["id"]
    wait_for(lambda entry: entry == ("text", inbound, "sì 😀", "Zoë"))
    reply = wa.send_message(to=PERSON, text="inside it", buttons=[types.Button("Yes", callback_data="yes")])
    wait_for(lambda entry: entry[:2] == ("read", reply.id))
    wa.mark_message_as_read(inbound)

    for code, error in [(131056, errors.TooManyMessages), (131050, errors.WhatsAppError), (190, errors.ExpiredAccessToken)]:
        fail = {"failure": {"kind": "code", "code": code}, "times": 1}
        httpx.post(f"{url}/_double/fail", json=fail, trust_env=False).raise_for_status()
        found = expect(error, lambda: template("Ann", "17"))
        assert found.code == code, found
    print(f"pywa understood {len(seen)} webhooks and every answer")
finally:
    double.stdin.close()
    double.wait(timeout=10)
