// Made from wit/ by `cargo xtask bindings`; changes are overwritten.

/** One header of the webhook. Names are in lower case. Signature and authorization headers are removed by the host. */
export interface Header {
    /** Name, in lower case. */
    name: string;
    /** Value, as received. */
    value: string;
}

/** The connection an item belongs to: one account at a provider. */
export interface Connection {
    /** The connection's name, as the operator wrote it. */
    name: string;
    /** The provider's own id of the account, when the endpoint serves many (a WhatsApp business account, a portal). */
    account?: string | null;
    /** The plugin's settings for this connection: a JSON object as text, `{}` when there are none. */
    settings: string;
}

/** One HTTP read that the plugin needs before it can interpret the item. Made by the host: only to granted hosts, with the credentials of the connection. */
export interface Request {
    /** `GET`, or `POST` for providers that read by POST (search, batch read). */
    method: string;
    /** Absolute `https` URL. */
    url: string;
    /** Further headers; credentials are added by the host. */
    headers?: Header[];
    /** Body of a POST. */
    body?: string | null;
}

/** An HTTP answer. */
export interface Response {
    /** HTTP status. */
    status: number;
    /** Headers, names in lower case. */
    headers?: Header[];
    /** Body as UTF-8 text. */
    body: string;
}

/** What a needed request gave. */
export type Answer = { "response": Response } | { "failed": string };

/** The unit of interpretation: one part of a delivery, often all of it. */
export interface Item {
    /** Id of the item, the same each time it is interpreted. */
    id: string;
    /** What the provider says it is, e.g. `orders/create`. */
    topic: string;
    /** Headers of the delivery. */
    headers?: Header[];
    /** The item's own bytes as UTF-8 text: the whole body, or the element that the manifest's `each` points at. */
    body: string;
    /** What surrounds the item in its delivery, when the manifest's `envelope` asks for it: a JSON object as text, nested as in the body, each array being the one
     * element the item is in. `["/object", "/entry/*\/id"]` gives `{"object":"page","entry":{"id":"1"}}`. What the body does not have is left out. */
    envelope?: string | null;
    /** When the gateway received the delivery (instant). */
    receivedAt: string;
    /** What this plugin last stored under the item's state key; `none` the first time. */
    state?: string | null;
    /** Answers to what the plugin said it needs, in the order it asked; empty in the first call. */
    answers?: Answer[];
}

/** Why an item can't be read. Written for an operator. */
export interface Failure {
    /** The field at fault as a JSON pointer (`/customer/phone`), when there is one. */
    field?: string | null;
    /** What was expected, and what was found. */
    reason: string;
    /** Whether trying again later may help. */
    retryable?: boolean;
}

/** A signal for flows that is not an event of its own, e.g. `high-value-order`. */
export interface Trigger {
    /** Name in kebab-case; flows select it with `on`. */
    name: string;
    /** The `event-key` of the event it is about. */
    eventKey: string;
    /** Variables for the flow: a JSON object as text. */
    variables: string;
}

/** The thing an event is about, and its version for last-writer-wins. */
export interface Entity {
    /** `order`, `shipment`, `cart`, `contact`, `appointment`, … */
    entityType: string;
    /** Id at the provider. */
    id: string;
    /** When the provider last changed it (instant): an older version never overwrites a newer one. */
    version?: string | null;
}

/** A named value of a contact. */
export interface Field {
    /** Name in snake_case. */
    name: string;
    /** Value; `none` clears it. */
    value?: string | null;
}

/** A phone number as the provider has it. */
export interface Phone {
    /** As written. */
    number: string;
    /** Country to assume when the number has no country code. */
    region?: string | null;
}

/** One thing that identifies a person. */
export type ContactKey = { "phone": Phone } | { "whatsapp-id": string } | { "whatsapp-user-id": string } | { "email": string } | { "external-id": string };

/** What a provider says about a person's consent to a channel. */
export interface Consent {
    /** `whatsapp`, `sms`, `email`. */
    channel: string;
    /** `transactional` or `marketing`. */
    scope: string;
    /** `granted`, `denied`, `pending`, `unknown`. */
    state: string;
    /** When it was given or withdrawn (instant). */
    at?: string | null;
    /** How, in the provider's words. */
    method?: string | null;
}

