//! The parts of events that a mapping can fill, by the names of the canonical model. The schema, the check and the plugin go by these tables.

/// What a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A text, or a number as text.
    Text,
    /// Two letters (ISO 3166-1); a constant may be written plainly.
    Country,
    /// Three letters (ISO 4217); a constant may be written plainly.
    Currency,
    /// An instant.
    Instant,
    /// An exact number.
    Decimal,
    /// `true` or `false`.
    Bool,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An amount; its currency is the record's.
    Money,
    /// Several texts.
    Texts,
    /// A postal address.
    Address,
    /// Lines of an order or cart.
    Lines,
    /// Questions and answers.
    Answers,
    /// Values by names of one's own.
    Named,
    /// What the provider says about consent.
    Consents,
}

/// One field of a record.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// Whether a mapping must fill it.
    pub required: bool,
}

/// A table of the settings.
#[derive(Debug)]
pub struct Record {
    /// Its key.
    pub key: &'static str,
    /// Its fields.
    pub fields: &'static [Field],
}

const fn may(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: false }
}

const fn must(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: true }
}

/// The kinds that a mapping can make beside those of its own, with their tables.
pub const KINDS: &[(&str, &Record)] = &[
    ("order.placed", &ORDER),
    ("order.paid", &ORDER),
    ("order.updated", &ORDER),
    ("order.cancelled", &ORDER),
    ("order.refunded", &ORDER),
    ("order.fulfilled", &ORDER),
    ("shipment.created", &SHIPMENT),
    ("shipment.updated", &SHIPMENT),
    ("shipment.out_for_delivery", &SHIPMENT),
    ("shipment.delivered", &SHIPMENT),
    ("shipment.delayed", &SHIPMENT),
    ("cart.updated", &CART),
    ("contact.created", &CHANGE),
    ("contact.updated", &CHANGE),
    ("contact.deleted", &CHANGE),
    ("contact.merged", &CHANGE),
    ("contact.consent_changed", &CHANGE),
    ("contact.erasure_requested", &CHANGE),
    ("contact.export_requested", &CHANGE),
    ("lead.submitted", &LEAD),
    ("deal.created", &DEAL),
    ("deal.stage_changed", &DEAL),
    ("appointment.booked", &APPOINTMENT),
    ("appointment.rescheduled", &APPOINTMENT),
    ("appointment.cancelled", &APPOINTMENT),
    ("appointment.no_show", &APPOINTMENT),
    ("form.submitted", &FORM),
];

/// Nouns whose kinds come from the plugins of channels, which know the life of a message.
pub const FOREIGN_NOUNS: &[&str] = &["message", "sender", "template", "connection"];

/// Who an event is about.
pub const CONTACT: Record = Record {
    key: "contact",
    fields: &[
        may("phone", Shape::Text),
        may("whatsapp_id", Shape::Text),
        may("email", Shape::Text),
        may("external_id", Shape::Text),
        may("name", Shape::Text),
        may("first_name", Shape::Text),
        may("last_name", Shape::Text),
        may("language", Shape::Text),
        may("country", Shape::Country),
        may("time_zone", Shape::Text),
        may("tags", Shape::Texts),
        may("fields", Shape::Named),
        may("consents", Shape::Consents),
    ],
};

/// `order.*`
pub const ORDER: Record = Record {
    key: "order",
    fields: &[
        must("id", Shape::Text),
        may("number", Shape::Text),
        may("status", Shape::Word(&["open", "cancelled", "closed"])),
        may("payment_status", Shape::Word(PAYMENT)),
        may("fulfillment_status", Shape::Word(&["unfulfilled", "partial", "fulfilled", "restocked"])),
        may("currency", Shape::Currency),
        may("total", Shape::Money),
        may("subtotal", Shape::Money),
        may("shipping", Shape::Money),
        may("tax", Shape::Money),
        may("discount", Shape::Money),
        may("refunded", Shape::Money),
        may("items", Shape::Lines),
        may("shipping_address", Shape::Address),
        may("billing_address", Shape::Address),
        may("status_url", Shape::Text),
        may("cart_id", Shape::Text),
        may("discount_codes", Shape::Texts),
        may("tags", Shape::Texts),
        may("note", Shape::Text),
        may("cancel_reason", Shape::Text),
        may("placed_at", Shape::Instant),
    ],
};

