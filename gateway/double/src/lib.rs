//! The provider double: behaves as the providers do where Tidegate touches them, over real HTTP on this machine. Strict about requests, with real-looking ids and
//! errors, signed webhooks back on the domain clock, and told to fail when wanted. Test equipment and the try-it-out mode; the product never knows it is there.

mod account;
mod calendly;
mod config;
mod console;
mod control;
mod double;
mod graph;
mod hubspot;
mod ids;
mod leads;
mod limits;
mod meta;
mod oauth;
mod people;
mod record;
mod registry;
mod rules;
mod schedule;
mod script;
mod server;
mod shopify;
mod state;
mod twilio;
mod webhook;
mod woo;

pub use account::{Account, AccountFailure};
pub use calendly::{CalendlyAccount, CalendlyHook};
pub use config::{Category, Delays, DoubleConfig, Limits, Number, Parameters, StartError, Template, WindowRule};
pub use console::TwilioConsole;
pub use double::Double;
pub use hubspot::{HubspotAccount, HubspotHook};
pub use leads::{Lead, LeadAccess, Page};
pub use meta::MetaAccount;
pub use oauth::OauthApp;
pub use record::{
    Delivery, LeadRead, Record, RefusedRequest, SentMessage, SentParameter, SentSms, SmsStatusRecord, StatusRecord,
    StatusWord,
};
pub use registry::{Manner, Registry};
pub use rules::{Failure, Rule};
pub use script::{Script, ScriptError};
pub use shopify::{ShopHook, ShopifyShop};
pub use state::StatusManner;
pub use twilio::{Service, TwilioAccount};
pub use webhook::Button;
pub use woo::{Hook, HookStatus, WooStore};