/** A person, as far as one webhook tells. */
export interface ContactInfo {
    /** Everything that identifies the person, best first. */
    keys?: ContactKey[];
    /** Full name, when the provider has only that. */
    name?: string | null;
    /** Given name. */
    firstName?: string | null;
    /** Family name. */
    lastName?: string | null;
    /** Language of the person. */
    language?: string | null;
    /** Country of the person; also the default region of phones without a country code. */
    country?: string | null;
    /** IANA time zone. */
    timeZone?: string | null;
    /** Tags at the provider; `none` when the webhook does not carry them. */
    tags?: string[] | null;
    /** Further fields, by name. */
    fields?: Field[];
    /** What the provider says about consent. */
    consents?: Consent[];
}

/** An amount of money. */
export interface Money {
    /** Decimal. */
    amount: string;
    /** Currency. */
    currency: string;
}

/** A postal address. */
export interface Address {
    /** Name of the addressee. */
    name?: string | null;
    /** Company. */
    company?: string | null;
    /** Street and number, then further lines. */
    lines?: string[];
    /** City. */
    city?: string | null;
    /** State, province or region. */
    region?: string | null;
    /** Postal code. */
    postalCode?: string | null;
    /** Country. */
    country?: string | null;
    /** Phone of the addressee, free text. */
    phone?: string | null;
}

/** One line of an order or cart. */
export interface LineItem {
    /** Id of the line at the provider. */
    id?: string | null;
    /** Id of the product. */
    productId?: string | null;
    /** Stock keeping unit. */
    sku?: string | null;
    /** Title of the product. */
    title: string;
    /** Title of the variant. */
    variant?: string | null;
    /** Decimal; most often whole. */
    quantity: string;
    /** Price of one. */
    price?: Money | null;
    /** Page of the product. */
    url?: string | null;
    /** Picture of the product. */
    imageUrl?: string | null;
}

/** An order as it is now. */
export interface Order {
    /** Id at the provider. */
    id: string;
    /** Number that the customer knows (`#1001`). */
    number?: string | null;
    /** `open`, `cancelled`, `closed`; `none` when the webhook does not tell (a refund, an edit). */
    status?: string | null;
    /** `pending`, `authorized`, `partially_paid`, `paid`, `partially_refunded`, `refunded`, `voided`; `none` when the provider does not say. */
    paymentStatus?: string | null;
    /** `unfulfilled`, `partial`, `fulfilled`, `restocked`; `none` when the provider does not say. */
    fulfillmentStatus?: string | null;
    /** Total that the customer pays. */
    total?: Money | null;
    /** Before shipping and tax. */
    subtotal?: Money | null;
    /** Shipping. */
    shipping?: Money | null;
    /** Tax. */
    tax?: Money | null;
    /** Discounts. */
    discount?: Money | null;
    /** Refunded so far, or by this event when its kind is `order.refunded`. */
    refunded?: Money | null;
    /** Lines. */
    items?: LineItem[];
    /** Where it is sent. */
    shippingAddress?: Address | null;
    /** Who pays. */
    billingAddress?: Address | null;
    /** Page where the customer follows the order. */
    statusUrl?: string | null;
    /** Cart it came from, to end an abandoned-cart flow. */
    cartId?: string | null;
    /** Discount codes used. */
    discountCodes?: string[];
    /** Tags of the order. */
    tags?: string[];
    /** Note of the customer. */
    note?: string | null;
    /** Why it was cancelled. */
    cancelReason?: string | null;
    /** When it was placed (instant). */
    placedAt?: string | null;
}

/** A parcel on its way. */
export interface Shipment {
    /** Id at the provider. */
    id: string;
    /** Id of the order it belongs to. */
    orderId?: string | null;
    /** Number of the order that the customer knows. */
    orderNumber?: string | null;
    /** `pending`, `in_transit`, `out_for_delivery`, `delivered`, `delayed`, `failed`, `cancelled`, … */
    status?: string | null;
    /** Carrier. */
    carrier?: string | null;
    /** Tracking numbers. */
    trackingNumbers?: string[];
    /** Tracking pages. */
    trackingUrls?: string[];
    /** Expected at the door (instant). */
    estimatedDeliveryAt?: string | null;
    /** Lines in this parcel. */
    items?: LineItem[];
    /** Where it goes. */
    destination?: Address | null;
}

