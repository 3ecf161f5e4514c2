//! What an author reads who misuses the macro.

#[test]
fn misuse_of_export_is_explained() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}
