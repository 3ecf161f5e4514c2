//! Looking at a gateway: what it stores, and when it has nothing left to do.

use super::{Gateway, is_due};
use crate::wait::poll;
use serde_json::Value;
use tidegate_double::SentMessage;
use tokio::runtime::Handle;

/// Times that a gateway which gets on with its work is given more time.
const MOST_WAITS: usize = 8;

impl Gateway {
    /// Events, newest first.
    ///
    /// # Panics
    /// When the gateway does not answer.
    pub async fn events(&self) -> Vec<Value> {
        self.control.list("/v1/events").await.expect("the control socket answers")
    }

    /// Events of this kind, newest first.
    ///
    /// # Panics
    /// When the gateway does not answer.
    pub async fn events_of(&self, kind: &str) -> Vec<Value> {
        let mut events = self.events().await;
        events.retain(|event| event["kind"] == kind);
        events
    }

    /// What is put aside, newest first.
    ///
    /// # Panics
    /// When the gateway does not answer.
    pub async fn parked(&self) -> Vec<Value> {
        self.control.list("/v1/queue").await.expect("the control socket answers")
    }

    /// The plugins that are loaded.
    ///
    /// # Panics
    /// When the gateway does not answer.
    pub async fn plugins(&self) -> Vec<Value> {
        self.control.list("/v1/plugins").await.expect("the control socket answers")
    }

    /// Lines of all messages, newest first.
    ///
    /// # Panics
    /// When the gateway does not answer.
    pub async fn messages(&self) -> Vec<Value> {
        self.control.list("/v1/messages").await.expect("the control socket answers")
    }

    /// Outbound messages, whole, newest first.
    ///
    /// # Panics
    /// When the gateway does not answer.
    pub async fn outbound(&self) -> Vec<Value> {
        let mut found = Vec::new();
        for line in self.messages().await {
            if line["direction"] == "outbound" {
                found.push(self.message(&line["id"]).await);
            }
        }
        found
    }

    /// The one outbound message, whole.
    ///
    /// # Panics
    /// When there is none, or more than one.
    pub async fn only_message(&self) -> Value {
        let mut found = self.outbound().await;
        assert_eq!(found.len(), 1, "expected one message, found {found:#?}");
        found.remove(0)
    }

    /// A message by its id, whole.
    ///
    /// # Panics
    /// When there is none.
    pub async fn message(&self, id: &Value) -> Value {
        let id = id.as_str().unwrap_or_else(|| panic!("{id} is no id"));
        let found = self.control.get(&format!("/v1/messages/{id}")).await;
        found.unwrap_or_else(|| panic!("there is no message {id}"))
    }

    /// An event, item or delivery; `None` when there is none.
    pub async fn show(&self, id: &str) -> Option<Value> {
        self.control.get(&format!("/v1/events/{id}")).await
    }

    /// Figures of its store.
    ///
    /// # Panics
    /// When the gateway does not answer.
    pub async fn stats(&self) -> Value {
        self.control.get("/v1/stats").await.expect("the control socket answers")
    }

    /// Messages that the provider took, oldest first.
    pub fn sent(&self) -> Vec<SentMessage> {
        self.script().sent()
    }

    /// Waits until the gateway has no work left that is due, the provider has told everything that is due, and neither made work for the other meanwhile. As long as it
    /// gets on with its work, a slow machine is given more time.
    ///
    /// # Panics
    /// When that does not come.
    pub async fn settle(&self) {
        let mut done = None;
        for _ in 0..MOST_WAITS {
            if self.settles().await {
                return;
            }
            let now = self.control.get("/v1/stats").await.map(|stats| stats["commits"].clone());
            if now == done {
                break;
            }
            done = now;
        }
        panic!("the gateway still has work: {:?}", self.control.get("/v1/stats").await);
    }

    async fn settles(&self) -> bool {
        let mut before = None;
        let settled = poll(async || {
            self.script().settle().await;
            if self.process.is_none() {
                return Some(());
            }
            let stats = self.control.get("/v1/stats").await?;
            let idle = stats["ready"]["pure"] == 0
                && stats["ready"]["io"] == 0
                && !is_due(&stats["oldest_due_at"], &stats["now"]);
            let now = idle.then(|| stats["commits"].clone());
            let same = now.is_some() && now == before;
            before = now;
            same.then_some(())
        });
        settled.await.is_some()
    }

    /// Waits until a look at the gateway gives something.
    ///
    /// # Panics
    /// When that does not come; `what` says what was waited for.
    pub async fn wait_until<T>(&self, what: &str, mut look: impl AsyncFnMut(&Self) -> Option<T>) -> T {
        let found = poll(async || look(self).await).await;
        found.unwrap_or_else(|| panic!("this did not come: {what}"))
    }

    /// What nobody has dealt with: parked items, and messages that did not arrive.
    pub(super) fn left_behind(&self) -> (Vec<Value>, Vec<Value>) {
        tokio::task::block_in_place(|| {
            Handle::current().block_on(async {
                let mut undelivered = self.messages().await;
                undelivered.retain(|line| ["refused", "failed", "unknown"].iter().any(|state| line["state"] == *state));
                (self.parked().await, undelivered)
            })
        })
    }
}
