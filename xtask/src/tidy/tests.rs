//! Each rule on texts that keep and break it, and this tree held to all of them.

use std::path::Path;

use super::{check, problems};

fn accept(file: &str, text: &str) {
    assert_eq!(check(Path::new(file), text), Vec::<String>::new(), "{text}");
}

fn refuse(file: &str, text: &str, expected: &str) {
    assert_eq!(check(Path::new(file), text), [expected], "{text}");
}

#[test]
fn every_file_of_the_tree_keeps_the_rules() {
    assert_eq!(problems().unwrap(), Vec::<String>::new());
}

#[test]
fn a_rust_file_opens_with_what_it_is() {
    let expected = "a.rs: open the file with a `//!` comment: what it is, and what it may not know";
    accept("a.rs", "//! What it is.\nfn a() {}\n");
    accept("a.rs", "#![no_std]\n\n//! What it is.\n");
    refuse("a.rs", "", expected);
    refuse("a.rs", "use std::fmt;\n//! Late.\n", expected);
    refuse("a.rs", "// Not a doc.\n", expected);
    accept("a.toml", "key = 1\n");
}

#[test]
fn no_module_is_a_mod_rs() {
    refuse("a/mod.rs", "//! A.\n", "a/mod.rs: name the file after its module, beside the folder");
}

#[test]
fn nothing_is_left_for_later() {
    let later = format!("//! A.\nfn a() {{ {}) }}\n", concat!("todo", "!("));
    refuse("a.rs", &later, concat!("a.rs:2: `todo", "!(`: write the whole thing"));
    let never = format!("//! A.\nfn a() {{ {}\"b\") }}\n", concat!("unimplemented", "!("));
    refuse("a.rs", &never, concat!("a.rs:2: `unimplemented", "!(`: write the whole thing"));
    let asleep = format!("//! A.\n{} = \"slow\"]\n", concat!("#[", "ignore"));
    refuse("a.rs", &asleep, concat!("a.rs:2: `#[", "ignore`: make the test fast and sure, or remove it"));
    accept("a.md", &later);
}

#[test]
fn no_path_leads_into_one_machine() {
    let work = concat!("/wo", "rk/");
    let expected = format!("a.md:1: `{work}` is a folder of one machine: write a path from the root of the project");
    for text in [format!("{work}a"), format!("see \"{work}a\""), format!("PATH=a:{work}b"), format!("({work}a)")] {
        refuse("a.md", &text, &expected);
    }
    for text in [
        format!("https://example.com{work}a"),
        format!("~{work}a"),
        format!("docs{work}a"),
        format!("${{HOME}}{work}a"),
    ] {
        accept("a.md", &text);
    }
}
