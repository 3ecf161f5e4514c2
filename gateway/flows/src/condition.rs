//! Conditions, in CEL: compiled and checked once, evaluated with the few values they read.
//!
//! What a condition can cost is bounded when it is compiled: its length, the depth of its tree, two nested loops over lists, and
//! regular expressions only as written in the flow, never from an event. The engine has no unbounded loop.

use crate::{
    need::Needs,
    run::Vars,
    scope::{Scope, unknown_root},
};
use cel::{Env, ExecutionError, Program, Value};
use std::{
    fmt,
    sync::{Arc, LazyLock},
};

mod inspect;
mod lexical;

/// Longest condition, in bytes.
const MAX_LEN: usize = 1_024;
/// CEL's standard functions. Built once, never changed.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// A compiled condition.
pub(crate) struct Condition {
    source: String,
    program: Program,
    needs: Needs,
    constant: Option<bool>,
}

impl Condition {
    /// Compiles a condition.
    ///
    /// # Errors
    /// What is wrong, in words for its author.
    pub(crate) fn compile(source: &str) -> Result<Self, String> {
        if source.len() > MAX_LEN {
            return Err(format!("a condition is at most {MAX_LEN} bytes, this one has {}", source.len()));
        }
        lexical::check(source).map_err(|why| format!("{why}, in the condition {source:?}"))?;
        let program = ENV.compile(source).map_err(|errors| syntax(source, &errors))?;
        let needs =
            inspect::inspect(program.expression()).map_err(|why| format!("{why}, in the condition {source:?}"))?;
        if let Some(why) = unknown_root(&needs) {
            return Err(format!("{why}, in the condition {source:?}"));
        }
        let mut condition = Self { source: source.to_owned(), program, needs, constant: None };
        if condition.needs.is_empty() {
            let (vars, contact) = (Vars::default(), serde_json::Value::Null);
            let nothing = Scope::new(&vars, &contact, tidegate_model::Timestamp::from_ms(0));
            condition.constant = Some(condition.holds(&nothing)?);
        }
        Ok(condition)
    }

    /// Its text.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// What it reads.
    pub(crate) fn needs(&self) -> &Needs {
        &self.needs
    }

    /// Its value, when it reads nothing and is always the same.
    pub(crate) fn constant(&self) -> Option<bool> {
        self.constant
    }

    /// Whether it holds.
    ///
    /// # Errors
    /// Why it has no value, in words for an operator; never with a value of the event or contact.
    pub(crate) fn holds(&self, scope: &Scope<'_>) -> Result<bool, String> {
        let mut context = cel::Context::with_env(Arc::clone(&ENV));
        for (root, need) in self.needs.roots() {
            let value = match scope.get(root) {
                serde_json::Value::Null => Value::from(std::collections::HashMap::<String, Value>::new()),
                value => need.to_cel(value),
            };
            context.add_variable_from_value(root, value);
        }
        match self.program.execute(&context) {
            Ok(Value::Bool(holds)) => Ok(holds),
            Ok(other) => Err(format!("the condition {:?} gives a {}, not true or false", self.source, other.type_of())),
            Err(error) => {
                Err(format!("the condition {:?} can't be evaluated: {}", self.source, self.explain(&error, scope)))
            }
        }
    }

    fn explain(&self, error: &ExecutionError, scope: &Scope<'_>) -> String {
        match error {
            ExecutionError::NoSuchKey(key) => {
                let missing = scope.missing(&self.needs);
                let path = missing.into_iter().find(|path| path.rsplit('.').next() == Some(key.as_str()));
                let path = path.unwrap_or_else(|| key.to_string());
                format!("{path} has no value here; guard it, as in has({path}) && …")
            }
            ExecutionError::NoSuchOverload(overload) => {
                let types = overload.argument_types().join(" and ");
                let name = overload.function().trim_matches('_');
                let missing = scope.missing(&self.needs);
                let hint = missing.first().map(|path| format!(" ({path} has no value here)")).unwrap_or_default();
                format!("{name} does not go with {types}{hint}; convert with double(), int() or string()")
            }
            ExecutionError::UnexpectedType { got, want } => format!("expected {want}, found {got}"),
            ExecutionError::FunctionError { function, .. } => format!("{function}() can't read its argument"),
            ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "it divides by zero".to_owned(),
            ExecutionError::Overflow(..) => "a number gets too large".to_owned(),
            ExecutionError::IndexOutOfBounds(_) => "a list is shorter than the index used on it".to_owned(),
            ExecutionError::UndeclaredReference(name) => format!("there is no variable or function {name}"),
            // The rest print values, which may be personal.
            _ => "its values do not go with each other".to_owned(),
        }
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({:?})", self.source)
    }
}

fn syntax(source: &str, errors: &cel::ParseErrors) -> String {
    let Some(first) = errors.errors.first() else { return format!("not a CEL expression: {source:?}") };
    // What the parser would have liked instead is a list of all its tokens.
    let why = first.msg.split(" expecting ").next().unwrap_or_default().trim_start_matches("Syntax error: ");
    if why.contains("<EOF>") {
        return format!("not a CEL expression: something is missing at the end of {source:?}");
    }
    format!("not a CEL expression: {why} (column {} of {source:?})", first.pos.1)
}

#[cfg(test)]
mod tests;
