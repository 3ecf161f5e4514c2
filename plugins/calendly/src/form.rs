//! Routing forms: questions before a booking. They have no field for a person; who it is stands in the answers, if anywhere.

use crate::{
    answer::{self, Answer},
    invitee::Tracking,
    settings::Settings,
};
use serde::Deserialize;
use tidegate_plugin_sdk::{
    ContactInfo, Context, Error, Event, Form, Interpretation, Item, json, json::Instant, json::Object, json::Raw,
    json::Text,
};

#[derive(Deserialize)]
struct Webhook<'a> {
    #[serde(borrow)]
    created_at: Option<Instant<'a>>,
    #[serde(borrow)]
    payload: Submission<'a>,
}

#[derive(Deserialize)]
struct Submission<'a> {
    #[serde(borrow)]
    uri: Option<Text<'a>>,
    #[serde(borrow)]
    routing_form: Option<Text<'a>>,
    #[serde(borrow)]
    created_at: Option<Instant<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    questions_and_answers: Vec<Answer<'a>>,
    #[serde(borrow)]
    tracking: Option<Tracking<'a>>,
    #[serde(borrow)]
    result: Option<Outcome<'a>>,
    #[serde(borrow)]
    submitter: Option<Text<'a>>,
}

/// Where the person was led.
#[derive(Deserialize)]
struct Outcome<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    value: Option<Raw<'a>>,
}

pub(crate) fn submitted(ctx: &Context<'_>, item: &Item) -> Result<Interpretation, Error> {
    let Webhook { created_at, payload: form } = json::parse(&item.body)?;
    let settings: Settings<'_> = ctx.settings()?;
    let id = json::filled(form.uri.as_deref())
        .ok_or_else(|| Error::field("/payload/uri", "expected the URI of the submission, found none"))?;
    let at = form.created_at.as_ref().or(created_at.as_ref()).map_or(item.received_at.as_str(), Instant::as_str);
    let payload = Form {
        id: id.to_owned(),
        form_id: json::string(form.routing_form.as_ref()),
        name: None,
        answers: answer::fields(&form.questions_and_answers),
    };
    let event = Event::new("form.submitted", "form", at).with_contact(form.contact(&settings));
    Ok(event.with_entity("form", id, None).with_payload(payload).with_extra(form.extra()).into())
}

impl Submission<'_> {
    fn contact(&self, settings: &Settings<'_>) -> ContactInfo {
        let answers = &self.questions_and_answers;
        let mut contact = ContactInfo {
            name: answer::to(answers, &["name", "full name", "your name", "nome e cognome", "nombre completo"]),
            first_name: answer::to(answers, &["first name", "nome", "nombre", "vorname", "prénom"]),
            last_name: answer::to(answers, &["last name", "cognome", "apellido", "apellidos", "nachname"]),
            ..ContactInfo::default()
        };
        let region = json::filled(settings.region.as_deref());
        contact.add_phone(answer::phone(answers, settings).as_deref(), region);
        contact.add_email(answer::email(answers).as_deref());
        contact
    }

    fn extra(&self) -> Object {
        let result = self.result.as_ref();
        let extra = Object::new()
            .text("result", result.and_then(|result| json::filled(result.kind.as_deref())))
            .raw("result_value", result.and_then(|result| result.value).map(Raw::as_str))
            .text("submitter", json::filled(self.submitter.as_deref()));
        match &self.tracking {
            Some(tracking) => tracking.add_to(extra),
            None => extra,
        }
    }
}
