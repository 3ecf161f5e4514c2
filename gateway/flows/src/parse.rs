//! From YAML to flows and templates: one in a file. Here is only the shape of the file; what it means is checked where it is compiled, and each mistake is put back at its place in the file.

use crate::{Flow, ParseError, Template};

mod flow;
mod reader;
mod template;
mod yaml;

/// Reads a flow. `file` is named in errors only.
///
/// # Errors
/// Every mistake that was found, each with its place.
pub fn parse_flow(file: &str, text: &str) -> Result<Flow, ParseError> {
    reader::read(file, text, flow::definition, Flow::new)
}

/// Reads a template. `file` is named in errors only.
///
/// # Errors
/// Every mistake that was found, each with its place.
pub fn parse_template(file: &str, text: &str) -> Result<Template, ParseError> {
    reader::read(file, text, template::definition, Template::new)
}

#[cfg(test)]
mod tests;
