//! The table is whole and has one answer for each code.

use super::*;

/// Codes of Twilio's dictionary that a message without media, sent by a number or a service, can meet.
const DOCUMENTED: &[i64] = &[
    14107, 20003, 20005, 20006, 20008, 20403, 20404, 20429, 21211, 21212, 21214, 21215, 21216, 21217, 21219, 21408,
    21601, 21602, 21603, 21604, 21605, 21606, 21607, 21608, 21609, 21610, 21611, 21612, 21614, 21616, 21617, 21618,
    21619, 21624, 21626, 21657, 21701, 21702, 21703, 21704, 21705, 21708, 21709, 21711, 21712, 30001, 30002, 30003,
    30004, 30005, 30006, 30007, 30008, 30009, 30010, 30012, 30013, 30017, 30018, 30022, 30023, 30024, 30027, 30032,
    30033, 30034, 30035, 30410, 30450, 30610,
];

#[test]
fn every_documented_code_has_a_row_and_every_row_a_code() {
    for code in DOCUMENTED {
        assert!(error_row(*code).is_some(), "{code} has no row");
    }
    for row in ERRORS {
        for code in row.first..=row.last {
            assert!(DOCUMENTED.contains(&code), "{code} is in no list");
        }
    }
}

#[test]
fn no_two_rows_overlap() {
    let mut ranges: Vec<_> = ERRORS.iter().map(|row| (row.first, row.last)).collect();
    ranges.sort_unstable();
    for pair in ranges.windows(2) {
        assert!(pair[0].0 <= pair[0].1 && pair[0].1 < pair[1].0, "{pair:?}");
    }
}

#[test]
fn a_status_means_what_its_code_means() {
    for row in ERRORS {
        let error = ProviderError { code: row.first.to_string(), ..ProviderError::default() };
        let refusal = refusal_of(&error);
        assert_eq!((refusal.action, refusal.scope), (row.action, row.scope));
        assert!(!refusal.title.is_empty());
    }
    let unknown = refusal_of(&ProviderError { code: "12".to_owned(), ..ProviderError::default() });
    assert_eq!((unknown.action, unknown.scope), (Fail, Message));
}

#[test]
fn the_table_reads_as_a_page() {
    let page: Vec<String> = ERRORS
        .iter()
        .map(|row| {
            let codes =
                if row.first == row.last { row.first.to_string() } else { format!("{}-{}", row.first, row.last) };
            format!("{codes}: {:?} / {:?}", row.action, row.scope)
        })
        .collect();
    insta::assert_snapshot!(page.join("\n"));
}
