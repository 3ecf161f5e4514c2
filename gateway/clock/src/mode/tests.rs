//! Modes as text: what is read, how it is written back, what is refused.

use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::strategy::{Just, Strategy};

use super::{ClockMode, MAX_MS, ModeError};

const MARCH_MS: i64 = 1_772_359_200_000;

fn check(text: &str, mode: ClockMode, written: &str) {
    assert_eq!(text.parse(), Ok(mode), "{text}");
    assert_eq!(mode.to_string(), written);
}

fn refuse(text: &str, error: &ModeError) {
    assert_eq!(text.parse::<ClockMode>().as_ref(), Err(error), "{text:?}");
}

#[test]
fn each_mode_is_read_and_written_back() {
    let stepped = |start_ms| ClockMode::Stepped { start_ms };
    let scaled = |speed, start_ms| ClockMode::Scaled { speed, start_ms };
    check("system", ClockMode::System, "system");
    check("scaled:60", scaled(60.0, None), "scaled:60");
    check("scaled:0.5", scaled(0.5, None), "scaled:0.5");
    let at = "scaled:60@2026-03-01T10:00:00Z";
    check(at, scaled(60.0, Some(MARCH_MS)), at);
    let at = "stepped:2026-03-01T10:00:00Z";
    check(at, stepped(MARCH_MS), at);
    check("stepped:2026-03-01T11:00:00+01:00", stepped(MARCH_MS), at);
    check("stepped:1772359200000", stepped(MARCH_MS), at);
    let at = "stepped:2026-03-01T10:00:00.123Z";
    check(at, stepped(MARCH_MS + 123), at);
    check("stepped:0", stepped(0), "stepped:1970-01-01T00:00:00Z");
}

#[test]
fn what_is_no_mode_is_refused_with_the_part_that_is_wrong() {
    let found = |found: &str| found.to_owned();
    for text in ["", "System", "system:", "steppd:0", "fast", "60"] {
        refuse(text, &ModeError::Unknown { found: found(text) });
    }
    for speed in ["", "x", "0", "-1", "inf", "NaN", "1000001"] {
        let error = format!("scaled:{speed}").parse::<ClockMode>().unwrap_err();
        assert!(matches!(error, ModeError::Speed { .. }), "{speed}: {error}");
    }
    for instant in [
        "",
        "2026-03-01",
        "2026-03-01T10:00:00",
        "-1",
        "253402300800000",
        "99999999999999999999",
        "1969-12-31T23:59:59Z",
    ] {
        let error = format!("stepped:{instant}").parse::<ClockMode>();
        assert!(matches!(error, Err(ModeError::Instant { .. })), "{instant}");
        let error = format!("scaled:2@{instant}").parse::<ClockMode>();
        assert!(matches!(error, Err(ModeError::Instant { .. })), "{instant}");
    }
}

#[test]
fn messages_show_what_was_written_and_what_to_write() {
    let message = |text: &str| text.parse::<ClockMode>().unwrap_err().to_string();
    assert_eq!(message("fast"), "`fast` is no clock: write `system`, `scaled:60` or `stepped:2026-03-01T10:00:00Z`");
    assert_eq!(
        message("scaled:-1"),
        "`-1` is no speed for a scaled clock: write a number above 0 and up to 1000000, as in `scaled:60`"
    );
    assert_eq!(
        message("stepped:noon"),
        "`noon` is no instant for a clock: write RFC 3339 with an offset (`2026-03-01T10:00:00Z`) or Unix milliseconds, from 1970 to 9999"
    );
}

#[test]
fn a_mode_is_a_string_in_json() {
    let json = "\"stepped:2026-03-01T10:00:00Z\"";
    let mode: ClockMode = serde_json::from_str(json).unwrap();
    assert_eq!(serde_json::to_string(&mode).unwrap(), json);
    let error = serde_json::from_str::<ClockMode>("\"fast\"").unwrap_err();
    assert!(error.to_string().starts_with("`fast` is no clock"));
}

fn modes() -> impl Strategy<Value = ClockMode> {
    prop_oneof![
        Just(ClockMode::System),
        (1e-3..1e6, prop::option::of(0..=MAX_MS)).prop_map(|(speed, start_ms)| ClockMode::Scaled { speed, start_ms }),
        (0..=MAX_MS).prop_map(|start_ms| ClockMode::Stepped { start_ms }),
    ]
}

proptest! {
    #[test]
    fn every_mode_survives_being_written(mode in modes()) {
        prop_assert_eq!(mode.to_string().parse(), Ok(mode));
    }

    #[test]
    fn no_text_panics_and_what_is_read_is_in_range(
        text in prop_oneof![any::<String>(), "(scaled|stepped):[0-9eE@:.TZ+-]{0,30}"],
    ) {
        if let Ok(mode) = text.parse::<ClockMode>() {
            prop_assert!(mode.check().is_ok());
        }
    }
}
