//! What people wrote while no webhook came, as the webhooks would have brought it. Twilio tries for seconds, and keeps every text in its log.
//!
//! Source: <https://www.twilio.com/docs/messaging/api/message-resource#read-multiple-message-resources>.

use super::{Api, RECEIVED, done};
use serde::Deserialize;
use tidegate_plugin_sdk::{Calls, Error, FoundItem, Report, Request, Response, Span, json, json::Text, time, url};

/// Texts on a page.
const PER_PAGE: usize = 100;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    messages: Vec<Message<'a>>,
    #[serde(borrow)]
    next_page_uri: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    sid: Text<'a>,
    #[serde(borrow)]
    direction: Text<'a>,
    #[serde(borrow)]
    from: Option<Text<'a>>,
    #[serde(borrow)]
    to: Option<Text<'a>>,
    #[serde(borrow)]
    body: Option<Text<'a>>,
    #[serde(borrow)]
    num_media: Option<Text<'a>>,
    #[serde(borrow)]
    num_segments: Option<Text<'a>>,
    #[serde(borrow)]
    messaging_service_sid: Option<Text<'a>>,
    #[serde(borrow)]
    date_sent: Option<Text<'a>>,
    #[serde(borrow)]
    date_created: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct OfService<'a> {
    #[serde(borrow)]
    phone_numbers: Vec<Held<'a>>,
}

#[derive(Deserialize)]
struct Held<'a> {
    #[serde(borrow)]
    phone_number: Text<'a>,
}

#[derive(Deserialize)]
struct Media<'a> {
    #[serde(borrow)]
    media_list: Vec<Medium<'a>>,
}

#[derive(Deserialize)]
struct Medium<'a> {
    #[serde(borrow)]
    uri: Text<'a>,
    #[serde(borrow)]
    content_type: Option<Text<'a>>,
}

/// A page of each number's texts. The cursor is the paths that there is more at.
pub(super) fn page(calls: &mut Calls<'_>, api: &Api<'_>, span: &Span) -> Result<Report, Error> {
    let since_ms = time::unix_ms(&span.since).ok_or_else(|| Error::new("expected a moment to read from"))?;
    let paths = match &span.cursor {
        Some(cursor) => cursor.split(' ').map(str::to_owned).collect(),
        None => first_paths(calls, api, span)?,
    };
    let answers: Vec<_> =
        paths.iter().map(|path| calls.call(Request::get([api.root.as_str(), path].concat()))).collect();
    let (mut found, mut more) = (Vec::new(), Vec::new());
    for answer in answers {
        let page: Page<'_> = done(answer?)?.json()?;
        // The newest come first, and the list begins with the day.
        let is_over = page.messages.last().and_then(Message::sent_ms).is_none_or(|last_ms| last_ms < since_ms);
        more.extend(json::string(page.next_page_uri.as_ref()).filter(|_| !is_over));
        let is_new = |message: &Message<'_>| message.sent_ms().is_none_or(|sent_ms| sent_ms >= since_ms);
        found.extend(
            page.messages.into_iter().filter(|message| message.direction.as_str() == "inbound" && is_new(message)),
        );
    }
    found.sort_by_key(Message::sent_ms);
    let media: Vec<_> = found
        .iter()
        .map(|message| {
            let has_media = message.num_media.as_deref().is_some_and(|count| count != "0");
            let path = || api.path(&format!("Messages/{}/Media.json", message.sid.as_str()));
            has_media.then(|| calls.call(Request::get([api.root.as_str(), &path()].concat())))
        })
        .collect();
    let mut items = Vec::with_capacity(found.len());
    for (message, media) in found.iter().zip(media) {
        items.push(message.told(api, media.transpose()?)?);
    }
    let cursor = (!more.is_empty()).then(|| more.join(" "));
    Ok(Report { items, cursor, ..Report::default() })
}

