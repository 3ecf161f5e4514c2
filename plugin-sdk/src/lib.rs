//! Write a Tidegate plugin in Rust. A plugin turns the webhooks of one provider into canonical events; it is a WebAssembly component that performs no I/O.
//!
//! A whole plugin:
//!
//! ```
//! use tidegate_plugin_sdk::{Context, Error, Event, Interpretation, Item, Plugin, json};
//!
//! struct Hello;
//!
//! impl Plugin for Hello {
//!     fn interpret(_: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error> {
//!         let ping: std::collections::BTreeMap<&str, json::Text<'_>> = json::parse(&item.body)?;
//!         let name = ping.get("name").ok_or_else(|| Error::field("/name", "expected who says hello"))?;
//!         Ok(Event::new("hello.said", name.as_str(), &item.received_at).into())
//!     }
//! }
//! tidegate_plugin_sdk::export!(Hello);
//! # use tidegate_plugin_sdk::{Outcome, testing};
//! # let outcomes = testing::interpret::<Hello>(&[testing::item("ping", r#"{"name": "world"}"#)]);
//! # assert!(matches!(&outcomes[0], Outcome::Done(done) if done.events[0].event_key == "world"));
//! ```
//!
//! Built with `cargo build --release --target wasm32-wasip2` (a library of crate type `cdylib`), it is a component that the gateway loads beside its `plugin.toml`.
//!
//! - **Records** (`Order`, `Event`, …) have a `Default`: name the fields that the provider gives, and end with `..Order::default()`.
//! - **Reading**: [`json::parse`] names the JSON pointer of what does not fit. [`json::Text`], [`json::Decimal`] and [`json::Instant`] read what providers write
//!   now as a string and now as a number, exactly and without copying.
//! - **Forms**: [`form::parse`] reads a body that is a form, and the parameters of the URL that the manifest asks for.
//! - **Asking the provider**: [`Context::fetch`] looks like a call; the gateway makes it, and calls the plugin again.
//! - **Looking after connections**: a plugin that also implements [`Connector`] subscribes, checks and reads again what no webhook told.
//! - **Testing**: [`testing::interpret`] runs a plugin natively, in a unit test.

#[doc(hidden)]
pub mod bindings;
#[doc(hidden)]
pub mod connector_bindings;

mod connector;
mod contact;
mod context;
pub mod decimal;
mod error;
mod event;
pub mod form;
pub mod json;
mod phone;
mod plugin;
pub mod testing;
pub mod time;
pub mod url;

pub use bindings::tidegate::plugin::host::Level;
pub use bindings::tidegate::plugin::types::{
    Address, Answer, Appointment, Cart, Connection, ConnectionChange, Consent, ContactChange, ContactInfo, ContactKey,
    Deal, Direction, Entity, Event, Field, Form, Header, Item, Lead, LineItem, Media, Message, Money, Order, Outcome,
    Payload, Phone, Pricing, ProviderError, Referral, Request, Response, Sender, Shipment, Status, Template, Trigger,
};
pub use connector::{Calls, Connector, VERIFY_TOKEN, WEBHOOK_SECRET};
pub use connector_bindings::exports::tidegate::plugin::connector::{
    Finding, FoundItem, Report, Severity, Span, Step, Subscription, SubscriptionState, Target, Task,
};
pub use context::Context;
pub use error::Error;
pub use plugin::{Interpretation, Plugin};

/// Makes a type that implements [`Plugin`] the component's plugin: `export!(MyPlugin);`, once in a crate.
///
/// With `export!(MyPlugin, connector);` the type implements [`Connector`] too, and looks after its connections.
#[macro_export]
macro_rules! export {
    ($plugin:ty, connector $(,)?) => {
        $crate::export!($plugin);

        const _: () = {
            type Exported = $crate::__private::Component<$plugin>;

            const fn is_connector<C: $crate::Connector>() {}
            is_connector::<$plugin>();

            #[cfg(target_arch = "wasm32")]
    $crate::connector_bindings::export_connecting_component!(Exported with_types_in $crate::connector_bindings);
        };
    };
    ($plugin:ty $(,)?) => {
        // Its name is what the compiler says when it is there twice.
        #[doc(hidden)]
        mod a_crate_exports_one_plugin {}

        const _: () = {
            type Exported = $crate::__private::Component<$plugin>;

            const fn is_plugin<P: $crate::Plugin>() {}
            is_plugin::<$plugin>();

            #[cfg(target_arch = "wasm32")]
    $crate::bindings::export_component!(Exported with_types_in $crate::bindings);
        };
    };
    ($($other:tt)*) => {
        compile_error!("expected the one type that implements `Plugin`: `export!(MyPlugin);`");
    };
}

/// For the expansion of [`export!`] only.
#[doc(hidden)]
pub mod __private {
    pub use crate::plugin::Component;
}
