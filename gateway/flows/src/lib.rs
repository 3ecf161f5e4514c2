//! Flows: parsed from YAML, matched to events, advanced step by step. Pure: no I/O, no clock, no async, no randomness; the time is an argument and what should happen is returned.
//!
//! [`parse_flow`] reads a file into a [`Flow`] (its [`Definition`] is what is stored, its [`FlowVersion`] is the definition's
//! hash), [`match_event`] says which flows an event starts, [`advance`] moves one [`Run`] and returns its [`Effect`]s,
//! [`check`] finds mistakes before anybody is messaged.

mod advance;
mod ast;
mod check;
mod condition;
mod duration;
mod error;
mod flow;
mod matching;
mod need;
mod parse;
mod run;
mod scope;
mod template;
mod text;
mod version;

pub use advance::{Context, Effect, Input, STEP_BUDGET, advance};
pub use ast::{Action, Branch, Definition, FORMAT, Send, Sms, Step, Wait, WaitForReply};
pub use check::{Finding, Limits, Severity, check};
pub use duration::{DurationError, format_duration, parse_duration};
pub use error::{Fault, Invalid, LoadError, ParseError, Problem};
pub use flow::Flow;
pub use matching::{DuplicateName, FlowSet, Match, match_event};
pub use parse::{parse_flow, parse_template};
pub use run::{Outcome, Position, Run, RunState, Vars, Visit, run_id};
pub use template::{Language, ParameterFormat, Template, TemplateDefinition, TemplateSet};
pub use version::FlowVersion;

/// The JSON Schema of a flow file, for editors.
pub const FLOW_SCHEMA: &str = include_str!("../flow.schema.json");
