//! A turn that is given up: it lies among the dead letters, and the connection's row says so in the same commit, so that nobody takes the connection for looked
//! after. A retry of the letter, or whoever has it looked after again, goes on.

use super::schedule;
use crate::{
    app::App,
    connecting::Subject,
    letters,
    records::{ConnectionRow, Trouble},
    tx::{Tx, TxError},
    work::Work,
};
use tidegate_model::mask::Scrubbed;
use tidegate_store::{
    Claim, LaneToken, WorkRow,
    records::{DeadLetterKey, Deferred},
};

/// Times that it is written when somebody else writes the row too.
const CONFLICTS: usize = 8;

/// Puts a claimed turn aside with the reason, as a new letter or in the one that it was another try of. `turn` is the connection's number and the turn's.
///
/// # Errors
/// The store's.
pub(crate) fn put_aside(app: &App, claim: &Claim, turn: (u32, u32), error: &TxError) -> Result<(), TxError> {
    let mut last = Ok(());
    for _ in 0..CONFLICTS {
        last = put_aside_once(app, claim, turn, error);
        if !last.as_ref().is_err_and(TxError::is_conflict) {
            break;
        }
    }
    last
}

fn put_aside_once(app: &App, claim: &Claim, (connection, turn): (u32, u32), error: &TxError) -> Result<(), TxError> {
    let Some((key, row)) = claim.rows().first() else { return Ok(()) };
    let LaneToken { queue, lane, .. } = claim.token();
    let (reason, now) = (error.to_string(), app.now());
    tracing::error!(work = %key, reason = %Scrubbed(&reason), "a connection's turn was given up; it is among the dead letters");
    let mut tx = Tx::new(app.store(), lane.workspace);
    let subject = Subject::numbered(app, lane.workspace, connection);
    let work = WorkRow::decode(&row.value).unwrap_or(Work::Connect { connection, turn }.row());
    let deferred = Deferred { queue, lane, work };
    let seq = if let Some(Work::Letter { seq }) = Work::read(&work) {
        letters::put_aside(&mut tx, &deferred, error, now)?;
        seq
    } else {
        let key = DeadLetterKey { workspace: lane.workspace, seq: tx.next_seq() };
        let mut letter = letters::letter(key, deferred, reason.clone(), now);
        if let Some(subject) = &subject {
            letter.labels.insert(letters::CONNECTION.to_owned(), subject.connection.name.clone());
        }
        tx.put(letter);
        key.seq
    };
    if let Some(mut row) =
        readable(tx.get::<ConnectionRow>(&(lane.workspace, connection)))?.filter(|row| row.turn == turn)
    {
        (row.due, row.timer, row.aside) = (None, None, Some(seq));
        let (since, times) = row.trouble.as_ref().map_or((now, 0), |held| (held.since, held.times));
        row.trouble = Some(Trouble { since, reason, times: times.saturating_add(1) });
        if let Some(subject) = &subject {
            schedule::tell(app, subject, &row);
        }
        tx.put(row);
    }
    tx.delete(key);
    tx.commit(Some(claim.token()))
}

/// A row that can't be read as one that is not there: what is made anew does not hang on it.
pub(super) fn readable(row: Result<Option<ConnectionRow>, TxError>) -> Result<Option<ConnectionRow>, TxError> {
    match row {
        Err(TxError::Record(_)) => Ok(None),
        row => row,
    }
}
