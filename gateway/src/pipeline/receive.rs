//! Receive: an authentic webhook becomes three rows (delivery, de-duplication mark, work) in one commit. It does not look into the body: what is authentic is accepted, whatever it says.

use crate::{catalog::Endpoint, records::Delivery, tx::DEDUPE_DAYS, work::Work};
use sha2::{Digest, Sha256};
use tidegate_model::{DeliveryId, Timestamp, scheme::Proof};
use tidegate_signature::{Refusal, Target, Verified, prove};
use tidegate_store::{
    Batch, Changes, Engine, Queue, Seq, StoreError,
    records::{self, BodyError, Dedupe, ReadError, RecordError, day_of, split_body},
};

/// A webhook as it arrived.
pub(crate) struct Incoming<'a> {
    /// What the provider called, by the configuration.
    pub target: Target<'a>,
    /// Headers, names in lower case.
    pub headers: &'a [(String, Vec<u8>)],
    /// The raw body.
    pub body: &'a [u8],
    /// When it arrived.
    pub received_at: Timestamp,
}

/// An authentic webhook.
pub(crate) struct Accepted {
    /// Its id.
    pub id: DeliveryId,
    /// What a repeat would find; `None` when this provider's deliveries are told apart by their items only.
    pub mark: Option<Mark>,
    /// Parts of a long body, to be committed before.
    pub ahead: Vec<Batch>,
    /// What to commit.
    pub changes: Changes,
}

/// The mark of a delivery, and the day it was received on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Mark {
    dedupe: Dedupe,
    today: u16,
}

impl Mark {
    /// Who came first, if the delivery came before.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn first(&self, store: &dyn Engine) -> Result<Option<DeliveryId>, StoreError> {
        Ok(self.dedupe.seen(store, self.today, DEDUPE_DAYS)?.map(DeliveryId::from_raw))
    }

    /// Whether a conflict of the commit means that the delivery came before.
    pub(crate) fn is_conflict(&self, key: &tidegate_store::Key) -> bool {
        self.dedupe.is_conflict(key, self.today, DEDUPE_DAYS)
    }
}