const PAYMENT: &[&str] =
    &["pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided"];

/// `shipment.*`
pub const SHIPMENT: Record = Record {
    key: "shipment",
    fields: &[
        must("id", Shape::Text),
        may("order_id", Shape::Text),
        may("order_number", Shape::Text),
        may("status", Shape::Text),
        may("carrier", Shape::Text),
        may("tracking_numbers", Shape::Texts),
        may("tracking_urls", Shape::Texts),
        may("estimated_delivery_at", Shape::Instant),
        may("currency", Shape::Currency),
        may("items", Shape::Lines),
        may("destination", Shape::Address),
    ],
};

/// `cart.*`
pub const CART: Record = Record {
    key: "cart",
    fields: &[
        must("id", Shape::Text),
        may("currency", Shape::Currency),
        may("total", Shape::Money),
        may("items", Shape::Lines),
        may("recovery_url", Shape::Text),
        may("completed_at", Shape::Instant),
        may("deleted", Shape::Bool),
    ],
};

/// `contact.*`; who changed is in [`CONTACT`].
pub const CHANGE: Record = Record {
    key: "change",
    fields: &[may("merged_ids", Shape::Texts), may("order_ids", Shape::Texts), may("request_id", Shape::Text)],
};

/// `lead.*`
pub const LEAD: Record = Record {
    key: "lead",
    fields: &[
        may("id", Shape::Text),
        may("form_id", Shape::Text),
        may("campaign", Shape::Text),
        may("ad_id", Shape::Text),
        may("answers", Shape::Answers),
        may("test", Shape::Bool),
    ],
};

/// `deal.*`
pub const DEAL: Record = Record {
    key: "deal",
    fields: &[
        must("id", Shape::Text),
        may("name", Shape::Text),
        may("pipeline", Shape::Text),
        may("stage", Shape::Text),
        may("previous_stage", Shape::Text),
        may("currency", Shape::Currency),
        may("amount", Shape::Money),
        may("owner", Shape::Text),
    ],
};

/// `appointment.*`
pub const APPOINTMENT: Record = Record {
    key: "appointment",
    fields: &[
        must("id", Shape::Text),
        may("title", Shape::Text),
        may("starts_at", Shape::Instant),
        may("ends_at", Shape::Instant),
        may("time_zone", Shape::Text),
        may("location", Shape::Text),
        may("hosts", Shape::Texts),
        may("cancel_url", Shape::Text),
        may("reschedule_url", Shape::Text),
        may("previous_id", Shape::Text),
        may("previous_starts_at", Shape::Instant),
        may("cancel_reason", Shape::Text),
        may("answers", Shape::Answers),
    ],
};

/// `form.*`
pub const FORM: Record = Record {
    key: "form",
    fields: &[
        may("id", Shape::Text),
        may("form_id", Shape::Text),
        may("name", Shape::Text),
        may("answers", Shape::Answers),
    ],
};

/// One line; its pointers begin at the line.
pub const LINE: Record = Record {
    key: "items",
    fields: &[
        may("id", Shape::Text),
        may("product_id", Shape::Text),
        may("sku", Shape::Text),
        may("title", Shape::Text),
        may("variant", Shape::Text),
        may("quantity", Shape::Decimal),
        may("price", Shape::Money),
        may("currency", Shape::Currency),
        may("url", Shape::Text),
        may("image_url", Shape::Text),
    ],
};

/// A postal address.
pub const ADDRESS: Record = Record {
    key: "address",
    fields: &[
        may("name", Shape::Text),
        may("company", Shape::Text),
        may("lines", Shape::Texts),
        may("city", Shape::Text),
        may("region", Shape::Text),
        may("postal_code", Shape::Text),
        may("country", Shape::Country),
        may("phone", Shape::Text),
    ],
};
