"""The types of the contract. Made from wit/ by `cargo xtask bindings`; changes are overwritten."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Case:
    """A case of a variant by its name, where the type of the value does not tell it."""

    name: str
    value: object


@dataclass(kw_only=True)
class Header:
    """One header of the webhook. Names are in lower case. Signature and authorization headers are removed by the host."""

    name: str
    """Name, in lower case."""
    value: str
    """Value, as received."""


@dataclass(kw_only=True)
class Connection:
    """The connection an item belongs to: one account at a provider."""

    name: str
    """The connection's name, as the operator wrote it."""
    account: str | None = None
    """The provider's own id of the account, when the endpoint serves many (a WhatsApp business account, a portal)."""
    settings: str
    """The plugin's settings for this connection: a JSON object as text, `{}` when there are none."""


@dataclass(kw_only=True)
class Request:
    """One HTTP read that the plugin needs before it can interpret the item. Made by the host: only to granted hosts, with the credentials of the connection."""

    method: str
    """`GET`, or `POST` for providers that read by POST (search, batch read)."""
    url: str
    """Absolute `https` URL."""
    headers: list[Header] = field(default_factory=list)
    """Further headers; credentials are added by the host."""
    body: str | None = None
    """Body of a POST."""


@dataclass(kw_only=True)
class Response:
    """An HTTP answer."""

    status: int
    """HTTP status."""
    headers: list[Header] = field(default_factory=list)
    """Headers, names in lower case."""
    body: str
    """Body as UTF-8 text."""


@dataclass(kw_only=True)
class Item:
    """The unit of interpretation: one part of a delivery, often all of it."""

    id: str
    """Id of the item, the same each time it is interpreted."""
    topic: str
    """What the provider says it is, e.g. `orders/create`."""
    headers: list[Header] = field(default_factory=list)
    """Headers of the delivery."""
    body: str
    """The item's own bytes as UTF-8 text: the whole body, or the element that the manifest's `each` points at."""
    envelope: str | None = None
    """What surrounds the item in its delivery, when the manifest's `envelope` asks for it: a JSON object as text, nested as in the body, each array being the one
    element the item is in. `["/object", "/entry/*/id"]` gives `{"object":"page","entry":{"id":"1"}}`. What the body does not have is left out."""
    received_at: str
    """When the gateway received the delivery (instant)."""
    state: str | None = None
    """What this plugin last stored under the item's state key; `none` the first time."""
    answers: list[Answer] = field(default_factory=list)
    """Answers to what the plugin said it needs, in the order it asked; empty in the first call."""


@dataclass(kw_only=True)
class Failure:
    """Why an item can't be read. Written for an operator."""

    field: str | None = None
    """The field at fault as a JSON pointer (`/customer/phone`), when there is one."""
    reason: str
    """What was expected, and what was found."""
    retryable: bool = False
    """Whether trying again later may help."""


@dataclass(kw_only=True)
class Trigger:
    """A signal for flows that is not an event of its own, e.g. `high-value-order`."""

    name: str
    """Name in kebab-case; flows select it with `on`."""
    event_key: str
    """The `event-key` of the event it is about."""
    variables: str
    """Variables for the flow: a JSON object as text."""


@dataclass(kw_only=True)
class Entity:
    """The thing an event is about, and its version for last-writer-wins."""

    entity_type: str
    """`order`, `shipment`, `cart`, `contact`, `appointment`, …"""
    id: str
    """Id at the provider."""
    version: str | None = None
    """When the provider last changed it (instant): an older version never overwrites a newer one."""


@dataclass(kw_only=True)
class Field:
    """A named value of a contact."""

    name: str
    """Name in snake_case."""
    value: str | None = None
    """Value; `none` clears it."""


@dataclass(kw_only=True)
class Phone:
    """A phone number as the provider has it."""

    number: str
    """As written."""
    region: str | None = None
    """Country to assume when the number has no country code."""


