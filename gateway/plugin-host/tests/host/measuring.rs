//! What a component is made of, and what its calls cost.

use crate::support::{bare, connection, hostile, item, runtime};
use tidegate_plugin_host::{CallError, Limits, anatomy, embed, is_given_import};

#[test]
fn what_a_component_is_made_of_is_read_without_running_it() {
    let found = anatomy(bare()).unwrap();
    assert!(found.is_normalizer(), "{found:?}");
    assert!(found.imports.iter().all(|import| is_given_import(import)), "{found:?}");
    assert!(!is_given_import("wasi:http/types@0.2.0"));
    // The manifest is a section among the others.
    let packed = embed(bare(), "id = \"x\"").unwrap();
    assert_eq!(anatomy(&packed).unwrap(), found);
}

#[test]
fn what_its_tools_wrote_down_is_told_once() {
    let text = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
    let field = |name: &str, value: &str, version: &str| [text(name), vec![1], text(value), text(version)].concat();
    let content =
        [text("producers"), vec![2], field("language", "C11", ""), field("processed-by", "clang", "19\n")].concat();
    let section = [vec![0, content.len() as u8], content].concat();
    let component = [&b"\0asm\x0d\0\x01\0"[..], &section, &section].concat();
    let found = anatomy(&component).unwrap();
    assert_eq!((found.languages, found.tools), (vec!["C11".to_owned()], vec!["clang 19".to_owned()]));
}

#[test]
fn a_damaged_component_is_an_error_and_never_a_panic() {
    for end in [0, 7, 8, 9, 100, bare().len() / 2, bare().len() - 1] {
        // A cut between two sections leaves a whole, smaller component.
        let _ = anatomy(&bare()[..end]);
    }
    let mut bytes = bare()[..4_096.min(bare().len())].to_vec();
    for at in 8..bytes.len() {
        bytes[at] ^= 0xff;
        let _ = anatomy(&bytes);
        bytes[at] ^= 0xff;
    }
    let error = anatomy(&bare()[..100]).unwrap_err().to_string();
    assert!(error.starts_with("the component can't be read: "), "{error}");
}

#[test]
fn what_a_call_costs_is_measured() {
    let plugin = hostile();
    let items = [item("look/nothing", 0), item("look/nothing", 1)];
    let measured = runtime().block_on(plugin.measure(&connection(), &items)).unwrap().unwrap();
    assert!(measured.call > measured.instantiate / 2 && !measured.call.is_zero(), "{measured:?}");
    assert!((65_536..=plugin.manifest().limits.memory_bytes).contains(&measured.memory_bytes), "{measured:?}");
    assert_eq!(runtime().block_on(plugin.measure(&connection(), &[])), Ok(None));
    let failed = runtime().block_on(plugin.measure(&connection(), &[item("attack/panic", 0)]));
    assert!(matches!(failed, Err(CallError::Trap { .. })), "{failed:?}");
}

#[test]
fn the_size_of_an_outcome_is_found_by_what_it_takes() {
    let plugin = hostile();
    let size = |topic: &str| runtime().block_on(plugin.outcome_bytes(&connection(), &[item(topic, 0)]));
    let (small, large) = (size("look/nothing").unwrap(), size("answer/large-extra").unwrap());
    assert!(small < 4_096, "{small}");
    assert!((256 << 10..1 << 20).contains(&large), "{large}");
    assert_eq!(size("attack/huge"), None, "more than {}", Limits::OUTCOME_BYTES.end());
}
