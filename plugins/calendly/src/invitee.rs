//! An invitee: one person in one meeting. A meeting of a group has one for each person, with a webhook each.

use crate::{
    answer::{self, Answer},
    settings::Settings,
};
use serde::Deserialize;
use tidegate_plugin_sdk::{
    Appointment, ContactInfo, Error, Item, Phone, json, json::Decimal, json::Instant, json::Object, json::Text,
};

/// A webhook about an invitee.
#[derive(Deserialize)]
pub(crate) struct Webhook<'a> {
    #[serde(borrow)]
    pub(crate) created_at: Option<Instant<'a>>,
    #[serde(borrow)]
    pub(crate) payload: Invitee<'a>,
}

#[derive(Deserialize)]
pub(crate) struct Invitee<'a> {
    #[serde(borrow)]
    uri: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) created_at: Option<Instant<'a>>,
    #[serde(borrow)]
    pub(crate) updated_at: Option<Instant<'a>>,
    #[serde(borrow)]
    email: Option<Text<'a>>,
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    first_name: Option<Text<'a>>,
    #[serde(borrow)]
    last_name: Option<Text<'a>>,
    #[serde(borrow)]
    timezone: Option<Text<'a>>,
    #[serde(borrow)]
    text_reminder_number: Option<Text<'a>>,
    #[serde(borrow)]
    cancel_url: Option<Text<'a>>,
    #[serde(borrow)]
    reschedule_url: Option<Text<'a>>,
    pub(crate) rescheduled: Option<bool>,
    #[serde(borrow)]
    pub(crate) old_invitee: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) new_invitee: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) cancellation: Option<Cancellation<'a>>,
    #[serde(borrow)]
    pub(crate) no_show: Option<NoShow<'a>>,
    #[serde(borrow)]
    event: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) scheduled_event: Option<ScheduledEvent<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    questions_and_answers: Vec<Answer<'a>>,
    #[serde(borrow)]
    tracking: Option<Tracking<'a>>,
    #[serde(borrow)]
    payment: Option<Payment<'a>>,
}

/// Its `created_at` is missing in payloads of 2023.
#[derive(Deserialize)]
pub(crate) struct Cancellation<'a> {
    #[serde(borrow)]
    reason: Option<Text<'a>>,
    #[serde(borrow)]
    canceler_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) created_at: Option<Instant<'a>>,
}

#[derive(Deserialize)]
pub(crate) struct NoShow<'a> {
    #[serde(borrow)]
    pub(crate) created_at: Option<Instant<'a>>,
}

/// The meeting. It is missing in payloads of 2023.
#[derive(Deserialize)]
pub(crate) struct ScheduledEvent<'a> {
    #[serde(borrow)]
    name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) start_time: Option<Instant<'a>>,
    #[serde(borrow)]
    end_time: Option<Instant<'a>>,
    #[serde(borrow)]
    event_type: Option<Text<'a>>,
    #[serde(borrow)]
    location: Option<Location<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    event_memberships: Vec<Host<'a>>,
}

/// Where the meeting is. What else it holds (meeting passwords) is not read.
#[derive(Deserialize)]
struct Location<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    location: Option<Text<'a>>,
    #[serde(borrow)]
    join_url: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Host<'a> {
    #[serde(borrow)]
    user_name: Option<Text<'a>>,
    #[serde(borrow)]
    user_email: Option<Text<'a>>,
}

/// Where the person came from.
#[derive(Deserialize)]
pub(crate) struct Tracking<'a> {
    #[serde(borrow)]
    utm_campaign: Option<Text<'a>>,
    #[serde(borrow)]
    utm_source: Option<Text<'a>>,
    #[serde(borrow)]
    utm_medium: Option<Text<'a>>,
    #[serde(borrow)]
    utm_content: Option<Text<'a>>,
    #[serde(borrow)]
    utm_term: Option<Text<'a>>,
    #[serde(borrow)]
    salesforce_uuid: Option<Text<'a>>,
}

/// Its amount is a number.
#[derive(Deserialize)]
struct Payment<'a> {
    #[serde(borrow)]
    amount: Option<Decimal<'a>>,
    #[serde(borrow)]
    currency: Option<Text<'a>>,
    successful: Option<bool>,
}

impl<'a> Webhook<'a> {
    pub(crate) fn read(item: &'a Item) -> Result<Self, Error> {
        json::parse(&item.body)
    }

    /// When the event happened, by the envelope; else when it was received.
    pub(crate) fn happened_at<'w>(&'w self, item: &'w Item) -> &'w str {
        self.created_at.as_ref().map_or(item.received_at.as_str(), Instant::as_str)
    }
}

