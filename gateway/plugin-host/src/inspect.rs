//! Looks at a component before it is compiled: compiling is done outside the sandbox, so what a stranger's file may cost there is bounded first. Reads headers and
//! counts; no code is made.

use std::fmt;
use wasmparser::{BinaryReaderError, Parser, Payload};

/// Deepest nesting of components and modules. Tools make two or three levels.
const DEPTH: usize = 8;
/// Modules and components of all levels. Python's runtime has some thirty.
const PARTS: usize = 512;
/// Functions of all modules. Python's runtime has some twenty thousand.
const FUNCTIONS: usize = 150_000;
/// Largest function, in bytes. The largest of the usual runtimes, an interpreter's loop, has some hundred thousand.
const FUNCTION_BYTES: usize = 512 << 10;
/// Most local variables of a function: the compiler's work grows with their number times the function's branches.
const LOCALS: u64 = 10_000;
/// Code of all modules, in bytes: a machine compiles some three megabytes a second.
const CODE_BYTES: usize = 32 << 20;
/// Types, imports, exports, globals, segments, aliases and their like, of all levels. A section without any counts as one: it costs too.
const ENTRIES: usize = 500_000;

/// A component that would cost too much to compile, or can't be read. For the plugin's author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Oversized {
    /// More of something than a plugin may have.
    Exceeds {
        /// What, in words.
        what: &'static str,
        /// How much it has, as far as it was looked at.
        found: u64,
        /// The limit.
        most: u64,
    },
    /// The bytes are not as a component's should be.
    Unreadable {
        /// What is wrong, and where.
        reason: String,
    },
}

impl fmt::Display for Oversized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exceeds { what, found, most } => {
                write!(
                    f,
                    "it has {found} {what}, and {most} is the most; build it with optimisation, and without what it does not use"
                )
            }
            Self::Unreadable { reason } => write!(f, "its bytes can't be read as WebAssembly: {reason}"),
        }
    }
}

/// Whether the component may be compiled. Takes time linear in its size.
///
/// # Errors
/// The first limit that it exceeds.
pub(crate) fn inspect(component: &[u8]) -> Result<(), Oversized> {
    let mut seen = Seen::default();
    for payload in Parser::new(0).parse_all(component) {
        seen.add(&payload?)?;
    }
    Ok(())
}

#[derive(Default)]
struct Seen {
    depth: usize,
    parts: usize,
    functions: usize,
    code_bytes: usize,
    entries: usize,
}

impl Seen {
    fn add(&mut self, payload: &Payload<'_>) -> Result<(), Oversized> {
        match payload {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                self.depth += 1;
                self.parts += 1;
                at_most("levels of modules in components", self.depth, DEPTH)?;
                at_most("modules and components", self.parts, PARTS)
            }
            Payload::End(_) => {
                self.depth = self.depth.saturating_sub(1);
                Ok(())
            }
            Payload::CodeSectionStart { count, size, .. } => {
                self.functions = self.functions.saturating_add(*count as usize);
                self.code_bytes = self.code_bytes.saturating_add(*size as usize);
                at_most("functions", self.functions, FUNCTIONS)?;
                at_most("bytes of code", self.code_bytes, CODE_BYTES)
            }
            Payload::CodeSectionEntry(body) => {
                at_most("bytes in one function", body.range().len(), FUNCTION_BYTES)?;
                let mut locals = 0u64;
                for group in body.get_locals_reader()? {
                    locals += u64::from(group?.0);
                    exceeds("local variables in one function", locals, LOCALS)?;
                }
                Ok(())
            }
            other => {
                self.entries = self.entries.saturating_add(entries(other).max(1) as usize);
                at_most("types, imports, exports and other entries", self.entries, ENTRIES)
            }
        }
    }
}

/// Entries that a section says it has.
fn entries(payload: &Payload<'_>) -> u32 {
    match payload {
        Payload::TypeSection(section) => section.count(),
        Payload::ImportSection(section) => section.count(),
        Payload::FunctionSection(section) => section.count(),
        Payload::TableSection(section) => section.count(),
        Payload::MemorySection(section) => section.count(),
        Payload::TagSection(section) => section.count(),
        Payload::GlobalSection(section) => section.count(),
        Payload::ExportSection(section) => section.count(),
        Payload::ElementSection(section) => section.count(),
        Payload::DataSection(section) => section.count(),
        Payload::InstanceSection(section) => section.count(),
        Payload::CoreTypeSection(section) => section.count(),
        Payload::ComponentInstanceSection(section) => section.count(),
        Payload::ComponentAliasSection(section) => section.count(),
        Payload::ComponentTypeSection(section) => section.count(),
        Payload::ComponentCanonicalSection(section) => section.count(),
        Payload::ComponentImportSection(section) => section.count(),
        Payload::ComponentExportSection(section) => section.count(),
        _ => 0,
    }
}

fn at_most(what: &'static str, found: usize, most: usize) -> Result<(), Oversized> {
    exceeds(what, found as u64, most as u64)
}

fn exceeds(what: &'static str, found: u64, most: u64) -> Result<(), Oversized> {
    if found <= most { Ok(()) } else { Err(Oversized::Exceeds { what, found, most }) }
}

impl From<BinaryReaderError> for Oversized {
    fn from(error: BinaryReaderError) -> Self {
        Self::Unreadable { reason: error.to_string() }
    }
}
