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
pub use tidegate_double::{
    AccountFailure, CalendlyAccount, HookStatus, HubspotAccount, Manner, MetaAccount, OauthApp, Registry, ShopifyShop,
    TwilioConsole, WooStore,
};
pub use wait::PATIENCE;
pub use webhook::{Answer, Played, calendly, hubspot, meta, shopify, twilio, woocommerce};

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
/// The account that sends SMS.
pub const TWILIO_ACCOUNT: &str = "AC5d1e0c7b9a3f4e2d8c6b1a0f9e8d7c6b";
/// What that account sends with, and Twilio signs with.
pub const TWILIO_TOKEN: &str = "9f8e7d6c5b4a39281706f5e4d3c2b1a0";
/// The number that sends SMS.
pub const SMS_NUMBER: &str = "+14155550100";
/// A messaging service, and the number in it.
pub const SMS_SERVICE: (&str, &str) = ("MG7c6b5a4f3e2d1c0b9a8f7e6d5c4b3a2f", "+14155550101");
/// Where providers believe that a gateway with SMS is.
pub const PUBLIC_URL: &str = "https://hooks.harbour.example";
/// What a gateway's clock shows at first.
pub const START_MS: i64 = 1_772_359_200_000;
