//! Which flows an event starts. Looks at names only: conditions need the contact, and are evaluated by `advance`.

use crate::{Flow, FlowVersion};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use tidegate_model::{event::Event, outcome::Trigger};

/// The flows of a workspace, in their newest version.
#[derive(Debug, Clone, Default)]
pub struct FlowSet {
    flows: BTreeMap<String, Arc<Flow>>,
    /// By kind or trigger; flows in the order of their names.
    on: HashMap<String, Vec<Arc<Flow>>>,
}

/// Two flows have one name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("two flows are named {name}; rename one")]
pub struct DuplicateName {
    /// The name.
    pub name: String,
}

impl FlowSet {
    /// A set of flows.
    ///
    /// # Errors
    /// When two have the same name.
    pub fn new(flows: impl IntoIterator<Item = Flow>) -> Result<Self, DuplicateName> {
        let mut set = Self::default();
        for flow in flows {
            let name = flow.name().to_owned();
            if set.flows.insert(name.clone(), Arc::new(flow)).is_some() {
                return Err(DuplicateName { name });
            }
        }
        for flow in set.flows.values() {
            for name in flow.on() {
                set.on.entry(name.clone()).or_default().push(Arc::clone(flow));
            }
        }
        Ok(set)
    }

    /// The flow of a name, in its newest version.
    pub fn get(&self, name: &str) -> Option<&Arc<Flow>> {
        self.flows.get(name)
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Flow>> {
        self.flows.values()
    }

    fn on(&self, name: &str) -> &[Arc<Flow>] {
        self.on.get(name).map_or(&[], Vec::as_slice)
    }
}

/// A flow that an event starts.
#[derive(Debug, Clone)]
pub struct Match<'a> {
    /// The flow.
    pub flow: Arc<Flow>,
    /// The trigger that it asks for; `None` when it asks for the event's kind.
    pub trigger: Option<&'a Trigger>,
}

impl Match<'_> {
    /// The version that the run will keep.
    pub fn version(&self) -> FlowVersion {
        self.flow.version()
    }
}

/// The flows that an event starts, in the order of their names.
///
/// Those that name its kind, and those that name one of the triggers raised with it. A flow is started once by an event; a
/// trigger comes before the kind, the first trigger before the second. Names match exactly, so a message's status starts only
/// flows that ask for `message.status_changed`.
pub fn match_event<'a>(
    flows: &FlowSet,
    event: &Event,
    triggers: impl IntoIterator<Item = &'a Trigger>,
) -> Vec<Match<'a>> {
    let mut found: BTreeMap<&str, Match<'a>> = BTreeMap::new();
    let names = triggers.into_iter().map(|trigger| (trigger.name.as_str(), Some(trigger)));
    for (name, trigger) in names.chain([(event.kind.as_str(), None)]) {
        for flow in flows.on(name) {
            found.entry(flow.name()).or_insert_with(|| Match { flow: Arc::clone(flow), trigger });
        }
    }
    found.into_values().collect()
}

#[cfg(test)]
mod tests;
