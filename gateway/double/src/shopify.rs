//! A Shopify shop, as far as Tidegate touches one: subscriptions by the GraphQL Admin API, orders by the REST Admin API, webhooks sent when orders change, and a
//! subscription taken away after failures in a row. Strict about versions, tokens, fields and parameters, with Shopify's errors; told to fail when wanted.
//!
//! A delivery is tried once: what Shopify would try again over four hours is lost at once.
//!
//! Sources: <https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant>,
//! <https://shopify.dev/docs/api/admin-graphql/2026-01/mutations/webhookSubscriptionCreate>, <https://shopify.dev/docs/api/admin-rest/latest/resources/order>,
//! <https://shopify.dev/docs/api/usage/limits>.

mod document;
mod graphql;
mod rest;
mod sending;
mod shelf;

use crate::{
    account::{Account, Answer, Asked, Inside, Provider, lock},
    config::StartError,
    oauth::{Oauth, OauthApp},
};
use serde_json::Value;
use shelf::Shelf;
use std::sync::{Mutex, MutexGuard};
use tidegate_clock::DomainClock;

pub use shelf::ShopHook;

/// A running shop.
pub type ShopifyShop = Account<Shop>;

/// What is Shopify's own of a shop.
pub struct Shop {
    token: String,
    /// The app's client secret: webhooks are signed with it.
    secret: String,
    oauth: Option<Oauth>,
    shelf: Mutex<Shelf>,
}

impl ShopifyShop {
    /// Opens a shop for an app with this access token and client secret, on the current tokio runtime. Its host and port are its name.
    ///
    /// # Errors
    /// There is no port, or no HTTP client.
    pub async fn start(clock: DomainClock, token: &str, secret: &str) -> Result<Self, StartError> {
        Self::with(clock, token, secret, None).await
    }

    /// The same, for an app that asks for its tokens by itself.
    ///
    /// # Errors
    /// As [`ShopifyShop::start`].
    pub async fn start_with(clock: DomainClock, app: OauthApp) -> Result<Self, StartError> {
        let secret = app.client.1.clone();
        Self::with(clock, "nobody has this token", &secret, Some(Oauth::new(app))).await
    }

    async fn with(clock: DomainClock, token: &str, secret: &str, oauth: Option<Oauth>) -> Result<Self, StartError> {
        let (token, secret) = (token.to_owned(), secret.to_owned());
        Self::open(clock, Shop { token, secret, oauth, shelf: Mutex::default() }).await
    }

    /// Tokens of the app end before their time.
    pub fn end_access(&self) {
        self.inside.own.oauth.iter().for_each(Oauth::end_access);
    }

    /// Somebody orders: the order gets an id and its times, and webhooks go out. Gives the id.
    pub fn place(&self, order: &Value) -> u64 {
        let (id, told) = self.inside.shelf().place(order, self.inside.now_s());
        self.inside.tell(told);
        id
    }

    /// An order changes: these fields are set, and webhooks go out for all that it means.
    ///
    /// # Panics
    /// There is no such order.
    pub fn change(&self, id: u64, with: &Value) {
        let told = self.inside.shelf().change(id, with, self.inside.now_s());
        self.inside.tell(told.unwrap_or_else(|| panic!("there is no order {id}")));
    }

    /// Its subscriptions, by id.
    pub fn subscriptions(&self) -> Vec<ShopHook> {
        self.inside.shelf().hooks.values().cloned().collect()
    }
}

impl Provider for Shop {
    type Parcel = sending::Parcel;

    async fn answer(inside: &Inside<Self>, asked: &Asked) -> Answer {
        rest::answer(inside, asked)
    }

    fn failed(status: u16) -> Answer {
        rest::refusal(status, "Told to fail")
    }

    /// By GraphQL: with 200, and the code `THROTTLED`.
    fn throttled() -> Answer {
        Answer::json(200, &graphql::throttled(3.0))
    }

    async fn deliver(inside: &Inside<Self>, parcel: Self::Parcel) {
        sending::deliver(inside, &parcel).await;
    }
}

impl Inside<Shop> {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        lock(&self.own.shelf)
    }
}
