"""pywa as a judge of what we send: python pywa_writes.py ROOT. For each message whose body our channel's tests hold, pywa is asked to send the same: the two bodies must be
alike. Nothing leaves this machine."""

import json
import sys
from pathlib import Path

import httpx
from pywa import WhatsApp
from pywa.types.templates import BodyText, TemplateLanguage

SNAPSHOTS = Path(sys.argv[1]) / "gateway/channels/src/whatsapp/request/snapshots"
# What only pywa writes: it says that no link is shown as a preview, which is what Meta does when nothing is said.
USUAL = {"preview_url": False}


def sent_by_pywa(ours):
    """The body that pywa sends, asked for what our body says."""
    bodies = []

    def answer(request):
        bodies.append(json.loads(request.content))
        taken = {"messaging_product": "whatsapp", "contacts": [{"input": "1", "wa_id": "1", "user_id": "US.1"}], "messages": [{"id": "wamid.1"}]}
        return httpx.Response(200, json=taken)

    session = httpx.Client(transport=httpx.MockTransport(answer), base_url="https://graph.facebook.com")
    whatsapp = WhatsApp(phone_id="106540352242922", token="EAAG", session=session, validate_updates=False)
    to, tracker = ours.get("to") or ours["recipient"], ours["biz_opaque_callback_data"]
    if ours["type"] == "text":
        whatsapp.send_message(to=to, text=ours["text"]["body"], tracker=tracker)
    else:
        template = ours["template"]
        whatsapp.send_template(
            to=to, name=template["name"], language=TemplateLanguage(template["language"]["code"]), params=params(template), tracker=tracker
        )
    [body] = bodies
    return body


def params(template):
    written = [parameter for component in template.get("components", []) for parameter in component["parameters"]]
    named = {parameter["parameter_name"]: parameter["text"] for parameter in written if "parameter_name" in parameter}
    positional = [parameter["text"] for parameter in written if "parameter_name" not in parameter]
    return [BodyText.params(*positional, **named)] if written else []


def plain(value):
    """Without what says nothing, and with words that differ in case only alike: Meta takes both."""
    if isinstance(value, dict):
        said = {key: plain(held) for key, held in value.items() if held not in (None, []) and USUAL.get(key, ...) != held}
        return {key: held.lower() if key == "type" else held for key, held in said.items()}
    return [plain(held) for held in value] if isinstance(value, list) else value


def main():
    problems, snapshots = [], sorted(SNAPSHOTS.glob("*.snap"))
    if len(snapshots) < 5:
        problems.append(f"the bodies of our messages are not in {SNAPSHOTS} any more")
    for snapshot in snapshots:
        ours = json.loads(snapshot.read_text().split("---\n", 2)[2])
        theirs = sent_by_pywa(ours)
        if plain(ours) != plain(theirs):
            problems.append(f"{snapshot.name}: we send {json.dumps(plain(ours), sort_keys=True)}\n  pywa sends {json.dumps(plain(theirs), sort_keys=True)}")
    if problems:
        raise SystemExit("pywa disagrees:\n" + "\n".join(problems))
    print(f"pywa: {len(snapshots)} messages of ours, sent alike")


main()
