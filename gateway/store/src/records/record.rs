//! The frame of JSON records: `{"v":1,…}`, or the same with a binary tail in one row.

use super::{RecordError, pack};
use crate::keys::{Key, Space};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The only form of a row with a tail: `[1 u8][json length u32][json][tail]`.
const TAIL_FORM: u8 = 1;
/// Bytes before the JSON of a row with a tail.
const TAIL_HEAD: usize = 5;
/// The form of a long row: `[2 u8][length u32][zstd of the row as it would be]`.
const PACKED_FORM: u8 = 2;
/// Bytes before the compressed ones of a long row.
const PACKED_HEAD: usize = 5;
/// A row that is longer is compressed: an order of hundreds of lines must fit a value of the store. Shorter ones stay readable by eye.
const PACK_OVER_BYTES: usize = 32 * 1024;
/// The longest row before compression.
const MAX_UNPACKED_BYTES: usize = 16 * 1024 * 1024;

/// How a record lies in its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `{"v":1,…}`.
    Json,
    /// `[1 u8][json length u32][json][tail]`: the JSON as above, and bytes that are no JSON.
    JsonTail,
}

/// A typed row.
///
/// Its JSON is an object without a field `v`: that is the row's version. Fields that are left out when they are default
/// keep old rows readable; whatever needs more raises [`Record::VERSION`] and adds a step to [`Record::upgrade`].
pub trait Record: Serialize + DeserializeOwned {
    /// Where its rows lie.
    const SPACE: Space;
    /// The version that is written.
    const VERSION: u16;
    /// How it lies in its row.
    const LAYOUT: Layout = Layout::Json;
    /// What names one record.
    type Key;

    /// This record's name.
    fn key(&self) -> Self::Key;

    /// The row of a name.
    fn row_key(key: &Self::Key) -> Key;

    /// Brings fields of version `from` to version `from + 1`; `None` when there is no way.
    fn upgrade(from: u16, fields: Map<String, Value>) -> Option<Map<String, Value>> {
        let _ = (from, fields);
        None
    }

    /// The tail of a [`Layout::JsonTail`] record.
    fn tail(&self) -> &[u8] {
        &[]
    }

    /// Takes the tail that was read.
    fn set_tail(&mut self, tail: Vec<u8>) {
        let _ = tail;
    }
}

#[derive(Deserialize)]
struct Versioned {
    v: u16,
}

/// A record's row.
///
/// # Errors
/// It is not a JSON object.
pub fn encode<R: Record>(record: &R) -> Result<(Key, Vec<u8>), RecordError> {
    let key = R::row_key(&record.key());
    let unwritable = |problem: String| RecordError::Unwritable { record: R::SPACE.label(), key: key.clone(), problem };
    let mut row = Vec::with_capacity(256 + record.tail().len());
    if R::LAYOUT == Layout::JsonTail {
        row.extend_from_slice(&[TAIL_FORM, 0, 0, 0, 0]);
    }
    let json_at = row.len();
    row.extend_from_slice(format!("{{\"v\":{}", R::VERSION).as_bytes());
    let fields_at = row.len();
    serde_json::to_writer(&mut row, record).map_err(|error| unwritable(error.to_string()))?;
    match row.get(fields_at..) {
        Some(b"{}") => drop(row.remove(fields_at)),
        Some([b'{', ..]) => row[fields_at] = b',',
        _ => return Err(unwritable("its JSON is no object".to_owned())),
    }
    if R::LAYOUT == Layout::JsonTail {
        let length = u32::try_from(row.len() - json_at).map_err(|_| unwritable("its JSON is too long".to_owned()))?;
        row[1..TAIL_HEAD].copy_from_slice(&length.to_be_bytes());
        row.extend_from_slice(record.tail());
    }
    Ok((key, packed(row)))
}

