//! Ids that look like Meta's and derive from a seed and a counter.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use sha2::{Digest, Sha256};

/// Which way a message id points: Meta's ids differ in one byte and in the length of their last part.
#[derive(Clone, Copy)]
pub(crate) enum Way {
    Outbound,
    Inbound,
}

/// A source of ids.
pub(crate) struct Ids {
    seed: u64,
    next: AtomicU64,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, next: AtomicU64::new(0) }
    }

    /// `wamid.` and base64 of the person and a hash, laid out as in Meta's own ids.
    pub(crate) fn message(&self, person: &str, way: Way) -> String {
        let digest = self.digest(b"message");
        let (mark, tail) = match way {
            Way::Outbound => (0x11, hex::encode_upper(&digest[..9])),
            Way::Inbound => (0x12, format!("3A{}", hex::encode_upper(&digest[..9]))),
        };
        // A person is a number or a user id of at most 135 characters: its length fits a byte.
        let length = u8::try_from(person.len()).unwrap_or(u8::MAX);
        let mut raw = vec![0x1c, 0x18, length];
        raw.extend_from_slice(person.as_bytes());
        raw.extend_from_slice(&[0x15, 0x02, 0x00, mark, 0x18]);
        raw.push(u8::try_from(tail.len()).unwrap_or(u8::MAX));
        raw.extend_from_slice(tail.as_bytes());
        raw.push(0);
        format!("wamid.{}", STANDARD.encode(raw))
    }

    /// Twilio's id of an SMS: `SM` and 32 hexadecimal digits.
    pub(crate) fn sms(&self) -> String {
        format!("SM{}", hex::encode(&self.digest(b"sms")[..16]))
    }

    /// `fbtrace_id` of an error.
    pub(crate) fn trace(&self) -> String {
        format!("A{}", URL_SAFE_NO_PAD.encode(&self.digest(b"trace")[..16]))
    }

    fn digest(&self, kind: &[u8]) -> [u8; 32] {
        let place = self.next.fetch_add(1, Ordering::Relaxed);
        let mut hash = Sha256::new();
        hash.update(self.seed.to_be_bytes());
        hash.update(place.to_be_bytes());
        hash.update(kind);
        hash.finalize().into()
    }
}

/// Business-scoped user id of a number: one for each portfolio, always the same. Its country is right for some calling codes, else `ZZ`.
pub(crate) fn user_id(portfolio: &str, number: &str) -> String {
    let digest = Sha256::new().chain_update(portfolio).chain_update([0]).chain_update(number).finalize();
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    let country = COUNTRIES.iter().find(|(code, _)| number.starts_with(code)).map_or("ZZ", |(_, country)| country);
    // 20 digits, as Meta's examples have.
    format!("{country}.{:020}", u64::from_be_bytes(head))
}

/// Calling codes of some countries; none is the start of another.
const COUNTRIES: &[(&str, &str)] = &[
    ("1", "US"),
    ("33", "FR"),
    ("34", "ES"),
    ("39", "IT"),
    ("44", "GB"),
    ("49", "DE"),
    ("52", "MX"),
    ("55", "BR"),
    ("91", "IN"),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Meta's id with every hexadecimal digit of its hash made `0`.
    fn laid_out(id: &str) -> Vec<u8> {
        let mut raw = STANDARD.decode(id.strip_prefix("wamid.").unwrap()).unwrap();
        let (from, to) = (raw.len() - 17, raw.len() - 1);
        raw[from..to].fill(b'0');
        raw
    }

    #[test]
    fn ids_are_laid_out_as_metas_own() {
        let ids = Ids::new(7);
        let sent = "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJBRkJENzExMTRFRjk2NTI1OTEA";
        let ours = ids.message("16503879439", Way::Outbound);
        assert_eq!(laid_out(&ours)[..20], laid_out(sent)[..20]);
        assert_eq!(ours.len(), sent.len());
        let received = "wamid.HBgLMTY1MDM4Nzk0MzkVAgASGBQzQUQ0N0VFMDA2MTQ0RkJFNkNDNAA=";
        let ours = ids.message("16503879439", Way::Inbound);
        assert_eq!(laid_out(&ours)[..20], laid_out(received)[..20]);
        assert_eq!(ours.len(), received.len());
    }

    #[test]
    fn the_same_seed_gives_the_same_ids_and_no_id_comes_twice() {
        let (one, same, other) = (Ids::new(1), Ids::new(1), Ids::new(2));
        let first = one.message("1", Way::Outbound);
        assert_eq!(first, same.message("1", Way::Outbound));
        assert_ne!(first, other.message("1", Way::Outbound));
        assert_ne!(first, one.message("1", Way::Outbound));
        assert_eq!(one.trace().len(), "Az8or2yhqkZfEZ-_4Qn_Bam".len());
    }

    #[test]
    fn a_number_has_one_user_id_for_each_portfolio() {
        let id = user_id("1", "16505551234");
        assert!(id.starts_with("US.") && id.len() == 23, "{id}");
        assert_eq!(id, user_id("1", "16505551234"));
        assert_ne!(id, user_id("2", "16505551234"));
        assert!(user_id("1", "7").starts_with("ZZ."));
    }
}
