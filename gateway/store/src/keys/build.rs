//! One builder per kind of row; the parts after space and workspace are listed in each one's text.

use super::{Key, NO_WORKSPACE, Space};
use crate::engine::KeyRange;

/// `[name]`: a row of the store about itself.
pub fn meta(name: &str) -> Key {
    Key::new(Space::Meta, NO_WORKSPACE).bytes(name.as_bytes())
}

/// `[kind u8][name]`: a name's number.
pub fn registry(kind: u8, name: &str) -> Key {
    Key::new(Space::Registry, NO_WORKSPACE).u8(kind).text(name)
}

/// `[seq u64]`: work that was given up, in the order of giving up.
pub fn dead_letter(workspace: u32, seq: u64) -> Key {
    Key::new(Space::DeadLetters, workspace).u64(seq)
}

/// `[endpoint u32]`: things wait for the endpoint's plugin.
pub fn pause(workspace: u32, endpoint: u32) -> Key {
    Key::new(Space::Pauses, workspace).u32(endpoint)
}

/// `[endpoint u32][day u16][hash 16]`: received on this day (days since 1970).
pub fn dedupe(workspace: u32, endpoint: u32, day: u16, hash: &[u8; 16]) -> Key {
    Key::new(Space::Dedupe, workspace).u32(endpoint).u16(day).bytes(hash)
}

/// `[delivery id 16]`.
pub fn delivery(workspace: u32, id: &[u8; 16]) -> Key {
    Key::new(Space::Deliveries, workspace).bytes(id)
}

/// `[owner id 16][number u16]`: a chunk after the first of a long body.
pub fn body(workspace: u32, owner: &[u8; 16], number: u16) -> Key {
    Key::new(Space::Bodies, workspace).bytes(owner).u16(number)
}

/// All chunk rows of one owner, in order.
pub fn body_range(workspace: u32, owner: &[u8; 16]) -> KeyRange {
    KeyRange::prefix(&Key::new(Space::Bodies, workspace).bytes(owner))
}

/// `[item id 16]`.
pub fn interpretation(workspace: u32, item: &[u8; 16]) -> Key {
    Key::new(Space::Interpretations, workspace).bytes(item)
}

/// `[plugin id][version]`: an installed version.
pub fn plugin_version(plugin: &str, version: &str) -> Key {
    Key::new(Space::PluginVersions, NO_WORKSPACE).text(plugin).text(version)
}

/// `[plugin id][connection name]`: the active version; of the plugin itself where the connection is empty.
pub fn plugin_choice(plugin: &str, connection: &str) -> Key {
    Key::new(Space::PluginChoices, NO_WORKSPACE).text(plugin).text(connection)
}

/// `[item id 16]`: the item waits for answers.
pub fn fetch(workspace: u32, item: &[u8; 16]) -> Key {
    Key::new(Space::Fetches, workspace).bytes(item)
}

/// `[id 16]`: answers, under an id that begins with the moment of their item.
pub fn answers(workspace: u32, id: &[u8; 16]) -> Key {
    Key::new(Space::Answers, workspace).bytes(id)
}

/// `[contact id 16]`.
pub fn contact(workspace: u32, id: &[u8; 16]) -> Key {
    Key::new(Space::Contacts, workspace).bytes(id)
}

/// `[kind u8][text]`: a contact's phone, address or external id.
pub fn contact_key(workspace: u32, kind: u8, text: &str) -> Key {
    Key::new(Space::ContactKeys, workspace).u8(kind).text(text)
}

/// Which runs wait for a contact's reply.
pub fn replies(workspace: u32, contact: &[u8; 16]) -> Key {
    Key::new(Space::Replies, workspace).bytes(contact)
}

/// `[contact id 16][sender u32]`.
pub fn window(workspace: u32, contact: &[u8; 16], sender: u32) -> Key {
    Key::new(Space::Windows, workspace).bytes(contact).u32(sender)
}

/// `[run id 16]`.
pub fn run(workspace: u32, id: &[u8; 16]) -> Key {
    Key::new(Space::Runs, workspace).bytes(id)
}

/// `[flow name][version hash]`.
pub fn flow(workspace: u32, name: &str, version: &[u8]) -> Key {
    Key::new(Space::Flows, workspace).text(name).bytes(version)
}

/// `[message id 16]`.
pub fn message(workspace: u32, id: &[u8; 16]) -> Key {
    Key::new(Space::Messages, workspace).bytes(id)
}

/// `[connection u32][state key]`.
pub fn plugin_state(workspace: u32, connection: u32, state_key: &str) -> Key {
    Key::new(Space::PluginState, workspace).u32(connection).text(state_key)
}

/// `[channel u8][address]`.
pub fn suppression(workspace: u32, channel: u8, address: &str) -> Key {
    Key::new(Space::Suppressions, workspace).u8(channel).text(address)
}

/// `[scope]`: what does not work, as a text.
pub fn circuit(workspace: u32, scope: &str) -> Key {
    Key::new(Space::Circuits, workspace).text(scope)
}

/// `[channel u8][address]`.
pub fn unreachable(workspace: u32, channel: u8, address: &str) -> Key {
    Key::new(Space::Unreachable, workspace).u8(channel).text(address)
}

/// `[sender u32][provider's id]`.
pub fn provider_id(workspace: u32, sender: u32, id: &str) -> Key {
    Key::new(Space::ProviderIds, workspace).u32(sender).text(id)
}

/// `[connection u32]`.
pub fn connection(workspace: u32, connection: u32) -> Key {
    Key::new(Space::Connections, workspace).u32(connection)
}

/// `[connection u32]`.
pub fn secret(workspace: u32, connection: u32) -> Key {
    Key::new(Space::Secrets, workspace).u32(connection)
}

/// `[connection u32]`.
pub fn token(workspace: u32, connection: u32) -> Key {
    Key::new(Space::Tokens, workspace).u32(connection)
}

/// The name of a guarded row: `[name, ended]`, then what the operation keeps. No name is the start of another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GuardName(Key);

impl GuardName {
    /// A guard of this workspace. Names are the application's: `"pair:12:…"`.
    pub fn new(workspace: u32, name: &str) -> Self {
        Self(Key::new(Space::Guards, workspace).text(name))
    }

    /// The row with the guard's own figure.
    pub(crate) fn row(&self) -> Key {
        self.0.clone().u8(0)
    }

    /// The row of one member of a set.
    pub(crate) fn member(&self, id: &[u8; 16]) -> Key {
        self.0.clone().u8(1).bytes(id)
    }

    /// The row that says when a member's place is to be looked at.
    pub(crate) fn expiry(&self, at_ms: i64, id: &[u8; 16]) -> Key {
        self.0.clone().u8(2).u64(u64::try_from(at_ms).unwrap_or(0)).bytes(id)
    }

    /// All expiry rows, the earliest first.
    pub(crate) fn expiries(&self) -> KeyRange {
        KeyRange::prefix(&self.0.clone().u8(2))
    }

    /// Moment and member of an expiry row's key.
    pub(crate) fn parse_expiry(&self, key: &[u8]) -> Option<(i64, [u8; 16])> {
        let rest = key.strip_prefix(&*self.0)?.strip_prefix(&[2])?;
        let (at, id) = rest.split_first_chunk()?;
        Some((i64::try_from(u64::from_be_bytes(*at)).ok()?, id.try_into().ok()?))
    }
}
