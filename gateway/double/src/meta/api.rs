//! What Graph answers about the app's accounts.

use super::{APP_ID, Aim, NUMBER, PAGE_ID, PAGE_TOKEN, Shelf, WABA_ID, WABA_TOKEN};
use crate::{
    account::Asked,
    graph::{error::GraphError, is_version},
    leads::{Ask, known},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Another app that the page and the account tell everything.
const OTHER_APP: &str = "111222333444555";
/// What an app may be told of by a page, as far as it matters here.
const PAGE_FIELDS: &[&str] = &["feed", "leadgen", "messages", "messaging_postbacks"];

type Told = Result<Value, GraphError>;

impl Shelf {
    pub(super) fn answer(&mut self, asked: &Asked, token: &str, now_ms: i64, root: &str) -> Told {
        let parts: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
        let [version, id, edge @ ..] = parts.as_slice() else { return Err(GraphError::path(&asked.path)) };
        if !is_version(version) {
            return Err(GraphError::path(&asked.path));
        }
        if token != PAGE_TOKEN && token != WABA_TOKEN {
            return Err(GraphError::token());
        }
        let parameters = asked.parameters();
        if parameters.contains_key("access_token") {
            return Err(GraphError::parameter("a token in an address is written down on its way"));
        }
        match (asked.method.as_str(), *id, edge) {
            (_, PAGE_ID, ["subscribed_apps"]) if token == PAGE_TOKEN => self.page_apps(asked, &parameters),
            (_, WABA_ID, ["subscribed_apps"]) if token == WABA_TOKEN => self.waba_apps(asked, &parameters),
            ("GET", WABA_ID, ["phone_numbers"]) if token == WABA_TOKEN => self.numbers(&parameters),
            ("GET", PAGE_ID, ["leadgen_forms"]) if token == PAGE_TOKEN => self.page_forms(&parameters, root),
            ("GET", form, ["leads"]) if self.forms.contains_key(form) => {
                self.leads.metered(Some(token), now_ms, |shelf, _| leads(shelf, form, &parameters, root)).answer
            }
            ("GET", id, []) => {
                let parameters: Vec<_> = parameters.into_iter().collect();
                self.leads.read(&Ask { version, id, parameters: &parameters, token: Some(token) }, now_ms).answer
            }
            ("GET", id, _) => Err(GraphError::unreadable(id)),
            (_, id, _) => Err(GraphError::object(id)),
        }
    }

    fn page_apps(&mut self, asked: &Asked, parameters: &BTreeMap<String, String>) -> Told {
        match asked.method.as_str() {
            "GET" => {
                only(parameters, &["limit"])?;
                let own = self.page_fields.iter().map(|fields| app(&APP_ID.to_string(), "Harbour", fields));
                let other = app(OTHER_APP, "A funnel", &["leadgen".to_owned(), "feed".to_owned()]);
                Ok(json!({ "data": std::iter::once(other).chain(own).collect::<Vec<_>>() }))
            }
            "POST" => {
                let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
                let fields = body["subscribed_fields"].as_str().unwrap_or_default();
                let fields: Vec<String> = fields.split(',').map(str::to_owned).collect();
                if let Some(unknown) = fields.iter().find(|field| !PAGE_FIELDS.contains(&field.as_str())) {
                    let words = format!(
                        "Param subscribed_fields[0] must be one of {{{}}} - got \"{unknown}\".",
                        PAGE_FIELDS.join(", ")
                    );
                    return Err(GraphError::parameter(words));
                }
                self.page_fields = Some(fields);
                Ok(json!({ "success": true }))
            }
            "DELETE" => {
                self.page_fields = None;
                Ok(json!({ "success": true }))
            }
            _ => Err(GraphError::object(PAGE_ID)),
        }
    }

    fn waba_apps(&mut self, asked: &Asked, parameters: &BTreeMap<String, String>) -> Told {
        match asked.method.as_str() {
            "GET" => {
                only(parameters, &["limit"])?;
                let mut data = vec![json!({ "whatsapp_business_api_data": named(OTHER_APP, "A chat bot") })];
                if self.is_on_waba {
                    let mut own = json!({ "whatsapp_business_api_data": named(&APP_ID.to_string(), "Harbour") });
                    if let Some(url) = &self.aim {
                        own["override_callback_uri"] = json!(url);
                    }
                    data.push(own);
                }
                Ok(json!({ "data": data }))
            }
            // The one that it had goes, when it is not told again.
            "POST" => {
                let aim = Aim::of(asked).map(|aim| aim.url);
                if aim.is_some() && !self.is_on_waba {
                    return Err(GraphError::parameter("the account does not tell the app"));
                }
                self.is_on_waba = true;
                self.aim = aim;
                Ok(json!({ "success": true }))
            }
            "DELETE" => {
                self.is_on_waba = false;
                self.aim = None;
                Ok(json!({ "success": true }))
            }
            _ => Err(GraphError::object(WABA_ID)),
        }
    }

    fn numbers(&self, parameters: &BTreeMap<String, String>) -> Told {
        only(parameters, &["fields", "limit"])?;
        if parameters.get("fields").map(String::as_str) != Some("id,display_phone_number,webhook_configuration") {
            return Err(GraphError::parameter("Param fields is not one that the double knows here"));
        }
        let mut addresses = json!({});
        for (level, url) in [
            ("phone_number", &self.number_aim),
            ("whatsapp_business_account", &self.aim),
            ("application", &self.callback),
        ] {
            if let Some(url) = url {
                addresses[level] = json!(url);
            }
        }
        let (number, id) = NUMBER;
        Ok(json!({ "data": [{ "id": id, "display_phone_number": number, "webhook_configuration": addresses }] }))
    }

    fn page_forms(&self, parameters: &BTreeMap<String, String>, root: &str) -> Told {
        only(parameters, &["fields", "limit", "after"])?;
        let fields: Vec<&str> = parameters.get("fields").map_or_else(Vec::new, |fields| fields.split(',').collect());
        if let Some(unknown) = fields.iter().find(|field| !["id", "name", "status"].contains(field)) {
            return Err(GraphError::nonexisting(unknown, "LeadgenForm"));
        }
        let all: Vec<Value> = self.forms.iter().map(|(id, status)| json!({ "id": id, "status": status })).collect();
        page(all, parameters, &format!("{root}/{PAGE_ID}/leadgen_forms"))
    }
}

fn leads(shelf: &crate::leads::Shelf, form: &str, parameters: &BTreeMap<String, String>, root: &str) -> Told {
    only(parameters, &["fields", "filtering", "limit", "after"])?;
    let fields: Vec<&str> = parameters.get("fields").map_or_else(Vec::new, |fields| fields.split(',').collect());
    known(&fields)?;
    let filter: Value =
        parameters.get("filtering").and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let is_known = filter[0]["field"] == "time_created" && filter[0]["operator"] == "GREATER_THAN";
    let Some(after_s) = filter[0]["value"].as_i64().filter(|_| is_known && filter[1].is_null()) else {
        return Err(GraphError::parameter("Param filtering[0] is not one that the double knows"));
    };
    let all = shelf.of_form(form, after_s).into_iter().map(|lead| lead.shown(&fields)).collect();
    page(all, parameters, &format!("{root}/{form}/leads"))
}

/// A part of a list, with the marks of its ends. As Graph does, the address of the next part holds the token.
fn page(all: Vec<Value>, parameters: &BTreeMap<String, String>, url: &str) -> Told {
    let limit = parameters.get("limit").map_or(Ok(25), |limit| limit.parse::<usize>());
    let from = parameters.get("after").map_or(Ok(0), |after| after.trim_start_matches("QVFIU").parse::<usize>());
    let (Ok(limit), Ok(from)) = (limit, from) else { return Err(GraphError::parameter("Invalid cursors values")) };
    let (count, part): (_, Vec<Value>) = (all.len(), all.into_iter().skip(from).take(limit).collect());
    if part.is_empty() {
        return Ok(json!({ "data": [] }));
    }
    let (before, after) = (format!("QVFIU{from}"), format!("QVFIU{}", from + part.len()));
    let mut paging = json!({ "cursors": { "before": before, "after": after } });
    if from + part.len() < count {
        paging["next"] = json!(format!("{url}?access_token={PAGE_TOKEN}&limit={limit}&after={after}"));
    }
    Ok(json!({ "data": part, "paging": paging }))
}

fn named(id: &str, name: &str) -> Value {
    json!({ "link": format!("https://www.facebook.com/games/?app_id={id}"), "name": name, "id": id })
}

fn app(id: &str, name: &str, fields: &[String]) -> Value {
    let mut app = named(id, name);
    app["category"] = json!("Business");
    app["subscribed_fields"] = json!(fields);
    app
}

fn only(parameters: &BTreeMap<String, String>, known: &[&str]) -> Result<(), GraphError> {
    let unknown = parameters.keys().find(|name| !known.contains(&name.as_str()));
    unknown.map_or(Ok(()), |name| {
        Err(GraphError::parameter(format!("Param {name} is not one that the double knows here")))
    })
}
