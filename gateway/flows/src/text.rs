//! Texts with variables, in minijinja: compiled once, rendered with the few values they read, in a sandbox.
//!
//! Nothing can be included or loaded, there are no functions, only the filters and tests named here, and limits on work and
//! output. A variable without a value is an error unless `default` stands in: `{{ contact.first_name | default('there') }}`.

use crate::{
    need::Needs,
    scope::{ROOTS, Scope, unknown_root},
};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};
use std::{fmt, io};

mod filters;
mod lint;

/// Longest source of a text, in bytes.
const MAX_LEN: usize = 4_096;
/// Longest rendered text, in characters.
const MAX_OUTPUT: usize = 4_096;
/// Instructions one text may run.
const FUEL: u64 = 10_000;
/// Deepest nesting of calls in the engine.
const MAX_RECURSION: usize = 32;

/// The sandbox, and the compiled texts of one flow.
pub(crate) struct Texts(Environment<'static>);

impl Texts {
    /// A sandbox without texts.
    pub(crate) fn new() -> Self {
        let mut env = Environment::empty();
        filters::register(&mut env);
        // Printing something undefined is an error; asking whether it is there is not.
        env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        env.set_fuel(Some(FUEL));
        env.set_recursion_limit(MAX_RECURSION);
        env.set_debug(true);
        Self(env)
    }

    /// Compiles a text under a key of its own.
    ///
    /// # Errors
    /// What is wrong, in words for its author.
    pub(crate) fn compile(&mut self, key: String, source: &str) -> Result<Text, String> {
        if source.len() > MAX_LEN {
            return Err(format!("a text is at most {MAX_LEN} bytes, this one has {}", source.len()));
        }
        let plain = !["{{", "{%", "{#"].iter().any(|tag| source.contains(tag));
        let mut needs = Needs::default();
        if !plain {
            lint::lint(source)?;
            self.0.add_template_owned(key.clone(), source.to_owned()).map_err(|error| syntax(source, &error))?;
            let template = self.0.get_template(&key).map_err(|error| syntax(source, &error))?;
            for path in template.undeclared_variables(true) {
                needs.insert(&path.split('.').collect::<Vec<_>>());
            }
            if let Some(why) = unknown_root(&needs) {
                return Err(format!("{why}, in the text {source:?}"));
            }
        }
        Ok(Text { key, source: source.to_owned(), plain, needs })
    }
}

/// A compiled text; its code lies in [`Texts`].
pub(crate) struct Text {
    key: String,
    source: String,
    plain: bool,
    needs: Needs,
}

impl Text {
    /// What it reads.
    pub(crate) fn needs(&self) -> &Needs {
        &self.needs
    }

    /// The text with its variables filled in.
    ///
    /// # Errors
    /// Why there is none, in words for an operator; never with a value of the event or contact.
    pub(crate) fn render(&self, texts: &Texts, scope: &Scope<'_>) -> Result<String, String> {
        if self.plain {
            return Ok(self.source.clone());
        }
        let values =
            Value::from_pairs(self.needs.roots().map(|(root, need)| (root, need.to_text(Some(scope.get(root))))));
        let mut output = Limited(Vec::new());
        texts
            .0
            .get_template(&self.key)
            .and_then(|template| template.render_captured_to(values, &mut output).map(drop))
            .map_err(|error| self.explain(&error, scope))?;
        String::from_utf8(output.0).map_err(|_| "its text is not UTF-8".to_owned())
    }

    /// The variable that a place in the source is about. The engine's place may begin at a dot inside of it, or be a filter that it went through.
    fn undefined(&self, place: Option<std::ops::Range<usize>>, scope: &Scope<'_>) -> String {
        let place = place.unwrap_or(0..self.source.len());
        let before = self.source.get(..place.start).unwrap_or_default();
        let start = before.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_' || c == '.').len();
        let written = self.source.get(start..place.end).unwrap_or_default();
        if ROOTS.contains(&written.split(['.', '[']).next().unwrap_or_default()) {
            return written.to_owned();
        }
        let tag = self.source.get(before.rfind('{').unwrap_or(0)..place.end).unwrap_or_default();
        let missing = scope.missing(&self.needs);
        let (here, elsewhere): (Vec<_>, Vec<_>) = missing.into_iter().partition(|path| tag.contains(path.as_str()));
        if here.is_empty() { elsewhere.join(", ") } else { here.join(", ") }
    }

    fn explain(&self, error: &Error, scope: &Scope<'_>) -> String {
        match error.kind() {
            ErrorKind::UndefinedError => {
                let name = self.undefined(error.range(), scope);
                format!("{name} has no value, and no default; write {{{{ {name} | default('…') }}}}")
            }
            ErrorKind::OutOfFuel => format!("its text takes more than {FUEL} instructions"),
            ErrorKind::WriteFailure => format!("its text gets longer than {MAX_OUTPUT} characters"),
            kind => match std::error::Error::source(error)
                .and_then(|source| source.downcast_ref::<filters::FilterError>())
            {
                Some(own) => own.to_string(),
                // The engine's details may print values, which may be personal.
                None => format!("its text {:?} can't be made: {kind}", self.source),
            },
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text({:?})", self.source)
    }
}

fn syntax(source: &str, error: &Error) -> String {
    let detail = error.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{}{detail}, in the text {source:?}", error.kind())
}

/// Output that stops the engine once it is longer than any text may be.
struct Limited(Vec<u8>);

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        // Counted in characters only when there may be too many.
        if self.0.len() > MAX_OUTPUT && self.0.iter().filter(|byte| (**byte as i8) >= -0x40).count() > MAX_OUTPUT {
            return Err(io::Error::other("too long"));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
