//! The Admin API over HTTP: `/admin/api/{version}/graphql.json`, and the legacy `orders.json`. Versions and tokens first, then parameters, with Shopify's errors.

use super::{Shop, graphql, shelf};
use crate::account::{Answer, Asked, Inside};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// Versions that are served. One that is not there yet is 404.
const VERSIONS: &[&str] = &["2025-04", "2025-07", "2025-10", "2026-01"];
/// Most orders of a page, and how many when nobody says.
const ROWS: (usize, usize) = (250, 50);
/// Requests of REST that fit in the bucket.
const BUCKET: f64 = 40.0;

pub(super) fn refusal(status: u16, words: &str) -> Answer {
    Answer::json(status, &json!({"errors": words}))
}

pub(super) fn answer(inside: &Inside<Shop>, asked: &Asked) -> Answer {
    let not_found = || refusal(404, "Not Found");
    let oauth = inside.own.oauth.as_ref();
    if let ("POST", "/admin/oauth/access_token", Some(oauth)) = (asked.method.as_str(), asked.path.as_str(), oauth) {
        return oauth.own(asked, inside.now_s());
    }
    let Some((version, resource)) = asked.path.strip_prefix("/admin/api/").and_then(|rest| rest.split_once('/')) else {
        return not_found();
    };
    if !VERSIONS.contains(&version) {
        return not_found();
    }
    let token = asked.header("x-shopify-access-token");
    if token != inside.own.token && !oauth.is_some_and(|oauth| oauth.is_live(token, inside.now_s())) {
        return refusal(401, "[API] Invalid API key or access token (unrecognized login or wrong password)");
    }
    match (asked.method.as_str(), resource) {
        ("POST", "graphql.json") => match serde_json::from_slice(&asked.body) {
            Ok(body) => {
                let (body, what) = graphql::answer(inside, &body);
                Answer::json(200, &body).to(what)
            }
            Err(_) => refusal(400, "Bad Request"),
        },
        ("GET", "orders.json") => orders(inside, asked),
        _ => not_found(),
    }
}

/// Where a page begins: at orders that were changed in this second or later, but after this one.
struct Mark {
    from_s: i64,
    after: (i64, u64),
}

impl Mark {
    fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(format!("{} {} {}", self.from_s, self.after.0, self.after.1))
    }

    fn read(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let mut numbers = text.split(' ');
        let mut second = || numbers.next()?.parse::<i64>().ok();
        let (from_s, at_s) = (second()?, second()?);
        Some(Self { from_s, after: (at_s, numbers.next()?.parse().ok()?) })
    }
}

fn orders(inside: &Inside<Shop>, asked: &Asked) -> Answer {
    let Ok(left) = inside.shelf().spend_request(inside.now_s()) else {
        let words = "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service.";
        return refusal(429, words).with("retry-after", "2.0".to_owned());
    };
    let wrong = |name: &str, words: &str| {
        let mut errors = serde_json::Map::new();
        errors.insert(name.to_owned(), json!(words));
        Answer::json(400, &json!({"errors": errors}))
    };
    let parameters = asked.parameters();
    let text = |name: &str| parameters.get(name).map(String::as_str);
    let known = ["limit", "page_info", "status", "order", "updated_at_min"];
    if let Some(name) = parameters.keys().find(|name| !known.contains(&name.as_str())) {
        return wrong(name, "is unknown here");
    }
    let rows = match text("limit").map_or(Ok(ROWS.1), str::parse) {
        Ok(rows) if (1..=ROWS.0).contains(&rows) => rows,
        _ => return wrong("limit", "must be 1 to 250"),
    };
    let mark = if let Some(info) = text("page_info") {
        if let Some(name) = parameters.keys().find(|name| !["limit", "page_info"].contains(&name.as_str())) {
            return wrong(name, &format!("{name} cannot be passed with page_info"));
        }
        match Mark::read(info) {
            Some(mark) => mark,
            None => return wrong("page_info", "Invalid value."),
        }
    } else {
        // What nobody here asks for is not made: open orders only, and the newest first.
        if text("status") != Some("any") || text("order") != Some("updated_at asc") {
            return wrong("status", "expected status=any and order=updated_at asc");
        }
        match text("updated_at_min").map_or(Some(0), shelf::parse) {
            Some(from_s) => Mark { from_s, after: (i64::MIN, 0) },
            None => return wrong("updated_at_min", "is no instant"),
        }
    };
    let shelf = inside.shelf();
    let mut found = shelf.changed_since(mark.from_s).into_iter().filter(|(at, id, _)| (*at, *id) > mark.after);
    let page: Vec<_> = found.by_ref().take(rows).collect();
    let next = found.next().and(page.last()).map(|(at, id, _)| Mark { after: (*at, *id), ..mark }.write());
    let shown: Vec<Value> = page.into_iter().map(|(_, _, order)| order.clone()).collect();
    let mut answer = Answer::json(200, &json!({"orders": shown}))
        .with("x-shopify-shop-api-call-limit", format!("{}/{BUCKET}", BUCKET - left));
    if let Some(mark) = next {
        let (authority, path) = (inside.authority(), &asked.path);
        answer =
            answer.with("link", format!("<https://{authority}{path}?limit={rows}&page_info={mark}>; rel=\"next\""));
    }
    answer
}
