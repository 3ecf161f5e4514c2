//! The contract for C: what `wit-bindgen` writes, with short names for the types and without the functions that give memory back.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use wit_bindgen_core::{Files, wit_parser::Resolve};

use super::Made;
use super::contract::{Contract, snake};

/// Names of the made files, and start of the names that have no interface.
const NAME: &str = "contract";

/// Types that a plugin meets as the glue's own, under these names.
const OF_THE_GLUE: [&str; 3] = ["answer", "header", "item"];

/// `contract.h` and `contract.c`.
pub(super) fn files(wit: &Path, contract: &Contract) -> Result<Vec<Made>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(wit).with_context(|| format!("{} cannot be read", wit.display()))?;
    let world = resolve.select_world(&[package], Some("plugin"))?;
    let options = wit_bindgen_c::Opts {
        no_helpers: true,
        no_object_file: true,
        rename_world: Some(NAME.to_owned()),
        ..wit_bindgen_c::Opts::default()
    };
    let mut made = Files::default();
    options.build().generate(&mut resolve, world, &mut made)?;
    let file = |ending: &str| {
        let name = format!("{NAME}.{ending}");
        let (_, bytes) = made.iter().find(|(found, _)| *found == name).ok_or_else(|| anyhow!("no {name} was made"))?;
        Ok::<_, anyhow::Error>(String::from_utf8(bytes.to_vec())?)
    };
    Ok(vec![
        (format!("c/tidegate/{NAME}.h"), with_short_names(&file("h")?, contract)?),
        (format!("c/tidegate/{NAME}.c"), without_free(&without_object_file(&file("c")?)?)?),
    ])
}

/// `tg_order` for `tidegate_plugin_types_order_t`.
fn with_short_names(header: &str, contract: &Contract) -> Result<String> {
    let end = header.rfind("#ifdef __cplusplus").ok_or_else(|| anyhow!("the header has no end"))?;
    let mut names = String::from("// Short names.\n");
    for named in contract.types.iter().filter(|named| !OF_THE_GLUE.contains(&named.name.as_str())) {
        let name = snake(&named.name);
        let _ = writeln!(names, "typedef tidegate_plugin_types_{name}_t tg_{name};");
    }
    Ok([&header[..end], &names, &header[end..]].concat())
}

/// The world's description is put into the component by `wasm-tools component embed`, not by an object file.
fn without_object_file(source: &str) -> Result<String> {
    let end = source
        .find("\n// Ensure that the *_component_type.o object")
        .ok_or_else(|| anyhow!("the source has another end"))?;
    Ok(source[..end].to_owned())
}

/// An instance ends with its call, so what was given is never freed: texts may be shared between fields.
fn without_free(source: &str) -> Result<String> {
    let include = "#include <stdlib.h>\n";
    let at = source.find(include).ok_or_else(|| anyhow!("the source does not include stdlib.h"))? + include.len();
    let note = "// An instance ends with its call: nothing is given back before, and values may share memory.\n#define free(pointer) ((void)(pointer))\n";
    Ok([&source[..at], note, &source[at..]].concat())
}