/** A cart or checkout that is not an order (yet). */
export interface Cart {
    /** Id that the later order's `cart-id` repeats. */
    id: string;
    /** Total. */
    total?: Money | null;
    /** Lines. */
    items?: LineItem[];
    /** Page where the customer finishes it. */
    recoveryUrl?: string | null;
    /** When it became an order (instant). */
    completedAt?: string | null;
    /** Whether it was deleted. */
    deleted?: boolean;
}

/** A change of a person at the provider. The person is in the event's `contact`. */
export interface ContactChange {
    /** For `contact.merged`: ids that went up into this contact. */
    mergedIds?: string[];
    /** For requests about a person's data: ids of the orders concerned. */
    orderIds?: string[];
    /** For requests about a person's data: the provider's id of the request. */
    requestId?: string | null;
}

/** Somebody who left their data in an advertisement or form. */
export interface Lead {
    /** Id at the provider. */
    id: string;
    /** Form. */
    formId?: string | null;
    /** Campaign. */
    campaign?: string | null;
    /** Advertisement. */
    adId?: string | null;
    /** Answers. */
    answers?: Field[];
    /** Whether the provider marks it as a test. */
    test?: boolean;
}

/** A deal in a CRM. */
export interface Deal {
    /** Id at the provider. */
    id: string;
    /** Name. */
    name?: string | null;
    /** Pipeline. */
    pipeline?: string | null;
    /** Stage now. */
    stage?: string | null;
    /** Stage before. */
    previousStage?: string | null;
    /** Worth. */
    amount?: Money | null;
    /** Owner at the provider. */
    owner?: string | null;
}

/** A meeting that somebody booked. */
export interface Appointment {
    /** Id at the provider. */
    id: string;
    /** What kind of meeting. */
    title?: string | null;
    /** Start (instant). */
    startsAt?: string | null;
    /** End (instant). */
    endsAt?: string | null;
    /** Time zone to show to the person. */
    timeZone?: string | null;
    /** Where: address or link. */
    location?: string | null;
    /** Hosts. */
    hosts?: string[];
    /** Page to cancel. */
    cancelUrl?: string | null;
    /** Page to reschedule. */
    rescheduleUrl?: string | null;
    /** For `appointment.rescheduled`: the appointment it replaces. */
    previousId?: string | null;
    /** For `appointment.rescheduled`: when that would have started (instant). */
    previousStartsAt?: string | null;
    /** For `appointment.cancelled`: why. */
    cancelReason?: string | null;
    /** Questions and answers. */
    answers?: Field[];
}

/** A submitted form. */
export interface Form {
    /** Id of the submission. */
    id: string;
    /** Id of the form. */
    formId?: string | null;
    /** Name of the form. */
    name?: string | null;
    /** Answers. */
    answers?: Field[];
}

/** Who wrote a message. */
export type Direction = "inbound" | "outbound";

/** Media at the provider. */
export interface Media {
    /** Id at the provider. */
    id?: string | null;
    /** MIME type. */
    mimeType?: string | null;
    /** Where to fetch it. */
    url?: string | null;
    /** File name. */
    fileName?: string | null;
    /** SHA-256, as the provider writes it. */
    sha256?: string | null;
}

/** The advertisement or page a message came from. */
export interface Referral {
    /** `ad`, `post`, … */
    sourceType?: string | null;
    /** Id of the source. */
    sourceId?: string | null;
    /** Address of the source. */
    sourceUrl?: string | null;
    /** Headline. */
    headline?: string | null;
    /** Click id (`ctwa_clid`). */
    clickId?: string | null;
}

/** A message from, or an echo of one to, a person. */
export interface Message {
    /** Id at the provider. */
    id: string;
    /** `whatsapp`, `sms`. */
    channel: string;
    /** Our number or its id at the provider. */
    sender: string;
    /** Who wrote it. */
    direction: Direction;
    /** `text`, `image`, `button`, `list_reply`, `location`, `reaction`, … */
    messageType: string;
    /** Text as a person reads it (caption, button title, …). */
    text?: string | null;
    /** Machine value of a button or list row. */
    replyId?: string | null;
    /** Provider's id of the message this answers. */
    inReplyTo?: string | null;
    /** Attached media. */
    media?: Media | null;
    /** Advertisement it came from. */
    referral?: Referral | null;
    /** What else it holds: JSON text. */
    content?: string | null;
}

