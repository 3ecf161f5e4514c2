//! Split: a stored delivery becomes items, each with its connection. Pure: where to cut is the manifest's business, whose account it is the configuration's.

use crate::{
    catalog::{Connection, Endpoint},
    pipeline::setback::Setback,
    records::{Delivery, Parked},
};
use std::sync::Arc;
use tidegate_model::{DeliveryId, ItemId, outcome::Item};
use tidegate_plugin_host::{Manifest, guest_headers};

/// One item of a delivery.
pub(super) struct Part {
    /// Position in the delivery.
    pub index: u32,
    /// Id, the same each time.
    pub id: ItemId,
    /// Topic, as far as it is known.
    pub topic: String,
    /// What tells it from the same item in another delivery, when the manifest says by what.
    pub mark: Option<[u8; 16]>,
    /// Where the plugin keeps state for it.
    pub state_key: Option<String>,
    /// What to interpret, and for whom; or why it can't be.
    pub work: Result<(Item, Arc<Connection>), Setback>,
    /// It stands for a delivery that could not be cut.
    pub whole: bool,
}

/// Cuts a delivery. One that can't be cut is one parked part.
pub(super) fn split(endpoint: &Endpoint, delivery: &Delivery, body: &[u8]) -> Vec<Part> {
    split_as(&endpoint.manifest, endpoint, delivery, body)
}

/// As [`split`], as another manifest says.
pub(super) fn split_as(manifest: &Manifest, endpoint: &Endpoint, delivery: &Delivery, body: &[u8]) -> Vec<Part> {
    let id = |index: u32| item_id(delivery.id, index);
    let cut = match tidegate_plugin_host::split(manifest, &delivery.headers, body) {
        Ok(cut) => cut,
        Err(error) => {
            let parked = Setback::person(Parked::new(None, error.to_string()));
            return vec![Part {
                index: 0,
                id: id(0),
                topic: String::new(),
                mark: None,
                state_key: None,
                work: Err(parked),
                whole: true,
            }];
        }
    };
    let headers = guest_headers(manifest, &delivery.headers);
    cut.into_iter()
        .map(|piece| {
            let index = u32::try_from(piece.index).unwrap_or(u32::MAX);
            let item = Item {
                id: id(index),
                topic: piece.topic.clone(),
                headers: headers.clone(),
                body: piece.body.into_owned(),
                envelope: piece.envelope,
                received_at: delivery.received_at,
                state: None,
                answers: Vec::new(),
            };
            let work = match endpoint.connection_for(piece.route.as_deref()) {
                Some(connection) => Ok((item, connection)),
                None => Err(no_connection(endpoint, piece.route.as_deref())),
            };
            Part {
                index,
                id: id(index),
                topic: piece.topic,
                mark: if endpoint.marks_deliveries() { piece.fold_key } else { Some(piece.dedupe_key) },
                state_key: piece.state_key,
                work,
                whole: false,
            }
        })
        .collect()
}

/// The id of the item at a position of a delivery.
pub(crate) fn item_id(delivery: DeliveryId, index: u32) -> ItemId {
    ItemId::derive(delivery.root_ms(), &[delivery.raw(), b"item", &index.to_be_bytes()])
}

fn no_connection(endpoint: &Endpoint, route: Option<&str>) -> Setback {
    let reason = match route {
        Some(account) => format!(
            "no connection of the endpoint {} is for the account {account:?}: add [[connections]] with it",
            endpoint.name
        ),
        None => format!("the item names no account, and the endpoint {} has no connection without one", endpoint.name),
    };
    Setback::person(Parked::new(None, reason))
}
