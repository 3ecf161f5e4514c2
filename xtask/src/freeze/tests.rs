//! Freezing on copies of `wit/`: what is written, what is refused, and that the guard knows the version from then on.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{plan, problems, write};
use crate::released;
use crate::workspace::root;

/// A copy of the contract that is being worked on.
fn copy() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for name in ["types.wit", "world.wit", "released.txt"] {
        fs::copy(root().join("wit").join(name), dir.path().join(name)).unwrap();
    }
    dir
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_released_version_is_a_copy_that_is_guarded() {
    let wit = copy();
    let before = fs::read_to_string(wit.path().join("released.txt")).unwrap();
    let made = plan(wit.path(), "1.0").unwrap();
    assert_eq!(made.problems, Vec::<String>::new(), "the contract may be released as it is");
    assert_eq!(names(wit.path()), ["released.txt", "types.wit", "world.wit"], "a plan writes nothing");

    write(wit.path(), &made).unwrap();
    assert_eq!(names(&wit.path().join("v1.0")), ["types.wit", "world.wit"]);
    let working = fs::read_to_string(wit.path().join("types.wit")).unwrap();
    let frozen = fs::read_to_string(wit.path().join("v1.0/types.wit")).unwrap();
    assert!(frozen.starts_with("package tidegate:plugin@1.0.0;\n"), "{frozen:.60}");
    assert_eq!(frozen.split_once('\n').unwrap().1, working.split_once('\n').unwrap().1);
    let list = fs::read_to_string(wit.path().join("released.txt")).unwrap();
    assert!(list.starts_with(&before) && list.contains("  v1.0/types.wit\n") && list.contains("  v1.0/world.wit\n"));

    // The guard of every build sees a later change.
    assert_eq!(released::problems_in(wit.path()).unwrap(), Vec::<String>::new());
    fs::write(wit.path().join("v1.0/types.wit"), frozen.replace("order", "Order")).unwrap();
    let told = released::problems_in(wit.path()).unwrap();
    assert_eq!(
        told,
        ["wit/v1.0/types.wit was released and has changed: put it back, and make the change in a new version"]
    );

    let again = plan(wit.path(), "1.0").unwrap_err().to_string();
    assert!(again.starts_with("wit/v1.0 is there already"), "{again}");
    fs::remove_dir_all(wit.path().join("v1.0")).unwrap();
    let again = plan(wit.path(), "1.0").unwrap_err().to_string();
    assert_eq!(again, "wit/released.txt names files of v1.0 already");
    assert!(plan(wit.path(), "1.1").is_ok(), "another version is free");
}

#[test]
fn a_version_has_two_numbers() {
    let wit = copy();
    for version in ["1", "1.0.0", "one", "", "1.x"] {
        let error = plan(wit.path(), version).unwrap_err().to_string();
        assert_eq!(error, format!("write the version as MAJOR.MINOR, such as 1.0, not `{version}`"));
    }
    fs::write(wit.path().join("extra.wit"), "interface a {}\n").unwrap();
    let error = plan(wit.path(), "1.0").unwrap_err().to_string();
    assert!(error.starts_with("wit/extra.wit: expected `package name@version;` in the first line"), "{error}");
}

#[test]
fn what_could_not_be_kept_is_told() {
    let check = |inside: &str, expected: &[&str]| {
        let text = format!("package a:b@1.0.0;\n/// One.\ninterface one {{\n{inside}\n}}\n");
        assert_eq!(problems(&[("a.wit".to_owned(), text)]).unwrap(), expected, "{inside}");
    };
    check("/// A.\nrecord a {\n/// B.\nb: string,\n}", &[]);
    check("record a {\n/// B.\nb: string,\n}", &["one.a has no `///` that says what it is"]);
    check("/// A.\nrecord a {\nb: string,\n}", &["one.a.b has no `///` that says what it is"]);
    check("/// A.\nvariant a {\nb,\n}", &["one.a.b has no `///` that says what it is"]);
    check("/// A.\nenum a {\nb,\n}", &["one.a.b has no `///` that says what it is"]);
    check("a: func();", &["one.a has no `///` that says what it is"]);
    let whole = "is a 64-bit integer, which languages read differently: make it a string";
    check("/// A.\nrecord a {\n/// B.\nb: u64,\n}", &[&format!("one.a.b {whole}")]);
    check("/// A.\nrecord a {\n/// B.\nb: option<list<s64>>,\n}", &[&format!("one.a.b {whole}")]);
    check("/// A.\na: func(b: u64);", &[&format!("one.a, parameter b {whole}")]);
    let float = "is a float, which rounds: make it a string with a decimal";
    check("/// A.\na: func() -> f64;", &[&format!("one.a, result {float}")]);
    check("/// A.\ntype a = f32;", &[&format!("one.a {float}")]);
    check("/// A.\nvariant a {\n/// B.\nb(tuple<string, f64>),\n}", &[&format!("one.a.b {float}")]);
    check("/// A.\nflags a {\nb,\n}", &["one.a is a flags, which not every language has"]);
    check("/// A.\nresource a;", &["one.a is a resource, which not every language has"]);
    let undocumented = "package a:b@1.0.0;\nworld w {}\ninterface i {}\n";
    assert_eq!(
        problems(&[("a.wit".to_owned(), undocumented.to_owned())]).unwrap(),
        ["world w has no `///` that says what it is", "interface i has no `///` that says what it is"]
    );
    assert!(problems(&[("a.wit".to_owned(), "package a:b@1.0.0;\nworld {".to_owned())]).is_err());
}
