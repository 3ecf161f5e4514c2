//! Whether the cases beside a plugin can be read, and whether they tell something of every topic.

use super::Finding;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tidegate_plugin_host::Manifest;
use tidegate_plugin_testing::{Answers, Fixture};

/// Findings about a folder of cases.
pub(super) fn check(dir: &Path, manifest: &Manifest) -> Vec<Finding> {
    let cases = cases(dir);
    if cases.is_empty() {
        return vec![Finding::warning(
            format!("{} holds no cases", dir.display()),
            "add a folder with a webhook.json, and run `tidegate plugin test --update`",
        )];
    }
    let (mut found, mut topics) = (Vec::new(), Vec::new());
    for case in &cases {
        match read(case) {
            Ok(fixture) => topics.push(fixture.topic),
            Err(problem) => found.push(Finding::fault(
                format!("the case {}: {problem}", case.display()),
                "mend it; docs/plugins.md shows what a case looks like",
            )),
        }
        if !case.join("outcome.json").exists() {
            found.push(Finding::warning(
                format!("the case {} has no outcome.json", case.display()),
                "write it with `tidegate plugin test --update`, and read what it says",
            ));
        }
    }
    let untested = manifest.topics.iter().filter(|topic| !topics.contains(&topic.name));
    found.extend(untested.map(|topic| {
        Finding::warning(
            format!("no case is about the topic {}", topic.name),
            "add one with a webhook as the provider really sends it",
        )
    }));
    found
}

/// The folders of cases, by name.
pub(in crate::cli::plugin) fn cases(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let mut cases: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    cases.sort();
    cases
}

fn read(case: &Path) -> Result<Fixture, String> {
    let text = fs::read_to_string(case.join("webhook.json")).map_err(|error| format!("webhook.json: {error}"))?;
    let fixture = Fixture::parse(&text).map_err(|error| error.to_string())?;
    Answers::of_case(case).map_err(|error| error.to_string())?;
    Ok(fixture)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str =
        "id = \"x\"\nname = \"X\"\nversion = \"1.0.0\"\ntopics = [{ name = \"a\" }, { name = \"b\" }]\n";

    #[test]
    fn cases_that_are_missing_or_broken_are_found() {
        let manifest = Manifest::parse("plugin.toml", MANIFEST).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let words = || check(dir.path(), &manifest).into_iter().map(|found| found.what).collect::<Vec<_>>();
        assert!(words()[0].contains("holds no cases"));
        let write = |case: &str, file: &str, text: &str| {
            fs::create_dir_all(dir.path().join(case)).unwrap();
            fs::write(dir.path().join(case).join(file), text).unwrap();
        };
        let webhook = r#"{"topic": "a", "received_at": "2026-03-01T10:00:00Z", "body": {}, "source": "own"}"#;
        write("good", "webhook.json", webhook);
        write("good", "outcome.json", "[]");
        assert_eq!(words(), ["no case is about the topic b"]);
        write("bad", "webhook.json", "{}");
        write("bad", "outcome.json", "[]");
        assert!(words()[0].contains("bad: webhook.json: missing field `topic`"), "{:?}", words());
        write("bad", "webhook.json", webhook);
        write("bad", "answers.json", "{}");
        assert!(words()[0].contains("answers.json"), "{:?}", words());
    }
}