@dataclass(kw_only=True)
class Consent:
    """What a provider says about a person's consent to a channel."""

    channel: str
    """`whatsapp`, `sms`, `email`."""
    scope: str
    """`transactional` or `marketing`."""
    state: str
    """`granted`, `denied`, `pending`, `unknown`."""
    at: str | None = None
    """When it was given or withdrawn (instant)."""
    method: str | None = None
    """How, in the provider's words."""


@dataclass(kw_only=True)
class ContactInfo:
    """A person, as far as one webhook tells."""

    keys: list[ContactKey] = field(default_factory=list)
    """Everything that identifies the person, best first."""
    name: str | None = None
    """Full name, when the provider has only that."""
    first_name: str | None = None
    """Given name."""
    last_name: str | None = None
    """Family name."""
    language: str | None = None
    """Language of the person."""
    country: str | None = None
    """Country of the person; also the default region of phones without a country code."""
    time_zone: str | None = None
    """IANA time zone."""
    tags: list[str] | None = None
    """Tags at the provider; `none` when the webhook does not carry them."""
    fields: list[Field] = field(default_factory=list)
    """Further fields, by name."""
    consents: list[Consent] = field(default_factory=list)
    """What the provider says about consent."""


@dataclass(kw_only=True)
class Money:
    """An amount of money."""

    amount: str
    """Decimal."""
    currency: str
    """Currency."""


@dataclass(kw_only=True)
class Address:
    """A postal address."""

    name: str | None = None
    """Name of the addressee."""
    company: str | None = None
    """Company."""
    lines: list[str] = field(default_factory=list)
    """Street and number, then further lines."""
    city: str | None = None
    """City."""
    region: str | None = None
    """State, province or region."""
    postal_code: str | None = None
    """Postal code."""
    country: str | None = None
    """Country."""
    phone: str | None = None
    """Phone of the addressee, free text."""


@dataclass(kw_only=True)
class LineItem:
    """One line of an order or cart."""

    id: str | None = None
    """Id of the line at the provider."""
    product_id: str | None = None
    """Id of the product."""
    sku: str | None = None
    """Stock keeping unit."""
    title: str
    """Title of the product."""
    variant: str | None = None
    """Title of the variant."""
    quantity: str
    """Decimal; most often whole."""
    price: Money | None = None
    """Price of one."""
    url: str | None = None
    """Page of the product."""
    image_url: str | None = None
    """Picture of the product."""


@dataclass(kw_only=True)
class Order:
    """An order as it is now."""

    id: str
    """Id at the provider."""
    number: str | None = None
    """Number that the customer knows (`#1001`)."""
    status: str | None = None
    """`open`, `cancelled`, `closed`; `none` when the webhook does not tell (a refund, an edit)."""
    payment_status: str | None = None
    """`pending`, `authorized`, `partially_paid`, `paid`, `partially_refunded`, `refunded`, `voided`; `none` when the provider does not say."""
    fulfillment_status: str | None = None
    """`unfulfilled`, `partial`, `fulfilled`, `restocked`; `none` when the provider does not say."""
    total: Money | None = None
    """Total that the customer pays."""
    subtotal: Money | None = None
    """Before shipping and tax."""
    shipping: Money | None = None
    """Shipping."""
    tax: Money | None = None
    """Tax."""
    discount: Money | None = None
    """Discounts."""
    refunded: Money | None = None
    """Refunded so far, or by this event when its kind is `order.refunded`."""
    items: list[LineItem] = field(default_factory=list)
    """Lines."""
    shipping_address: Address | None = None
    """Where it is sent."""
    billing_address: Address | None = None
    """Who pays."""
    status_url: str | None = None
    """Page where the customer follows the order."""
    cart_id: str | None = None
    """Cart it came from, to end an abandoned-cart flow."""
    discount_codes: list[str] = field(default_factory=list)
    """Discount codes used."""
    tags: list[str] = field(default_factory=list)
    """Tags of the order."""
    note: str | None = None
    """Note of the customer."""
    cancel_reason: str | None = None
    """Why it was cancelled."""
    placed_at: str | None = None
    """When it was placed (instant)."""


