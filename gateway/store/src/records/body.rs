//! Bodies of any length: compressed, the first part in the owner's row, the rest in chunk rows.
//!
//! `[codec u8][length u32][chunks u16]`, then the bytes: up to 40 KiB of them in the head, 48 KiB in each chunk row.

use super::{Changes, ReadError, pack, readable_rows};
use crate::{
    engine::{Batch, Engine, MAX_VALUE_BYTES, Order},
    keys::{self, Key},
};

/// The most bytes of a head; the owner's row has room for its own fields beside it.
pub const MAX_HEAD_BYTES: usize = 40 * 1024;
/// The longest body.
pub const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;
/// Chunk bytes that go along in the owner's own commit; more go ahead in commits of their own.
const WITH_OWNER_BYTES: usize = 1024 * 1024;
/// Chunks of one commit that goes ahead.
const CHUNKS_AHEAD: usize = WITH_OWNER_BYTES / MAX_VALUE_BYTES;
const PREFIX: usize = 7;
const STORED: u8 = 0;
const ZSTD: u8 = 1;

/// A body cannot be stored, or cannot be put together again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is longer than any body may be.
    #[error("the body has {size} bytes, the limit is {limit}")]
    TooLong {
        /// Its bytes.
        size: usize,
        /// The limit.
        limit: usize,
    },
    /// Chunk rows are missing or too many.
    #[error("the body has {found} of its {expected} chunk rows")]
    Chunks {
        /// How many there are.
        found: usize,
        /// How many there should be.
        expected: usize,
    },
    /// Its bytes are not what was stored.
    #[error("the body is damaged: {0}")]
    Damaged(&'static str),
}

/// A body, cut up for its rows. Without a debug form: bodies are personal.
#[derive(Clone, PartialEq, Eq)]
pub struct BodyParts {
    /// What the owner's row keeps.
    pub head: Vec<u8>,
    /// What chunk rows keep, in order.
    pub chunks: Vec<Vec<u8>>,
}

/// Compresses a body and cuts it up. What does not get shorter is stored as it is.
///
/// # Errors
/// It is longer than [`MAX_BODY_BYTES`].
pub fn split_body(body: &[u8]) -> Result<BodyParts, BodyError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(BodyError::TooLong { size: body.len(), limit: MAX_BODY_BYTES });
    }
    let compressed = pack::pack(body).filter(|bytes| bytes.len() < body.len());
    let (codec, bytes) = compressed.as_deref().map_or((STORED, body), |bytes| (ZSTD, bytes));
    let (first, rest) = bytes.split_at(bytes.len().min(MAX_HEAD_BYTES - PREFIX));
    let chunks: Vec<Vec<u8>> = rest.chunks(MAX_VALUE_BYTES).map(<[u8]>::to_vec).collect();
    let mut head = Vec::with_capacity(PREFIX + first.len());
    head.push(codec);
    // Both fit: 64 MiB are 2^26 bytes and 1 366 chunks.
    head.extend_from_slice(&(body.len() as u32).to_be_bytes());
    head.extend_from_slice(&(chunks.len() as u16).to_be_bytes());
    head.extend_from_slice(first);
    Ok(BodyParts { head, chunks })
}

/// How many chunk rows belong to a head.
///
/// # Errors
/// It is no head.
pub fn body_chunks(head: &[u8]) -> Result<u16, BodyError> {
    prefix(head).map(|prefix| prefix.chunks)
}

/// Puts a body together again.
///
/// # Errors
/// Chunks are missing, or the bytes are damaged.
pub fn join_body<C: AsRef<[u8]>>(head: &[u8], chunks: &[C]) -> Result<Vec<u8>, BodyError> {
    let Prefix { codec, length, chunks: expected, first } = prefix(head)?;
    if chunks.len() != usize::from(expected) {
        return Err(BodyError::Chunks { found: chunks.len(), expected: expected.into() });
    }
    let mut bytes = first.to_vec();
    for chunk in chunks {
        bytes.extend_from_slice(chunk.as_ref());
    }
    let body = if codec == ZSTD {
        pack::unpack(&bytes, length)
            .ok_or(BodyError::Damaged("its compressed bytes are broken, or more than was stored"))?
    } else {
        bytes
    };
    if body.len() == length { Ok(body) } else { Err(BodyError::Damaged("its length is not the stored one")) }
}

/// Reads the chunk rows of an owner and puts its body together.
///
/// # Errors
/// The engine; or what is wrong with the body.
pub fn read_body(
    engine: &dyn Engine,
    workspace: u32,
    owner: &[u8; 16],
    head: &[u8],
) -> Result<Result<Vec<u8>, BodyError>, ReadError> {
    let expected = match body_chunks(head) {
        Ok(expected) => usize::from(expected),
        Err(error) => return Ok(Err(error)),
    };
    let mut chunks = Vec::new();
    let mut range = keys::body_range(workspace, owner);
    while chunks.len() < expected {
        // A slice of chunk rows is a few MiB.
        let (rows, _) =
            readable_rows(engine, range.clone(), Order::Forward, CHUNKS_AHEAD.min(expected - chunks.len()))?;
        let Some((last, _)) = rows.last() else { break };
        range = range.after(last);
        chunks.extend(rows.into_iter().map(|(_, row)| row.value));
    }
    Ok(join_body(head, &chunks))
}

impl BodyParts {
    /// Takes out the chunks that are too many for the owner's commit, as batches to be committed before it, in order.
    ///
    /// Most bodies have none. Chunks whose owner never comes are found by retention: nothing refers to them.
    pub fn take_ahead(&mut self, workspace: u32, owner: &[u8; 16]) -> Vec<Batch> {
        let with_owner = self.chunks.len().min(CHUNKS_AHEAD);
        let ahead: Vec<(Key, Vec<u8>)> = self.rows(workspace, owner).skip(with_owner).collect();
        self.chunks.truncate(with_owner);
        let batch = |rows: &[(Key, Vec<u8>)]| Batch { put: rows.to_vec(), ..Batch::default() };
        ahead.chunks(CHUNKS_AHEAD).map(batch).collect()
    }

    /// Writes the chunk rows along with the owner.
    pub fn put_chunks(&self, workspace: u32, owner: &[u8; 16], changes: &mut Changes) {
        self.rows(workspace, owner).for_each(|(key, row)| changes.put_row(key, row));
    }

    fn rows(&self, workspace: u32, owner: &[u8; 16]) -> impl Iterator<Item = (Key, Vec<u8>)> {
        let number = (0..=u16::MAX).map(move |number| keys::body(workspace, owner, number));
        number.zip(self.chunks.clone())
    }
}

struct Prefix<'a> {
    codec: u8,
    length: usize,
    chunks: u16,
    first: &'a [u8],
}

fn prefix(head: &[u8]) -> Result<Prefix<'_>, BodyError> {
    let parts = head.split_first().and_then(|(codec, rest)| {
        let (length, rest) = rest.split_first_chunk()?;
        let (chunks, first) = rest.split_first_chunk()?;
        Some((*codec, u32::from_be_bytes(*length) as usize, u16::from_be_bytes(*chunks), first))
    });
    match parts {
        Some((codec @ (STORED | ZSTD), length @ 0..=MAX_BODY_BYTES, chunks, first)) => {
            Ok(Prefix { codec, length, chunks, first })
        }
        Some(_) | None => Err(BodyError::Damaged("its first bytes are no body's")),
    }
}

#[cfg(test)]
mod tests;
