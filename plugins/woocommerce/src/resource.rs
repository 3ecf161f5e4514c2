//! What every resource has: its id. Where it is missing, why.

use serde::Deserialize;
use tidegate_plugin_sdk::{Error, Item, json, json::Raw, json::Text};

/// A resource that says nothing but its id: what `….deleted` sends.
#[derive(Deserialize)]
struct Bare<'a> {
    #[serde(borrow)]
    id: Option<Text<'a>>,
}

/// What stands in the place of a resource.
#[derive(Deserialize)]
struct Other<'a> {
    #[serde(borrow)]
    code: Option<Text<'a>>,
    #[serde(borrow)]
    order: Option<Raw<'a>>,
    #[serde(borrow)]
    customer: Option<Raw<'a>>,
}

/// The id of a resource that was deleted.
pub(crate) fn id_of(item: &Item) -> Result<String, Error> {
    let bare: Bare<'_> = json::parse(&item.body)?;
    required(bare.id.as_ref(), item).map(str::to_owned)
}

/// The id, which no resource lacks.
pub(crate) fn required<'t>(id: Option<&'t Text<'_>>, item: &Item) -> Result<&'t str, Error> {
    json::filled(id.map(Text::as_str)).ok_or_else(|| Error::field("/id", why(item)))
}

/// WooCommerce builds the body with the rights of the user who made the webhook, and sends the error in place of the resource when they do not suffice.
fn why(item: &Item) -> String {
    let Ok(other) = json::parse::<Other<'_>>(&item.body) else { return "expected the id, found none".to_owned() };
    if let Some(code) = other.code.as_deref().filter(|code| is_code(code)) {
        return format!(
            "expected the resource, found the store's error {code}: the user who made the webhook may not read it; let an administrator save the webhook again"
        );
    }
    if other.order.is_some() || other.customer.is_some() {
        return "expected the id, found the form of the legacy API: set the webhook's API version to WP REST API Integration v3"
            .to_owned();
    }
    "expected the id, found none".to_owned()
}

/// A code such as `woocommerce_rest_cannot_view`, and no other text.
fn is_code(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-');
    (1..=64).contains(&text.len()) && text.bytes().all(word)
}