@dataclass(kw_only=True)
class Shipment:
    """A parcel on its way."""

    id: str
    """Id at the provider."""
    order_id: str | None = None
    """Id of the order it belongs to."""
    order_number: str | None = None
    """Number of the order that the customer knows."""
    status: str | None = None
    """`pending`, `in_transit`, `out_for_delivery`, `delivered`, `delayed`, `failed`, `cancelled`, …"""
    carrier: str | None = None
    """Carrier."""
    tracking_numbers: list[str] = field(default_factory=list)
    """Tracking numbers."""
    tracking_urls: list[str] = field(default_factory=list)
    """Tracking pages."""
    estimated_delivery_at: str | None = None
    """Expected at the door (instant)."""
    items: list[LineItem] = field(default_factory=list)
    """Lines in this parcel."""
    destination: Address | None = None
    """Where it goes."""


@dataclass(kw_only=True)
class Cart:
    """A cart or checkout that is not an order (yet)."""

    id: str
    """Id that the later order's `cart-id` repeats."""
    total: Money | None = None
    """Total."""
    items: list[LineItem] = field(default_factory=list)
    """Lines."""
    recovery_url: str | None = None
    """Page where the customer finishes it."""
    completed_at: str | None = None
    """When it became an order (instant)."""
    deleted: bool = False
    """Whether it was deleted."""


@dataclass(kw_only=True)
class ContactChange:
    """A change of a person at the provider. The person is in the event's `contact`."""

    merged_ids: list[str] = field(default_factory=list)
    """For `contact.merged`: ids that went up into this contact."""
    order_ids: list[str] = field(default_factory=list)
    """For requests about a person's data: ids of the orders concerned."""
    request_id: str | None = None
    """For requests about a person's data: the provider's id of the request."""


@dataclass(kw_only=True)
class Lead:
    """Somebody who left their data in an advertisement or form."""

    id: str
    """Id at the provider."""
    form_id: str | None = None
    """Form."""
    campaign: str | None = None
    """Campaign."""
    ad_id: str | None = None
    """Advertisement."""
    answers: list[Field] = field(default_factory=list)
    """Answers."""
    test: bool = False
    """Whether the provider marks it as a test."""


@dataclass(kw_only=True)
class Deal:
    """A deal in a CRM."""

    id: str
    """Id at the provider."""
    name: str | None = None
    """Name."""
    pipeline: str | None = None
    """Pipeline."""
    stage: str | None = None
    """Stage now."""
    previous_stage: str | None = None
    """Stage before."""
    amount: Money | None = None
    """Worth."""
    owner: str | None = None
    """Owner at the provider."""


@dataclass(kw_only=True)
class Appointment:
    """A meeting that somebody booked."""

    id: str
    """Id at the provider."""
    title: str | None = None
    """What kind of meeting."""
    starts_at: str | None = None
    """Start (instant)."""
    ends_at: str | None = None
    """End (instant)."""
    time_zone: str | None = None
    """Time zone to show to the person."""
    location: str | None = None
    """Where: address or link."""
    hosts: list[str] = field(default_factory=list)
    """Hosts."""
    cancel_url: str | None = None
    """Page to cancel."""
    reschedule_url: str | None = None
    """Page to reschedule."""
    previous_id: str | None = None
    """For `appointment.rescheduled`: the appointment it replaces."""
    previous_starts_at: str | None = None
    """For `appointment.rescheduled`: when that would have started (instant)."""
    cancel_reason: str | None = None
    """For `appointment.cancelled`: why."""
    answers: list[Field] = field(default_factory=list)
    """Questions and answers."""


