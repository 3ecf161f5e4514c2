//! The account's side of a connection: where Twilio sends what people write to its numbers and to its messaging service. What became of our own messages goes where each
//! message says, and is nobody's to set here.
//!
//! Sources: <https://www.twilio.com/docs/phone-numbers/api/incomingphonenumber-resource>, <https://www.twilio.com/docs/messaging/api/service-resource>.

use serde::Deserialize;
use tidegate_plugin_sdk::{
    Calls, Connector, Error, Report, Request, Response, Severity, Span, Subscription, Target, json, json::Text, url,
};

mod texts;

/// The topic of what people write.
const RECEIVED: &str = "received";
/// Behind a URL: Twilio asks again, five times within 15 seconds, whatever failed. It is neither sent nor signed.
///
/// Source: <https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides>.
const AGAIN: &str = "#rc=5&rp=all";

/// What a connection says of its account.
#[derive(Deserialize)]
struct Settings<'a> {
    #[serde(borrow, default)]
    numbers: Vec<Text<'a>>,
    #[serde(borrow)]
    messaging_service: Option<Text<'a>>,
    #[serde(borrow)]
    api_host: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Numbers<'a> {
    #[serde(borrow)]
    incoming_phone_numbers: Vec<Number<'a>>,
}

/// A number of the account. An app for texts that it names is asked in place of its own URL.
#[derive(Deserialize)]
struct Number<'a> {
    #[serde(borrow)]
    sid: Text<'a>,
    #[serde(borrow)]
    phone_number: Text<'a>,
    #[serde(borrow)]
    sms_url: Option<Text<'a>>,
    #[serde(borrow)]
    sms_method: Option<Text<'a>>,
    #[serde(borrow)]
    sms_application_sid: Option<Text<'a>>,
}

/// A messaging service. Without a URL it takes nothing, unless it leaves that to its numbers.
#[derive(Deserialize)]
struct Service<'a> {
    #[serde(borrow)]
    sid: Text<'a>,
    #[serde(borrow)]
    inbound_request_url: Option<Text<'a>>,
    #[serde(borrow)]
    inbound_method: Option<Text<'a>>,
    #[serde(default)]
    use_inbound_webhook_on_number: bool,
}

/// Where people write to: a number or a service.
struct Place {
    /// As people know it.
    name: String,
    sid: String,
    url: Option<String>,
    is_post: bool,
    app: Option<String>,
    /// Where it is changed, and the names of what is changed there.
    at: String,
    fields: &'static [&'static str; 2],
}

const OF_NUMBERS: &[&str; 2] = &["SmsUrl", "SmsMethod"];
const OF_SERVICES: &[&str; 2] = &["InboundRequestUrl", "InboundMethod"];

/// The account as it was found.
struct Account {
    places: Vec<Place>,
    /// What is wrong with the connection's settings.
    wrong: Vec<(String, &'static str)>,
}

/// Where the API is, and whose.
struct Api<'a> {
    /// `https://api.twilio.com`
    root: String,
    /// `https://messaging.twilio.com`
    messaging: String,
    account: &'a str,
    settings: Settings<'a>,
}

impl Connector for crate::Twilio {
    fn check(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let api = Api::of(calls)?;
        Ok(Account::of(calls, &api)?.report(target))
    }

    fn subscribe(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let api = Api::of(calls)?;
        let url = [target.url.as_str(), AGAIN].concat();
        let found = Account::of(calls, &api)?;
        let unlike = found.places.iter().filter(|place| place.problem(target).is_some());
        write(calls, unlike.map(|place| place.aim(&url)).collect())?;
        Ok(Account::of(calls, &api)?.report(target))
    }

    fn unsubscribe(calls: &mut Calls<'_>, target: &Target) -> Result<Report, Error> {
        let api = Api::of(calls)?;
        let found = Account::of(calls, &api)?;
        write(
            calls,
            found.places.iter().filter(|place| place.is_aimed_at(&target.url)).map(|place| place.aim("")).collect(),
        )?;
        let nothing = Target { topics: Vec::new(), ..target.clone() };
        Ok(Account::of(calls, &api)?.report(&nothing))
    }

