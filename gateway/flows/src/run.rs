//! One contact in one version of a flow: where it stands, and how it came there. A value of plain data, stored as JSON.

use crate::{Flow, FlowVersion};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use tidegate_model::{ContactId, EventId, RunId, Timestamp, message::ChannelKind, outcome::Trigger};

/// The id of the run that an event starts in a flow: the same each time, so a repeated event starts nothing anew.
pub fn run_id(event: EventId, flow: &str) -> RunId {
    RunId::derive(event.root_ms(), &[event.raw(), b"run", flow.as_bytes()])
}

/// One contact in one version of a flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Id, derived from the event and the flow (see [`run_id`]).
    pub id: RunId,
    /// Name of the flow.
    pub flow: String,
    /// The version it entered, and finishes on.
    pub version: FlowVersion,
    /// Who.
    pub contact: ContactId,
    /// The event that started it.
    pub event: EventId,
    /// Name of the trigger that started it, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// What conditions and texts read.
    pub vars: Vars,
    /// Where it stands.
    pub at: Position,
    /// Whether it goes on, and what it waits for.
    pub state: RunState,
    /// Waits begun so far; the number of the last is the timer's.
    #[serde(default)]
    pub waits: u32,
    /// When it began.
    pub started_at: Timestamp,
    /// When it last moved.
    pub updated_at: Timestamp,
    /// Its steps so far, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trail: Vec<Visit>,
}

/// What conditions and texts read.
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Vars {
    /// The event, as JSON, as it was when the run began.
    pub event: Value,
    /// The trigger's own variables: a JSON object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Value>,
    /// The contact's last reply: a message as `event.message` has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Value>,
}

impl fmt::Debug for Vars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vars(***)")
    }
}

/// Where a run stands. By a step's id, not its number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Position {
    /// Before the first step.
    Start,
    /// At this step.
    Step(String),
    /// After the last step.
    End,
}

/// Whether a run goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunState {
    /// Has yet to start.
    Active,
    /// Waits for a time.
    Waiting {
        /// The step that waits.
        step: String,
        /// Until when.
        due_at: Timestamp,
        /// Number of the timer: only the timer of this number ends the wait.
        timer: u32,
    },
    /// Waits for a message from the contact.
    WaitingForReply {
        /// The step that waits.
        step: String,
        /// Since when: a message that was received before is no reply.
        since: Timestamp,
        /// Until when: a message that was received later is none either.
        due_at: Timestamp,
        /// Number of the timer that ends the wait without a reply.
        timer: u32,
        /// The channel that it has to come by; any when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channel: Option<ChannelKind>,
    },
    /// Reached its end.
    Completed,
    /// The entry condition was false: it never began, and need not be stored.
    NotEntered,
    /// Can't go on.
    Failed {
        /// The step; `None` for the entry condition.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<String>,
        /// Why, for an operator.
        reason: String,
    },
    /// Ended by a person.
    Stopped,
}

impl RunState {
    /// Whether nothing further will happen.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Active | Self::Waiting { .. } | Self::WaitingForReply { .. } => false,
            Self::Completed | Self::NotEntered | Self::Failed { .. } | Self::Stopped => true,
        }
    }
}

/// One step of a run's trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// The step.
    pub step: String,
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A wait began.
    Waiting {
        /// Until when.
        until: Timestamp,
    },
    /// A wait ended.
    Waited,
    /// The contact replied in time.
    Replied,
    /// The contact did not reply in time.
    NoResponse,
    /// The condition was true.
    Then,
    /// The condition was false.
    Else,
    /// A message went to the send gate.
    Sent,
    /// A message could not be made; the run went on without it.
    SendFailed {
        /// Why, for an operator.
        reason: String,
    },
    /// The run ended here.
    Failed,
}

impl Run {
    /// A run that has yet to start. `event_json` is the event as JSON: what conditions and texts read as `event`.
    pub fn new(
        flow: &Flow,
        contact: ContactId,
        event: EventId,
        event_json: Value,
        trigger: Option<&Trigger>,
        now: Timestamp,
    ) -> Self {
        Self {
            id: run_id(event, flow.name()),
            flow: flow.name().to_owned(),
            version: flow.version(),
            contact,
            event,
            trigger: trigger.map(|trigger| trigger.name.clone()),
            vars: Vars {
                event: event_json,
                trigger: trigger.map(|trigger| Value::Object(trigger.variables.clone())),
                reply: None,
            },
            at: Position::Start,
            state: RunState::Active,
            waits: 0,
            started_at: now,
            updated_at: now,
            trail: Vec::new(),
        }
    }
}
