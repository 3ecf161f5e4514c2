//! Calls of a plugin's connector: the same sandbox, limits and purity as for items.

use super::{Inner, Plugin};
use crate::{error::CallError, fetch, worlds::Failed};
use std::time::Duration;
use tidegate_model::{
    ItemId,
    connector::{Step, Task},
    outcome::{Answer, ConnectionInfo, Request},
};

impl Plugin {
    /// Whether it looks after its connections: its manifest says so, and it exports a connector.
    pub fn connects(&self) -> bool {
        self.manifest().connector.is_some() && self.inner.world.connects()
    }

    /// Whether a request of a step only looks: it is one that a check may make too.
    pub fn only_reads(&self, connection: &ConnectionInfo, request: &Request) -> bool {
        fetch::check_connecting(request, self.manifest(), connection, false).is_ok()
    }

    /// Takes a task of its connector one step on, in a fresh instance. `seed` gives the clock and the randomness. Every request of the step is one that the
    /// manifest lets the connector make, and none writes unless the task may.
    ///
    /// # Errors
    /// When the call gave no step: the task failed.
    pub async fn advance(
        &self,
        seed: &ItemId,
        connection: &ConnectionInfo,
        task: &Task,
        answers: &[Answer],
    ) -> Result<Step, CallError> {
        let Inner { identity, world, host, .. } = &*self.inner;
        let mut store = self.store(seed, 1);
        let _slot = host.slots.acquire().await.ok();
        let _running = host.ticker.enter();
        let deadline = Duration::from_millis(identity.manifest.limits.deadline_ms);
        let ended =
            tokio::time::timeout(deadline, world.advance(&mut store, identity, connection, task, answers)).await;
        store.data().log_stderr();
        match ended {
            Ok(Ok(step)) => Ok(step),
            Ok(Err(Failed::Answer(error))) => Err(error),
            Ok(Err(Failed::Engine(error))) => Err(self.explain(store.data(), &error)),
            Err(_elapsed) => Err(CallError::Deadline { plugin: self.id().to_owned(), deadline }),
        }
    }
}