@dataclass(kw_only=True)
class Form:
    """A submitted form."""

    id: str
    """Id of the submission."""
    form_id: str | None = None
    """Id of the form."""
    name: str | None = None
    """Name of the form."""
    answers: list[Field] = field(default_factory=list)
    """Answers."""


@dataclass(kw_only=True)
class Media:
    """Media at the provider."""

    id: str | None = None
    """Id at the provider."""
    mime_type: str | None = None
    """MIME type."""
    url: str | None = None
    """Where to fetch it."""
    file_name: str | None = None
    """File name."""
    sha256: str | None = None
    """SHA-256, as the provider writes it."""


@dataclass(kw_only=True)
class Referral:
    """The advertisement or page a message came from."""

    source_type: str | None = None
    """`ad`, `post`, …"""
    source_id: str | None = None
    """Id of the source."""
    source_url: str | None = None
    """Address of the source."""
    headline: str | None = None
    """Headline."""
    click_id: str | None = None
    """Click id (`ctwa_clid`)."""


@dataclass(kw_only=True)
class Message:
    """A message from, or an echo of one to, a person."""

    id: str
    """Id at the provider."""
    channel: str
    """`whatsapp`, `sms`."""
    sender: str
    """Our number or its id at the provider."""
    direction: Direction
    """Who wrote it."""
    message_type: str
    """`text`, `image`, `button`, `list_reply`, `location`, `reaction`, …"""
    text: str | None = None
    """Text as a person reads it (caption, button title, …)."""
    reply_id: str | None = None
    """Machine value of a button or list row."""
    in_reply_to: str | None = None
    """Provider's id of the message this answers."""
    media: Media | None = None
    """Attached media."""
    referral: Referral | None = None
    """Advertisement it came from."""
    content: str | None = None
    """What else it holds: JSON text."""


@dataclass(kw_only=True)
class ProviderError:
    """An error in the provider's words."""

    code: str
    """Code."""
    title: str | None = None
    """Title."""
    details: str | None = None
    """Details."""


@dataclass(kw_only=True)
class Pricing:
    """What the provider charges for a message."""

    billable: bool | None = None
    """Whether it is charged."""
    model: str | None = None
    """`CBP`, `PMP`, …"""
    category: str | None = None
    """`marketing`, `utility`, `authentication`, `service`, …"""
    pricing_type: str | None = None
    """`regular`, `free_customer_service`, …"""


@dataclass(kw_only=True)
class Status:
    """A change in the life of a message that we sent."""

    message_id: str
    """Id at the provider."""
    channel: str
    """`whatsapp`, `sms`."""
    sender: str
    """Our number or its id at the provider."""
    state: str
    """`accepted`, `sent`, `delivered`, `read`, `played`, `failed`."""
    callback_data: str | None = None
    """What we gave with the message, and got back."""
    recipient: str | None = None
    """Whom it was sent to, as the provider writes it."""
    errors: list[ProviderError] = field(default_factory=list)
    """For `failed`: why."""
    pricing: Pricing | None = None
    """What it cost, as the provider says."""


@dataclass(kw_only=True)
class Sender:
    """A change of one of our numbers."""

    id: str
    """Its id at the provider, or the number."""
    display_number: str | None = None
    """The number people see."""
    quality: str | None = None
    """`high`, `medium`, `low`."""
    limit: int | None = None
    """Business-initiated contacts in 24 hours; `-1` is unlimited."""
    provider_event: str | None = None
    """What happened, in the provider's word."""
    reason: str | None = None
    """Why."""


@dataclass(kw_only=True)
class Template:
    """A change of a message template at the provider."""

    id: str | None = None
    """Id at the provider."""
    name: str
    """Name."""
    language: str | None = None
    """Language."""
    status: str | None = None
    """`approved`, `pending`, `rejected`, `paused`, `disabled`, …"""
    category: str | None = None
    """`marketing`, `utility`, `authentication`."""
    quality: str | None = None
    """`high`, `medium`, `low`, `unknown`."""
    reason: str | None = None
    """Why."""


