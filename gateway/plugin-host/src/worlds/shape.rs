//! Holds a component's types against the contract's text, and says in an author's words where they part. The engine compares them too, but only when a function is
//! called, and without their names.

use std::fmt;
use wasmtime::{
    Engine,
    component::types::{self, ComponentItem},
};
use wit_parser::{Function, InterfaceId, Resolve, SourceMap, Type, TypeDefKind, TypeId, WorldId, WorldItem};

/// The world `plugin` of a version of the contract, parsed.
pub(crate) struct Shape {
    resolve: Resolve,
    world: WorldId,
}

/// The first place where a component's types are not the contract's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Where: `normalizer.interpret`, then the names of fields and cases.
    place: String,
    /// What the component has, and what the contract has.
    difference: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at {}, {}", self.place, self.difference)
    }
}

/// What was compared: nothing to say, or the first misfit.
type Compared = Result<(), Misfit>;

impl Shape {
    /// Parses packages, each given by its files; the last one holds the world.
    ///
    /// # Errors
    /// The text is wrong, which a test rules out.
    pub(crate) fn parse(packages: &[&[&str]]) -> Result<Self, String> {
        Self::parse_world(packages, "plugin")
    }

    /// As [`Shape::parse`], for another world of the last package.
    ///
    /// # Errors
    /// As there.
    pub(crate) fn parse_world(packages: &[&[&str]], world: &str) -> Result<Self, String> {
        let mut resolve = Resolve::new();
        let mut last = None;
        for (number, files) in packages.iter().enumerate() {
            let mut sources = SourceMap::new();
            for (place, text) in files.iter().enumerate() {
                sources.push_str(&format!("{number}/{place}.wit"), *text);
            }
            let group = sources.parse().map_err(|(_, error)| error.to_string())?;
            last = Some(resolve.push_group(group).map_err(|error| error.to_string())?);
        }
        let package = last.ok_or_else(|| "a contract has a text".to_owned())?;
        let world = resolve.select_world(&[package], Some(world)).map_err(|error| error.to_string())?;
        Ok(Self { resolve, world })
    }

    /// The first place where the component does not fit: it imports a function that the host has in another form or not at all, or lacks or changes what it
    /// must export.
    pub(crate) fn misfit(&self, engine: &Engine, component: &types::Component) -> Option<Misfit> {
        let world = &self.resolve.worlds[self.world];
        let imports = interfaces(world.imports.values()).try_for_each(|id| self.import(engine, component, id));
        let all = imports
            .and_then(|()| interfaces(world.exports.values()).try_for_each(|id| self.export(engine, component, id)));
        all.err()
    }

    /// Everything that the component wants of the interface must be there.
    fn import(&self, engine: &Engine, component: &types::Component, id: InterfaceId) -> Compared {
        let Some(name) = self.resolve.id_of(id) else { return Ok(()) };
        let found = component.imports(engine).find(|(import, _)| compatible(import, &name));
        let Some(ComponentItem::ComponentInstance(instance)) = found.map(|(_, found)| found.ty) else { return Ok(()) };
        let (interface, offered) = (interface_of(&name), &self.resolve.interfaces[id].functions);
        for (function, found) in instance.exports(engine) {
            let ComponentItem::ComponentFunc(found) = found.ty else { continue };
            let place = format!("`{interface}.{}`", super::short(function));
            let Some(contract) = offered.get(function) else {
                let offered: Vec<&str> = offered.keys().map(String::as_str).collect();
                let difference =
                    format!("the plugin imports a function that the host has not; it has {}", quoted(&offered));
                return Err(Misfit { place, difference });
            };
            self.function(&place, contract, &found)?;
        }
        Ok(())
    }

    /// The component must have the interface whole.
    fn export(&self, engine: &Engine, component: &types::Component, id: InterfaceId) -> Compared {
        let Some(name) = self.resolve.id_of(id) else { return Ok(()) };
        let found = component.exports(engine).find(|(export, _)| compatible(export, &name));
        let interface = interface_of(&name);
        let missing = |place: String| Err(Misfit { place, difference: "the plugin exports nothing".to_owned() });
        let Some(ComponentItem::ComponentInstance(instance)) = found.map(|(_, found)| found.ty) else {
            return missing(format!("`{interface}`"));
        };
        for (function, contract) in &self.resolve.interfaces[id].functions {
            let place = format!("`{interface}.{function}`");
            match instance.get_export(engine, function).map(|found| found.ty) {
                Some(ComponentItem::ComponentFunc(found)) => self.function(&place, contract, &found)?,
                _ => return missing(place),
            }
        }
        Ok(())
    }

