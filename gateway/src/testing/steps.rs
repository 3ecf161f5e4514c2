//! One step at a time: what the loops of a running gateway do, each commit and each call of the provider for itself.

use super::Stage;
use crate::{
    catalog::Sender,
    pipeline::{Prepared, Progress, prepare, settle},
    work::Work,
};
use std::sync::Arc;
use tidegate_channels::{Outgoing, SendResult};
use tidegate_model::MessageId;
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
                let mut tx = self.tx();
                settle(&mut tx, &flight.sender, flight.id, flight.claim.lane(), answer, self.now()).unwrap();
                tx.delete(&flight.key);
                tx.commit(Some(flight.claim.token())).unwrap();
            }
        }
        Progress::Done
    }

    fn take_off(&mut self) -> Progress {
        let Some(claim) = self.app.store().claim(Queue::Io, 1).unwrap() else { return Progress::Idle };
        let (key, row) = claim.rows()[0].clone();
        let Some(Work::Send { id }) = WorkRow::decode(&row.value).as_ref().and_then(Work::read) else {
            panic!("work of another kind in the queue of messages")
        };
        let mut tx = self.tx();
        match prepare(&mut tx, &self.app.catalog(), id, claim.lane(), self.now()).unwrap() {
            Prepared::Attempt(outgoing, sender) => {
                tx.commit(None).unwrap();
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
