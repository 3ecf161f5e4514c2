//! JSON records: versions, upgrades, mistakes.

use super::*;
use crate::keys;
use proptest::prelude::*;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Note {
    id: [u8; 16],
    text: String,
    #[serde(skip)]
    tail: Vec<u8>,
}

impl Record for Note {
    const SPACE: Space = Space::Deliveries;
    const VERSION: u16 = 3;
    const LAYOUT: Layout = Layout::JsonTail;
    type Key = [u8; 16];

    fn key(&self) -> [u8; 16] {
        self.id
    }

    fn row_key(key: &[u8; 16]) -> Key {
        keys::delivery(1, key)
    }

    fn tail(&self) -> &[u8] {
        &self.tail
    }

    fn set_tail(&mut self, tail: Vec<u8>) {
        self.tail = tail;
    }
}

/// Version 1 called its text `body`; version 0 never was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Page {
    text: String,
}

impl Record for Page {
    const SPACE: Space = Space::Messages;
    const VERSION: u16 = 2;
    type Key = ();

    fn key(&self) {}

    fn row_key(_: &()) -> Key {
        keys::message(1, &[0; 16])
    }

    fn upgrade(from: u16, mut fields: Map<String, Value>) -> Option<Map<String, Value>> {
        (from == 1).then_some(())?;
        let text = fields.remove("body")?;
        fields.insert("text".to_owned(), text);
        Some(fields)
    }
}

#[derive(Serialize, Deserialize)]
struct Empty {}

impl Record for Empty {
    const SPACE: Space = Space::Meta;
    const VERSION: u16 = 1;
    type Key = ();

    fn key(&self) {}

    fn row_key(_: &()) -> Key {
        keys::meta("empty")
    }
}

fn page(row: &str) -> Result<Page, String> {
    decode::<Page>(&keys::message(1, &[0; 16]), row.as_bytes()).map_err(|error| error.to_string())
}

#[test]
fn a_record_is_json_with_its_version_first() {
    let (_, row) = encode(&Page { text: "hi".to_owned() }).unwrap();
    assert_eq!(String::from_utf8(row).unwrap(), r#"{"v":2,"text":"hi"}"#);
    assert_eq!(encode(&Empty {}).unwrap().1, br#"{"v":1}"#);
}

#[test]
fn a_repaired_and_an_older_row_are_read() {
    let check = |row: &str| assert_eq!(page(row), Ok(Page { text: "hi".to_owned() }));
    check(r#"{"v":2,"text":"hi"}"#);
    check(" {\n \"text\": \"hi\", \"v\": 2 }");
    check(r#"{"v":1,"body":"hi"}"#);
}

#[test]
fn a_row_that_cannot_be_read_names_record_row_and_cause() {
    const WHICH: &str = "the message record of message in workspace 1: 00000000000000000000000000000000";
    let check = |row: &str, expected: &str| assert_eq!(page(row), Err(format!("{WHICH} {expected}")));
    check(r#"{"v":2}"#, "cannot be read: missing field `text` at line 1 column 7");
    check(r#"{"text":"hi"}"#, "cannot be read: missing field `v` at line 1 column 13");
    check("[]", "cannot be read: invalid length 0, expected struct Versioned with 1 element at line 1 column 2");
    check(
        r#"{"v":3,"text":"hi"}"#,
        "has version 3, this gateway knows versions up to 2: use the newer one that wrote it",
    );
    check(r#"{"v":0,"text":"hi"}"#, "has version 0, from which no step leads to version 2");
}

proptest! {
    #[test]
    fn a_record_with_a_tail_reads_back(id: [u8; 16], text: String, tail: Vec<u8>) {
        let note = Note { id, text, tail };
        let (key, row) = encode(&note).unwrap();
        prop_assert_eq!(decode::<Note>(&key, &row).unwrap(), note);
    }

    #[test]
    fn any_bytes_are_a_record_or_an_error(row: Vec<u8>) {
        let _ = decode::<Note>(&keys::meta("x"), &row);
        let _ = decode::<Page>(&keys::meta("x"), &row);
    }
}

#[test]
fn a_long_record_is_stored_compressed_and_reads_back() {
    let lines: String = (0..4_000).map(|line| format!("{{\"sku\":\"SKU-{line}\",\"quantity\":1}},")).collect();
    for page in [Page { text: lines.clone() }, Page { text: "short".to_owned() }] {
        let (key, row) = encode(&page).unwrap();
        assert!(row.len() <= crate::engine::MAX_VALUE_BYTES, "{} bytes", row.len());
        assert_eq!(row[0] == PACKED_FORM, page.text == lines);
        assert_eq!(decode::<Page>(&key, &row).unwrap(), page);
    }
    let note = Note { id: [1; 16], text: lines, tail: vec![7; 100] };
    let (key, row) = encode(&note).unwrap();
    assert_eq!(decode::<Note>(&key, &row).unwrap(), note);
}

#[test]
fn a_damaged_compressed_row_is_told() {
    let (key, row) = encode(&Page { text: "a line of an order, ".repeat(5_000) }).unwrap();
    for damaged in
        [row[..3].to_vec(), row[..row.len() - 1].to_vec(), [&[PACKED_FORM, 255, 255, 255, 255], &row[5..]].concat()]
    {
        let error = decode::<Page>(&key, &damaged).unwrap_err().to_string();
        assert!(error.contains("compressed"), "{error}");
    }
}