@dataclass(kw_only=True)
class ConnectionChange:
    """A change of the connection itself."""

    account: str | None = None
    """Account at the provider."""
    provider_event: str | None = None
    """What happened, in the provider's word."""
    reason: str | None = None
    """Why."""


@dataclass(kw_only=True)
class Event:
    """What happened, in the same words for every provider."""

    event_key: str
    """Tells this event from the others of the same item; the event's id derives from it."""
    kind: str
    """`order.placed`, `message.received`, … or an `x.y` that the manifest declares."""
    occurred_at: str
    """When it happened at the source (instant)."""
    contact: ContactInfo | None = None
    """Whose it is: the person the event is about; `none` when it is about no person."""
    entity: Entity | None = None
    """The thing the event is about."""
    payload: Payload
    """Details, by kind."""
    extra: str
    """More details as a JSON object in text (`{}` when there are none)."""


@dataclass(kw_only=True)
class Done:
    """The result of an interpreted item."""

    events: list[Event] = field(default_factory=list)
    """What happened, in the order it happened."""
    triggers: list[Trigger] = field(default_factory=list)
    """What it means for automation, beside the events themselves."""
    state: str | None = None
    """New state to keep under the item's state key; `none` leaves it as it is."""

Answer = Case | Response
"""What a needed request gave."""

ContactKey = Case | Phone
"""One thing that identifies a person."""

Direction = Literal["inbound", "outbound"]
"""Who wrote a message."""

Payload = Case | Order | Shipment | Cart | ContactChange | Lead | Deal | Appointment | Form | Message | Status | Sender | Template | ConnectionChange
"""Details of an event. One case for each kind of thing."""

Outcome = Case | Done | Failure
"""What a plugin makes of one item."""

