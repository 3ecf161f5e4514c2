//! A flow that can run: its definition, with conditions and texts compiled and steps linked.

use crate::{Definition, FORMAT, FlowVersion, Invalid, LoadError, condition::Condition, text::Text, text::Texts};
use serde::Deserialize;
use std::{collections::BTreeMap, fmt};
use tidegate_model::message::{Category, ChannelKind};

mod compile;

/// A flow that was checked and compiled. Cheap to share, the same for all its runs.
pub struct Flow {
    definition: Definition,
    version: FlowVersion,
    pub(crate) condition: Option<Condition>,
    pub(crate) steps: Vec<Compiled>,
    pub(crate) first: Option<usize>,
    pub(crate) texts: Texts,
    index: BTreeMap<String, usize>,
}

/// A step, linked to the one that follows it.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) id: String,
    pub(crate) work: Work,
    /// What follows, also out of a branch; `None` at the end of the flow.
    pub(crate) next: Option<usize>,
}

/// What a step does.
#[derive(Debug)]
pub(crate) enum Work {
    Wait { for_ms: i64 },
    WaitForReply { for_ms: i64, channel: Option<ChannelKind>, then: Option<usize>, no_response: Option<usize> },
    If { condition: Condition, then: Option<usize>, otherwise: Option<usize> },
    Send(SendWork),
    Sms(SmsWork),
}

/// A message.
#[derive(Debug)]
pub(crate) struct SendWork {
    pub(crate) template: String,
    pub(crate) sender: Option<String>,
    pub(crate) parameters: BTreeMap<String, Text>,
}

/// A text by SMS.
#[derive(Debug)]
pub(crate) struct SmsWork {
    pub(crate) text: Text,
    pub(crate) sender: Option<String>,
    pub(crate) category: Category,
}

impl Flow {
    /// Compiles a definition.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn new(mut definition: Definition) -> Result<Self, Invalid> {
        definition.on.sort();
        definition.on.dedup();
        compile::compile(definition)
    }

    /// Loads a definition as [`Definition::to_json`] wrote it, in this release or an older one.
    ///
    /// # Errors
    /// When it is newer than this release, damaged, or can't be run.
    pub fn load(json: &str) -> Result<Self, LoadError> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_str(json)?;
        if format > FORMAT {
            return Err(LoadError::Newer { found: format });
        }
        Ok(Self::new(serde_json::from_str(json)?)?)
    }

    /// Its definition: what is stored.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.definition.flow
    }

    /// Its version.
    pub fn version(&self) -> FlowVersion {
        self.version
    }

    /// Event kinds and triggers that start it.
    pub fn on(&self) -> &[String] {
        &self.definition.on
    }

    /// Ids of its steps, in the order of the file.
    pub fn step_ids(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(|step| step.id.as_str())
    }

    /// A step by its id.
    pub(crate) fn step(&self, id: &str) -> Option<&Compiled> {
        self.steps.get(*self.index.get(id)?)
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Flow({} {})", self.name(), self.version)
    }
}

#[cfg(test)]
mod tests;
