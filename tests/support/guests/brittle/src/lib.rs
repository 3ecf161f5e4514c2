//! A plugin of a made-up booking tool. Its first version has a defect: a booking without a name makes it panic; and it does not read that a booking
//! was moved, and for whom. Which version it is, is written in the component. A booking may also ask for trouble, which both versions make.

use serde::Deserialize;
use std::hint::black_box;
use tidegate_plugin_sdk::{
    Appointment, ContactInfo, Context, Error, Event, Interpretation, Item, Plugin, Request, export,
    json::{self, Text},
};

/// The test that makes the mended version writes `mended.` over `brittle`, here, in the built component: one build gives both.
static VERSION: &str = "defect:brittle";

#[derive(Deserialize)]
struct Booking<'a> {
    #[serde(borrow)]
    id: Text<'a>,
    #[serde(borrow)]
    phone: Text<'a>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    trouble: Option<Text<'a>>,
    #[serde(default)]
    moved: bool,
    /// Where the person's name is to be read.
    #[serde(borrow)]
    ask: Option<Text<'a>>,
    /// In so many steps, each of which needs the one before.
    #[serde(default)]
    steps: u32,
}

/// Asks the booking tool for the person's name.
fn ask(ctx: &mut Context<'_>, url: &str, steps: u32) -> Result<String, Error> {
    let mut name = String::new();
    for step in 0..steps.max(1) {
        let response = ctx.fetch(Request::get(format!("{url}?step={step}")))?;
        if !response.is_success() {
            return Err(Error::new(format!("the booking tool answered {}", response.status)));
        }
        name = response.body.chars().take(40).collect();
    }
    Ok(name)
}

/// Breaks a limit, or fails as it was asked to.
fn trouble(what: &str) -> Result<(), Error> {
    match what {
        "hang" => loop {
            black_box(0);
        },
        "hoard" => {
            let mut hoard = Vec::new();
            loop {
                hoard.push(black_box(vec![1u8; 1 << 20]));
            }
        }
        "dig" => {
            black_box(dig(black_box(1)));
            Ok(())
        }
        "talk" => Err(Error::skip("x".repeat(1 << 20))),
        "busy" => Err(Error::new("the booking tool is busy").retryable()),
        other => Err(Error::field("/trouble", format!("no such trouble: {other}"))),
    }
}

/// Recursion without an end that a compiler could see.
fn dig(depth: u64) -> u64 {
    let held = [depth; 64];
    if depth == 0 { 0 } else { black_box(&held)[0] + dig(black_box(depth + 1)) }
}

struct Brittle;

impl Plugin for Brittle {
    fn interpret(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        let booking: Booking<'_> = json::parse(&item.body)?;
        if let Some(what) = &booking.trouble {
            trouble(what.as_str())?;
        }
        let asked = booking.ask.as_ref().map(|url| ask(ctx, url.as_str(), booking.steps)).transpose()?;
        let mended = !black_box(VERSION).ends_with("brittle");
        if !mended && booking.name.is_none() {
            panic!("a booking without a name");
        }
        let mut contact = ContactInfo::default();
        contact.add_phone(Some(booking.phone.as_str()), None);
        contact.add_field("first_name", asked.as_deref());
        if mended && booking.moved {
            contact.add_field("first_name", booking.name.as_ref().map(Text::as_str));
        }
        let event = |kind: &str| {
            let appointment = Appointment { id: booking.id.as_str().to_owned(), ..Appointment::default() };
            Event::new(kind, &format!("{kind} {}", booking.id.as_str()), &item.received_at)
                .with_contact(contact.clone())
                .with_entity("appointment", booking.id.as_str(), None)
                .with_payload(appointment)
        };
        let mut interpretation = Interpretation::from(event("appointment.booked"));
        if mended && booking.moved {
            interpretation.events.push(event("appointment.rescheduled"));
        }
        Ok(interpretation)
    }
}
export!(Brittle);
