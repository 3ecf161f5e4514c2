//! The projects that `tidegate plugin new` makes: the example plugins of this repository, with another name.

use super::new::Language;
use std::path::PathBuf;

/// A file of an example plugin.
struct TemplateFile {
    /// Its folder in `examples/plugins`.
    language: &'static str,
    /// From that folder.
    path: &'static str,
    text: &'static str,
}

include!(concat!(env!("OUT_DIR"), "/templates.rs"));

/// The contract, which languages other than Rust read from the project itself.
const CONTRACT: [(&str, &str); 2] = [
    ("wit/types.wit", include_str!("../../../../wit/types.wit")),
    ("wit/world.wit", include_str!("../../../../wit/world.wit")),
];
/// Where the Rust example finds its SDK.
const SDK_HERE: &str = r#"path = "../../../plugin-sdk""#;
/// Where a new project finds it.
const SDK_THERE: &str = r#"git = "https://github.com/tidegate/tidegate""#;
/// So that cargo does not look for a workspace around a new project.
const OWN_WORKSPACE: &str = "\n# A workspace of its own, wherever this folder lies.\n[workspace]\n";

/// A plugin's name in the forms that files write it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Forms {
    kebab: String,
    snake: String,
    pascal: String,
    words: String,
}

impl Forms {
    fn of(id: &str) -> Self {
        let capital = |word: &str| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        };
        Self {
            kebab: id.to_owned(),
            snake: id.replace('-', "_"),
            pascal: id.split('-').map(capital).collect(),
            words: capital(&id.replace('-', " ")),
        }
    }

    fn put_into(&self, text: &str) -> String {
        text.replace("generic-shop", &self.kebab)
            .replace("generic_shop", &self.snake)
            .replace("GenericShop", &self.pascal)
            .replace("Generic shop", &self.words)
    }
}

/// The files of a new project and what is in them. Empty when this build has no example in the language.
pub(super) fn project(language: Language, id: &str, sdk: Option<&str>) -> Vec<(PathBuf, String)> {
    let forms = Forms::of(id);
    let of_language = FILES.iter().filter(|file| file.language == language.folder());
    let mut files: Vec<(PathBuf, String)> = of_language
        .map(|file| (PathBuf::from(forms.put_into(file.path)), for_author(language, file, &forms, sdk)))
        .collect();
    if language != Language::Rust && !files.is_empty() {
        files.extend(CONTRACT.map(|(path, text)| (PathBuf::from(path), text.to_owned())));
    }
    files
}

fn for_author(language: Language, file: &TemplateFile, forms: &Forms, sdk: Option<&str>) -> String {
    let text = forms.put_into(file.text);
    if language != Language::Rust || file.path != "Cargo.toml" {
        return text;
    }
    let place = sdk.map_or_else(|| SDK_THERE.to_owned(), |path| format!("path = {path:?}"));
    text.replace(SDK_HERE, &place) + OWN_WORKSPACE
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_plugin_host::Manifest;

    #[test]
    fn a_name_is_written_in_every_form() {
        let forms = Forms::of("acme-2-go");
        assert_eq!(
            forms.put_into("generic-shop generic_shop GenericShop Generic shop"),
            "acme-2-go acme_2_go Acme2Go Acme 2 go"
        );
    }

    #[test]
    fn every_example_becomes_a_project_with_a_sound_manifest_and_its_own_name() {
        let mut folders: Vec<&str> = FILES.iter().map(|file| file.language).collect();
        folders.dedup();
        for folder in folders {
            let language = Language::all().find(|language| language.folder() == folder);
            let language = language.unwrap_or_else(|| panic!("examples/plugins/{folder} is of no language"));
            let files = project(language, "my-plugin", None);
            let manifest = files.iter().find(|(path, _)| path.as_os_str() == "plugin.toml").unwrap();
            assert_eq!(Manifest::parse("plugin.toml", &manifest.1).unwrap().id, "my-plugin", "{folder}");
            for (path, text) in &files {
                let old = ["generic-shop", "generic_shop", "genericshop", "generic shop"];
                let kept = old.iter().find(|form| text.to_lowercase().contains(**form));
                assert_eq!(kept, None, "{folder}/{}", path.display());
            }
            assert_eq!(files.iter().any(|(path, _)| path.starts_with("wit")), language != Language::Rust);
        }
    }

    #[test]
    fn a_rust_project_takes_the_sdk_from_where_it_was_told() {
        let cargo = |sdk: Option<&str>| {
            let files = project(Language::Rust, "my-plugin", sdk);
            files.into_iter().find(|(path, _)| path.as_os_str() == "Cargo.toml").unwrap().1
        };
        assert!(cargo(None).contains("tidegate-plugin-sdk = { git = \"https://"), "{}", cargo(None));
        assert!(cargo(Some("/sdk")).contains("tidegate-plugin-sdk = { path = \"/sdk\" }"));
        assert!(cargo(None).ends_with("[workspace]\n") && !cargo(None).contains("../"));
    }
}
