//! Figures that are looked up when somebody asks for them: the store's, the disk's, and the age of what waits.

use super::App;
use crate::commands;
use tidegate_store::{Health, KeyRange, Order, Queue, Space, disk, keys::ReadyKey};

/// Lanes whose first rows are looked at for the age of the oldest one: a bound on the cost of a scrape.
const LANES_LOOKED_AT: usize = 512;
/// Waiting items that are counted: the same.
const WAITING_COUNTED: usize = 10_000;

impl App {
    /// The figures as text. Reads the store.
    pub(crate) fn figures(&self) -> String {
        let now = self.now();
        self.ages.mark(self.store.next_seq(), now);
        self.metrics.set_store(&self.store.stats(), self.store.health() == Health::Ok, now.ms());
        for queue in Queue::ALL {
            let oldest = self.oldest_ready(queue);
            self.metrics.set_oldest_ready(queue, oldest.map_or(0, |number| self.ages.age_ms(number, now)));
        }
        self.set_paused();
        self.metrics.set_waiting(self.waiting_items());
        self.metrics.set_receiving(self.admission.figures());
        self.metrics.set_place(self.accepting().is_ok(), disk::disk_free(&self.data).ok());
        self.metrics.render()
    }

    /// Which senders and plugins are paused now. A store that can't be read is in a figure of its own.
    fn set_paused(&self) {
        let catalog = self.catalog();
        for sender in catalog.all_senders() {
            sender.meter.paused.set(i64::from(commands::is_paused(self, sender).unwrap_or(false)));
        }
        for endpoint in catalog.endpoints() {
            let paused = endpoint.digests().any(|digest| !self.breakers.of(digest).works());
            endpoint.plugin_meter.paused.set(i64::from(paused));
        }
    }

    /// Items that wait for answers. There are few, unless a provider is down.
    fn waiting_items(&self) -> usize {
        let all = KeyRange::prefix(&[Space::Fetches as u8]);
        self.store.range(&all, Order::Forward, WAITING_COUNTED).map_or(0, |rows| rows.len())
    }

    /// The number of the oldest ready row, as far as the first lanes tell.
    fn oldest_ready(&self, queue: Queue) -> Option<u64> {
        let space = KeyRange::prefix(&[queue.space() as u8]);
        let (mut range, mut oldest) = (space.clone(), None);
        for _ in 0..LANES_LOOKED_AT {
            // A damaged row is in a figure of its own.
            let first = self.store.range(&range, Order::Forward, 1).ok()?.into_iter().next();
            let Some(found) = first.and_then(|(key, _)| ReadyKey::parse(&key)) else { break };
            oldest = Some(oldest.map_or(found.seq, |seq: u64| seq.min(found.seq)));
            range = space.clone().after(&found.lane.prefix(queue).u64(u64::MAX));
        }
        oldest
    }
}
