//! Long work on the command line: how far it is, and how far back it goes.

use super::Failure;
use std::io::{IsTerminal, Write};

/// Width of the bar, in characters.
const WIDTH: usize = 30;

/// A line at the terminal that is written anew; nothing where nobody looks. What it says goes to standard error, so that results stay clean.
pub(super) struct Bar {
    shown: bool,
}

impl Bar {
    /// Not shown yet.
    pub(super) const fn new() -> Self {
        Self { shown: false }
    }

    /// So far of 1, and in words.
    pub(super) fn at(&mut self, part: f64, words: &str) {
        self.write(&bar(part, words));
    }

    /// In words, where the end is not known.
    pub(super) fn count(&mut self, words: &str) {
        self.write(words);
    }

    /// Takes it away.
    pub(super) fn end(&mut self) {
        if self.shown {
            self.write("");
        }
    }

    fn write(&mut self, line: &str) {
        let mut out = std::io::stderr();
        if out.is_terminal() {
            self.shown = true;
            // A terminal that is gone needs no progress.
            let _ = write!(out, "\r\x1b[2K{line}").and_then(|()| out.flush());
        }
    }
}

fn bar(part: f64, words: &str) -> String {
    // Between 0 and the width.
    let full = (part.clamp(0.0, 1.0) * WIDTH as f64) as usize;
    format!("{}{} {words}", "█".repeat(full), "░".repeat(WIDTH - full))
}

/// A time back, such as `30m`, `24h`, `7d`, in milliseconds.
///
/// # Errors
/// What was expected.
pub(super) fn since_ms(text: &str) -> Result<i64, Failure> {
    let wrong = || Failure::Usage(format!("--since: expected a time such as 30m, 24h or 7d, found {text:?}"));
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(unit_at);
    let number: i64 = number.parse().map_err(|_| wrong())?;
    let unit_ms = match unit {
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit_ms).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_back_have_a_number_and_a_unit() {
        let check = |text: &str, expected: Option<i64>| assert_eq!(since_ms(text).ok(), expected, "{text}");
        check("90s", Some(90_000));
        check("30m", Some(1_800_000));
        check("24h", Some(86_400_000));
        check("7d", Some(604_800_000));
        for wrong in ["", "24", "h", "-1h", "1w", "1.5h", "é", "99999999999999999999d", "9223372036854775807d"] {
            check(wrong, None);
        }
    }

    #[test]
    fn a_bar_is_as_full_as_the_work_is_done() {
        assert_eq!(bar(0.0, "x"), format!("{} x", "░".repeat(WIDTH)));
        assert_eq!(bar(7.0, "x"), format!("{} x", "█".repeat(WIDTH)));
        assert_eq!(bar(0.5, "").matches('█').count(), WIDTH / 2);
        assert_eq!(bar(f64::NAN, "").matches('█').count(), 0);
    }
}
