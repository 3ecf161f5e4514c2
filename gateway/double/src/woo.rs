//! A WooCommerce store, as far as Tidegate touches one: webhooks and orders by its REST API v3, webhooks sent when orders change, and switched off after failures in
//! a row. Strict about keys and parameters, with WordPress's errors; told to fail when wanted.
//!
//! Sources: <https://github.com/woocommerce/woocommerce/blob/trunk/plugins/woocommerce/includes/class-wc-webhook.php> and
//! <https://github.com/woocommerce/woocommerce-rest-api-docs>, version wc/v3.

mod rest;
mod sending;
mod shelf;

use crate::{
    account::{Account, Answer, Asked, Inside, Provider, lock},
    config::StartError,
};
use serde_json::Value;
use shelf::Shelf;
use std::sync::{Mutex, MutexGuard};
use tidegate_clock::DomainClock;
use tokio::sync::watch;

pub use shelf::{Hook, HookStatus};

/// A running store.
pub type WooStore = Account<Store>;

/// What is WooCommerce's own of a store.
pub struct Store {
    key: String,
    secret: String,
    shelf: Mutex<Shelf>,
    /// Writes that are still answered; later ones are done, and their answers held back. `None` answers all.
    answered: watch::Sender<Option<usize>>,
    /// Answers that are held back.
    held_back: watch::Sender<usize>,
}

impl WooStore {
    /// Opens a store that takes this key and secret, on the current tokio runtime.
    ///
    /// # Errors
    /// There is no port, or no HTTP client.
    pub async fn start(clock: DomainClock, key: &str, secret: &str) -> Result<Self, StartError> {
        let own = Store {
            key: key.to_owned(),
            secret: secret.to_owned(),
            shelf: Mutex::default(),
            answered: watch::Sender::new(None),
            held_back: watch::Sender::new(0),
        };
        Self::open(clock, own).await
    }

    /// Somebody orders: the order gets an id and its times, and a webhook goes out. Gives the id.
    pub fn place(&self, order: &Value) -> u64 {
        let (id, order) = self.inside.shelf().place(order, self.inside.now_s(), &self.inside.home());
        self.inside.tell("order.created", &order);
        id
    }

    /// An order changes: these fields are set, and a webhook goes out.
    ///
    /// # Panics
    /// There is no such order.
    pub fn change(&self, id: u64, with: &Value) {
        let order = self.inside.shelf().change(id, with, self.inside.now_s());
        self.inside.tell("order.updated", &order.unwrap_or_else(|| panic!("there is no order {id}")));
    }

    /// Its webhooks, by id.
    pub fn webhooks(&self) -> Vec<Hook> {
        self.inside.shelf().hooks.values().cloned().collect()
    }

    /// An administrator sets the status of a webhook.
    pub fn set_status(&self, id: u64, status: HookStatus) {
        if let Some(hook) = self.inside.shelf().hooks.get_mut(&id) {
            hook.status = status;
        }
    }

    /// Answers so many writes; later ones are done, and their answers held back.
    pub fn hang_after(&self, writes: usize) {
        self.inside.own.answered.send_replace(Some(writes));
    }

    /// Waits until an answer is held back.
    pub async fn hangs(&self) {
        let _ = self.inside.own.held_back.subscribe().wait_for(|held_back| *held_back > 0).await;
    }

    /// Holds nothing back any more.
    pub fn go_on(&self) {
        self.inside.own.answered.send_replace(None);
    }
}

impl Provider for Store {
    type Parcel = sending::Parcel;

    async fn answer(inside: &Inside<Self>, asked: &Asked) -> Answer {
        rest::answer(inside, asked).await
    }

    fn failed(status: u16) -> Answer {
        rest::page(status)
    }

    async fn deliver(inside: &Inside<Self>, parcel: Self::Parcel) {
        sending::deliver(inside, parcel).await;
    }
}

impl Inside<Store> {
    /// Holds the answer to a write back, if it is to be.
    async fn hold_back(&self) {
        let mut is_held = false;
        self.own.answered.send_if_modified(|answered| {
            match answered {
                Some(0) => is_held = true,
                Some(left) => *left -= 1,
                None => {}
            }
            false
        });
        if is_held {
            self.own.held_back.send_modify(|held_back| *held_back += 1);
            let _ = self.own.answered.subscribe().wait_for(Option::is_none).await;
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        lock(&self.own.shelf)
    }

    /// Its address with a slash at the end, as its webhooks name it.
    fn home(&self) -> String {
        format!("{}/", self.url())
    }
}
