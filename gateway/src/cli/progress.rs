//! How far long work is: a line on standard error, when that is a terminal. What is asked for stays clean on standard output.

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use std::{ops::ControlFlow, time::Duration};
use tidegate_store::copy::Progress;

/// Pause between two frames of the line.
const FRAME: Duration = Duration::from_millis(120);

/// Steps of a bar that has no rows to count.
const WHOLE: u64 = 1_000;

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

/// As [`Line`], for work that tells its progress in words.
pub(super) struct Bar(ProgressBar);

impl Bar {
    /// Nothing is told yet.
    pub(super) fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(FRAME);
        Self(bar)
    }

    /// So far of 1, and in words.
    pub(super) fn at(&self, part: f64, words: &str) {
        if self.0.length().is_none()
            && let Ok(style) = ProgressStyle::with_template("{spinner} {wide_bar} {percent}% · {msg}")
        {
            self.0.set_style(style);
            self.0.set_length(WHOLE);
        }
        // Between 0 and the whole.
        self.0.set_position((part.clamp(0.0, 1.0) * WHOLE as f64) as u64);
        self.count(words);
    }

    /// In words, where the end is not known.
    pub(super) fn count(&self, words: &str) {
        self.0.set_message(words.to_owned());
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
