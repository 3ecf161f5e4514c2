//! Time zones by name.

use jiff::{fmt::temporal::DateTimeParser, tz::TimeZone};

/// A zone by its IANA name (`Europe/Rome`) or its offset (`+02:00`).
pub fn zone(name: &str) -> Option<TimeZone> {
    DateTimeParser::new().parse_time_zone(name).ok()
}
