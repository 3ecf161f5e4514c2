"""pywa as a judge of what we read: python pywa_reads.py ROOT. Webhooks of the plugin's fixtures, and those that the double sends, go into pywa as into a program that is
built on it; what pywa says of each must be what our plugin says (`outcome.json`, which the plugin's own tests hold)."""

import hashlib
import hmac
import json
import logging
import sys
import warnings
from datetime import timezone
from pathlib import Path

from pywa import WhatsApp, types
from pywa.errors import PywaUnknownEnumMemberWarning
from pywa.types.message import DeletedMessage, EditedMessage

ROOT = Path(sys.argv[1])
FIXTURES = ROOT / "plugins/meta/fixtures"
SNAPSHOTS = ROOT / "gateway/double/tests/double/snapshots"
SECRET = "0b5c9e1f77aa4d23b6f0c8de91"

# Topics that pywa has no handler for.
NO_HANDLER = {"account_alerts", "account_review_update", "business_capability_update", "leadgen", "phone_number_name_update"}
NO_HANDLER |= {"phone_number_quality_update", "user_id_update"}

# What is added where a webhook has no user id.
ADDED = "IT.10000000000000000001"
QUALITY = {"GREEN": "high", "YELLOW": "medium", "RED": "low", "UNKNOWN": "unknown"}
CONSENT = {"stop": "denied", "resume": "granted", "signup": "granted"}

# What pywa can't read: its words, and whether it reads it with what Meta sends today. A case that it can read after all is an error, so that the list stays true.
# From before user ids: pywa 4 takes no person without one, and no status without `contacts`.
NO_USER_ID = ("KeyError('user_id')", True)
NO_CONTACTS = ("KeyError('contacts')", True)
# Meta's own examples write the language so; pywa knows `en_US`, and stumbles over what it does not know.
HYPHEN = ("'TemplateLanguage' object is not callable", False)
UNREAD = {
    "message_template_status_update_pending_deletion_or_disable": HYPHEN,
    "messages_image_2": NO_USER_ID,
    "messages_request_welcome": NO_USER_ID,
    "messages_text_2": NO_USER_ID,
    "messages_text_docs": NO_USER_ID,
    "meta_auth_template_webhook": NO_USER_ID,
    "meta_oas_inbound_button_unsubscribe": NO_USER_ID,
    "meta_oas_inbound_list_reply": NO_USER_ID,
    "meta_oas_inbound_text_ctwa_referral": NO_USER_ID,
    "meta_oas_inbound_unsupported_131051": NO_USER_ID,
    "meta_pricing_free_utility_in_window": NO_CONTACTS,
    "meta_real_status_failed_131026": NO_CONTACTS,
    "meta_status_sent_pmp_marketing": NO_CONTACTS,
    "meta_status_v24_no_conversation": NO_CONTACTS,
    "meta_template_category_update_pending": HYPHEN,
    # The quality of a template under the field of its status, as a public copy of Meta's page has it.
    "meta_template_quality_update": ("KeyError('event')", False),
    "meta_user_preferences_resume": NO_USER_ID,
    # An error of the number itself: pywa has no update for it.
    "meta_webhook_errors_object": ("unrecognized shape", False),
    "meta_webhook_text_3": NO_USER_ID,
    "statuses_failed_131047_reengagement": NO_CONTACTS,
    "statuses_failed_131049": NO_CONTACTS,
    "statuses_failed_media_upload": NO_CONTACTS,
}

# What pywa reads otherwise, by case and word.
OTHERWISE = {
    # Meta's example has two user ids, `uUS.…` in `contacts` and `US.…` in `messages`: pywa takes the first, we take who wrote.
    "meta_bsuid_webhook_22": {"whatsapp_user_id"},
    # Numbers are blotted out in this recording; we take no such word for a number.
    "meta_real_status_failed_131026": {"whatsapp_id"},
    # The example names one person in `contacts` and another in `to` (or in the preference): pywa takes the first, we the second.
    "smb_message_echoes_or_outgoing_edit": {"whatsapp_id", "whatsapp_user_id"},
    "user_preferences_signup": {"whatsapp_id", "whatsapp_user_id"},
}