/// A row in the form that it is stored in.
fn packed(row: Vec<u8>) -> Vec<u8> {
    if !(PACK_OVER_BYTES..=MAX_UNPACKED_BYTES).contains(&row.len()) {
        return row;
    }
    match pack::pack(&row).filter(|bytes| bytes.len() < row.len()) {
        Some(bytes) => {
            let mut stored = Vec::with_capacity(PACKED_HEAD + bytes.len());
            stored.push(PACKED_FORM);
            // It fits: 16 MiB are 2^24 bytes.
            stored.extend_from_slice(&(row.len() as u32).to_be_bytes());
            stored.extend_from_slice(&bytes);
            stored
        }
        None => row,
    }
}

/// A row as it was before it was packed; `None` when it is damaged.
fn unpacked(row: &[u8]) -> Option<Cow<'_, [u8]>> {
    let Some((&PACKED_FORM, rest)) = row.split_first() else { return Some(Cow::Borrowed(row)) };
    let (length, bytes) = rest.split_first_chunk()?;
    let length = u32::from_be_bytes(*length) as usize;
    if length > MAX_UNPACKED_BYTES {
        return None;
    }
    pack::unpack(bytes, length).filter(|row| row.len() == length).map(Cow::Owned)
}

/// Reads a record's row. Older versions are brought up to date.
///
/// # Errors
/// The record, the row and what is wrong.
pub fn decode<R: Record>(key: &Key, row: &[u8]) -> Result<R, RecordError> {
    let malformed = |problem: String| RecordError::Malformed { record: R::SPACE.label(), key: key.clone(), problem };
    let row = unpacked(row)
        .ok_or_else(|| malformed("its compressed bytes are broken, or more than was stored".to_owned()))?;
    match R::LAYOUT {
        Layout::Json => decode_json(key, &row),
        Layout::JsonTail => {
            let (json, tail) = split_tail(&row).map_err(malformed)?;
            let mut record: R = decode_json(key, json)?;
            record.set_tail(tail.to_vec());
            Ok(record)
        }
    }
}

fn split_tail(row: &[u8]) -> Result<(&[u8], &[u8]), String> {
    let form = row.first().copied().unwrap_or_default();
    if form != TAIL_FORM {
        return Err(format!("it begins with {form}, expected {TAIL_FORM}"));
    }
    let split = row[1..].split_first_chunk::<4>();
    let parts = split.and_then(|(length, rest)| rest.split_at_checked(u32::from_be_bytes(*length) as usize));
    parts.ok_or_else(|| format!("it ends within its JSON, after {} bytes", row.len()))
}

fn decode_json<R: Record>(key: &Key, json: &[u8]) -> Result<R, RecordError> {
    let malformed = |error: serde_json::Error| RecordError::Malformed {
        record: R::SPACE.label(),
        key: key.clone(),
        problem: error.to_string(),
    };
    let found = match written_version(json) {
        Some(version) => version,
        None => serde_json::from_slice::<Versioned>(json).map_err(malformed)?.v,
    };
    if found == R::VERSION {
        return serde_json::from_slice(json).map_err(malformed);
    }
    if found > R::VERSION {
        return Err(RecordError::Newer { record: R::SPACE.label(), key: key.clone(), found, known: R::VERSION });
    }
    let mut fields: Map<String, Value> = serde_json::from_slice(json).map_err(malformed)?;
    for from in found..R::VERSION {
        fields = R::upgrade(from, fields).ok_or(RecordError::NoUpgrade {
            record: R::SPACE.label(),
            key: key.clone(),
            found: from,
            known: R::VERSION,
        })?;
    }
    serde_json::from_value(Value::Object(fields)).map_err(malformed)
}

/// The version where this gateway writes it: first. A row that a person repaired may have it elsewhere.
fn written_version(json: &[u8]) -> Option<u16> {
    let rest = json.strip_prefix(b"{\"v\":")?;
    let digits = rest.iter().position(|byte| !byte.is_ascii_digit())?;
    matches!(rest[digits], b',' | b'}').then_some(())?;
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests;