    fn function(&self, place: &str, contract: &Function, found: &types::ComponentFunc) -> Compared {
        let expected: Vec<&str> = contract.params.iter().map(|param| param.name.as_str()).collect();
        let names: Vec<String> = found.params().map(|(name, _)| super::short(name)).collect();
        if names != expected {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let difference =
                format!("the plugin has the parameters {}, the contract {}", quoted(&names), quoted(&expected));
            return Err(Misfit { place: place.to_owned(), difference });
        }
        for (param, (name, ty)) in contract.params.iter().zip(found.params()) {
            self.same(&format!("{place}, parameter `{name}`"), param.ty, &ty)?;
        }
        let place = format!("{place}, result");
        match (contract.result, found.results().next()) {
            (Some(contract), Some(found)) => self.same(&place, contract, &found),
            (None, None) => Ok(()),
            (expected, _) => {
                let (has, lacks) = if expected.is_none() { ("plugin", "contract") } else { ("contract", "plugin") };
                Err(Misfit { place, difference: format!("the {has} has one, the {lacks} has not") })
            }
        }
    }

    /// Both types, in step: the contract's depth bounds the walk, whatever the component is.
    fn same(&self, place: &str, contract: Type, found: &types::Type) -> Compared {
        let Type::Id(id) = contract else { return self.plain(place, contract, found) };
        let inner = |name: &str| format!("{place} → {name}");
        match (&self.resolve.types[id].kind, found) {
            (TypeDefKind::Type(alias), _) => self.same(place, *alias, found),
            (TypeDefKind::Record(record), types::Type::Record(found)) => {
                let expected: Vec<&str> = record.fields.iter().map(|field| field.name.as_str()).collect();
                let names: Vec<&str> = found.fields().map(|field| field.name).collect();
                self.names(place, id, "field", &expected, &names)?;
                let mut pairs = record.fields.iter().zip(found.fields());
                pairs.try_for_each(|(field, found)| self.same(&inner(&field.name), field.ty, &found.ty))
            }
            (TypeDefKind::Variant(variant), types::Type::Variant(found)) => {
                let expected: Vec<&str> = variant.cases.iter().map(|case| case.name.as_str()).collect();
                let names: Vec<&str> = found.cases().map(|case| case.name).collect();
                self.names(place, id, "case", &expected, &names)?;
                let mut pairs = variant.cases.iter().zip(found.cases());
                pairs.try_for_each(|(case, found)| match (case.ty, found.ty) {
                    (Some(contract), Some(found)) => self.same(&inner(&case.name), contract, &found),
                    (None, None) => Ok(()),
                    (contract, _) => Err(Misfit {
                        place: inner(&case.name),
                        difference: format!(
                            "the contract's case has {}",
                            if contract.is_some() { "a value" } else { "none" }
                        ),
                    }),
                })
            }
            (TypeDefKind::Enum(one), types::Type::Enum(found)) => {
                let expected: Vec<&str> = one.cases.iter().map(|case| case.name.as_str()).collect();
                self.names(place, id, "case", &expected, &found.names().collect::<Vec<_>>())
            }
            (TypeDefKind::Option(contract), types::Type::Option(found)) => self.same(place, *contract, &found.ty()),
            (TypeDefKind::List(contract), types::Type::List(found)) => self.same(place, *contract, &found.ty()),
            _ => {
                let difference = format!("the plugin has {}, the contract {}", kind(found), self.word(contract));
                Err(Misfit { place: place.to_owned(), difference })
            }
        }
    }

    fn plain(&self, place: &str, contract: Type, found: &types::Type) -> Compared {
        let (expected, has) = (self.word(contract), kind(found));
        if expected == has {
            return Ok(());
        }
        Err(Misfit { place: place.to_owned(), difference: format!("the plugin has {has}, the contract {expected}") })
    }

