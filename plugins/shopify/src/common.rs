//! What all topics share: ids, times.

use tidegate_plugin_sdk::{Error, Item, json, json::Instant, json::Text, time};

/// The exact id of a resource: the number at the end of its gid (`gid://shopify/Order/820982911946154508`), else `id`. JavaScript tools round the number in `id`, but not the gid.
pub(crate) fn id_of<'t>(gid: Option<&'t Text<'_>>, id: Option<&'t Text<'_>>) -> Option<&'t str> {
    let of_gid = gid.and_then(|gid| tail(gid.as_str()));
    of_gid.or_else(|| json::filled(id.map(Text::as_str)))
}

/// As [`id_of`], for what can't be without one.
pub(crate) fn required_id<'t>(gid: Option<&'t Text<'_>>, id: Option<&'t Text<'_>>) -> Result<&'t str, Error> {
    id_of(gid, id).ok_or_else(|| Error::field("/id", "expected the id, found none"))
}

/// The number at the end of a gid; `None` when the text is none.
pub(crate) fn tail(gid: &str) -> Option<&str> {
    let (_, number) = gid.strip_prefix("gid://")?.rsplit_once('/')?;
    let number = number.split('?').next()?;
    (!number.is_empty()).then_some(number)
}

/// When it happened: Shopify's header, else the body's own time, else when it was received.
pub(crate) fn occurred_at(item: &Item, own: Option<&Instant<'_>>) -> String {
    let triggered_at = item.header("x-shopify-triggered-at").and_then(time::rfc3339);
    triggered_at.map(|at| at.into_owned()).or_else(|| owned(own)).unwrap_or_else(|| item.received_at.clone())
}

/// An owned copy of an instant.
pub(crate) fn owned(at: Option<&Instant<'_>>) -> Option<String> {
    at.map(|at| at.as_str().to_owned())
}
