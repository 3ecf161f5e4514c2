//! Leads of pages, as the Graph API shows them: `GET /{version}/{leadgen-id}?fields=…` with a page's token. What is on the shelf, who may read it and how often. Pure:
//! a request and the time in, what Graph says out.
//!
//! Sources: <https://developers.facebook.com/docs/marketing-api/guides/lead-ads/retrieving>, <https://developers.facebook.com/docs/graph-api/overview/rate-limiting>.

mod reading;

use crate::{
    graph::{error::GraphError, is_version},
    script::{Script, ScriptError},
};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, VecDeque};

pub(crate) use reading::lead;

const DAY_MS: i64 = 24 * 3_600_000;
/// Readings in 24 hours for each lead of the last 90 days: 200 an hour.
const READS_PER_LEAD: usize = 200 * 24;
/// Leads that are older do not count for the limit.
const COUNTED_MS: i64 = 90 * DAY_MS;
/// What a lead has (`UserLeadGenInfo` in Meta's own libraries).
const FIELDS: [&str; 18] = [
    "id",
    "created_time",
    "ad_id",
    "ad_name",
    "adset_id",
    "adset_name",
    "campaign_id",
    "campaign_name",
    "custom_disclaimer_responses",
    "field_data",
    "form_id",
    "home_listing",
    "is_organic",
    "partner_name",
    "platform",
    "post",
    "retailer_item_id",
    "vehicle",
];
/// What is shown to who names no fields.
const USUAL: [&str; 5] = ["created_time", "id", "ad_id", "form_id", "field_data"];

/// A page with lead ads.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Its id.
    pub id: String,
    /// The token that its leads are read with.
    pub access_token: String,
    /// What the token may.
    #[serde(default)]
    pub access: LeadAccess,
}

/// Whether a token may read its page's leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadAccess {
    /// It may.
    #[default]
    Granted,
    /// It lacks `leads_retrieval`.
    NoPermission,
    /// The page's Lead Access Manager does not allow the app.
    Withheld,
}

/// A lead of a page.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lead {
    /// Its id, digits.
    pub id: String,
    /// The page whose form was filled in.
    pub page_id: String,
    /// When, in domain milliseconds.
    pub created_at_ms: i64,
    /// The questions by their names, with what was answered.
    pub answers: Vec<(String, Vec<String>)>,
    /// Its other fields, such as `form_id` and `campaign_name`, as they are shown.
    #[serde(default)]
    pub more: Map<String, Value>,
}

impl Lead {
    /// As Graph shows it. A field that it has nothing for is left out.
    pub(crate) fn shown(&self, fields: &[&str]) -> Value {
        let of = |name: &str| match name {
            "id" => Some(json!(self.id)),
            "created_time" => Some(json!(offset_without_colon(self.created_at_ms))),
            "field_data" => {
                let answers = self.answers.iter().map(|(name, values)| json!({ "name": name, "values": values }));
                Some(answers.collect())
            }
            other => self.more.get(other).cloned(),
        };
        fields.iter().filter_map(|name| Some(((*name).to_owned(), of(name)?))).collect::<Map<_, _>>().into()
    }
}

/// `2015-02-28T08:49:14+0000`.
fn offset_without_colon(at_ms: i64) -> String {
    let at = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

/// A request to read a lead.
pub(crate) struct Ask<'a> {
    pub(crate) version: &'a str,
    pub(crate) id: &'a str,
    /// The parameters of its URL.
    pub(crate) parameters: &'a [(String, String)],
    pub(crate) token: Option<&'a str>,
}

/// What is said to a request.
pub(crate) struct Told {
    /// The page whose token it was, when it was one.
    pub(crate) page: Option<String>,
    /// How much of that page's limit is used: `X-Business-Use-Case-Usage`.
    pub(crate) usage: Option<Value>,
    pub(crate) answer: Result<Value, GraphError>,
}

#[derive(Debug)]
struct Held {
    page: Page,
    /// When it was read from, in the last 24 hours.
    reads: VecDeque<i64>,
}

/// The pages and their leads.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pages: BTreeMap<String, Held>,
    leads: BTreeMap<String, Lead>,
}

impl Shelf {
    pub(crate) fn put_page(&mut self, page: Page) {
        let reads = self.pages.remove(&page.id).map(|held| held.reads).unwrap_or_default();
        self.pages.insert(page.id.clone(), Held { page, reads });
    }

    pub(crate) fn put_lead(&mut self, lead: Lead) -> Result<(), ScriptError> {
        if !self.pages.contains_key(&lead.page_id) {
            return Err(ScriptError::Page(lead.page_id));
        }
        self.leads.insert(lead.id.clone(), lead);
        Ok(())
    }

