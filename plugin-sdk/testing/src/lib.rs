//! Runs a plugin's fixtures in the real plugin host. A folder is a case: `webhook.json` is what the provider sent, `outcome.json` what the plugin makes of it, as the
//! gateway understands it. `UPDATE=1 cargo test` writes `outcome.json` anew; read the difference before you commit it.
//!
//! ```json
//! {
//!   "topic": "orders/create",
//!   "headers": { "x-shopify-topic": "orders/create" },
//!   "received_at": "2026-03-01T10:00:00Z",
//!   "settings": { "high_value_over": "250.00" },
//!   "body": { "id": 1 },
//!   "source": "where the payload comes from"
//! }
//! ```
//! `body` may be any JSON and is sent as it is written; `body_text` takes its place for bodies that are not JSON. `settings` (the connection's) and `state` (what
//! the plugin stored before) may be left out.
//!
//! For a plugin that reads from its provider `answers.json` lies beside it: a list of `{"request": {"method", "url", "body"}, "response": {"status", "headers",
//! "body"}}`, or `"failed": "why"` in place of the response. What is not answered there fails the case.

mod answers;
mod case;
mod diff;
mod own;
mod run;

pub use answers::Answers;
pub use case::{CaseError, Fixture};
pub use own::own_component;
pub use run::{Failed, interpret, run_fixtures};

/// Makes a test of a folder of fixtures.
///
/// - `fixtures!("fixtures");` builds the plugin of the package the test is in, with its `plugin.toml`;
/// - `fixtures!("fixtures", COMPONENT);` takes the bytes of a packed component.
///
/// The folder is given from the package's root.
#[macro_export]
macro_rules! fixtures {
    ($dir:literal) => {
        $crate::fixtures!(
            $dir,
            &$crate::own_component(
                env!("CARGO_PKG_NAME"),
                env!("CARGO_MANIFEST_DIR"),
                option_env!("CARGO_TARGET_TMPDIR")
            )
        );
    };
    ($dir:literal, $component:expr) => {
        #[test]
        fn the_fixtures_have_their_outcomes() {
            let dir = ::std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join($dir);
            if let Err(failed) = $crate::run_fixtures($component, &dir) {
                panic!("{failed}");
            }
        }
    };
}
