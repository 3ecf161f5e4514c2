//! `cargo xtask bindings`: makes what plugins in other languages see of the contract out of `wit/`, and tells when a checked-in file is behind it. It knows neither the
//! glue that is written around these files nor how a plugin is built.

mod c;
mod contract;
mod javascript;
mod python;

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::workspace::root;
use contract::Contract;

/// Folder of the projects that hold made files.
const EXAMPLES: &str = "examples/plugins";

/// A made file: its path below [`EXAMPLES`], and its text.
pub(crate) type Made = (String, String);

/// Writes the files.
pub(crate) fn write() -> Result<()> {
    for (path, text) in all()? {
        let file = root().join(EXAMPLES).join(&path);
        std::fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))?;
        println!("{EXAMPLES}/{path}");
    }
    Ok(())
}

/// Fails, with the names, when files are not as they would be made now.
pub(crate) fn check() -> Result<()> {
    let found = |path: &str| std::fs::read_to_string(root().join(EXAMPLES).join(path)).unwrap_or_default();
    let behind: Vec<String> =
        all()?.into_iter().filter(|(path, text)| found(path) != *text).map(|(path, _)| path).collect();
    ensure!(behind.is_empty(), "behind wit/: {} (run: cargo xtask bindings)", behind.join(", "));
    Ok(())
}

fn all() -> Result<Vec<Made>> {
    files(&root().join("wit"))
}

fn files(wit: &Path) -> Result<Vec<Made>> {
    let contract = Contract::read(wit)?;
    let mut files = vec![
        ("js/tidegate/contract.d.ts".to_owned(), javascript::types(&contract)),
        ("js/tidegate/contract.js".to_owned(), javascript::shapes(&contract)),
        ("python/tidegate/contract.py".to_owned(), python::module(&contract)),
    ];
    files.extend(c::files(wit, &contract)?);
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::files;

    #[test]
    fn a_contract_is_written_in_each_language() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("world.wit"), include_str!("bindings/small.wit")).unwrap();
        let made = files(dir.path()).unwrap();
        let text = |name: &str| made.iter().find(|(path, _)| path.ends_with(name)).unwrap().1.as_str();
        let holds =
            |name: &str, line: &str| assert!(text(name).contains(line), "{name} lacks {line:?}:\n{}", text(name));
        holds(
            "contract.d.ts",
            "    /** Everything that\n     * identifies the person. */\n    contactKeys?: ContactKey[];\n",
        );
        holds("contract.d.ts", "    note?: string | null;\n");
        holds("contract.d.ts", "    name: string;\n");
        holds("contract.d.ts", "export type ContactKey = { \"email\": string } | { \"home-phone\": Phone };\n");
        holds("contract.d.ts", "export type Direction = \"inbound\" | \"outbound\";\n");
        holds("contract.js", "\"contactKeys\": \"contact-key[]\"");
        holds("contract.js", "\"limit\": \"s32?\"");
        holds("contract.py", "    contact_keys: list[ContactKey] = field(default_factory=list)\n");
        holds("contract.py", "    note: str | None = None\n");
        holds("contract.py", "    test: bool = False\n");
        holds("contract.py", "ContactKey = Case | Phone\n");
        holds("contract.py", "    \"Phone\": {\"number\": \"str\"},\n");
        holds("contract.h", "typedef tidegate_plugin_types_person_t tg_person;\n");
        holds("contract.h", "TIDEGATE_PLUGIN_TYPES_CONTACT_KEY_HOME_PHONE");
    }

    #[test]
    fn what_the_languages_do_not_share_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let wit = include_str!("bindings/small.wit").replace("limit: option<s32>", "limit: u64");
        std::fs::write(dir.path().join("world.wit"), wit).unwrap();
        let error = format!("{:#}", files(dir.path()).unwrap_err());
        assert!(error.contains("person.limit") && error.contains("u64"), "{error}");
    }
}
