//! How a domain clock runs, as configuration and command line write it: `system`, `scaled:60`, `stepped:2026-03-01T10:00:00Z`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The last instant a domain clock can show, in Unix milliseconds: the end of the year 9999, the last that RFC 3339 can write. The first is 0, the start of 1970.
pub const MAX_MS: i64 = 253_402_300_799_999;

/// The fastest that a scaled clock runs: a year in half a minute.
pub const MAX_SPEED: f64 = 1e6;

/// How a domain clock runs. As text: `system`, `scaled:SPEED`, `scaled:SPEED@INSTANT`, `stepped:INSTANT`, where an instant is RFC 3339 or Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ClockMode {
    /// The machine's time.
    System,
    /// Runs from a start, so many times faster than the machine.
    Scaled {
        /// Domain seconds in a second; above 0, at most [`MAX_SPEED`].
        speed: f64,
        /// The time it shows at first, in Unix milliseconds; the machine's when `None`.
        start_ms: Option<i64>,
    },
    /// Moves only when told.
    Stepped {
        /// The time it shows at first, in Unix milliseconds.
        start_ms: i64,
    },
}

/// Why a text is no clock mode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModeError {
    /// It is none of the three.
    #[error("`{found}` is no clock: write `system`, `scaled:60` or `stepped:2026-03-01T10:00:00Z`")]
    Unknown {
        /// What was written, cut to a line.
        found: String,
    },
    /// The speed is no number, or out of range.
    #[error(
        "`{found}` is no speed for a scaled clock: write a number above 0 and up to {MAX_SPEED}, as in `scaled:60`"
    )]
    Speed {
        /// What was written, cut to a line.
        found: String,
    },
    /// The instant cannot be read, or is out of range.
    #[error(
        "`{found}` is no instant for a clock: write RFC 3339 with an offset (`2026-03-01T10:00:00Z`) or Unix milliseconds, from 1970 to 9999"
    )]
    Instant {
        /// What was written, cut to a line.
        found: String,
    },
}

impl ClockMode {
    /// Checks the ranges, which a mode that was not read from text may break.
    ///
    /// # Errors
    /// [`ModeError::Speed`] or [`ModeError::Instant`].
    pub fn check(self) -> Result<Self, ModeError> {
        let (speed, start_ms) = match self {
            Self::System => return Ok(self),
            Self::Scaled { speed, start_ms } => (speed, start_ms),
            Self::Stepped { start_ms } => (1.0, Some(start_ms)),
        };
        if !(speed > 0.0 && speed <= MAX_SPEED) {
            let found = speed.to_string();
            return Err(ModeError::Speed { found });
        }
        match start_ms {
            Some(ms) if !(0..=MAX_MS).contains(&ms) => Err(ModeError::Instant { found: ms.to_string() }),
            _ => Ok(self),
        }
    }
}

impl FromStr for ClockMode {
    type Err = ModeError;

    fn from_str(text: &str) -> Result<Self, ModeError> {
        let unknown = || ModeError::Unknown { found: line(text) };
        let mode = match text.split_once(':') {
            None if text == "system" => Self::System,
            Some(("scaled", rest)) => scaled(rest)?,
            Some(("stepped", rest)) => Self::Stepped { start_ms: instant(rest)? },
            _ => return Err(unknown()),
        };
        mode.check()
    }
}

impl TryFrom<String> for ClockMode {
    type Error = ModeError;

    fn try_from(text: String) -> Result<Self, ModeError> {
        text.parse()
    }
}

impl From<ClockMode> for String {
    fn from(mode: ClockMode) -> Self {
        mode.to_string()
    }
}

impl fmt::Display for ClockMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Scaled { speed, start_ms } => {
                write!(f, "scaled:{speed}")?;
                start_ms.map_or(Ok(()), |ms| write!(f, "@{}", Instant(ms)))
            }
            Self::Stepped { start_ms } => write!(f, "stepped:{}", Instant(*start_ms)),
        }
    }
}

/// Unix milliseconds, written as RFC 3339 where that can be.
pub(crate) struct Instant(pub(crate) i64);

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) if (0..=MAX_MS).contains(&self.0) => write!(f, "{instant}"),
            _ => write!(f, "{}", self.0),
        }
    }
}

fn scaled(text: &str) -> Result<ClockMode, ModeError> {
    let (speed, start) = match text.split_once('@') {
        Some((speed, start)) => (speed, Some(start)),
        None => (text, None),
    };
    let found = || line(speed);
    Ok(ClockMode::Scaled {
        speed: speed.parse().map_err(|_| ModeError::Speed { found: found() })?,
        start_ms: start.map(instant).transpose()?,
    })
}

fn instant(text: &str) -> Result<i64, ModeError> {
    text.parse()
        .or_else(|_| text.parse().map(jiff::Timestamp::as_millisecond))
        .map_err(|_| ModeError::Instant { found: line(text) })
}

/// What was written, short enough for a message.
fn line(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests;