    /// The names of a record's fields, or of a variant's cases: the same, in the same order.
    fn names(&self, place: &str, id: TypeId, what: &str, expected: &[&str], found: &[&str]) -> Compared {
        if expected == found {
            return Ok(());
        }
        let of = self.named(id);
        let lacking = expected.iter().find(|name| !found.contains(name));
        let extra = found.iter().find(|name| !expected.contains(name));
        let difference = match (lacking, extra) {
            (Some(lacking), Some(extra)) => {
                format!(
                    "the plugin's {of} has no {what} `{lacking}`, but `{}`, which the contract has not",
                    super::short(extra)
                )
            }
            (Some(lacking), None) => format!("the plugin's {of} has no {what} `{lacking}`"),
            (None, Some(extra)) => {
                format!("the plugin's {of} has the {what} `{}`, which the contract has not", super::short(extra))
            }
            (None, None) => format!("the plugin's {of} has its {what}s in another order"),
        };
        Err(Misfit { place: place.to_owned(), difference })
    }

    /// A type of the contract in words.
    fn word(&self, ty: Type) -> String {
        let word = match ty {
            Type::Bool => "a bool",
            Type::U8 => "a u8",
            Type::U16 => "a u16",
            Type::U32 => "a u32",
            Type::U64 => "a u64",
            Type::S8 => "an s8",
            Type::S16 => "an s16",
            Type::S32 => "an s32",
            Type::S64 => "an s64",
            Type::F32 => "an f32",
            Type::F64 => "an f64",
            Type::Char => "a char",
            Type::String => "a string",
            Type::ErrorContext => "an error context",
            Type::Id(id) => return format!("the {}", self.named(id)),
        };
        word.to_owned()
    }

    /// ``record `order` ``, `list`.
    fn named(&self, id: TypeId) -> String {
        let ty = &self.resolve.types[id];
        match &ty.name {
            Some(name) => format!("{} `{name}`", ty.kind.as_str()),
            None => ty.kind.as_str().to_owned(),
        }
    }
}

fn interfaces<'w>(items: impl Iterator<Item = &'w WorldItem>) -> impl Iterator<Item = InterfaceId> {
    items.filter_map(|item| match item {
        WorldItem::Interface { id, .. } => Some(*id),
        WorldItem::Function(_) | WorldItem::Type { .. } => None,
    })
}

/// Whether two names with versions are of the same interface, and of versions that fit.
fn compatible(a: &str, b: &str) -> bool {
    match (a.split_once('@'), b.split_once('@')) {
        (Some((a, a_version)), Some((b, b_version))) => a == b && super::track(a_version) == super::track(b_version),
        _ => a == b,
    }
}

/// `normalizer` of `tidegate:plugin/normalizer@0.1.0`.
fn interface_of(name: &str) -> &str {
    let unversioned = name.split('@').next().unwrap_or(name);
    unversioned.rsplit('/').next().unwrap_or(unversioned)
}

fn quoted(names: &[&str]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A component's type in words; its records have no names.
fn kind(ty: &types::Type) -> String {
    let word = match ty {
        types::Type::Bool => "a bool",
        types::Type::U8 => "a u8",
        types::Type::U16 => "a u16",
        types::Type::U32 => "a u32",
        types::Type::U64 => "a u64",
        types::Type::S8 => "an s8",
        types::Type::S16 => "an s16",
        types::Type::S32 => "an s32",
        types::Type::S64 => "an s64",
        types::Type::Float32 => "an f32",
        types::Type::Float64 => "an f64",
        types::Type::Char => "a char",
        types::Type::String => "a string",
        types::Type::List(_) | types::Type::FixedLengthList(_) => "a list",
        types::Type::Map(_) => "a map",
        types::Type::Record(_) => "a record",
        types::Type::Tuple(_) => "a tuple",
        types::Type::Variant(_) => "a variant",
        types::Type::Enum(_) => "an enum",
        types::Type::Option(_) => "an option",
        types::Type::Result(_) => "a result",
        types::Type::Flags(_) => "flags",
        types::Type::Own(_) | types::Type::Borrow(_) => "a resource",
        types::Type::Future(_) => "a future",
        types::Type::Stream(_) => "a stream",
        types::Type::ErrorContext => "an error context",
    };
    word.to_owned()
}