/// The lists of the connection's numbers, and of its service's, from the day on in which to begin.
fn first_paths(calls: &mut Calls<'_>, api: &Api<'_>, span: &Span) -> Result<Vec<String>, Error> {
    let mut numbers: Vec<String> = api.settings.numbers.iter().map(|number| number.as_str().to_owned()).collect();
    if let Some(service) = api.service() {
        let response =
            calls.call(Request::get(format!("{}/v1/Services/{service}/PhoneNumbers?PageSize=100", api.messaging)))?;
        let of_service: OfService<'_> = done(response)?.json()?;
        numbers.extend(of_service.phone_numbers.into_iter().map(|held| held.phone_number.into_string()));
    }
    numbers.sort_unstable();
    numbers.dedup();
    let day = span.since.get(..10).unwrap_or_default();
    let path = |number: &String| {
        api.path(&format!("Messages.json?To={}&DateSent%3E={day}&PageSize={PER_PAGE}", url::escaped(number)))
    };
    Ok(numbers.iter().map(path).collect())
}

impl Message<'_> {
    /// When it came in.
    fn sent_at(&self) -> Option<String> {
        rfc2822(self.date_sent.as_deref().or(self.date_created.as_deref())?)
    }

    fn sent_ms(&self) -> Option<i64> {
        time::unix_ms(&self.sent_at()?)
    }

    /// The webhook that did not come. It has what a webhook has not: when the text was sent.
    fn told(&self, api: &Api<'_>, media: Option<&Response>) -> Result<FoundItem, Error> {
        let text = |text: &Option<Text<'_>>| json::string(text.as_ref());
        let fixed = |text: &str| Some(text.to_owned());
        let mut fields = vec![
            ("MessageSid".to_owned(), fixed(&self.sid)),
            ("SmsSid".to_owned(), fixed(&self.sid)),
            ("AccountSid".to_owned(), fixed(api.account)),
            ("SmsStatus".to_owned(), fixed(RECEIVED)),
            ("From".to_owned(), text(&self.from)),
            ("To".to_owned(), text(&self.to)),
            ("Body".to_owned(), self.body.as_ref().map(|body| body.as_str().to_owned())),
            ("NumSegments".to_owned(), text(&self.num_segments)),
            ("NumMedia".to_owned(), text(&self.num_media)),
            ("MessagingServiceSid".to_owned(), text(&self.messaging_service_sid)),
            ("DateSent".to_owned(), self.sent_at()),
        ];
        if let Some(response) = media {
            let Media { media_list } = done(response)?.json()?;
            for (place, medium) in media_list.iter().enumerate() {
                let url = format!("{}{}", api.root, medium.uri.trim_end_matches(".json"));
                fields.push((format!("MediaUrl{place}"), Some(url)));
                fields.push((format!("MediaContentType{place}"), text(&medium.content_type)));
            }
        }
        let written =
            |(name, value): &(String, Option<String>)| Some(format!("{name}={}", url::escaped(value.as_ref()?)));
        let body: Vec<String> = fields.iter().filter_map(written).collect();
        Ok(FoundItem::new(&[("content-type", "application/x-www-form-urlencoded")], body.join("&")))
    }
}

/// `Thu, 24 Aug 2023 05:01:45 +0000` as RFC 3339. Twilio writes no other offset.
fn rfc2822(text: &str) -> Option<String> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(", ")?.1.split(' ');
    let (day, month, year, clock, offset) = (words.next()?, words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let written = format!("{year}-{month:02}-{day:0>2}T{clock}Z");
    let is_utc = matches!(offset, "+0000" | "GMT");
    (is_utc && time::unix_ms(&written).is_some()).then_some(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twilios_dates_are_read() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(rfc2822(text).as_deref(), expected, "{text}");
        check("Thu, 24 Aug 2023 05:01:45 +0000", Some("2023-08-24T05:01:45Z"));
        check("Sun, 1 Mar 2026 10:00:00 +0000", Some("2026-03-01T10:00:00Z"));
        check("Sun, 1 Mar 2026 10:00:00 +0200", None);
        check("Sun, 31 Feb 2026 10:00:00 +0000", None);
        check("2026-03-01", None);
    }
}
