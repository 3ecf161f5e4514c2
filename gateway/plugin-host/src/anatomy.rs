//! What a component is made of, read from its sections: what it imports and exports, and what it was made with. Nothing is compiled or run, so any file may be looked at.

use crate::{host, worlds::NORMALIZER};
use wasmparser::{ComponentExternalKind, KnownCustom, Parser, Payload, ProducersSectionReader};

/// Most languages and tools that are told.
const MOST_PRODUCERS: usize = 32;
/// Longest name of one of them, in bytes.
const NAME_BYTES: usize = 80;

/// What a component is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Anatomy {
    /// What it asks its host for, in its order.
    pub imports: Vec<String>,
    /// The interfaces that it offers, in its order.
    pub exports: Vec<String>,
    /// Languages it was written in, as its tools wrote them down: `Rust`.
    pub languages: Vec<String>,
    /// Tools that made it, with their versions.
    pub tools: Vec<String>,
}

impl Anatomy {
    /// Whether it offers what every plugin offers.
    pub fn is_normalizer(&self) -> bool {
        self.exports.iter().any(|name| name.split('@').next() == Some(NORMALIZER))
    }
}

/// The bytes are no component that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the component can't be read: {reason}")]
pub struct AnatomyError {
    reason: String,
}

/// Whether plugins are given this import.
pub fn is_given_import(name: &str) -> bool {
    host::is_given(name)
}

/// Reads a component's sections.
///
/// # Errors
/// When they are damaged.
pub fn anatomy(component: &[u8]) -> Result<Anatomy, AnatomyError> {
    read(component).map_err(|error| AnatomyError { reason: error.to_string() })
}

fn read(component: &[u8]) -> wasmparser::Result<Anatomy> {
    let mut found = Anatomy::default();
    // Nested modules and components come in between: their imports are met inside the component.
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        match payload? {
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::ComponentImportSection(section) if depth == 0 => {
                for import in section {
                    found.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) if depth == 0 => {
                for export in section {
                    let export = export?;
                    if export.kind == ComponentExternalKind::Instance {
                        found.exports.push(export.name.name.to_owned());
                    }
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Producers(producers) = section.as_known() {
                    add_producers(producers, &mut found)?;
                }
            }
            _ => {}
        }
    }
    Ok(found)
}

fn add_producers(section: ProducersSectionReader<'_>, found: &mut Anatomy) -> wasmparser::Result<()> {
    for field in section {
        let field = field?;
        let list = match field.name {
            "language" => &mut found.languages,
            "processed-by" => &mut found.tools,
            _ => continue,
        };
        for value in field.values {
            let value = value?;
            let name = if value.version.is_empty() || field.name == "language" {
                value.name.to_owned()
            } else {
                format!("{} {}", value.name, value.version)
            };
            let name: String = name.chars().filter(|c| !c.is_control()).take(NAME_BYTES).collect();
            if list.len() < MOST_PRODUCERS && !list.contains(&name) {
                list.push(name);
            }
        }
    }
    Ok(())
}
