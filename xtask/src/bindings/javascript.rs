//! The contract for JavaScript: TypeScript declarations for editors, and the same shapes as a table by which the glue checks and completes what a plugin returns.

use std::fmt::Write as _;

use super::contract::{Contract, Holds, Named, Part, Shape, camel, pascal};

const HEAD: &str = "// Made from wit/ by `cargo xtask bindings`; changes are overwritten.\n";

/// `contract.d.ts`: what may be absent may be left out, and so may lists.
pub(super) fn types(contract: &Contract) -> String {
    let declarations = contract.types.iter().map(declaration);
    declarations.fold(HEAD.to_owned(), |text, declaration| text + "\n" + &declaration)
}

fn declaration(named: &Named) -> String {
    let name = pascal(&named.name);
    let docs = comment("", &named.docs);
    match &named.shape {
        Shape::Record(fields) => {
            let fields: String = fields.iter().map(property).collect();
            format!("{docs}export interface {name} {{\n{fields}}}\n")
        }
        Shape::Variant(cases) => {
            let cases: Vec<String> =
                cases.iter().map(|case| format!("{{ \"{}\": {} }}", case.name, written(&case.holds))).collect();
            format!("{docs}export type {name} = {};\n", cases.join(" | "))
        }
        Shape::Enum(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            format!("{docs}export type {name} = {};\n", words.join(" | "))
        }
    }
}

fn property(field: &Part) -> String {
    let (may_be_left_out, or_null) = match field.holds {
        Holds::Maybe(_) => ("?", " | null"),
        Holds::List(_) | Holds::Flag => ("?", ""),
        Holds::Text | Holds::Number(_) | Holds::Named(_) => ("", ""),
    };
    let docs = comment("    ", &field.docs);
    format!("{docs}    {}{may_be_left_out}: {}{or_null};\n", camel(&field.name), written(&field.holds))
}

fn written(holds: &Holds) -> String {
    match holds {
        Holds::Text => "string".to_owned(),
        Holds::Flag => "boolean".to_owned(),
        Holds::Number(_) => "number".to_owned(),
        Holds::Named(name) => pascal(name),
        Holds::List(of) => format!("{}[]", written(of)),
        Holds::Maybe(of) => written(of),
    }
}

fn comment(indent: &str, docs: &str) -> String {
    if docs.is_empty() {
        return String::new();
    }
    // A pointer such as `/entry/*/id` would end the comment.
    let docs = docs.replace("*/", "*\\/");
    let lines: Vec<&str> = docs.lines().map(str::trim_end).collect();
    format!("{indent}/** {} */\n", lines.join(&format!("\n{indent} * ")))
}

/// `contract.js`: `text`, `flag`, a number's or a type's name; `[]` is a list, `?` may be absent.
pub(super) fn shapes(contract: &Contract) -> String {
    let mut text = HEAD.to_owned();
    text.push_str("// What fields hold: `text`, `flag`, a number or a type by its name; `[]` is a list of it, and `?` says that it may be absent.\n");
    for (constant, docs, entries) in [
        ("records", "Fields of each record.", records(contract)),
        ("variants", "Cases of each variant.", variants(contract)),
        ("enums", "Words of each enum.", enums(contract)),
    ] {
        let _ = write!(text, "\n/** {docs} */\nexport const {constant} = {{\n{entries}}};\n");
    }
    text
}

fn records(contract: &Contract) -> String {
    let entry = |named: &Named| match &named.shape {
        Shape::Record(fields) => Some(table(&named.name, fields, camel)),
        Shape::Variant(_) | Shape::Enum(_) => None,
    };
    contract.types.iter().filter_map(entry).collect()
}

fn variants(contract: &Contract) -> String {
    let entry = |named: &Named| match &named.shape {
        Shape::Variant(cases) => Some(table(&named.name, cases, str::to_owned)),
        Shape::Record(_) | Shape::Enum(_) => None,
    };
    contract.types.iter().filter_map(entry).collect()
}

fn enums(contract: &Contract) -> String {
    let entry = |named: &Named| match &named.shape {
        Shape::Enum(words) => Some(format!("    \"{}\": [\"{}\"],\n", named.name, words.join("\", \""))),
        Shape::Record(_) | Shape::Variant(_) => None,
    };
    contract.types.iter().filter_map(entry).collect()
}

fn table(name: &str, parts: &[Part], key: impl Fn(&str) -> String) -> String {
    let parts: Vec<String> =
        parts.iter().map(|part| format!("\"{}\": \"{}\"", key(&part.name), short(&part.holds))).collect();
    format!("    \"{name}\": {{ {} }},\n", parts.join(", "))
}

fn short(holds: &Holds) -> String {
    match holds {
        Holds::Text => "text".to_owned(),
        Holds::Flag => "flag".to_owned(),
        Holds::Number(name) => (*name).to_owned(),
        Holds::Named(name) => name.clone(),
        Holds::List(of) => format!("{}[]", short(of)),
        Holds::Maybe(of) => format!("{}?", short(of)),
    }
}