impl Invitee<'_> {
    /// The invitee's URI, which is its id.
    pub(crate) fn id(&self) -> Result<&str, Error> {
        json::filled(self.uri.as_deref())
            .ok_or_else(|| Error::field("/payload/uri", "expected the URI of the invitee, found none"))
    }

    /// Whether a cancellation is one half of a rescheduling.
    pub(crate) fn was_moved(&self) -> bool {
        self.rescheduled == Some(true) || json::filled(self.new_invitee.as_deref()).is_some()
    }

    /// What is told about the person.
    pub(crate) fn contact(&self, settings: &Settings<'_>) -> ContactInfo {
        let region = json::filled(settings.region.as_deref());
        let mut contact = ContactInfo {
            name: json::string(self.name.as_ref()),
            first_name: json::string(self.first_name.as_ref()),
            last_name: json::string(self.last_name.as_ref()),
            time_zone: json::string(self.timezone.as_ref()),
            ..ContactInfo::default()
        };
        contact.add_phone(self.phone(settings).as_deref(), region);
        contact.add_email(self.email.as_deref());
        contact
    }

    /// The number for reminders, else an answer, else where the host calls. Most bookings have none.
    fn phone(&self, settings: &Settings<'_>) -> Option<String> {
        let number = |text: Option<&str>| json::filled(text).filter(|text| Phone::is_likely(text)).map(str::to_owned);
        let called = self.scheduled_event.as_ref().and_then(|event| event.location.as_ref());
        let called = called.filter(|place| place.kind.as_deref() == Some("outbound_call"));
        number(self.text_reminder_number.as_deref())
            .or_else(|| answer::phone(&self.questions_and_answers, settings))
            .or_else(|| number(called.and_then(|place| place.location.as_deref())))
    }

    pub(crate) fn appointment(&self, id: &str) -> Appointment {
        let event = self.scheduled_event.as_ref();
        let at = |at: Option<&Instant<'_>>| at.map(|at| at.as_str().to_owned());
        Appointment {
            id: id.to_owned(),
            title: event.and_then(|event| json::string(event.name.as_ref())),
            starts_at: at(event.and_then(|event| event.start_time.as_ref())),
            ends_at: at(event.and_then(|event| event.end_time.as_ref())),
            time_zone: json::string(self.timezone.as_ref()),
            location: event.and_then(|event| event.location.as_ref()).and_then(Location::place),
            hosts: event
                .map(|event| event.event_memberships.iter().filter_map(Host::name).collect())
                .unwrap_or_default(),
            cancel_url: json::string(self.cancel_url.as_ref()),
            reschedule_url: json::string(self.reschedule_url.as_ref()),
            previous_id: None,
            previous_starts_at: None,
            cancel_reason: self
                .cancellation
                .as_ref()
                .and_then(|cancellation| json::string(cancellation.reason.as_ref())),
            answers: answer::fields(&self.questions_and_answers),
        }
    }

    pub(crate) fn extra(&self) -> Object {
        let cancelled_by = self.cancellation.as_ref().and_then(|cancellation| cancellation.canceler_type.as_deref());
        let event_type = self.scheduled_event.as_ref().and_then(|event| event.event_type.as_deref());
        let extra = Object::new()
            .text("meeting", json::filled(self.event.as_deref()))
            .text("meeting_type", json::filled(event_type))
            .text("cancelled_by", json::filled(cancelled_by))
            .object("payment", self.payment.as_ref().map(Payment::object).unwrap_or_default());
        match &self.tracking {
            Some(tracking) => tracking.add_to(extra),
            None => extra,
        }
    }
}

impl Location<'_> {
    /// The link of a video meeting, else the place or number as written.
    fn place(&self) -> Option<String> {
        json::string(self.join_url.as_ref()).or_else(|| json::string(self.location.as_ref()))
    }
}

impl Host<'_> {
    fn name(&self) -> Option<String> {
        json::string(self.user_name.as_ref()).or_else(|| json::string(self.user_email.as_ref()))
    }
}

impl Payment<'_> {
    fn object(&self) -> Object {
        Object::new()
            .text("amount", self.amount.as_ref().map(Decimal::as_str))
            .text("currency", json::filled(self.currency.as_deref()))
            .bool("successful", self.successful)
    }
}

impl Tracking<'_> {
    pub(crate) fn add_to(&self, extra: Object) -> Object {
        extra
            .text("utm_campaign", json::filled(self.utm_campaign.as_deref()))
            .text("utm_source", json::filled(self.utm_source.as_deref()))
            .text("utm_medium", json::filled(self.utm_medium.as_deref()))
            .text("utm_content", json::filled(self.utm_content.as_deref()))
            .text("utm_term", json::filled(self.utm_term.as_deref()))
            .text("salesforce_uuid", json::filled(self.salesforce_uuid.as_deref()))
    }
}
