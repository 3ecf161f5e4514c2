//! The table is whole and has one answer for each code.

use super::*;

/// Every code of Meta's page and of the third-party lists, one of each range.
const DOCUMENTED: &[i64] = &[
    0, 190, 200, 230, 299, 3, 10, 131005, 1, 2, 4, 80007, 130429, 131056, 131048, 131064, 131049, 131050, 130472,
    131026, 130403, 130497, 131021, 131030, 131047, 131051, 131052, 131053, 131008, 131009, 100, 33, 131000, 131016,
    131031, 368, 131037, 131042, 131044, 131045, 131055, 131057, 131059, 131062, 131063, 132000, 132001, 132005,
    132007, 132008, 132012, 132015, 132016, 132018, 132068, 132069, 133000, 133004, 133005, 133006, 133008, 133009,
    133010, 133015, 133016, 134011, 134100, 134101, 134102, 135000, 137000, 2388019, 2388039, 2388040, 2388047,
    2388072, 2388073, 2388293, 2388299,
];

#[test]
fn every_documented_code_has_a_row_and_every_row_a_code() {
    for code in DOCUMENTED {
        assert!(error_row(*code).is_some(), "{code} has no row");
    }
    for row in ERRORS {
        let used = DOCUMENTED.iter().any(|code| (row.first..=row.last).contains(code));
        assert!(used, "{} is in no list", row.first);
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
