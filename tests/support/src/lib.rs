//! Starts the built gateway as its own process, plays its providers, and looks at what it did from outside: by HTTP, by its control socket and by its command line. It
//! knows nothing of the gateway's inside, and makes signatures with code of its own.
//!
//! Waiting is done by looking again, bounded by [`PATIENCE`]; domain time moves only when a test says so ([`Gateway::advance`]).

mod cli;
mod control;
mod disk;
mod gateway;
mod guest;
mod hostile;
mod log;
mod process;
mod provider;
mod setup;
mod shop;
mod wait;
mod webhook;

pub use cli::Printed;
pub use disk::{Taken, free_mib};
pub use gateway::{Figures, Gateway};
pub use guest::Brittle;
pub use provider::{Provider, Reply};
pub use setup::{Setup, Template, stepped};
pub use shop::{Customer, fixture, fixture_file, order};
pub use tidegate_double::{HookStatus, Manner, Registry, StoreFailure, WooStore};
pub use wait::PATIENCE;
pub use webhook::{Answer, Played, calendly, meta, shopify, woocommerce};

/// Meta's id of the number that every gateway here sends by.
pub const NUMBER_ID: &str = "106540352242922";
/// The business account of that number.
pub const WABA_ID: &str = "102290129340398";
/// Meta's id of a second number, of another business.
pub const SECOND_NUMBER_ID: &str = "106540352242933";
/// The business account of the second number.
pub const SECOND_WABA_ID: &str = "102290129340999";
/// What Shopify's webhooks are signed with.
pub const SHOPIFY_SECRET: &str = "shpss_7d1f0c55e3a94b0e9a2c";
/// What Meta's webhooks are signed with.
pub const META_SECRET: &str = "0b5c9e1f77aa4d23b6f0c8de91";
/// Meta's handshake token.
pub const VERIFY_TOKEN: &str = "verify-4f2a9c77d0";
/// The token that sends.
pub const ACCESS_TOKEN: &str = "EAAG5tokenOfTheTests0b7d";
/// What a gateway's clock shows at first.
pub const START_MS: i64 = 1_772_359_200_000;