/// Why a webhook is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReceiveFault {
    /// It is not authentic.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It is longer than any body may be.
    #[error(transparent)]
    Body(#[from] BodyError),
    /// It can't be written down.
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// Verifies a webhook and says what to store.
///
/// # Errors
/// The signature's refusal, which names the header and what to do.
pub(crate) fn receive(endpoint: &Endpoint, incoming: &Incoming<'_>, seq: Seq) -> Result<Accepted, ReceiveFault> {
    let at = incoming.received_at;
    let (proof, secrets) = (&endpoint.proof, endpoint.secrets.as_ref());
    let verified = prove(proof, secrets, incoming.target, incoming.headers, incoming.body, at.ms())?;
    let hash = delivery_hash(endpoint, incoming);
    accept(endpoint, incoming, Some(verified), hash, seq)
}

/// As [`receive`], for what was read at the provider: it is authentic, because the gateway asked for it. The same body is stored once.
///
/// # Errors
/// It can't be written down.
pub(crate) fn receive_read(endpoint: &Endpoint, incoming: &Incoming<'_>, seq: Seq) -> Result<Accepted, ReceiveFault> {
    accept(endpoint, incoming, None, Some(of_body(incoming.body)), seq)
}

fn accept(
    endpoint: &Endpoint,
    incoming: &Incoming<'_>,
    verified: Option<Verified>,
    hash: Option<[u8; 16]>,
    seq: Seq,
) -> Result<Accepted, ReceiveFault> {
    let at = incoming.received_at;
    let identity = hash.unwrap_or_else(|| hash16(&[incoming.body]));
    let id = DeliveryId::derive(at.ms(), &[b"delivery", endpoint.name.as_bytes(), &identity]);
    let dedupe = hash.map(|hash| Dedupe { workspace: endpoint.home, endpoint: endpoint.number, hash });
    let mark = dedupe.map(|dedupe| Mark { dedupe, today: day_of(at.ms()) });
    let mut parts = split_body(incoming.body)?;
    let ahead = parts.take_ahead(endpoint.home, id.raw());
    let mut changes = Changes::new(seq);
    parts.put_chunks(endpoint.home, id.raw(), &mut changes);
    changes.put(&delivery(endpoint, incoming, verified, id, parts.head))?;
    match mark {
        Some(mark) => mark.dedupe.record(&mut changes, mark.today, DEDUPE_DAYS, id.raw()),
        // The same bytes in the same millisecond have the same id: they are stored, and interpreted, once.
        None => changes.expect_absent::<Delivery>(&(endpoint.home, id)),
    }
    changes.enqueue(Queue::Pure, endpoint.lane(), &Work::Delivery { id, from: 0 }.row());
    Ok(Accepted { id, mark, ahead, changes })
}

fn delivery(
    endpoint: &Endpoint,
    incoming: &Incoming<'_>,
    verified: Option<Verified>,
    id: DeliveryId,
    head: Vec<u8>,
) -> Delivery {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    Delivery {
        workspace: endpoint.home,
        id,
        endpoint: endpoint.name.clone(),
        received_at: incoming.received_at,
        headers: incoming
            .headers
            .iter()
            .filter(|(name, _)| !is_secret(endpoint, name))
            .map(|(name, value)| (name.clone(), text(value)))
            .chain(query_of(endpoint, incoming.target.url))
            .collect(),
        secret_index: verified.map_or(0, |verified| verified.secret_index),
        stale: verified.is_some_and(|verified| verified.stale),
        read_back: verified.is_none(),
        body_bytes: incoming.body.len(),
        head,
    }
}

/// What the plugin is told of the URL that was called.
fn query_of(endpoint: &Endpoint, url: &str) -> Option<(String, String)> {
    let (_, query) = url.split_once('?')?;
    tidegate_plugin_host::query_header(&endpoint.manifest, query)
}

/// Whether a header is the secret itself, which is not stored: a signature proves one delivery, this would prove any.
fn is_secret(endpoint: &Endpoint, header: &str) -> bool {
    match &endpoint.proof {
        Proof::Token(rule) => rule.header.eq_ignore_ascii_case(header),
        Proof::Signature(_) | Proof::Nothing => false,
    }
}

/// The body of a stored delivery.
///
/// # Errors
/// The store's; or what is wrong with the body.
pub(crate) fn read_body(store: &dyn Engine, delivery: &Delivery) -> Result<Vec<u8>, BodyFault> {
    Ok(records::read_body(store, delivery.workspace, delivery.id.raw(), &delivery.head)??)
}

/// Why a stored body can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyFault {
    /// The store.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The body.
    #[error(transparent)]
    Body(#[from] BodyError),
}

/// Whether a webhook that is not signed is one that its provider never signs, by the manifest: it is answered, and that is all.
pub(crate) fn is_unsigned(endpoint: &Endpoint, incoming: &Incoming<'_>, refusal: &Refusal) -> bool {
    let is_unsigned = matches!((refusal, &endpoint.proof), (Refusal::Missing { header }, Proof::Signature(scheme))
        if header.eq_ignore_ascii_case(&scheme.header));
    let content_type = incoming.headers.iter().find(|(name, _)| name == "content-type");
    let content_type = content_type.and_then(|(_, value)| str::from_utf8(value).ok()).unwrap_or_default();
    let rules = &endpoint.plugin.manifest().unsigned;
    is_unsigned && rules.iter().any(|rule| rule.is_met_by(content_type, incoming.body))
}

/// The hash of what tells deliveries apart, when the manifest names nothing inside them.
fn delivery_hash(endpoint: &Endpoint, incoming: &Incoming<'_>) -> Option<[u8; 16]> {
    let parts = endpoint.delivery_id.as_ref()?;
    let header = |name: &String| incoming.headers.iter().find(|(held, _)| held == name);
    let values = parts.headers.iter().map(|name| header(name).map(|(_, value)| value.as_slice()));
    let values: Option<Vec<&[u8]>> = values.chain(parts.body.then_some(Some(incoming.body))).collect();
    // Without its id a delivery is told apart by its body; so is one that is old, and accepted once.
    Some(values.map_or_else(|| of_body(incoming.body), |values| hash16(&values)))
}

fn of_body(body: &[u8]) -> [u8; 16] {
    hash16(&[b"body", body])
}

fn hash16(parts: &[&[u8]]) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let mut short = [0; 16];
    short.copy_from_slice(&hash.finalize()[..16]);
    short
}

#[cfg(test)]
mod tests;
