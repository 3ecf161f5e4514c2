//! Orders that changed since a moment, as webhooks would have brought them.
//!
//! By the REST Admin API, which is legacy and still served: its orders are what the webhooks bring, field by field, and GraphQL's are not (other names, other ids, no
//! refunds and parcels without pages of their own). An app that was made for the public after April 2025 may not use it, and is told so.
//! Source: <https://shopify.dev/docs/api/admin-rest/latest/resources/order>.

use super::{Calls, Error, Report, Request, Response, Span, refused};
use crate::order::reading::SINCE;
use serde::Deserialize;
use tidegate_plugin_sdk::{FoundItem, json::Instant, json::Raw, time};

/// Orders on a page: so many with their lines, refunds and parcels fit the largest answer.
const PER_PAGE: usize = 50;

#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    orders: Vec<Raw<'a>>,
}

#[derive(Deserialize)]
struct Listed<'a> {
    #[serde(borrow)]
    updated_at: Option<Instant<'a>>,
    #[serde(borrow)]
    created_at: Option<Instant<'a>>,
}

/// Where a page begins: at Shopify's mark, from which nothing slips away when an order changes meanwhile; and when it takes the mark no more, at the second in which the
/// last order of the page before was changed.
struct Place<'a> {
    from_s: i64,
    mark: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn of(span: &'a Span) -> Result<Self, Error> {
        let wrong = || Error::new("expected a moment and a cursor that this plugin gave");
        let Some(cursor) = &span.cursor else {
            let since_ms = time::unix_ms(&span.since).ok_or_else(wrong)?;
            return Ok(Self { from_s: since_ms.div_euclid(1000), mark: None });
        };
        let (from, mark) = cursor.split_once(' ').ok_or_else(wrong)?;
        Ok(Self { from_s: from.parse().map_err(|_| wrong())?, mark: Some(mark) })
    }

    fn url(&self, api: &str) -> Result<String, Error> {
        if let Some(mark) = self.mark {
            // The mark holds all else that was asked, and Shopify refuses to be told again.
            return Ok(format!("{api}/orders.json?limit={PER_PAGE}&page_info={mark}"));
        }
        let from = time::from_unix_s(self.from_s).ok_or_else(|| Error::new("expected a moment within the calendar"))?;
        // Without the status it would be open orders only.
        Ok(format!("{api}/orders.json?limit={PER_PAGE}&status=any&order=updated_at+asc&updated_at_min={from}"))
    }
}

/// A page of orders.
pub(super) fn page(calls: &mut Calls<'_>, api: &str, span: &Span) -> Result<Report, Error> {
    let mut place = Place::of(span)?;
    let mut response = calls.call(Request::get(place.url(api)?))?;
    if response.status == 400 && place.mark.take().is_some() {
        response = calls.call(Request::get(place.url(api)?))?;
    }
    if !response.is_success() {
        return Err(match response.status {
            403 => Error::new(
                "Shopify answered 403: orders are not read again. The token needs the scope read_orders, and an app that was made for the public after April 2025 may not use the REST API; webhooks are not touched by that",
            ),
            status => refused(status),
        });
    }
    let Page { orders } = response.json()?;
    let shop = calls.connection().account.as_deref().unwrap_or_default();
    let (mut items, mut last_s) = (Vec::with_capacity(orders.len()), place.from_s);
    let since_ms = time::unix_ms(&span.since).unwrap_or(i64::MAX);
    for (order, at) in orders.iter().zip(0..) {
        let listed: Listed<'_> = order.parse().map_err(|error| error.under(&format!("/orders/{at}")))?;
        if let Some(updated) = &listed.updated_at {
            last_s = updated.unix_ms().div_euclid(1000);
        }
        let is_new = listed.created_at.as_ref().is_some_and(|created| created.unix_ms() >= since_ms);
        let headers = [
            ("content-type", "application/json"),
            ("x-shopify-topic", if is_new { "orders/create" } else { "orders/updated" }),
            ("x-shopify-shop-domain", shop),
            (SINCE, &span.since),
        ];
        items.push(FoundItem::new(&headers, order.as_str()));
    }
    let cursor = next_mark(response).map(|mark| format!("{last_s} {mark}"));
    Ok(Report { items, cursor, ..Report::default() })
}

/// The mark of the page after, from the header `Link`: `<https://…?limit=50&page_info=X>; rel="next"`, perhaps after the one of the page before.
fn next_mark(response: &Response) -> Option<&str> {
    let links = response.header("link")?.split(',');
    let next = links.filter(|link| link.contains("rel=\"next\"")).find_map(|link| link.split_once('<'))?.1;
    let (_, mark) = next.split_once('>')?.0.split_once("page_info=")?;
    let mark = mark.split('&').next()?;
    (!mark.is_empty()).then_some(mark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_plugin_sdk::Header;

    fn linked(value: &str) -> Response {
        let headers = vec![Header { name: "link".to_owned(), value: value.to_owned() }];
        Response { status: 200, headers, body: String::new() }
    }

    #[test]
    fn the_mark_of_the_next_page_is_in_the_link() {
        let check = |link: &str, mark: Option<&str>| assert_eq!(next_mark(&linked(link)), mark, "{link}");
        check(r#"<https://a/orders.json?limit=50&page_info=ey_-=>; rel="next""#, Some("ey_-="));
        check(r#"<https://a/o?page_info=p>; rel="previous", <https://a/o?page_info=n&limit=5>; rel="next""#, Some("n"));
        check(r#"<https://a/o?page_info=p>; rel="previous""#, None);
        check("", None);
    }

    #[test]
    fn a_page_is_asked_for_by_the_moment_or_by_the_mark_alone() {
        let span = |cursor: Option<&str>| Span {
            since: "2026-03-01T10:00:00.5Z".to_owned(),
            cursor: cursor.map(str::to_owned),
        };
        let url = |cursor| Place::of(&span(cursor)).and_then(|place| place.url("https://a"));
        assert_eq!(
            url(None).unwrap(),
            "https://a/orders.json?limit=50&status=any&order=updated_at+asc&updated_at_min=2026-03-01T10:00:00Z"
        );
        assert_eq!(url(Some("1772359200 eyJ")).unwrap(), "https://a/orders.json?limit=50&page_info=eyJ");
        assert!(url(Some("of another")).is_err());
    }
}
