//! A plugin of a made-up booking tool. Its first version has a defect: a booking without a name makes it panic. Which version it is, is written in the component.

use serde::Deserialize;
use std::hint::black_box;
use tidegate_plugin_sdk::{
    Appointment, ContactInfo, Context, Error, Event, Interpretation, Item, Plugin, export,
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
}

struct Brittle;

impl Plugin for Brittle {
    fn interpret(_: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
        let booking: Booking<'_> = json::parse(&item.body)?;
        if black_box(VERSION).ends_with("brittle") && booking.name.is_none() {
            panic!("a booking without a name");
        }
        let mut contact = ContactInfo::default();
        contact.add_phone(Some(booking.phone.as_str()), None);
        let appointment = Appointment { id: booking.id.as_str().to_owned(), ..Appointment::default() };
        let event = Event::new("appointment.booked", booking.id.as_str(), &item.received_at)
            .with_contact(contact)
            .with_entity("appointment", booking.id.as_str(), None)
            .with_payload(appointment);
        Ok(event.into())
    }
}
export!(Brittle);
