//! One request to `Messages.json`: read strictly, or refused with Twilio's error. It knows no opt-outs and no scripts: those need state.

use reqwest::Url;

use super::{
    account::{Account, is_e164},
    error::TwilioError,
};

/// Longest text, in characters.
const MAX_BODY_CHARS: usize = 1600;
/// The parameters that are read. Twilio has more; one that is not here would be ours by mistake.
const KNOWN: &[&str] = &["To", "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod"];

type Result<T> = std::result::Result<T, TwilioError>;

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Send {
    pub(super) to: String,
    /// The number that sends: a service's first, where it chooses.
    pub(super) from: String,
    pub(super) service: Option<String>,
    /// The request named the number.
    pub(super) named: bool,
    pub(super) body: String,
    pub(super) callback: Option<Url>,
}

impl Send {
    /// Who sends, as opt-outs count: a service as a whole.
    pub(super) fn sender(&self) -> &str {
        self.service.as_deref().unwrap_or(&self.from)
    }
}

/// The fields of a form.
pub(super) fn fields(body: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(body);
    let mut url = Url::parse("http://form").expect("a host alone is a URL");
    url.set_query(Some(&text));
    url.query_pairs().into_owned().collect()
}

/// Whom a form names, and by whom, in the words of rules: digits, and a number or a service.
pub(super) fn parties(fields: &[(String, String)]) -> (Option<String>, Option<&str>) {
    let to = value(fields, "To").map(|to| to.trim_start_matches('+').to_owned());
    (to, value(fields, "MessagingServiceSid").or_else(|| value(fields, "From")))
}

fn value<'f>(fields: &'f [(String, String)], name: &str) -> Option<&'f str> {
    fields.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str())
}

/// Reads a request.
pub(super) fn read(account: &Account, fields: &[(String, String)]) -> Result<Send> {
    let twice = |place: usize| fields[..place].iter().any(|(name, _)| *name == fields[place].0);
    if (0..fields.len()).any(|place| !KNOWN.contains(&fields[place].0.as_str()) || twice(place)) {
        return Err(TwilioError::of(20001));
    }
    let to = value(fields, "To").filter(|to| !to.is_empty()).ok_or_else(|| TwilioError::of(21604))?;
    if !is_e164(to) {
        let message = format!("The 'To' number {to} is not a valid phone number.");
        return Err(TwilioError { message, ..TwilioError::of(21211) });
    }
    let (from, service, named) = sender(account, fields)?;
    if from == to {
        return Err(TwilioError::of(21266));
    }
    let body = value(fields, "Body").filter(|body| !body.trim().is_empty()).ok_or_else(|| TwilioError::of(21602))?;
    if body.chars().count() > MAX_BODY_CHARS {
        return Err(TwilioError::of(21617));
    }
    let validity = value(fields, "ValidityPeriod").map(str::parse::<u32>);
    if validity.is_some_and(|seconds| !seconds.is_ok_and(|seconds| (1..=36_000).contains(&seconds))) {
        return Err(TwilioError::of(21624));
    }
    let callback = value(fields, "StatusCallback").map(callback).transpose()?;
    let (to, body) = (to.to_owned(), body.to_owned());
    Ok(Send { to, from, service, named, body, callback })
}

fn sender(account: &Account, fields: &[(String, String)]) -> Result<(String, Option<String>, bool)> {
    let from = value(fields, "From").filter(|from| !from.is_empty());
    let Some(sid) = value(fields, "MessagingServiceSid") else {
        let from = from.ok_or_else(|| TwilioError::of(21603))?;
        return match account.has_number(from) {
            true => Ok((from.to_owned(), None, true)),
            false => Err(TwilioError::of(21606)),
        };
    };
    let service = account.service(sid).ok_or_else(|| TwilioError::of(21705))?;
    let number = match from {
        Some(from) => service.numbers.iter().find(|held| *held == from).ok_or_else(|| TwilioError::of(21711))?,
        None => service.numbers.first().ok_or_else(|| TwilioError::of(21705))?,
    };
    Ok((number.clone(), Some(sid.to_owned()), from.is_some()))
}

fn callback(text: &str) -> Result<Url> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
    url.filter(|url| url.host_str().is_some_and(|host| !host.contains('_'))).ok_or_else(|| TwilioError::of(21609))
}