    fn backfill(calls: &mut Calls<'_>, span: &Span) -> Result<Report, Error> {
        texts::page(calls, &Api::of(calls)?, span)
    }
}

impl<'a> Api<'a> {
    fn of(calls: &Calls<'a>) -> Result<Self, Error> {
        let settings: Settings<'a> = calls.settings()?;
        let is_sid =
            |account: &&str| account.starts_with("AC") && account.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let account = json::filled(calls.connection().account.as_deref()).filter(is_sid).ok_or_else(|| {
            Error::new(
                "the connection does not say which account it is: add `account = \"AC…\"` to it, the account's SID",
            )
        })?;
        let root = |usual: &str| url::root(json::filled(settings.api_host.as_deref()).unwrap_or(usual));
        Ok(Self { root: root("api.twilio.com"), messaging: root("messaging.twilio.com"), account, settings })
    }

    /// The path of one of the account's resources.
    fn path(&self, resource: &str) -> String {
        format!("/2010-04-01/Accounts/{}/{resource}", self.account)
    }

    fn service(&self) -> Option<&str> {
        json::filled(self.settings.messaging_service.as_deref())
    }
}

impl Account {
    fn of(calls: &mut Calls<'_>, api: &Api<'_>) -> Result<Self, Error> {
        let (mut places, mut wrong) = (Vec::new(), Vec::new());
        let asked = |number: &Text<'_>| {
            let path = api.path("IncomingPhoneNumbers.json");
            format!("{}{path}?PhoneNumber={}&PageSize=50", api.root, url::escaped(number))
        };
        let answers: Vec<_> =
            api.settings.numbers.iter().map(|number| calls.call(Request::get(asked(number)))).collect();
        let service = api.service().map(|sid| calls.call(Request::get(format!("{}/v1/Services/{sid}", api.messaging))));
        for (wanted, answer) in api.settings.numbers.iter().zip(answers) {
            let listed: Numbers<'_> = done(answer?)?.json()?;
            // The list has every number that the text is a part of.
            match listed.incoming_phone_numbers.into_iter().find(|found| found.phone_number == *wanted) {
                Some(number) => places.push(number.place(api)),
                None => wrong.push((
                    format!("the account has no number {}", wanted.as_str()),
                    "take it out of `numbers` in the connection's settings, or write it as +14155552671",
                )),
            }
        }
        if let Some(answer) = service {
            let service: Service<'_> = done(answer?)?.json()?;
            if !service.use_inbound_webhook_on_number {
                places.push(service.place(api));
            } else if places.is_empty() {
                wrong.push((
                    format!("the service {} leaves what people write to its numbers", service.sid.as_str()),
                    "name them as `numbers` in the connection's settings, or have the service take it",
                ));
            }
        } else if api.settings.numbers.is_empty() {
            wrong.push((
                "the connection does not say which numbers are looked after".to_owned(),
                "add `numbers = [\"+14155552671\"]` or `messaging_service = \"MG…\"` to its settings",
            ));
        }
        Ok(Self { places, wrong })
    }

    fn report(&self, target: &Target) -> Report {
        let is_here = |place: &&Place| place.is_aimed_at(&target.url);
        let here = self.places.iter().filter(is_here);
        let mut report = Report::default();
        // The topic is heard when each place tells it.
        if target.topics.is_empty() || here.clone().count() == self.places.len() {
            report.subscriptions = here.map(|place| Subscription::active(place.sid.as_str(), RECEIVED)).collect();
        }
        if target.topics.is_empty() {
            return report;
        }
        for (problem, advice) in &self.wrong {
            report = report.with_finding(Severity::Problem, problem.as_str(), advice);
        }
        for (severity, problem) in self.places.iter().filter_map(|place| place.problem(target)) {
            let advice = "subscribe the connection, if no other gateway is to have them";
            report = report.with_finding(severity, problem, advice);
        }
        report
    }
}

