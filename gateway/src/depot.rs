//! The depot: the versions of plugins that are installed, and which of them is active for whom. Components lie in files of the data directory, what is known of them
//! and what is active are rows of the store, so that a switch is one commit. It knows no endpoints, and does not load plugins.

mod files;
pub(crate) mod oci;
mod reference;
mod shelf;
mod trust;
mod wants;

pub(crate) use files::Depot;
pub(crate) use reference::{Reference, read_digest};
pub(crate) use shelf::{Build, Shelf};
pub(crate) use trust::{Signed, TrustedKey, keypair, sign, verify};
pub(crate) use wants::{Want, misfit, wants};

/// Largest component that is installed: what the plugin host takes.
pub(crate) const COMPONENT_BYTES: usize = 64 << 20;

/// SHA-256 in lower-case hex: what tells builds apart.
pub(crate) fn digest_of(component: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(component))
}
