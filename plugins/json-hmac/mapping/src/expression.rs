//! Expressions: the part of CEL that a mapping needs, read once and evaluated in bounded work. A signed webhook may hold anything, and a mapping is somebody else's:
//! so the length, the depth, the loops and the steps of an item have limits, and an expression that passes one fails its item with a sentence.
//!
//! Two things differ from CEL as flows have it: what is not there is `null` (providers leave members out), and there are no regular expressions, times and maps.

mod eval;
mod functions;
mod lex;
mod node;
mod parse;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use value::Value;

use crate::Scope;
use node::Node;
use std::cell::Cell;

/// Longest expression, in bytes.
const MAX_LEN: usize = 1_024;
/// Steps of one item: a step is a part of an expression, a value looked up, or 16 bytes of text.
const MAX_STEPS: u32 = 400_000;

/// The names that an expression can read.
pub(crate) const ROOTS: [&str; 6] = ["topic", "body", "headers", "envelope", "received_at", "it"];

/// An expression that was read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    source: String,
    node: Node,
}

/// Why an expression has no value, in words for an operator; never with a value of the webhook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// The item has used up its steps: expressions after this one have none either.
    #[error("the item needs more than {MAX_STEPS} steps; shorten its lists, or cut it into items by `items.each`")]
    Steps,
    /// Its values do not go with what is done with them.
    #[error("{0}")]
    Value(String),
}

/// What is left of an item's steps.
#[derive(Debug)]
pub struct Budget(Cell<u32>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(MAX_STEPS))
    }
}

impl Budget {
    /// Takes so many steps.
    ///
    /// # Errors
    /// When there are not so many.
    pub(crate) fn take(&self, steps: usize) -> Result<(), ExpressionError> {
        let left = u32::try_from(steps).ok().and_then(|steps| self.0.get().checked_sub(steps));
        self.0.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or(ExpressionError::Steps)
    }
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong, in words for its author.
    pub fn new(source: &str) -> Result<Self, String> {
        if source.len() > MAX_LEN {
            return Err(format!("an expression is at most {MAX_LEN} bytes, this one has {}", source.len()));
        }
        let node = parse::parse(source).map_err(|why| format!("{why}, in the expression {source:?}"))?;
        Ok(Self { source: source.to_owned(), node })
    }

    /// Its text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its value.
    pub(crate) fn value<'a>(&'a self, scope: &Scope<'a>) -> Result<Value<'a>, ExpressionError> {
        eval::Evaluation::new(scope).value(&self.node)
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// When it has no value, or one that is neither true nor false.
    pub fn holds<'a>(&'a self, scope: &Scope<'a>) -> Result<bool, ExpressionError> {
        match self.value(scope)? {
            Value::Bool(holds) => Ok(holds),
            other => Err(ExpressionError::Value(format!("it gives {}, not true or false", other.name()))),
        }
    }
}
