//! The types of the contract as the languages see them: read from WIT once, without what none of them needs to know. It knows no language.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use wit_bindgen_core::wit_parser::{Docs, Resolve, Type, TypeDef, TypeDefKind};

/// The interface whose types are written out.
const INTERFACE: &str = "types";

/// All types, in the order of the file.
pub(super) struct Contract {
    pub(super) types: Vec<Named>,
}

/// A type with a name.
pub(super) struct Named {
    /// In kebab-case.
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) shape: Shape,
}

/// What a named type is.
pub(super) enum Shape {
    /// All of these.
    Record(Vec<Part>),
    /// One of these, with what it holds.
    Variant(Vec<Part>),
    /// One of these words.
    Enum(Vec<String>),
}

/// A field of a record or a case of a variant.
pub(super) struct Part {
    /// In kebab-case.
    pub(super) name: String,
    pub(super) docs: String,
    pub(super) holds: Holds,
}

/// What a field or a case holds.
pub(super) enum Holds {
    Text,
    Flag,
    /// A small whole number, by its name in WIT.
    Number(&'static str),
    /// A type of the contract.
    Named(String),
    List(Box<Holds>),
    /// A value that may be absent.
    Maybe(Box<Holds>),
}

impl Contract {
    /// Reads the types of the package in a folder.
    pub(super) fn read(wit: &Path) -> Result<Self> {
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(wit).with_context(|| format!("{} cannot be read", wit.display()))?;
        let interface = resolve.packages[package].interfaces.get(INTERFACE);
        let interface = *interface.ok_or_else(|| anyhow!("the package has no interface `{INTERFACE}`"))?;
        let types = resolve.interfaces[interface].types.iter();
        let types = types.map(|(name, id)| named(&resolve, name, &resolve.types[*id])).collect::<Result<_>>()?;
        Ok(Self { types })
    }
}

fn named(resolve: &Resolve, name: &str, definition: &TypeDef) -> Result<Named> {
    let part = |part: &str, docs: &Docs, ty: &Type| {
        let holds = holds(resolve, ty).with_context(|| format!("{name}.{part}"))?;
        Ok(Part { name: part.to_owned(), docs: text(docs), holds })
    };
    let shape = match &definition.kind {
        TypeDefKind::Record(record) => {
            let fields = record.fields.iter().map(|field| part(&field.name, &field.docs, &field.ty));
            Shape::Record(fields.collect::<Result<_>>()?)
        }
        TypeDefKind::Variant(variant) => {
            let cases = variant.cases.iter().map(|case| {
                let ty = case.ty.as_ref().ok_or_else(|| anyhow!("{name}.{}: a case that holds nothing", case.name))?;
                part(&case.name, &case.docs, ty)
            });
            Shape::Variant(cases.collect::<Result<_>>()?)
        }
        TypeDefKind::Enum(of) => Shape::Enum(of.cases.iter().map(|case| case.name.clone()).collect()),
        other => bail!("{name}: a {} is not written out for every language", other.as_str()),
    };
    Ok(Named { name: name.to_owned(), docs: text(&definition.docs), shape })
}

fn holds(resolve: &Resolve, ty: &Type) -> Result<Holds> {
    Ok(match ty {
        Type::String => Holds::Text,
        Type::Bool => Holds::Flag,
        Type::U8 => Holds::Number("u8"),
        Type::U16 => Holds::Number("u16"),
        Type::S32 => Holds::Number("s32"),
        Type::Id(id) => match &resolve.types[*id] {
            TypeDef { name: Some(name), .. } => Holds::Named(name.clone()),
            TypeDef { kind: TypeDefKind::List(of), .. } => Holds::List(Box::new(holds(resolve, of)?)),
            TypeDef { kind: TypeDefKind::Option(of), .. } => Holds::Maybe(Box::new(holds(resolve, of)?)),
            other => bail!("a {} is not written out for every language", other.kind.as_str()),
        },
        other => bail!("{} is not the same in every language", format!("{other:?}").to_lowercase()),
    })
}

fn text(docs: &Docs) -> String {
    docs.contents.as_deref().unwrap_or_default().trim().to_owned()
}

/// `contact-info` as `ContactInfo`.
pub(super) fn pascal(kebab: &str) -> String {
    kebab.split('-').map(capital).collect()
}

/// `contact-info` as `contactInfo`.
pub(super) fn camel(kebab: &str) -> String {
    let (first, rest) = kebab.split_once('-').unwrap_or((kebab, ""));
    [first, &pascal(rest)].concat()
}

/// `contact-info` as `contact_info`.
pub(super) fn snake(kebab: &str) -> String {
    kebab.replace('-', "_")
}

fn capital(word: &str) -> String {
    word.chars().take(1).flat_map(char::to_uppercase).chain(word.chars().skip(1)).collect()
}