    /// The page of a lead that is there.
    pub(crate) fn page_of(&self, lead: &str) -> Option<&str> {
        self.leads.get(lead).map(|lead| lead.page_id.as_str())
    }

    /// Answers a request, and counts it against the page's limit.
    pub(crate) fn read(&mut self, ask: &Ask<'_>, now_ms: i64) -> Told {
        if !is_version(ask.version) {
            let error = GraphError::path(&format!("/{}/{}", ask.version, ask.id));
            return Told { page: None, usage: None, answer: Err(error) };
        }
        self.metered(ask.token, now_ms, |shelf, page| {
            let lead = shelf.leads.get(ask.id).filter(|lead| lead.page_id == page.id);
            answer(lead, ask)
        })
    }

    /// Answers who has a page's token and may read its leads, and counts it against the page's limit.
    pub(crate) fn metered(
        &mut self,
        token: Option<&str>,
        now_ms: i64,
        say: impl FnOnce(&Self, &Page) -> Result<Value, GraphError>,
    ) -> Told {
        let held = self.pages.values_mut().find(|held| token == Some(held.page.access_token.as_str()));
        let Some(held) = held else { return Told { page: None, usage: None, answer: Err(GraphError::token()) } };
        let own = self.leads.values().filter(|lead| lead.page_id == held.page.id);
        let budget = READS_PER_LEAD * own.filter(|lead| lead.created_at_ms > now_ms - COUNTED_MS).count().max(1);
        held.reads.retain(|at| *at > now_ms - DAY_MS);
        let is_reached = held.reads.len() >= budget;
        held.reads.push_back(now_ms);
        // A page that goes on asking does not fill the memory.
        held.reads.truncate(budget);
        let wait_ms = held.reads.front().filter(|_| is_reached).map_or(0, |first| first + DAY_MS - now_ms);
        let usage = usage(&held.page.id, held.reads.len() * 100 / budget, wait_ms);
        let page = held.page.clone();
        let answer = match page.access {
            _ if is_reached => Err(GraphError::plain(80005)),
            LeadAccess::NoPermission => Err(GraphError::plain(200)),
            LeadAccess::Withheld => Err(GraphError::plain(103)),
            LeadAccess::Granted => say(self, &page),
        };
        Told { page: Some(page.id), usage: Some(usage), answer }
    }

    /// Leads of a form that were made after this second, the newest first.
    pub(crate) fn of_form(&self, form: &str, after_s: i64) -> Vec<&Lead> {
        let is_of = |lead: &&Lead| {
            lead.more.get("form_id").and_then(Value::as_str) == Some(form)
                && lead.created_at_ms >= (after_s + 1) * 1_000
        };
        let mut found: Vec<&Lead> = self.leads.values().filter(is_of).collect();
        found.sort_by_key(|lead| std::cmp::Reverse(lead.created_at_ms));
        found
    }
}

/// What is said to a token that is a page's and within its limit.
fn answer(lead: Option<&Lead>, ask: &Ask<'_>) -> Result<Value, GraphError> {
    // Graph does not say whether there is none, or it is another page's.
    let lead = lead.ok_or_else(|| GraphError::unreadable(ask.id))?;
    let mut fields = USUAL.to_vec();
    for (name, value) in ask.parameters {
        // Graph takes a token here too. Whoever writes one into an URL is told at once.
        if name != "fields" {
            return Err(GraphError::parameter(format!("Param {name} is not one that the double knows of a lead")));
        }
        fields = value.split(',').collect();
    }
    known(&fields)?;
    Ok(lead.shown(&fields))
}

/// Whether leads have these fields.
pub(crate) fn known(fields: &[&str]) -> Result<(), GraphError> {
    let unknown = fields.iter().find(|field| !FIELDS.contains(field));
    unknown.map_or(Ok(()), |unknown| Err(GraphError::nonexisting(unknown, "UserLeadGenInfo")))
}

/// The limit of a page as the header tells it: percents, and minutes until it is read from again.
pub(crate) fn usage(page: &str, percent: usize, wait_ms: i64) -> Value {
    let of_leads = json!({
        "type": "leadgen",
        "call_count": percent,
        "total_cputime": 0,
        "total_time": 0,
        "estimated_time_to_regain_access": (wait_ms + 59_999) / 60_000,
    });
    json!({ page: [of_leads] })
}

impl Script {
    /// Puts a page on the shelf, in place of the one with its id, whose leads and readings stay.
    pub fn put_page(&self, page: Page) {
        self.shared.lock().leads.put_page(page);
    }

    /// Puts a lead on the shelf, in place of the one with its id.
    ///
    /// # Errors
    /// [`ScriptError::Page`].
    pub fn put_lead(&self, lead: Lead) -> Result<(), ScriptError> {
        self.shared.lock().leads.put_lead(lead)
    }
}

#[cfg(test)]
mod tests;
