//! The table is whole and has one answer for each code.

use super::*;
use crate::table::page;

/// Codes of Twilio's dictionary that a message without media, sent by a number or a service, can meet.
const DOCUMENTED: &[i64] = &[
    14107, 20003, 20005, 20006, 20008, 20403, 20404, 20429, 21211, 21212, 21214, 21215, 21216, 21217, 21219, 21408,
    21601, 21602, 21603, 21604, 21605, 21606, 21607, 21608, 21609, 21610, 21611, 21612, 21614, 21616, 21617, 21618,
    21619, 21624, 21626, 21657, 21701, 21702, 21703, 21704, 21705, 21708, 21709, 21711, 21712, 30001, 30002, 30003,
    30004, 30005, 30006, 30007, 30008, 30009, 30010, 30012, 30013, 30017, 30018, 30022, 30023, 30024, 30027, 30032,
    30033, 30034, 30035, 30410, 30450, 30610,
];

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
fn the_table_is_whole_and_reads_as_a_page() {
    insta::assert_snapshot!("the_table_reads_as_a_page", page(ERRORS, DOCUMENTED));
}
