//! The rules, and this workspace held to them.

use super::{Dependency, Package, Rule, compare, packages, problems, rules};

const LIST: &str = "# Map\n```edges\n# leaves\nmodel ->\nstore -> model, dev:clock\nclock ->\n\nplugins/* -> sdk\nbundled ->\nsdk ->\n```\n";

fn package(name: &str, folder: &str, depends: &[(&str, bool)]) -> Package {
    let depends = depends.iter().map(|(name, dev)| Dependency { name: (*name).to_owned(), dev: *dev });
    Package { name: name.to_owned(), folder: folder.to_owned(), depends: depends.collect() }
}

/// The packages of `LIST`, where `store` depends as told.
fn workspace(store: &[(&str, bool)]) -> Vec<Package> {
    vec![
        package("model", "gateway/model", &[]),
        package("clock", "gateway/clock", &[]),
        package("store", "gateway/store", store),
        package("sdk", "sdk", &[]),
        package("plugin-meta", "plugins/meta", &[("sdk", false)]),
        package("bundled", "plugins/bundled", &[]),
    ]
}

fn check(packages: &[Package], expected: &[&str]) {
    assert_eq!(compare(&rules(LIST).unwrap(), packages), expected);
}

#[test]
fn the_workspace_keeps_to_the_edges_of_architecture_md() {
    assert_eq!(problems().unwrap(), Vec::<String>::new());
}

#[test]
fn the_packages_of_this_workspace_are_read() {
    let packages = packages().unwrap();
    let model = packages.iter().find(|package| package.name == "model").unwrap();
    assert_eq!(model.folder, "gateway/model");
    let signature = packages.iter().find(|package| package.name == "signature").unwrap();
    assert!(signature.depends.iter().any(|depends| depends.name == "model" && !depends.dev));
    let gateway = packages.iter().find(|package| package.name == "tidegate").unwrap();
    assert!(gateway.depends.iter().any(|depends| depends.name == "test-support" && depends.dev));
}

#[test]
fn allowed_edges_say_nothing() {
    check(&workspace(&[("model", false), ("clock", true), ("model", true)]), &[]);
}

#[test]
fn an_edge_that_is_not_listed_is_told() {
    check(
        &workspace(&[("sdk", false), ("sdk", true)]),
        &[
            "`store` depends on `sdk`, which ARCHITECTURE.md does not allow: remove it from gateway/store/Cargo.toml, or argue for `sdk` on the line `store -> …`",
            "`store` depends on `sdk`, which ARCHITECTURE.md does not allow: remove it from gateway/store/Cargo.toml, or argue for `dev:sdk` on the line `store -> …`",
        ],
    );
}

#[test]
fn an_edge_for_tests_is_for_tests_only() {
    check(
        &workspace(&[("clock", false)]),
        &[
            "`store` depends on `clock` outside of its tests, ARCHITECTURE.md allows it for tests only (`dev:clock`): make it a dev-dependency in gateway/store/Cargo.toml",
        ],
    );
}

#[test]
fn a_folder_has_a_rule_and_a_package_in_it_may_have_its_own() {
    let mut packages = workspace(&[]);
    packages.push(package("plugin-x", "plugins/x", &[("model", false)]));
    packages[5] = package("bundled", "plugins/bundled", &[("sdk", false)]);
    check(
        &packages,
        &[
            "`bundled` depends on `sdk`, which ARCHITECTURE.md does not allow: remove it from plugins/bundled/Cargo.toml, or argue for `sdk` on the line `bundled -> …`",
            "`plugin-x` depends on `model`, which ARCHITECTURE.md does not allow: remove it from plugins/x/Cargo.toml, or argue for `model` on the line `plugins/* -> …`",
        ],
    );
}

#[test]
fn packages_without_a_line_and_lines_without_a_package_are_told() {
    let mut packages = workspace(&[]);
    packages.push(package("flows", "gateway/flows", &[]));
    packages.remove(1);
    check(
        &packages,
        &[
            "`flows` (gateway/flows) has no line in the `edges` block of ARCHITECTURE.md: add `flows -> …` with what it may depend on",
            "the `edges` block of ARCHITECTURE.md names `clock`, which is no package of the workspace: remove it",
            "the `edges` block of ARCHITECTURE.md names `clock`, which is no package of the workspace: remove it",
        ],
    );
}

#[test]
fn a_line_names_what_is_allowed() {
    let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let expected = Rule { left: "a".to_owned(), may: set(&["b", "c"]), may_dev: set(&["d"]) };
    assert_eq!(rules("```edges\na->b , c,dev: d\n```").unwrap(), [expected]);
}

#[test]
fn a_list_that_cannot_be_read_is_refused() {
    let refuse = |text: &str, message: &str| {
        assert_eq!(format!("{:#}", rules(text).unwrap_err()), message);
    };
    let none = "ARCHITECTURE.md: write the allowed dependencies in one block fenced as ```edges";
    refuse("", none);
    refuse("```edges\n```\n```edges\n```\n", none);
    let arrow = "ARCHITECTURE.md:2: `a: b`: write `package -> package, dev:package`, or `package ->` for none";
    refuse("```edges\na: b\n```", arrow);
    refuse("```edges\na -> b,\n```", "ARCHITECTURE.md:2: `a -> b,`: `` is not a package's name");
    refuse("```edges\na -> b c\n```", "ARCHITECTURE.md:2: `a -> b c`: `b c` is not a package's name");
    refuse("```edges\na ->\na -> b\n```", "ARCHITECTURE.md:3: `a` has a line already");
}
