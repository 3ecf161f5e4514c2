//! What a plugin implements, and the glue between it and the contract. It knows no provider.

use crate::{
    Connection, Context, Error, Event, Item, Outcome, Trigger,
    bindings::{
        exports::tidegate::plugin::normalizer::Guest,
        tidegate::plugin::types::{Done, Failure},
    },
};
use std::marker::PhantomData;

/// A plugin: what one provider's webhooks mean.
///
/// It depends on its arguments alone: the gateway may call it again with the same item, and compares the outcomes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a plugin",
    label = "expected a type that implements `tidegate_plugin_sdk::Plugin`",
    note = "write `impl Plugin for {Self}` with `fn interpret(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error>`"
)]
pub trait Plugin {
    /// Interprets one item.
    ///
    /// # Errors
    /// [`Error::skip`] when the item is understood and of no interest; any other error when it can't be read. What [`Context::fetch`] gives is passed on with `?`.
    fn interpret(ctx: &mut Context<'_>, item: &Item) -> Result<Interpretation, Error>;

    /// Interprets items of one connection, one outcome for each in the same order. Override it when items share work.
    fn interpret_chunk(connection: &Connection, items: &[Item]) -> Vec<Outcome> {
        items.iter().map(|item| interpret_item::<Self>(connection, item)).collect()
    }
}

/// What an item means: events, and triggers beside them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Interpretation {
    /// What happened, in the order it happened.
    pub events: Vec<Event>,
    /// What it means for automation, beside the events.
    pub triggers: Vec<Trigger>,
}

impl Interpretation {
    /// Adds a signal for flows about the event with this key. `variables` is a JSON object, see [`crate::json::Object`].
    #[must_use]
    pub fn with_trigger(mut self, name: &str, event_key: &str, variables: String) -> Self {
        self.triggers.push(Trigger { name: name.to_owned(), event_key: event_key.to_owned(), variables });
        self
    }
}

impl From<Event> for Interpretation {
    fn from(event: Event) -> Self {
        Self { events: vec![event], triggers: Vec::new() }
    }
}

impl From<Vec<Event>> for Interpretation {
    fn from(events: Vec<Event>) -> Self {
        Self { events, triggers: Vec::new() }
    }
}

/// The exported side of a plugin.
#[derive(Debug)]
pub struct Component<P>(PhantomData<P>);

impl<P: Plugin> Guest for Component<P> {
    fn interpret(connection: Connection, items: Vec<Item>) -> Vec<Outcome> {
        P::interpret_chunk(&connection, &items)
    }
}

fn interpret_item<P: Plugin + ?Sized>(connection: &Connection, item: &Item) -> Outcome {
    let mut ctx = Context::new(connection, item);
    let result = P::interpret(&mut ctx, item);
    let (needed, state) = ctx.finish();
    // What was asked for wins: the plugin did not know all when it decided, whatever it made of that.
    if !needed.is_empty() {
        return Outcome::Need(needed);
    }
    match result {
        Ok(Interpretation { events, triggers }) => Outcome::Done(Done { events, triggers, state }),
        Err(Error::Skip(reason)) => Outcome::Skip(reason),
        Err(Error::Failed { field, reason, retryable }) => Outcome::Failed(Failure { field, reason, retryable }),
        Err(Error::Need) => Outcome::Failed(Failure {
            field: None,
            reason: "the plugin waits for answers that it did not ask for".to_owned(),
            retryable: false,
        }),
    }
}

#[cfg(test)]
mod tests;
