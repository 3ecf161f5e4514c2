//! The Admin API over HTTP: `/admin/api/{version}/graphql.json`, and the legacy `orders.json`. Versions and tokens first, then parameters, with Shopify's errors.

use super::{Inside, ShopFailure, graphql, lock, shelf};
use crate::server::Cut;
use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    response::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc};

/// Versions that are served. One that is not there yet is 404.
const VERSIONS: &[&str] = &["2025-04", "2025-07", "2025-10", "2026-01"];
/// Largest body of a request.
const BODY_BYTES: usize = 1 << 20;
/// Most orders of a page, and how many when nobody says.
const ROWS: (usize, usize) = (250, 50);
/// Requests of REST that fit in the bucket.
const BUCKET: f64 = 40.0;

pub(super) fn router(inside: Arc<Inside>) -> Router {
    Router::new().fallback(any).with_state(inside)
}

/// What is answered.
struct Reply {
    status: u16,
    body: Value,
    headers: Vec<(&'static str, String)>,
    /// What was asked, for people.
    what: String,
}

impl Reply {
    fn new(status: u16, body: Value, what: &str) -> Self {
        Self { status, body, headers: Vec::new(), what: what.to_owned() }
    }
}

async fn any(State(inside): State<Arc<Inside>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, BODY_BYTES).await.unwrap_or_default();
    let failure = lock(&inside.failures).pop_front();
    let reply = match failure {
        Some(ShopFailure::Status(status, retry_after)) => {
            let mut reply = Reply::new(status, json!({"errors": "Told to fail"}), head.uri.path());
            reply.headers.extend(retry_after.map(|seconds| ("retry-after", seconds.to_owned())));
            reply
        }
        Some(ShopFailure::Throttled) => Reply::new(200, graphql::throttled(3.0), head.uri.path()),
        Some(ShopFailure::LostAnswer) | None => answer(&inside, &head, &body),
    };
    lock(&inside.heard).push(format!("{} {}", reply.status, reply.what));
    if failure == Some(ShopFailure::LostAnswer) {
        let mut cut = Response::new(Body::empty());
        cut.extensions_mut().insert(Cut);
        return cut;
    }
    respond(reply)
}

fn answer(inside: &Inside, head: &axum::http::request::Parts, body: &[u8]) -> Reply {
    let path = head.uri.path();
    let not_found = || Reply::new(404, json!({"errors": "Not Found"}), path);
    let Some((version, resource)) = path.strip_prefix("/admin/api/").and_then(|rest| rest.split_once('/')) else {
        return not_found();
    };
    if !VERSIONS.contains(&version) {
        return not_found();
    }
    let token = head.headers.get("x-shopify-access-token").and_then(|value| value.to_str().ok());
    if token != Some(inside.token.as_str()) {
        let message = "[API] Invalid API key or access token (unrecognized login or wrong password)";
        return Reply::new(401, json!({"errors": message}), path);
    }
    match (&head.method, resource) {
        (&Method::POST, "graphql.json") => {
            let Ok(body) = serde_json::from_slice(body) else {
                return Reply::new(400, json!({"errors": "Bad Request"}), path);
            };
            let (body, what) = graphql::answer(inside, &body);
            Reply::new(200, body, &what)
        }
        (&Method::GET, "orders.json") => {
            let query = head.uri.query().unwrap_or_default();
            let mut reply = orders(inside, path, query);
            reply.what = format!("GET /orders.json?{query}");
            reply
        }
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

fn orders(inside: &Inside, path: &str, query: &str) -> Reply {
    let left = match inside.shelf().spend_request(inside.now_s()) {
        Ok(left) => left,
        Err(_) => {
            let message =
                "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service.";
            let mut reply = Reply::new(429, json!({"errors": message}), path);
            reply.headers.push(("retry-after", "2.0".to_owned()));
            return reply;
        }
    };
    let wrong = |name: &str, words: &str| {
        let mut errors = serde_json::Map::new();
        errors.insert(name.to_owned(), json!(words));
        Reply::new(400, json!({"errors": errors}), path)
    };
    let parameters: BTreeMap<String, String> = match reqwest::Url::parse(&format!("http://shop/?{query}")) {
        Ok(url) => url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect(),
        Err(_) => return wrong("query", "can't be read"),
    };
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
    let mut reply = Reply::new(200, json!({"orders": shown}), path);
    reply.headers.push(("x-shopify-shop-api-call-limit", format!("{}/{BUCKET}", BUCKET - left)));
    if let Some(mark) = next {
        let link = format!("<https://{}{path}?limit={rows}&page_info={mark}>; rel=\"next\"", inside.domain);
        reply.headers.push(("link", link));
    }
    reply
}

fn respond(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body.to_string()));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    for (name, value) in reply.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}
