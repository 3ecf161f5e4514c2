//! The contract for Python: data classes with defaults, typed for editors, and the same shapes as a table by which the glue checks what a plugin returns.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::contract::{Contract, Holds, Named, Part, Shape, pascal, snake};

const HEAD: &str = r#""""The types of the contract. Made from wit/ by `cargo xtask bindings`; changes are overwritten."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass
class Case:
    """A case of a variant by its name, where the type of the value does not tell it."""

    name: str
    value: object
"#;

/// `contract.py`.
pub(super) fn module(contract: &Contract) -> String {
    let mut text = HEAD.to_owned();
    for named in &contract.types {
        if let Shape::Record(fields) = &named.shape {
            text.push_str(&class(named, fields));
        }
    }
    for named in &contract.types {
        match &named.shape {
            Shape::Variant(cases) => {
                let _ = write!(text, "\n{} = {}\n{}", pascal(&named.name), union(cases), docstring("", &named.docs));
            }
            Shape::Enum(words) => {
                let words = words.join("\", \"");
                let _ =
                    write!(text, "\n{} = Literal[\"{words}\"]\n{}", pascal(&named.name), docstring("", &named.docs));
            }
            Shape::Record(_) => {}
        }
    }
    text.push_str(&tables(contract));
    text
}

fn class(named: &Named, fields: &[Part]) -> String {
    let docs = docstring("    ", &named.docs);
    let fields: String = fields.iter().map(attribute).collect();
    format!("\n\n@dataclass(kw_only=True)\nclass {}:\n{docs}\n{fields}", pascal(&named.name))
}

fn attribute(part: &Part) -> String {
    let default = match part.holds {
        Holds::Maybe(_) => " | None = None",
        Holds::List(_) => " = field(default_factory=list)",
        Holds::Flag => " = False",
        Holds::Text | Holds::Number(_) | Holds::Named(_) => "",
    };
    format!("    {}: {}{default}\n{}", snake(&part.name), written(&part.holds), docstring("    ", &part.docs))
}

fn written(holds: &Holds) -> String {
    match holds {
        Holds::Text => "str".to_owned(),
        Holds::Flag => "bool".to_owned(),
        Holds::Number(_) => "int".to_owned(),
        Holds::Named(name) => pascal(name),
        Holds::List(of) => format!("list[{}]", written(of)),
        Holds::Maybe(of) => written(of),
    }
}

/// What an author may give for a variant: the case by its name, or a value whose type only one case has.
fn union(cases: &[Part]) -> String {
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    for case in cases {
        if let Holds::Named(name) = &case.holds {
            *times.entry(name).or_default() += 1;
        }
    }
    let own = cases.iter().filter_map(|case| match &case.holds {
        Holds::Named(name) if times[name.as_str()] == 1 => Some(pascal(name)),
        _ => None,
    });
    std::iter::once("Case".to_owned()).chain(own).collect::<Vec<_>>().join(" | ")
}

fn docstring(indent: &str, docs: &str) -> String {
    if docs.is_empty() {
        return String::new();
    }
    let docs = docs.replace('\\', "\\\\");
    let lines: Vec<&str> = docs.lines().map(str::trim_end).collect();
    format!("{indent}\"\"\"{}\"\"\"\n", lines.join(&format!("\n{indent}")))
}

fn tables(contract: &Contract) -> String {
    let (mut records, mut variants, mut enums) = (String::new(), String::new(), String::new());
    for named in &contract.types {
        let name = pascal(&named.name);
        let _ = match &named.shape {
            Shape::Record(fields) => writeln!(records, "    \"{name}\": {{{}}},", table(fields, snake)),
            Shape::Variant(cases) => writeln!(variants, "    \"{name}\": {{{}}},", table(cases, str::to_owned)),
            Shape::Enum(words) => writeln!(enums, "    \"{name}\": [\"{}\"],", words.join("\", \"")),
        };
    }
    let dicts = "dict[str, dict[str, str]]";
    format!(
        "\n# What fields hold: `str`, `bool`, `int`, a class by its name; `[]` is a list of it, and `?` says that it may be absent.\n\
         RECORDS: {dicts} = {{\n{records}}}\nVARIANTS: {dicts} = {{\n{variants}}}\nENUMS: dict[str, list[str]] = {{\n{enums}}}\n"
    )
}

fn table(parts: &[Part], key: impl Fn(&str) -> String) -> String {
    let parts: Vec<String> =
        parts.iter().map(|part| format!("\"{}\": \"{}\"", key(&part.name), short(&part.holds))).collect();
    parts.join(", ")
}

fn short(holds: &Holds) -> String {
    match holds {
        Holds::List(of) => format!("{}[]", short(of)),
        Holds::Maybe(of) => format!("{}?", short(of)),
        other => written(other),
    }
}