/** An error in the provider's words. */
export interface ProviderError {
    /** Code. */
    code: string;
    /** Title. */
    title?: string | null;
    /** Details. */
    details?: string | null;
}

/** What the provider charges for a message. */
export interface Pricing {
    /** Whether it is charged. */
    billable?: boolean | null;
    /** `CBP`, `PMP`, … */
    model?: string | null;
    /** `marketing`, `utility`, `authentication`, `service`, … */
    category?: string | null;
    /** `regular`, `free_customer_service`, … */
    pricingType?: string | null;
}

/** A change in the life of a message that we sent. */
export interface Status {
    /** Id at the provider. */
    messageId: string;
    /** `whatsapp`, `sms`. */
    channel: string;
    /** Our number or its id at the provider. */
    sender: string;
    /** `accepted`, `sent`, `delivered`, `read`, `played`, `failed`. */
    state: string;
    /** What we gave with the message, and got back. */
    callbackData?: string | null;
    /** Whom it was sent to, as the provider writes it. */
    recipient?: string | null;
    /** For `failed`: why. */
    errors?: ProviderError[];
    /** What it cost, as the provider says. */
    pricing?: Pricing | null;
}

/** A change of one of our numbers. */
export interface Sender {
    /** Its id at the provider, or the number. */
    id: string;
    /** The number people see. */
    displayNumber?: string | null;
    /** `high`, `medium`, `low`. */
    quality?: string | null;
    /** Business-initiated contacts in 24 hours; `-1` is unlimited. */
    limit?: number | null;
    /** What happened, in the provider's word. */
    providerEvent?: string | null;
    /** Why. */
    reason?: string | null;
}

/** A change of a message template at the provider. */
export interface Template {
    /** Id at the provider. */
    id?: string | null;
    /** Name. */
    name: string;
    /** Language. */
    language?: string | null;
    /** `approved`, `pending`, `rejected`, `paused`, `disabled`, … */
    status?: string | null;
    /** `marketing`, `utility`, `authentication`. */
    category?: string | null;
    /** `high`, `medium`, `low`, `unknown`. */
    quality?: string | null;
    /** Why. */
    reason?: string | null;
}

/** A change of the connection itself. */
export interface ConnectionChange {
    /** Account at the provider. */
    account?: string | null;
    /** What happened, in the provider's word. */
    providerEvent?: string | null;
    /** Why. */
    reason?: string | null;
}

/** Details of an event. One case for each kind of thing. */
export type Payload = { "order": Order } | { "shipment": Shipment } | { "cart": Cart } | { "contact": ContactChange } | { "lead": Lead } | { "deal": Deal } | { "appointment": Appointment } | { "form": Form } | { "message": Message } | { "status": Status } | { "sender": Sender } | { "template": Template } | { "connection": ConnectionChange } | { "custom": string };

/** What happened, in the same words for every provider. */
export interface Event {
    /** Tells this event from the others of the same item; the event's id derives from it. */
    eventKey: string;
    /** `order.placed`, `message.received`, … or an `x.y` that the manifest declares. */
    kind: string;
    /** When it happened at the source (instant). */
    occurredAt: string;
    /** Whose it is: the person the event is about; `none` when it is about no person. */
    contact?: ContactInfo | null;
    /** The thing the event is about. */
    entity?: Entity | null;
    /** Details, by kind. */
    payload: Payload;
    /** More details as a JSON object in text (`{}` when there are none). */
    extra: string;
}

/** The result of an interpreted item. */
export interface Done {
    /** What happened, in the order it happened. */
    events?: Event[];
    /** What it means for automation, beside the events themselves. */
    triggers?: Trigger[];
    /** New state to keep under the item's state key; `none` leaves it as it is. */
    state?: string | null;
}

/** What a plugin makes of one item. */
export type Outcome = { "done": Done } | { "need": Request[] } | { "skip": string } | { "failed": Failure };
