//! Unknown: what becomes of a message of which nobody knows whether it was sent, when no status has told within the time for it.

use super::send;
use crate::{
    catalog::Catalog,
    config::{Sending, UnknownPolicy},
    records::MessageRow,
    tx::{Tx, TxError},
    work::Work,
};
use tidegate_model::{
    MessageId, Timestamp,
    message::{Category, Message, State, Step},
};
use tidegate_store::{Lane, Queue};

/// The message became unknown: looks at it again when a status should have come. The caller writes the message.
pub(super) fn begin(
    tx: &mut Tx<'_>,
    sending: &Sending,
    message: &mut Message,
    lane: Lane,
    now: Timestamp,
    note: impl Into<String>,
) {
    message.report(Step { state: State::Unknown, at: now, note: Some(note.into()) });
    let work = Work::Unknown { id: message.id, attempt: u32::from(message.attempts) };
    tx.defer(now.plus_ms(sending.unknown_after_ms()), Queue::Io, lane, work.row());
}

/// No status came in time: the policy of the message's category decides. A message that is not unknown any more, or again, is left alone.
///
/// # Errors
/// The store's.
pub(super) fn resolve(
    tx: &mut Tx<'_>,
    catalog: &Catalog,
    id: MessageId,
    attempt: u32,
    now: Timestamp,
) -> Result<(), TxError> {
    let Some(MessageRow { mut message, workspace }) = tx.get::<MessageRow>(&(tx.workspace(), id))? else {
        return Ok(());
    };
    if message.state != State::Unknown || u32::from(message.attempts) != attempt {
        return Ok(());
    }
    let fail = |message: &mut Message, why: &str| {
        let note = format!("never known whether it was sent: no status came in time; {why}");
        message.report(Step { state: State::Failed, at: now, note: Some(note) });
    };
    match policy(&message, catalog.sending(), now) {
        Next::Resend => {
            message.resends += 1;
            message.requeue(now, "no status came in time: it is sent once more, and may arrive twice".to_owned());
            return match catalog.sender(workspace, &message.sender) {
                Some(sender) => {
                    send::queue(tx, &sender, message);
                    Ok(())
                }
                None => {
                    fail(&mut message, "its sender is not configured any more");
                    tx.put(MessageRow { workspace, message });
                    Ok(())
                }
            };
        }
        Next::Keep => {
            let note = "no status came in time: it stays unknown, and a status that comes late resolves it";
            message.report(Step { state: State::Unknown, at: now, note: Some(note.to_owned()) });
        }
        Next::Drop(why) => fail(&mut message, why),
    }
    tracing::warn!(message.id = %id, state = %message.state, "no status of a message of unknown outcome came in time");
    tx.put(MessageRow { workspace, message });
    Ok(())
}

/// What the policy does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Keep,
    Resend,
    Drop(&'static str),
}

/// A code that does not come is of no use: once more. An advertisement that comes twice is worse than one that does not come. Of the rest the operator decides.
fn policy(message: &Message, sending: &Sending, now: Timestamp) -> Next {
    let wanted = match message.category {
        Category::Authentication => UnknownPolicy::Resend,
        Category::Marketing => UnknownPolicy::Drop,
        Category::Utility | Category::Service => sending.unknown_utility,
    };
    match wanted {
        UnknownPolicy::Keep => Next::Keep,
        UnknownPolicy::Drop => Next::Drop("it is given up, rather than sent twice"),
        UnknownPolicy::Resend if message.resends > 0 => Next::Drop("it was sent twice already"),
        UnknownPolicy::Resend if now >= message.expires_at => Next::Drop("it is too late to send it again"),
        UnknownPolicy::Resend => Next::Resend,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{message, sending};

    fn check(category: Category, wanted: UnknownPolicy, resends: u16, late: bool, expected: &str) {
        let sending = Sending { unknown_utility: wanted, ..sending() };
        let message = Message { category, resends, ..message() };
        let now = if late { message.expires_at } else { message.created_at };
        let found = match policy(&message, &sending, now) {
            Next::Keep => "keep",
            Next::Resend => "resend",
            Next::Drop(_) => "drop",
        };
        assert_eq!(found, expected, "{category:?} {wanted:?} {resends} {late}");
    }

    #[test]
    fn each_class_has_its_policy() {
        use Category::{Authentication, Marketing, Service, Utility};
        use UnknownPolicy::{Drop, Keep, Resend};
        for wanted in [Keep, Resend, Drop] {
            check(Authentication, wanted, 0, false, "resend");
            check(Authentication, wanted, 1, false, "drop");
            check(Authentication, wanted, 0, true, "drop");
            check(Marketing, wanted, 0, false, "drop");
        }
        for category in [Utility, Service] {
            check(category, Keep, 0, false, "keep");
            check(category, Drop, 0, false, "drop");
            check(category, Resend, 0, false, "resend");
            check(category, Resend, 1, false, "drop");
            check(category, Resend, 0, true, "drop");
        }
    }
}