class Heard(logging.Handler):
    """Why pywa could not read an update: it writes that to its log only."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.words = []

    def emit(self, record):
        cause = record.exc_info[1] if record.exc_info else None
        self.words.append(f"{record.getMessage()}: {cause!r}" if cause else record.getMessage())


def client():
    """A program on pywa that keeps what it is told."""
    kept = []
    whatsapp = WhatsApp(
        phone_id=None, token="EAAG", server=None, app_secret=SECRET, verify_token="v", filter_updates=False, skip_duplicate_updates=False
    )
    for handler in WhatsApp._handlers_to_updates:
        whatsapp.add_handlers(handler(lambda _, update: kept.append(update)))
    return whatsapp, kept


def read(body, heard):
    """What pywa makes of a webhook, signed as Meta signs; or why it makes nothing."""
    whatsapp, kept = client()
    # Meta escapes what is not ASCII.
    raw = json.dumps(body).encode()
    tag = "sha256=" + hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    refused = whatsapp.webhook_update_validator(raw, tag)
    if refused is not None:
        return None, f"refused: {refused}"
    heard.words.clear()
    answer = whatsapp.webhook_update_handler(raw)
    if answer != ("ok", 200) or len(kept) != 1:
        return None, "; ".join(heard.words) or "no handler takes it"
    return kept[0], None


def whole(body):
    """The webhook with what Meta adds since user ids came, where it has none: pywa reads nothing without."""
    body = json.loads(json.dumps(body))
    value = body["entry"][0]["changes"][0]["value"]
    if "statuses" in value:
        value.setdefault("contacts", [{"wa_id": value["statuses"][0].get("recipient_id")}])
    for person in value.get("contacts", []):
        person.setdefault("user_id", ADDED)
    for preference in value.get("user_preferences", []):
        preference.setdefault("user_id", ADDED)
    return body


def filled(values):
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}


def instant(at):
    return at.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def person(user):
    user_id = None if user.bsuid == ADDED else user.bsuid
    return {"whatsapp_id": user.wa_id, "whatsapp_user_id": user_id, "name": user.name, "whatsapp_username": user.username}


def of_message(update):
    """Every kind of message: typed, pressed, sent back, edited, taken back."""
    said = {"kind": "message.received", "id": update.id, "sender": update.metadata.phone_number_id}
    said |= {"type": update.type.value, "in_reply_to": getattr(getattr(update, "reply_to_message", None), "id", None)}
    match update:
        case types.CallbackButton():
            said |= {"type": "button", "text": update.title, "reply_id": update.data}
        case types.CallbackSelection():
            said |= {"type": "list_reply", "text": update.title, "reply_id": update.data, "description": update.description}
        case types.FlowCompletion():
            said |= {"type": "flow_reply", "text": update.body, "response": update.response}
        case EditedMessage():
            said |= {"type": "edit", "text": update.message.text, "original_message_id": update.original_message_id}
        case DeletedMessage():
            said |= {"type": "revoke", "original_message_id": update.original_message_id}
        case types.Message():
            said |= of_plain(update)
    return said


def of_plain(update):
    said = {"text": update.text or update.caption, "frequently_forwarded": update.forwarded_many_times or None}
    said["forwarded"] = (update.forwarded and not update.forwarded_many_times) or None
    if update.media is not None:
        media = update.media
        said["media"] = filled({"id": media.id, "mime_type": media.mime_type, "sha256": media.sha256})
        said["file_name"] = getattr(media, "filename", None)
        said |= {"animated": getattr(media, "animated", None) or None, "voice": getattr(media, "voice", None)}
    if update.reaction is not None:
        said |= {"text": update.reaction.emoji, "in_reply_to": update.reaction.message_id}
    if update.location is not None:
        place = update.location
        said |= {"text": place.name or place.address, "place": [place.latitude, place.longitude, place.url]}
    if update.contacts is not None:
        said["cards"] = [contact.name.formatted_name for contact in update.contacts]
    if update.referral is not None:
        ad = update.referral
        said["referral"] = filled(
            {"source_type": ad.source_type, "source_id": ad.source_id, "source_url": ad.source_url, "headline": ad.headline, "click_id": ad.ctwa_clid}
        )
    if update.error is not None:
        said["error"] = str(update.error.code)
    return said


def of_status(update):
    said = {"kind": "message.status_changed", "id": update.id, "sender": update.metadata.phone_number_id}
    said |= {"state": update.status.value, "callback_data": update.tracker}
    if update.pricing is not None:
        price = update.pricing
        said["pricing"] = filled({"billable": price.billable, "model": price.model.value, "category": price.category.value})
        said["pricing"] |= {"pricing_type": price.type.value} if price.type else {}
    if update.conversation is not None:
        said |= {"conversation_id": update.conversation.id, "conversation_category": update.conversation.category.value}
    if update.error is not None:
        said |= {"error": str(update.error.code)}
    return said


def of_template(update):
    said = {"kind": "template.status_changed", "id": str(update.template_id), "name": update.template_name}
    said["language"] = update.template_language.value.replace("_", "-")
    match update:
        case types.TemplateStatusUpdate():
            said |= {"status": update.new_status.value.lower(), "category": update.category and update.category.value.lower()}
        case types.TemplateQualityUpdate():
            said["quality"] = QUALITY[update.new_quality_score.value]
        case types.TemplateCategoryUpdate():
            said["category"] = update.new_category.value.lower()
    return said


def pywa_says(update):
    """What pywa read, in the words of our events."""
    match update:
        case types.GroupMessageStatuses():
            said, update = of_status(update.statuses[0]), update.statuses[0]
        case types.MessageStatus():
            said = of_status(update)
        case types.TemplateStatusUpdate() | types.TemplateQualityUpdate() | types.TemplateCategoryUpdate():
            said = of_template(update)
        case types.AccountUpdate():
            said = {"event": update.event.value}
        case types.UserMarketingPreferences():
            said = {"kind": "contact.consent_changed", "state": CONSENT[update.value.value], "detail": update.detail, "signup_id": update.signup_id}
        case types.PhoneNumberChange():
            said = {"kind": "contact.updated", "whatsapp_ids": [update.new_wa_id, update.old_wa_id]}
        case _:
            said = of_message(update)
    said["at"] = instant(update.timestamp)
    is_known = not isinstance(update, types.PhoneNumberChange | DeletedMessage) and hasattr(update, "from_user")
    return filled(said | (person(update.from_user) if is_known else {}))


def we_say(event, said):
    """The same of our event, as far as pywa speaks of it."""
    contact, extra = event.get("contact", {}), event.get("extra", {})
    keys = [(key["type"], key["value"]) for key in contact.get("keys", [])]
    ours = {**extra, "kind": event["kind"], "at": event["occurred_at"], "whatsapp_ids": [value for name, value in keys if name == "whatsapp_id"]}
    message, status = event.get("message", {}), event.get("status", {})
    content = message.get("content", {})
    if message:
        ours |= {**content, **message, "type": message["message_type"]}
        media = message.get("media", {})
        ours |= {"media": {name: media[name] for name in ("id", "mime_type", "sha256") if name in media}, "file_name": media.get("file_name")}
        ours["place"] = [content.get("latitude"), content.get("longitude"), content.get("url")]
        ours["cards"] = [card["name"]["formatted_name"] for card in content.get("contacts", [])]
    if status:
        ours |= {**status, "id": status["message_id"]}
    errors = status.get("errors", content.get("errors", []))
    ours["error"] = str(errors[0]["code"]) if errors else None
    ours |= event.get("template", {})
    for consent in contact.get("consents", []):
        ours |= {"state": consent["state"], "detail": consent["method"]}
    ours["event"] = event.get("connection_change", {}).get("provider_event")
    ours |= {**dict(reversed(keys)), **contact.get("fields", {})}
    return {name: ours.get(name) for name in said}


def judged(name, body, outcome, heard):
    """The differences between pywa and us, as lines; what pywa can't read must be listed."""
    update, why = read(body, heard)
    expected = UNREAD.get(name)
    if (why is None) != (expected is None):
        return [f"{name}: pywa says {why!r}, the list of what it can't read {expected!r}"]
    if why is not None and expected[0] not in why:
        return [f"{name}: pywa says {why!r}, expected {expected[0]!r}"]
    if why is not None:
        update, why = read(whole(body), heard)
        if (why is None) != expected[1]:
            return [f"{name}: with what Meta sends today pywa says {why!r}"]
    if update is None:
        return []
    events = outcome[0].get("done", {}).get("events", [])
    if not events:
        return []
    said = pywa_says(update)
    ours, other = we_say(events[0], said), OTHERWISE.get(name, {})
    differ = {key for key in said if said[key] != ours[key]}
    lines = [f"{name}: {key} is {said[key]!r} to pywa and {ours[key]!r} to us" for key in sorted(differ - set(other))]
    return lines + [f"{name}: {key} is listed as different and is not" for key in sorted(set(other) - differ)]


