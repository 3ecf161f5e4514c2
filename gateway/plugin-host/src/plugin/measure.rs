//! What a call costs: for the author who wants to know how far the limits are. Nothing else calls a plugin this way.

use super::{Inner, Plugin};
use crate::{error::CallError, manifest::Limits};
use std::time::Duration;
use tidegate_model::{
    ItemId,
    outcome::{ConnectionInfo, Item},
};
use tokio::time::Instant;

/// What one call took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// The making of an instance alone.
    pub instantiate: Duration,
    /// A whole call, with the making of its instance.
    pub call: Duration,
    /// Memory of the instance at the end of the call, in bytes.
    pub memory_bytes: u64,
}

impl Plugin {
    /// Makes an instance, then makes another one and lets it interpret items of one connection. Is not counted in [`Plugin::figures`].
    ///
    /// # Errors
    /// As [`Plugin::interpret`].
    pub async fn measure(&self, connection: &ConnectionInfo, items: &[Item]) -> Result<Option<Measured>, CallError> {
        let Some(first) = items.first() else { return Ok(None) };
        let started = Instant::now();
        self.instantiate(&first.id).await?;
        let instantiate = started.elapsed();
        let started = Instant::now();
        let mut store = self.store(&first.id, items.len());
        self.call_in(&mut store, connection, items).await?;
        let memory_bytes = store.data().budgets.memory_used() as u64;
        drop(store);
        Ok(Some(Measured { instantiate, call: started.elapsed(), memory_bytes }))
    }

    /// Makes an instance and throws it away: what every call begins with. For measuring it.
    ///
    /// # Errors
    /// When the plugin can't be instantiated.
    pub async fn instantiate(&self, seed: &ItemId) -> Result<(), CallError> {
        let Inner { identity, world, host, .. } = &*self.inner;
        let _slot = host.slots.acquire().await.ok();
        let _running = host.ticker.enter();
        let mut store = self.store(seed, 0);
        let deadline = Duration::from_millis(identity.manifest.limits.deadline_ms);
        let ended = tokio::time::timeout(deadline, world.instantiate(&mut store)).await;
        match ended {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(self.explain(store.data(), &error)),
            Err(_elapsed) => Err(CallError::Deadline { plugin: self.id().to_owned(), deadline }),
        }
    }

    /// The least `limits.outcome_bytes` with which a call still works, to within 1 %; found by trying. `None` when it does not work with the plugin's own limit.
    pub async fn outcome_bytes(&self, connection: &ConnectionInfo, items: &[Item]) -> Option<u64> {
        let (mut fails, mut works) = (0, self.manifest().limits.outcome_bytes.min(*Limits::OUTCOME_BYTES.end()));
        if !self.works_with(works, connection, items).await {
            return None;
        }
        while works - fails > (works / 100).max(1) {
            let middle = fails + (works - fails) / 2;
            if self.works_with(middle, connection, items).await {
                works = middle;
            } else {
                fails = middle;
            }
        }
        Some(works)
    }

    async fn works_with(&self, outcome_bytes: u64, connection: &ConnectionInfo, items: &[Item]) -> bool {
        let Some(first) = items.first() else { return true };
        let mut store = self.store(&first.id, items.len());
        store.set_hostcall_fuel(usize::try_from(outcome_bytes).unwrap_or(usize::MAX));
        self.call_in(&mut store, connection, items).await.is_ok()
    }
}
