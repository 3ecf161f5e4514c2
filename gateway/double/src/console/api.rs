//! What Twilio answers about the account.

use super::{ACCOUNT, Aim, Incoming, NUMBERS, SERVICE, Shelf};
use crate::{account::Asked, twilio::TwilioError};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};
use std::collections::BTreeMap;

type Told = Result<Value, TwilioError>;

impl Shelf {
    pub(super) fn answer(&mut self, asked: &Asked) -> Told {
        let unknown = || TwilioError::of(20404);
        let parameters = asked.parameters();
        let root = format!("/2010-04-01/Accounts/{ACCOUNT}/");
        let of_service = asked.path.strip_prefix("/v1/Services/");
        let resource = asked.path.strip_prefix(&root).unwrap_or_default();
        match (asked.method.as_str(), of_service, resource) {
            ("GET", Some(SERVICE), _) => Ok(self.service()),
            ("POST", Some(SERVICE), _) => {
                let form = only(asked.form(), &["InboundRequestUrl", "InboundMethod"])?;
                self.change(SERVICE, &form, ["InboundRequestUrl", "InboundMethod"])?;
                Ok(self.service())
            }
            ("GET", Some(path), _) if path == format!("{SERVICE}/PhoneNumbers") => {
                only(parameters, &["PageSize"])?;
                Ok(
                    json!({"phone_numbers": [{"sid": sid(NUMBERS[1]), "phone_number": NUMBERS[1], "service_sid": SERVICE}]}),
                )
            }
            ("GET", None, "IncomingPhoneNumbers.json") => {
                let wanted = only(parameters, &["PhoneNumber", "PageSize"])?.remove("PhoneNumber").unwrap_or_default();
                let found: Vec<Value> = NUMBERS
                    .iter()
                    .filter(|number| number.contains(&wanted))
                    .map(|number| self.number(number))
                    .collect();
                Ok(json!({"incoming_phone_numbers": found, "page": 0, "next_page_uri": null}))
            }
            ("POST", None, path) => {
                let is_it = |number: &&&str| path == format!("IncomingPhoneNumbers/{}.json", sid(number));
                let number = NUMBERS.iter().find(is_it).ok_or_else(unknown)?;
                let form = only(asked.form(), &["SmsUrl", "SmsMethod", "SmsApplicationSid"])?;
                self.change(number, &form, ["SmsUrl", "SmsMethod"])?;
                Ok(self.number(number))
            }
            ("GET", None, "Messages.json") => self.messages(parameters),
            _ => Err(unknown()),
        }
    }

    fn change(
        &mut self,
        place: &'static str,
        form: &BTreeMap<String, String>,
        names: [&str; 2],
    ) -> Result<(), TwilioError> {
        let aim = self.aims.entry(place).or_default();
        if let Some(url) = form.get(names[0]) {
            if !url.is_empty() && reqwest::Url::parse(url).is_err() {
                return Err(TwilioError { message: format!("{} is not valid", names[0]), ..TwilioError::of(21502) });
            }
            aim.url.clone_from(url);
        }
        if let Some(method) = form.get(names[1]) {
            aim.method.clone_from(method);
        }
        if let Some(app) = form.get("SmsApplicationSid") {
            aim.app.clone_from(app);
        }
        Ok(())
    }

    fn aim_of(&self, place: &str) -> Aim {
        let usual = Aim { method: "POST".to_owned(), ..Aim::default() };
        self.aims.get(place).cloned().unwrap_or(usual)
    }

    fn number(&self, number: &str) -> Value {
        let Aim { url, method, app } = self.aim_of(number);
        json!({
            "sid": sid(number), "account_sid": ACCOUNT, "phone_number": number, "friendly_name": number, "sms_url": url, "sms_method": method,
            "sms_fallback_url": "", "sms_fallback_method": "POST", "sms_application_sid": app, "status_callback": "",
        })
    }

    fn service(&self) -> Value {
        let Aim { url, method, .. } = self.aim_of(SERVICE);
        let url = if url.is_empty() { Value::Null } else { json!(url) };
        json!({"sid": SERVICE, "account_sid": ACCOUNT, "friendly_name": "Harbour", "inbound_request_url": url, "inbound_method": method, "use_inbound_webhook_on_number": false})
    }

    /// Texts to a number since a day, the newest first.
    fn messages(&self, parameters: BTreeMap<String, String>) -> Told {
        let parameters = only(parameters, &["To", "DateSent>", "PageSize", "Page", "PageToken"])?;
        let text = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
        let invalid = |name: &str| TwilioError { message: format!("Invalid {name}"), ..TwilioError::of(20001) };
        let day: Date = text("DateSent>").parse().map_err(|_| invalid("DateSent"))?;
        let size: usize = text("PageSize").parse().map_err(|_| invalid("PageSize"))?;
        let page: usize =
            if text("Page").is_empty() { 0 } else { text("Page").parse().map_err(|_| invalid("Page"))? };
        let is_asked = |held: &&Incoming| held.to == text("To") && held.day() >= day;
        let found: Vec<Value> = self.log.iter().rev().filter(is_asked).map(Incoming::shown).collect();
        let to: String =
            reqwest::Url::parse_with_params("http://x", [("To", text("To")), ("DateSent>", text("DateSent>"))])
                .map(|url| url.query().unwrap_or_default().to_owned())
                .unwrap_or_default();
        let next = (found.len() > (page + 1) * size).then(|| {
            format!(
                "/2010-04-01/Accounts/{ACCOUNT}/Messages.json?{to}&PageSize={size}&Page={}&PageToken=PASM{page}",
                page + 1
            )
        });
        let part: Vec<Value> = found.into_iter().skip(page * size).take(size).collect();
        Ok(json!({"messages": part, "page": page, "page_size": size, "next_page_uri": next}))
    }
}

impl Incoming {
    fn at(&self) -> Timestamp {
        Timestamp::from_millisecond(self.at_ms).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn day(&self) -> Date {
        self.at().to_zoned(TimeZone::UTC).date()
    }

    fn shown(&self) -> Value {
        let at = self.at().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string();
        let service = (self.to == NUMBERS[1]).then_some(SERVICE);
        json!({
            "sid": self.sid, "account_sid": ACCOUNT, "direction": "inbound", "status": "received", "from": self.from, "to": self.to, "body": self.body,
            "num_media": "0", "num_segments": "1", "messaging_service_sid": service, "date_created": at, "date_sent": at, "date_updated": at,
            "error_code": null, "uri": format!("/2010-04-01/Accounts/{ACCOUNT}/Messages/{}.json", self.sid),
        })
    }
}

/// A number's SID.
fn sid(number: &str) -> String {
    format!("PN{:0>32}", number.trim_start_matches('+'))
}

fn only(given: BTreeMap<String, String>, known: &[&str]) -> Result<BTreeMap<String, String>, TwilioError> {
    match given.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(TwilioError { message: format!("Unknown parameter {name}"), ..TwilioError::of(20001) }),
        None => Ok(given),
    }
}