def of_fixtures(heard):
    """All cases of the plugin; gives how many, how many pywa has no handler for, and the differences."""
    count, unhandled, problems = 0, 0, []
    for case in sorted(FIXTURES.iterdir()):
        webhook = json.loads((case / "webhook.json").read_text())
        outcome = json.loads((case / "outcome.json").read_text())
        count += 1
        if webhook["topic"] in NO_HANDLER:
            unhandled += 1
            if read(webhook["body"], heard)[0] is not None:
                problems.append(f"{case.name}: pywa has a handler of {webhook['topic']} after all")
        else:
            problems += judged(case.name, webhook["body"], outcome, heard)
    names = {case.name for case in FIXTURES.iterdir()}
    problems += [f"{name}: is listed, and there is no such fixture" for name in sorted((set(UNREAD) | set(OTHERWISE)) - names)]
    return count, unhandled, problems


def of_double(heard):
    """What the double sends is whole: pywa reads all of it."""
    problems, snapshots = [], sorted([*SNAPSHOTS.glob("*__webhooks__*.snap"), *SNAPSHOTS.glob("*__statuses__*.snap")])
    if len(snapshots) < 5:
        problems.append(f"the double's webhooks are not in {SNAPSHOTS} any more")
    for snapshot in snapshots:
        value = json.loads(snapshot.read_text().split("---\n", 2)[2])
        change = {"field": "messages", "value": value}
        update, why = read({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [change]}]}, heard)
        told = (value.get("messages") or value.get("statuses"))[0]
        if update is None:
            problems.append(f"{snapshot.name}: pywa can't read what the double sends: {why}")
        elif (update.id, update.from_user.bsuid) != (told["id"], value["contacts"][0]["user_id"]):
            problems.append(f"{snapshot.name}: pywa reads {update!r}")
    return len(snapshots), problems


def main():
    # Words that are new to pywa are what this looks for.
    warnings.simplefilter("ignore", PywaUnknownEnumMemberWarning)
    heard = Heard()
    logger = logging.getLogger("pywa")
    logger.addHandler(heard)
    logger.propagate = False
    count, unhandled, problems = of_fixtures(heard)
    sent, of_sent = of_double(heard)
    if problems + of_sent:
        raise SystemExit("pywa disagrees:\n" + "\n".join(problems + of_sent))
    late = sum(1 for _, reads_whole in UNREAD.values() if reads_whole)
    print(
        f"pywa: {count} webhooks of Meta, {count - unhandled - len(UNREAD)} read as they are and {late} with what Meta sends today, alike; "
        f"{len(UNREAD) - late} it can't read, {unhandled} it has no handler for; {sent} of the double's"
    )


main()
