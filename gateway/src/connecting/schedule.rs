//! When a connection is looked after: a timer or a row of work for each, written in the commit that did the last round. Only the row's newest turn counts.

use super::Subject;
use crate::{
    app::App,
    pipeline::lane_aside,
    records::ConnectionRow,
    tx::{Tx, TxError},
    work::Work,
};
use tidegate_model::connector::Severity;
use tidegate_store::{Lane, Queue, WorkRow};

/// The metric of a connection of which something is missed.
const PROBLEM: i64 = 2;

/// The lane of the work.
pub(crate) fn lane_of(row: &ConnectionRow) -> Lane {
    lane_aside(row.workspace, row.connection)
}

/// The work of a row's turn.
pub(crate) fn work_of(row: &ConnectionRow) -> WorkRow {
    Work::Connect { connection: row.connection, turn: row.turn }.row()
}

/// Has every connection looked after that is to be and is not. To be called when a catalog is put in place.
///
/// # Errors
/// The store's.
pub(crate) fn arm_all(app: &App) -> Result<(), TxError> {
    let names: Vec<String> = app.catalog().connections().map(|(_, connection)| connection.name.clone()).collect();
    for subject in names.iter().filter_map(|name| Subject::named(app, name)) {
        match arm(app, &subject) {
            // The fault of one row: the others are looked after.
            Err(TxError::Record(error)) => {
                app.metrics().set_connection(&subject.connection.name, PROBLEM);
                tracing::error!(connection = subject.connection.name, error = %error, "the connection is not looked after: what is known of it can't be read");
            }
            armed => armed?,
        }
    }
    Ok(())
}

/// Has a connection looked after from now on, if it is to be and is not. A turn of it that was put aside is not needed any more.
///
/// # Errors
/// The store's.
pub(crate) fn arm(app: &App, subject: &Subject) -> Result<(), TxError> {
    let connection = &subject.connection;
    if !subject.connects() {
        return Ok(());
    }
    let mut tx = Tx::new(app.store(), connection.workspace);
    let key = (connection.workspace, connection.number);
    let row = tx.get::<ConnectionRow>(&key)?;
    let is_wanted = row.as_ref().is_some_and(|row| row.wanted.is_some());
    if let Some(row) = &row {
        tell(app, subject, row);
    }
    let is_armed = row.as_ref().is_some_and(|row| row.due.is_some());
    let Some(period_ms) = connection.look_after.period_ms(is_wanted).filter(|_| !is_armed) else { return Ok(()) };
    let mut row = row.unwrap_or_else(|| ConnectionRow::new(key.0, key.1, &connection.name));
    row.turn = row.turn.wrapping_add(1);
    if let Some(seq) = row.aside.take() {
        tx.delete_letter(key.0, seq);
    }
    row.read_to.get_or_insert(app.now());
    // What was cut is seen through at once; else there is nothing to see yet.
    if row.checked_at.is_some() && row.trouble.is_none() {
        let due = app.now().plus_ms(period_ms);
        row.due = Some(due);
        row.timer = Some(tx.defer(due, Queue::Io, lane_of(&row), work_of(&row)));
    } else {
        row.due = Some(app.now());
        tx.enqueue(Queue::Io, lane_of(&row), &work_of(&row));
    }
    tx.put(row);
    match tx.commit(None) {
        // Somebody else has it: a round, or a command, which ends with this.
        Err(error) if error.is_conflict() => Ok(()),
        ended => ended,
    }
}

/// Tells the metrics how it fares.
pub(super) fn tell(app: &App, subject: &Subject, row: &ConnectionRow) {
    let health = match row.worst() {
        None | Some(Severity::Note) => 0,
        Some(Severity::Warning) => 1,
        Some(Severity::Problem) => PROBLEM,
    };
    app.metrics().set_connection(&subject.connection.name, health);
}
