//! Orders that changed since a moment, as the webhooks that did not come would have brought them.

use super::{Calls, Error, FoundItem, Gmt, Raw, Report, Request, Span, Text, read, time, value};
use serde::Deserialize;

/// Orders on a page: so many with their lines fit the largest answer.
const PER_PAGE: usize = 50;

/// What is looked at in an order here.
#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(default, deserialize_with = "value::or_none")]
    date_created_gmt: Option<Gmt>,
    #[serde(default, deserialize_with = "value::or_none")]
    date_modified_gmt: Option<Gmt>,
    #[serde(borrow, default)]
    _links: Option<Links<'a>>,
}

#[derive(Deserialize)]
struct Links<'a> {
    #[serde(borrow, default, rename = "self")]
    own: Vec<Link<'a>>,
}

#[derive(Deserialize)]
struct Link<'a> {
    #[serde(borrow)]
    href: Text<'a>,
}

/// Where a page begins: after a second, and within what follows it. Pages alone would not do: an order that changes meanwhile moves to the end, and the first of the
/// next page would slip to where nobody looks any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    after_s: i64,
    page: u32,
}

impl Place {
    fn of(span: &Span) -> Result<Self, Error> {
        let wrong = || Error::new("expected a moment and a cursor that this plugin gave");
        match &span.cursor {
            None => {
                let since_s = time::unix_ms(&span.since).ok_or_else(wrong)?.div_euclid(1000);
                // "After" does not include the second itself.
                Ok(Self { after_s: since_s - 1, page: 1 })
            }
            Some(cursor) => {
                let (after, page) = cursor.split_once(' ').ok_or_else(wrong)?;
                Ok(Self { after_s: after.parse().map_err(|_| wrong())?, page: page.parse().map_err(|_| wrong())? })
            }
        }
    }

    /// The page after a full one whose last order was changed in this second.
    fn next(self, last_s: i64) -> Self {
        if last_s - 1 > self.after_s {
            Self { after_s: last_s - 1, page: 1 }
        } else {
            // All of them were changed in one second.
            Self { page: self.page + 1, ..self }
        }
    }
}

/// A page of orders.
pub(super) fn page(calls: &mut Calls<'_>, base: &str, span: &Span) -> Result<Report, Error> {
    let place = Place::of(span)?;
    let after = time::from_unix_s(place.after_s).ok_or_else(|| Error::new("expected a moment within the calendar"))?;
    let after = after.trim_end_matches('Z');
    let url = format!(
        "{base}/orders?modified_after={after}&dates_are_gmt=true&orderby=modified&order=asc&per_page={PER_PAGE}&page={}",
        place.page
    );
    let orders: Vec<Raw<'_>> = read(calls.call(Request::get(url))?, "its orders")?;
    let since_ms = time::unix_ms(&span.since).unwrap_or(i64::MAX);
    let (mut items, mut last_s) = (Vec::with_capacity(orders.len()), place.after_s);
    for order in &orders {
        let listed: Listed<'_> = order.parse()?;
        if let Some(modified) = &listed.date_modified_gmt {
            last_s = modified.unix_ms().div_euclid(1000);
        }
        // Of an order that is older than what is read again, nobody waits for the news that it was placed.
        let is_new = listed.date_created_gmt.as_ref().is_some_and(|created| created.unix_ms() >= since_ms);
        let event = if is_new { "created" } else { "updated" };
        let source = source(calls, base, &listed);
        let headers = [
            ("content-type", "application/json"),
            ("x-wc-webhook-topic", &format!("order.{event}")),
            ("x-wc-webhook-resource", "order"),
            ("x-wc-webhook-event", event),
            ("x-wc-webhook-source", &source),
        ];
        items.push(FoundItem::new(&headers, order.as_str()));
    }
    let cursor = (orders.len() >= PER_PAGE).then(|| place.next(last_s));
    let cursor = cursor.map(|Place { after_s, page }| format!("{after_s} {page}"));
    Ok(Report { items, cursor, ..Report::default() })
}

/// The store as its webhooks name it: its address with a slash at the end.
fn source(calls: &Calls<'_>, base: &str, order: &Listed<'_>) -> String {
    if let Some(account) = &calls.connection().account {
        return account.clone();
    }
    let own = order._links.as_ref().and_then(|links| links.own.first());
    let home = own.and_then(|link| link.href.split_once("wp-json/")).map(|(home, _)| home);
    home.or_else(|| base.split_once("wp-json/").map(|(home, _)| home)).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_begins_where_nothing_can_slip_away() {
        let place = Place { after_s: 100, page: 1 };
        assert_eq!(place.next(150), Place { after_s: 149, page: 1 });
        assert_eq!(place.next(101), Place { after_s: 100, page: 2 }, "all of one second");
        let span =
            |cursor: Option<&str>| Span { since: "1970-01-01T00:10:00Z".to_owned(), cursor: cursor.map(str::to_owned) };
        assert_eq!(Place::of(&span(None)).unwrap(), Place { after_s: 599, page: 1 });
        assert_eq!(Place::of(&span(Some("149 2"))).unwrap(), Place { after_s: 149, page: 2 });
        assert!(Place::of(&span(Some("of another"))).is_err());
    }
}
