//! How far long work is: a line on standard error, when that is a terminal.

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use std::{ops::ControlFlow, time::Duration};
use tidegate_store::copy::Progress;

/// Pause between two frames of the line.
const FRAME: Duration = Duration::from_millis(120);

/// A line that goes away when the work is done.
pub(super) struct Line(ProgressBar);

impl Line {
    /// `total` is the number of rows, where it is known.
    pub(super) fn new(what: &'static str, total: Option<u64>) -> Self {
        let (bar, form) = match total {
            Some(rows) => (ProgressBar::new(rows), "{spinner} {prefix} {wide_bar} {percent}% · {msg} · {elapsed}"),
            None => (ProgressBar::new_spinner(), "{spinner} {prefix} · {msg} · {elapsed}"),
        };
        if let Ok(style) = ProgressStyle::with_template(form) {
            bar.set_style(style);
        }
        bar.set_prefix(what);
        bar.enable_steady_tick(FRAME);
        Self(bar)
    }

    /// Shows how far it is.
    pub(super) fn show(&self, progress: &Progress) {
        self.0.set_position(progress.rows);
        let mut text = format!("{} rows, {}", HumanCount(progress.rows), HumanBytes(progress.bytes));
        if progress.damaged > 0 {
            text.push_str(&format!(", {} damaged", HumanCount(progress.damaged)));
        }
        self.0.set_message(text);
    }

    /// As the copies tell.
    pub(super) fn tell(&self) -> impl FnMut(&Progress) -> ControlFlow<()> + '_ {
        |progress| {
            self.show(progress);
            ControlFlow::Continue(())
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
