//! Leads of advertisements. The webhook tells ids; what the person answered is read from Graph: `GET /{leadgen_id}`
//! (<https://developers.facebook.com/documentation/ads-commerce/marketing-api/guides/lead-ads/retrieving>).

use crate::{
    common,
    graph::{self, Refusal},
};
use answers::Answered;
use serde::Deserialize;
use std::collections::BTreeMap;
use tidegate_plugin_sdk::{
    Context, Error, Event, Interpretation, Item, Lead, Request, Response, json, json::Instant, json::Object, json::Text,
};

mod answers;

/// The id that the dashboard's test button sends. There is no lead behind it.
const DASHBOARD_TEST: &str = "444444444444";

/// The settings of a connection, as far as they are about leads.
#[derive(Deserialize)]
pub(crate) struct Settings {
    graph_version: Option<String>,
    /// A host that is asked in Graph's place.
    api_host: Option<String>,
    #[serde(default)]
    lead_fields: Vec<String>,
    #[serde(default)]
    lead_answers: BTreeMap<String, String>,
    lead_country: Option<String>,
}

/// What the webhook tells. Ids are numbers in Meta's documentation and texts in live traffic.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow)]
    leadgen_id: Text<'a>,
    #[serde(borrow)]
    page_id: Option<Text<'a>>,
    #[serde(borrow)]
    form_id: Option<Text<'a>>,
    #[serde(borrow)]
    ad_id: Option<Text<'a>>,
    #[serde(borrow)]
    adgroup_id: Option<Text<'a>>,
    #[serde(borrow)]
    created_time: Option<Instant<'a>>,
}

/// What Graph tells. Which fields are there depends on the settings and on what the token may read.
#[derive(Deserialize)]
struct Read<'a> {
    #[serde(borrow)]
    form_id: Option<Text<'a>>,
    #[serde(borrow)]
    ad_id: Option<Text<'a>>,
    #[serde(borrow)]
    ad_name: Option<Text<'a>>,
    #[serde(borrow)]
    adset_name: Option<Text<'a>>,
    #[serde(borrow)]
    campaign_id: Option<Text<'a>>,
    #[serde(borrow)]
    campaign_name: Option<Text<'a>>,
    #[serde(borrow)]
    platform: Option<Text<'a>>,
    is_organic: Option<bool>,
    #[serde(borrow)]
    created_time: Option<Instant<'a>>,
    #[serde(borrow, default, deserialize_with = "json::or_default")]
    field_data: Vec<Answered<'a>>,
}

pub(crate) fn submitted(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
    let told: Told<'_> = common::value(item)?;
    let id = json::filled(Some(&told.leadgen_id)).filter(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
    let id = id.ok_or_else(|| Error::field("/value/leadgen_id", "expected the id of the lead in digits"))?;
    if id == DASHBOARD_TEST {
        return Err(Error::skip("it is a test of the app's dashboard, and there is no lead behind it"));
    }
    let settings: Settings = ctx.settings()?;
    let response = ctx.fetch(Request::get(settings.url(id)))?;
    let read: Read<'_> = read(&response)?;
    let person = answers::person(&read.field_data, &settings);
    let lead = Lead {
        id: id.to_owned(),
        form_id: json::string(read.form_id.as_ref().or(told.form_id.as_ref())),
        campaign: json::string(read.campaign_name.as_ref()).or_else(|| json::string(read.campaign_id.as_ref())),
        ad_id: json::string(read.ad_id.as_ref().or(told.ad_id.as_ref())),
        answers: answers::all(&read.field_data),
        test: person.is_test,
    };
    let sent = common::sent(item)?;
    let at = told.created_time.as_ref().or(read.created_time.as_ref()).map_or(sent.at.as_str(), Instant::as_str);
    let page = json::filled(told.page_id.as_deref()).or(sent.account.as_deref());
    let extra = read.extra().text("page_id", page).text("adgroup_id", json::filled(told.adgroup_id.as_deref()));
    let event = Event::new("lead.submitted", "lead", at).with_contact(person.contact).with_entity("lead", id, None);
    Ok(event.with_payload(lead).with_extra(extra).into())
}

impl Settings {
    /// What a question of a form means to this connection.
    pub(crate) fn meaning(&self, question: &str) -> Option<&str> {
        self.lead_answers.get(question).map(String::as_str)
    }

    /// Country of phones without a country code.
    pub(crate) fn country(&self) -> Option<&str> {
        json::filled(self.lead_country.as_deref())
    }

    fn url(&self, id: &str) -> String {
        let asked = ["id", "created_time", "ad_id", "form_id", "field_data"].into_iter();
        let fields: Vec<&str> = asked.chain(self.lead_fields.iter().map(String::as_str)).collect();
        let graph = graph::root(self.api_host.as_deref(), self.graph_version.as_deref());
        [&graph, "/", id, "?fields=", &fields.join(",")].concat()
    }
}

impl Read<'_> {
    fn extra(&self) -> Object {
        let text = |text: Option<&Text<'_>>| json::string(text);
        Object::new()
            .text("campaign_id", text(self.campaign_id.as_ref()).as_deref())
            .text("adset_name", text(self.adset_name.as_ref()).as_deref())
            .text("ad_name", text(self.ad_name.as_ref()).as_deref())
            .text("platform", text(self.platform.as_ref()).as_deref())
            .bool("organic", self.is_organic)
    }
}

/// The answer, or why there is none.
fn read<'a>(response: &'a Response) -> Result<Read<'a>, Error> {
    if response.is_success() {
        return json::parse(&response.body).map_err(|error| match error {
            Error::Failed { field, reason, .. } => {
                Error::new(format!("Meta's answer can't be read, {}: {reason}", field.unwrap_or_default()))
            }
            other @ (Error::Need | Error::Skip(_)) => other,
        });
    }
    let refusal = Refusal::of(response);
    let Refusal { status, code } = &refusal;
    if refusal.is_busy() {
        return Err(Error::new(format!("Meta could not answer now (status {status}, code {code})")).retryable());
    }
    Err(if code == "100" {
        Error::new(
            "Meta knows no such lead, or does not show it to this connection (code 100): the lead may be deleted, or the page's access token lacks leads_retrieval",
        )
    } else {
        Error::new(format!(
            "Meta does not show the lead to this connection (status {status}, code {code}): the access token must be the page's, valid, and have leads_retrieval; the page's Lead Access Manager must allow the app"
        ))
    })
}
