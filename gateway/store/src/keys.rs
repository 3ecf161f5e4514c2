//! The key space: every key is `[space u8][workspace u32 BE][…]`, and one table names the spaces.
//!
//! Knows how keys are written and read back; knows nothing about what their rows hold.

mod build;
mod lane;

pub use build::{
    GuardName, answers, body, body_range, circuit, connection, contact, contact_key, dead_letter, dedupe, delivery,
    fetch, flow, interpretation, message, meta, pause, plugin_choice, plugin_state, plugin_version, provider_id,
    registry, replies, run, secret, suppression, token, unreachable, window,
};
pub use lane::{Lane, Queue, ReadyKey, TimerKey};

use std::{borrow::Borrow, fmt, ops::Deref};

/// The workspace number of rows that belong to no workspace.
pub const NO_WORKSPACE: u32 = 0;

macro_rules! spaces {
    ($($(#[$doc:meta])* $name:ident = $byte:literal, $label:literal, $privacy:ident;)*) => {
        /// The first byte of a key: what kind of row it is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Space {
            $($(#[$doc])* $name = $byte,)*
        }

        impl Space {
            /// Every space, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The space of a key's first byte.
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($byte => Some(Self::$name),)*
                    _ => None,
                }
            }

            /// What people call rows of this space.
            pub const fn label(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)*
                }
            }

            const fn privacy(self) -> Privacy {
                match self {
                    $(Self::$name => Privacy::$privacy,)*
                }
            }
        }
    };
}

/// Whether the text form of a key may be shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Privacy {
    /// The key holds numbers, ids and names that the operator chose.
    Open,
    /// The key may hold a phone number, an address or a provider's text: shown as a checksum.
    Personal,
}

spaces! {
    /// The store about itself: format, commit counter, openings.
    Meta = b'M', "meta", Open;
    /// Names and their small numbers: workspaces, endpoints, senders.
    Registry = b'R', "registry", Open;
    /// Ready pure work.
    Ready = b'q', "ready work", Open;
    /// Ready I/O work: fetch, send, sync.
    Io = b'w', "ready I/O work", Open;
    /// Timers: work that is due later.
    Timers = b't', "timer", Open;
    /// Work that was given up, with its reason.
    DeadLetters = b'x', "dead letter", Open;
    /// Endpoints whose plugin is paused, while things wait for it.
    Pauses = b'h', "pause", Open;
    /// What was received before.
    Dedupe = b'k', "de-duplication", Open;
    /// Received webhooks.
    Deliveries = b'd', "delivery", Open;
    /// The further chunks of long bodies.
    Bodies = b'b', "body chunk", Open;
    /// What a plugin made of an item.
    Interpretations = b'i', "interpretation", Open;
    /// Contacts.
    Contacts = b'c', "contact", Open;
    /// A contact's keys and addresses, each to its contact.
    ContactKeys = b'a', "contact key", Personal;
    /// Customer service windows and conversations.
    Windows = b'n', "window", Open;
    /// Runs that wait for a contact's reply.
    Replies = b'l', "wait for a reply", Open;
    /// Runs of flows.
    Runs = b'r', "run", Open;
    /// Flow versions.
    Flows = b'f', "flow version", Open;
    /// Messages, in and out.
    Messages = b'm', "message", Open;
    /// Versions of plugins that are installed.
    PluginVersions = b'v', "plugin version", Open;
    /// Which version of a plugin is active, and for whom.
    PluginChoices = b'j', "plugin choice", Open;
    /// What plugins keep from item to item.
    PluginState = b'p', "plugin state", Personal;
    /// Addresses that must not be written to.
    Suppressions = b's', "suppression", Personal;
    /// Open circuits: what is known not to work, until it does.
    Circuits = b'e', "circuit", Open;
    /// Addresses that a channel does not reach.
    Unreachable = b'u', "unreachable address", Personal;
    /// A provider's message id to our message.
    ProviderIds = b'o', "provider message id", Personal;
    /// Items that wait for answers of their provider.
    Fetches = b'y', "waiting item", Open;
    /// Answers that plugins were given.
    Answers = b'z', "answers", Open;
    /// How connections fare at their providers.
    Connections = b'C', "connection", Open;
    /// Secrets that the gateway made, sealed.
    Secrets = b'S', "sealed secret", Open;
    /// Tokens that providers gave for connections, sealed.
    Tokens = b'T', "sealed token", Open;
    /// Rows of guarded operations: rates, counters, rolling sets.
    Guards = b'g', "guard", Personal;
}

/// A key: ordered bytes that begin with space and workspace.
///
/// Its text form names the space and the workspace; the rest is hex, or a checksum where it may be personal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Vec<u8>);

impl Key {
    /// Starts a key of this space and workspace.
    pub fn new(space: Space, workspace: u32) -> Self {
        let mut bytes = Vec::with_capacity(40);
        bytes.push(space as u8);
        bytes.extend_from_slice(&workspace.to_be_bytes());
        Self(bytes)
    }

    /// A key as it was read from an engine.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Appends one byte.
    #[must_use]
    pub fn u8(mut self, part: u8) -> Self {
        self.0.push(part);
        self
    }

    /// Appends a number, in its order.
    #[must_use]
    pub fn u16(self, part: u16) -> Self {
        self.bytes(&part.to_be_bytes())
    }

    /// Appends a number, in its order.
    #[must_use]
    pub fn u32(self, part: u32) -> Self {
        self.bytes(&part.to_be_bytes())
    }

    /// Appends a number, in its order.
    #[must_use]
    pub fn u64(self, part: u64) -> Self {
        self.bytes(&part.to_be_bytes())
    }

    /// Appends bytes of a fixed length, or the last part of a key.
    #[must_use]
    pub fn bytes(mut self, part: &[u8]) -> Self {
        self.0.extend_from_slice(part);
        self
    }

    /// Appends text of any length so that further parts may follow: the order of texts is kept and no text is the start of another.
    #[must_use]
    pub fn text(mut self, part: &str) -> Self {
        for byte in part.bytes() {
            // 0 ends a text, so 0 and 1 are written as two bytes.
            if byte > 1 {
                self.0.push(byte);
            } else {
                self.0.extend_from_slice(&[1, byte + 1]);
            }
        }
        self.0.push(0);
        self
    }

    /// The space, when the first byte names one.
    pub fn space(&self) -> Option<Space> {
        self.0.first().copied().and_then(Space::from_byte)
    }

    /// The workspace number; 0 when the key is too short to have one.
    pub fn workspace(&self) -> u32 {
        self.0.get(1..5).and_then(|b| b.try_into().ok()).map_or(NO_WORKSPACE, u32::from_be_bytes)
    }

    /// The bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rest = self.0.get(5..).unwrap_or_default();
        let Some(space) = self.space() else {
            return write!(f, "key of an unknown space ({} bytes)", self.0.len());
        };
        write!(f, "{} in workspace {}: ", space.label(), self.workspace())?;
        match space.privacy() {
            Privacy::Personal => write!(f, "{} bytes, checksum {:08x}", rest.len(), crc32c::crc32c(rest)),
            Privacy::Open if rest.iter().all(|b| b.is_ascii_graphic()) => f.write_str(&String::from_utf8_lossy(rest)),
            Privacy::Open => rest.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({self})")
    }
}

#[cfg(test)]
mod tests;