# What fields hold: `str`, `bool`, `int`, a class by its name; `[]` is a list of it, and `?` says that it may be absent.
RECORDS: dict[str, dict[str, str]] = {
    "Header": {"name": "str", "value": "str"},
    "Connection": {"name": "str", "account": "str?", "settings": "str"},
    "Request": {"method": "str", "url": "str", "headers": "Header[]", "body": "str?"},
    "Response": {"status": "int", "headers": "Header[]", "body": "str"},
    "Item": {"id": "str", "topic": "str", "headers": "Header[]", "body": "str", "envelope": "str?", "received_at": "str", "state": "str?", "answers": "Answer[]"},
    "Failure": {"field": "str?", "reason": "str", "retryable": "bool"},
    "Trigger": {"name": "str", "event_key": "str", "variables": "str"},
    "Entity": {"entity_type": "str", "id": "str", "version": "str?"},
    "Field": {"name": "str", "value": "str?"},
    "Phone": {"number": "str", "region": "str?"},
    "Consent": {"channel": "str", "scope": "str", "state": "str", "at": "str?", "method": "str?"},
    "ContactInfo": {"keys": "ContactKey[]", "name": "str?", "first_name": "str?", "last_name": "str?", "language": "str?", "country": "str?", "time_zone": "str?", "tags": "str[]?", "fields": "Field[]", "consents": "Consent[]"},
    "Money": {"amount": "str", "currency": "str"},
    "Address": {"name": "str?", "company": "str?", "lines": "str[]", "city": "str?", "region": "str?", "postal_code": "str?", "country": "str?", "phone": "str?"},
    "LineItem": {"id": "str?", "product_id": "str?", "sku": "str?", "title": "str", "variant": "str?", "quantity": "str", "price": "Money?", "url": "str?", "image_url": "str?"},
    "Order": {"id": "str", "number": "str?", "status": "str?", "payment_status": "str?", "fulfillment_status": "str?", "total": "Money?", "subtotal": "Money?", "shipping": "Money?", "tax": "Money?", "discount": "Money?", "refunded": "Money?", "items": "LineItem[]", "shipping_address": "Address?", "billing_address": "Address?", "status_url": "str?", "cart_id": "str?", "discount_codes": "str[]", "tags": "str[]", "note": "str?", "cancel_reason": "str?", "placed_at": "str?"},
    "Shipment": {"id": "str", "order_id": "str?", "order_number": "str?", "status": "str?", "carrier": "str?", "tracking_numbers": "str[]", "tracking_urls": "str[]", "estimated_delivery_at": "str?", "items": "LineItem[]", "destination": "Address?"},
    "Cart": {"id": "str", "total": "Money?", "items": "LineItem[]", "recovery_url": "str?", "completed_at": "str?", "deleted": "bool"},
    "ContactChange": {"merged_ids": "str[]", "order_ids": "str[]", "request_id": "str?"},
    "Lead": {"id": "str", "form_id": "str?", "campaign": "str?", "ad_id": "str?", "answers": "Field[]", "test": "bool"},
    "Deal": {"id": "str", "name": "str?", "pipeline": "str?", "stage": "str?", "previous_stage": "str?", "amount": "Money?", "owner": "str?"},
    "Appointment": {"id": "str", "title": "str?", "starts_at": "str?", "ends_at": "str?", "time_zone": "str?", "location": "str?", "hosts": "str[]", "cancel_url": "str?", "reschedule_url": "str?", "previous_id": "str?", "previous_starts_at": "str?", "cancel_reason": "str?", "answers": "Field[]"},
    "Form": {"id": "str", "form_id": "str?", "name": "str?", "answers": "Field[]"},
    "Media": {"id": "str?", "mime_type": "str?", "url": "str?", "file_name": "str?", "sha256": "str?"},
    "Referral": {"source_type": "str?", "source_id": "str?", "source_url": "str?", "headline": "str?", "click_id": "str?"},
    "Message": {"id": "str", "channel": "str", "sender": "str", "direction": "Direction", "message_type": "str", "text": "str?", "reply_id": "str?", "in_reply_to": "str?", "media": "Media?", "referral": "Referral?", "content": "str?"},
    "ProviderError": {"code": "str", "title": "str?", "details": "str?"},
    "Pricing": {"billable": "bool?", "model": "str?", "category": "str?", "pricing_type": "str?"},
    "Status": {"message_id": "str", "channel": "str", "sender": "str", "state": "str", "callback_data": "str?", "recipient": "str?", "errors": "ProviderError[]", "pricing": "Pricing?"},
    "Sender": {"id": "str", "display_number": "str?", "quality": "str?", "limit": "int?", "provider_event": "str?", "reason": "str?"},
    "Template": {"id": "str?", "name": "str", "language": "str?", "status": "str?", "category": "str?", "quality": "str?", "reason": "str?"},
    "ConnectionChange": {"account": "str?", "provider_event": "str?", "reason": "str?"},
    "Event": {"event_key": "str", "kind": "str", "occurred_at": "str", "contact": "ContactInfo?", "entity": "Entity?", "payload": "Payload", "extra": "str"},
    "Done": {"events": "Event[]", "triggers": "Trigger[]", "state": "str?"},
}
VARIANTS: dict[str, dict[str, str]] = {
    "Answer": {"response": "Response", "failed": "str"},
    "ContactKey": {"phone": "Phone", "whatsapp-id": "str", "whatsapp-user-id": "str", "email": "str", "external-id": "str"},
    "Payload": {"order": "Order", "shipment": "Shipment", "cart": "Cart", "contact": "ContactChange", "lead": "Lead", "deal": "Deal", "appointment": "Appointment", "form": "Form", "message": "Message", "status": "Status", "sender": "Sender", "template": "Template", "connection": "ConnectionChange", "custom": "str"},
    "Outcome": {"done": "Done", "need": "Request[]", "skip": "str", "failed": "Failure"},
}
ENUMS: dict[str, list[str]] = {
    "Direction": ["inbound", "outbound"],
}