impl Number<'_> {
    fn place(self, api: &Api<'_>) -> Place {
        Place {
            at: format!("{}{}", api.root, api.path(&format!("IncomingPhoneNumbers/{}.json", self.sid.as_str()))),
            name: self.phone_number.into_string(),
            sid: self.sid.into_string(),
            url: json::string(self.sms_url.as_ref()),
            is_post: is_post(self.sms_method.as_ref()),
            app: json::string(self.sms_application_sid.as_ref()),
            fields: OF_NUMBERS,
        }
    }
}

impl Service<'_> {
    fn place(self, api: &Api<'_>) -> Place {
        let sid = self.sid.into_string();
        Place {
            at: format!("{}/v1/Services/{sid}", api.messaging),
            name: format!("the service {sid}"),
            sid,
            url: json::string(self.inbound_request_url.as_ref()),
            is_post: is_post(self.inbound_method.as_ref()),
            app: None,
            fields: OF_SERVICES,
        }
    }
}

/// Twilio's usual method is POST.
fn is_post(method: Option<&Text<'_>>) -> bool {
    method.is_none_or(|method| method.as_str() != "GET")
}

impl Place {
    /// Where texts go, without how often Twilio tries.
    fn aim_of(&self) -> Option<&str> {
        self.url.as_deref().map(|url| url.split('#').next().unwrap_or_default()).filter(|_| self.app.is_none())
    }

    fn is_aimed_at(&self, url: &str) -> bool {
        self.aim_of() == Some(url)
    }

    fn problem(&self, target: &Target) -> Option<(Severity, String)> {
        let name = &self.name;
        let problem = |problem: String| Some((Severity::Problem, problem));
        match (&self.app, self.aim_of()) {
            (Some(app), _) => problem(format!("texts to {name} go to the TwiML app {app}, and not here")),
            (None, None) => problem(format!("texts to {name} go nowhere")),
            // What follows may be a secret.
            (None, Some(url)) if url != target.url => {
                let shown = url.split('?').next().unwrap_or_default();
                problem(format!("texts to {name} go to {shown}, and not here"))
            }
            _ if !self.is_post => problem(format!("texts to {name} are told by GET: POST is signed as a whole")),
            _ if !self.url.as_deref().unwrap_or_default().contains('#') => {
                let words = format!(
                    "Twilio tries to tell of a text to {name} once, also when the gateway is away for a moment"
                );
                Some((Severity::Warning, words))
            }
            _ => None,
        }
    }

    /// Has texts go there; nowhere when it is empty.
    fn aim(&self, url: &str) -> Request {
        let [to, by] = *self.fields;
        let mut fields = vec![(to, url), (by, "POST")];
        if self.app.is_some() {
            fields.push(("SmsApplicationSid", ""));
        }
        Request::write_form(self.at.as_str(), &fields)
    }
}

fn write(calls: &mut Calls<'_>, requests: Vec<Request>) -> Result<(), Error> {
    let answers: Vec<_> = requests.into_iter().map(|request| calls.call(request)).collect();
    for answer in answers {
        done(answer?)?;
    }
    Ok(())
}

fn done(response: &Response) -> Result<&Response, Error> {
    if response.is_success() { Ok(response) } else { Err(refused(response)) }
}

/// What a refusal means, and what to do. Twilio's own words are not passed on: they may repeat what it was told.
fn refused(response: &Response) -> Error {
    let advice = match response.status {
        401 | 403 => {
            "api_key and api_secret must be of the account, and may read and change numbers and messages (or be its SID and auth token)"
        }
        404 => "is `account` the account's SID, and `messaging_service` its service?",
        _ => "is Twilio in order? See status.twilio.com",
    };
    let error = Error::new(format!("Twilio answered {}: {advice}", response.status));
    if response.status == 429 || response.status >= 500 { error.retryable() } else { error }
}

#[cfg(test)]
mod tests;
