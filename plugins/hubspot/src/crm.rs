//! What HubSpot answers when it is asked for an object: <https://developers.hubspot.com/docs/api-reference/crm-contacts-v3/basic/get-crm-v3-objects-contacts-contactId>.

use crate::settings::Settings;
use serde::Deserialize;
use std::collections::BTreeMap;
use tidegate_plugin_sdk::{Context, Error, Request, Response, json, json::Instant, json::Text};

const OBJECTS: &str = "/crm/v3/objects/";

/// An object as it is now.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Found<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow, default)]
    properties: BTreeMap<String, Option<Text<'a>>>,
    /// Earlier values, the newest first.
    #[serde(borrow, default)]
    properties_with_history: BTreeMap<String, Vec<Earlier<'a>>>,
    #[serde(borrow)]
    pub(crate) updated_at: Option<Instant<'a>>,
    #[serde(borrow, default)]
    associations: BTreeMap<String, Associated<'a>>,
}

/// A value that a property had.
#[derive(Deserialize)]
pub(crate) struct Earlier<'a> {
    #[serde(borrow)]
    pub(crate) value: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) timestamp: Option<Instant<'a>>,
}

#[derive(Deserialize)]
struct Associated<'a> {
    #[serde(borrow, default)]
    results: Vec<Id<'a>>,
}

#[derive(Deserialize)]
struct Id<'a> {
    #[serde(borrow)]
    id: Text<'a>,
}

impl<'a> Found<'a> {
    /// Reads an answer. Where it can't be read is a place in the answer, not in the item.
    pub(crate) fn read(response: &'a Response) -> Result<Self, Error> {
        json::parse(&response.body).map_err(|error| match error {
            Error::Failed { field, reason, .. } => {
                let place = field.unwrap_or_default();
                Error::new(format!("HubSpot's answer can't be read, {place}: {reason}"))
            }
            other @ (Error::Need | Error::Skip(_)) => other,
        })
    }

    /// A property's value, unless it is blank.
    pub(crate) fn property(&self, name: &str) -> Option<&str> {
        json::filled(self.properties.get(name)?.as_deref())
    }

    /// What a property was before, the newest first.
    pub(crate) fn history(&self, name: &str) -> &[Earlier<'a>] {
        self.properties_with_history.get(name).map_or(&[], Vec::as_slice)
    }

    /// The first object of a kind that this one belongs to.
    pub(crate) fn first_associated(&self, kind: &str) -> Option<&str> {
        Some(self.associations.get(kind)?.results.first()?.id.as_str())
    }
}

/// Reads an object; `None` when it is no longer there.
pub(crate) fn object(ctx: &mut Context<'_>, kind: &str, id: &str, query: &str) -> Result<Option<Response>, Error> {
    let api = Settings::of(ctx)?.api();
    let response = ctx.fetch(Request::get([&api, OBJECTS, kind, "/", id, "?", query].concat()))?;
    match response.status {
        200..=299 => Ok(Some(response)),
        404 => Ok(None),
        401 | 403 => Err(Error::new(format!(
            "HubSpot does not show its {kind} to this connection (status {}): its access token must be valid and have the scope crm.objects.{kind}.read",
            response.status
        ))),
        status => {
            let error = Error::new(format!("HubSpot answered with the status {status} when it was asked for {kind}"));
            Err(if status == 429 || status >= 500 { error.retryable() } else { error })
        }
    }
}
