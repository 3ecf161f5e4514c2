//! One step at a time: what the loops of a running gateway do, each commit and each call of the provider for itself.

use super::{Stage, order};
use crate::{
    catalog::Sender,
    pipeline::{Attempted, Prepared, Progress, prepare, read_for, settle, settle_fetch, waiting},
    work::Work,
};
use std::sync::Arc;
use tidegate_channels::{Outgoing, SendResult};
use tidegate_model::{DeliveryId, MessageId, message::Message};
use tidegate_store::{Claim, Key, Queue, WorkRow, records::promote_due};

/// A message on its way: the attempt is recorded, and its outcome is not.
pub(super) struct Flight {
    claim: Claim,
    key: Key,
    id: MessageId,
    sender: Arc<Sender>,
    stand: Stand,
}

enum Stand {
    Recorded(Outgoing),
    Answered(SendResult),
}

impl Stage {
    /// Does the next thing that a running gateway would do: a claim of pure work, due timers, a message's next commit or call.
    pub(crate) fn step(&mut self) -> Progress {
        if self.runner().tick().unwrap() == Progress::Done {
            return Progress::Done;
        }
        if promote_due(self.app().store(), self.now().ms(), 128).unwrap().moved > 0 {
            return Progress::Done;
        }
        self.send_step()
    }

    /// Steps until there is nothing to do at this time.
    pub(crate) fn settle(&mut self) {
        // Far more than any test takes: a gateway that finds no rest is a defect.
        for _ in 0..10_000 {
            if self.step() == Progress::Idle {
                return;
            }
        }
        panic!("the gateway finds no rest");
    }

    /// The `n`th customer orders, and everything that follows now is done. Gives the message that it led to.
    pub(crate) fn order_of(&mut self, n: u32) -> Message {
        let before: Vec<_> = self.outbound().into_iter().map(|message| message.id).collect();
        self.post(&order(&n.to_string(), n));
        self.settle();
        self.outbound().into_iter().find(|message| !before.contains(&message.id)).unwrap()
    }

    /// Lets time pass in steps of a minute, and does what comes due.
    pub(crate) fn pass(&mut self, ms: i64) {
        let end = self.now().plus_ms(ms);
        while self.now() < end {
            self.advance((end.ms() - self.now().ms()).min(60_000));
            self.settle();
        }
    }

    /// Steps through pure work only: messages stay in their queue.
    pub(crate) fn interpret(&self) {
        for _ in 0..10_000 {
            if self.runner().tick().unwrap() == Progress::Idle {
                return;
            }
        }
        panic!("the runner finds no rest");
    }

    /// A message's next step: gate and mark, call, outcome.
    pub(crate) fn send_step(&mut self) -> Progress {
        let Some(flight) = self.flight.take() else { return self.take_off() };
        match flight.stand {
            Stand::Recorded(outgoing) => {
                let answer = self.runtime.block_on(flight.sender.channel.send(outgoing));
                self.flight = Some(Flight { stand: Stand::Answered(answer), ..flight });
            }
            Stand::Answered(ref answer) => {
                let (sender, id, lane) = (&*flight.sender, flight.id, flight.claim.lane());
                let in_a_row = self.app.pulses().observe(sender.number, answer, self.now());
                let attempted = Attempted { sender, id, lane, result: answer, in_a_row };
                let mut tx = self.tx();
                settle(&mut tx, &self.app.catalog(), &attempted, self.now()).unwrap();
                tx.delete(&flight.key);
                tx.commit(Some(flight.claim.token())).unwrap();
            }
        }
        Progress::Done
    }

    /// Reads for an item, and writes down what became of it.
    fn fetch_step(&self, claim: &Claim, key: &Key, id: DeliveryId, index: u32) -> Progress {
        let mut tx = self.tx();
        if let Some(row) = waiting(&mut tx, claim.lane().workspace, id, index).unwrap() {
            let fetched = self.runtime.block_on(read_for(&self.app, &row));
            for batch in settle_fetch(&self.app, &mut tx, &row, &fetched).unwrap() {
                self.app.store().commit(batch).wait().unwrap();
            }
        }
        tx.delete(key);
        tx.commit(Some(claim.token())).unwrap();
        Progress::Done
    }

    fn take_off(&mut self) -> Progress {
        let Some(claim) = self.app.store().claim(Queue::Io, 1).unwrap() else { return Progress::Idle };
        let (key, row) = claim.rows()[0].clone();
        let work = WorkRow::decode(&row.value).as_ref().and_then(Work::read).unwrap();
        if let Work::Fetch { id, index } = work {
            return self.fetch_step(&claim, &key, id, index);
        }
        let mut tx = self.tx();
        match prepare(&mut tx, &self.app.catalog(), work, claim.lane(), self.now()).unwrap() {
            Prepared::Attempt(outgoing, sender) => {
                tx.commit(None).unwrap();
                let id = outgoing.id;
                self.flight = Some(Flight { claim, key, id, sender, stand: Stand::Recorded(*outgoing) });
            }
            Prepared::Settled => {
                tx.delete(&key);
                tx.commit(Some(claim.token())).unwrap();
            }
        }
        Progress::Done
    }
}
