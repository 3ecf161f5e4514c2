//! The built gateway from outside: webhooks go in by HTTP, messages come out at a double of the provider, and everything between is looked at through the control socket
//! and the command line. Each test has a gateway, a double and a time of its own.

mod authorize;
mod backup;
mod batches;
mod calendly;
mod calendly_account;
mod cli;
mod configuration;
mod connector;
mod conversation;
mod crash;
mod delivery;
mod drain;
mod failures;
mod fetch;
mod fire;
mod generic;
mod hostile;
mod hubspot_account;
mod intake;
mod layers;
mod leads;
mod lifecycle;
mod load;
mod masking;
mod meta;
mod meta_account;
mod metrics;
mod plugin;
mod plugin_author;
mod plugin_dev;
mod plugin_files;
mod privacy;
mod proxies;
mod queue;
mod reload;
mod replay;
mod sending;
mod sending_pauses;
mod shopify_shop;
mod shutdown;
mod sms;
mod twilio_account;
mod waits;
mod woocommerce;

use serde_json::Value;
use tidegate_test_support::{Setup, Template};

/// The program under test.
const PROGRAM: &str = env!("CARGO_BIN_EXE_tidegate");

/// Confirms each order at once.
const CONFIRMATION: &str = "
flow: order-confirmation
on: order.placed
steps:
  - id: confirm
    send:
      template: order_confirmation
      parameters:
        first_name: \"{{ contact.first_name | default('there') }}\"
        number: \"{{ event.order.number }}\"
        total: \"{{ event.order.total | money }}\"
";

/// Reminds two hours after each order.
const REMINDER: &str = "
flow: reminder
on: order.placed
steps:
  - id: let-it-be
    wait: 2h
  - id: remind
    send:
      template: order_confirmation
      parameters:
        first_name: \"{{ contact.first_name | default('there') }}\"
        number: \"{{ event.order.number }}\"
        total: \"{{ event.order.total | money }}\"
";

/// A gateway to be, without flows.
fn bare() -> Setup {
    Setup::new(PROGRAM)
}

/// A gateway to be that confirms each order.
fn shop() -> Setup {
    bare().template(order_confirmation()).flow(CONFIRMATION)
}

fn order_confirmation() -> Template {
    Template::new("order_confirmation", &["first_name", "number", "total"])
        .language("en", "en_US", "Hi {{first_name}}, thank you for your order {{number}} ({{total}}). See you.")
        .language("it", "it", "Ciao {{first_name}}, grazie per il tuo ordine {{number}} ({{total}}). A presto.")
}

/// The states that a message went through, in order.
fn states(message: &Value) -> Vec<&str> {
    let steps = message["history"].as_array().expect("a message has a history");
    steps.iter().map(|step| step["state"].as_str().expect("a step has a state")).collect()
}

/// The note of the last step of a message.
fn last_note(message: &Value) -> &str {
    let last = message["history"].as_array().and_then(|steps| steps.last());
    last.and_then(|step| step["note"].as_str()).unwrap_or_default()
}

/// A text of a JSON value.
#[track_caller]
fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is no text: {value:#}"))
}
