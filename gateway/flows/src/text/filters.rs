//! The filters and tests that texts may use: a choice of the engine's, and `money` and `date`. All pure: time zones come from the bundled database.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use minijinja::{Environment, Error, ErrorKind, Value, filters, tests};
use std::sync::LazyLock;
use tidegate_model::Timestamp;

/// Filters by name.
pub(super) const FILTERS: &[&str] = &[
    "default",
    "upper",
    "lower",
    "title",
    "capitalize",
    "trim",
    "replace",
    "join",
    "first",
    "last",
    "length",
    "map",
    "int",
    "float",
    "round",
    "abs",
    "money",
    "date",
];
/// Tests by name, as in `x is defined`.
pub(super) const TESTS: &[&str] = &["defined", "undefined", "number", "string", "in", "eq", "ne"];

/// The time zones that came with the release. Built once, never changed.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

pub(super) fn register(env: &mut Environment<'static>) {
    env.add_filter("default", filters::default);
    env.add_filter("upper", filters::upper);
    env.add_filter("lower", filters::lower);
    env.add_filter("title", filters::title);
    env.add_filter("capitalize", filters::capitalize);
    env.add_filter("trim", filters::trim);
    env.add_filter("replace", filters::replace);
    env.add_filter("join", filters::join);
    env.add_filter("first", filters::first);
    env.add_filter("last", filters::last);
    env.add_filter("length", filters::length);
    env.add_filter("map", filters::map);
    env.add_filter("int", filters::int);
    env.add_filter("float", filters::float);
    env.add_filter("round", filters::round);
    env.add_filter("abs", filters::abs);
    env.add_filter("money", money);
    env.add_filter("date", date);
    env.add_test("defined", tests::is_defined);
    env.add_test("undefined", tests::is_undefined);
    env.add_test("number", tests::is_number);
    env.add_test("string", tests::is_string);
    env.add_test("in", tests::is_in);
    env.add_test("eq", tests::is_eq);
    env.add_test("ne", tests::is_ne);
}

/// What a filter of ours could not use; without the value.
#[derive(Debug, thiserror::Error)]
pub(super) enum FilterError {
    #[error("money needs an amount with its currency, such as event.order.total, or an amount and money('EUR')")]
    Money,
    #[error("date needs an instant, such as event.occurred_at or now")]
    Instant,
    #[error("date does not know the time zone {0:?}; write one such as Europe/Rome")]
    Zone(String),
    #[error("date can't use the format {0:?}; write one such as %d.%m.%Y %H:%M")]
    Format(String),
}

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Self {
        Self::new(ErrorKind::InvalidOperation, "filter").with_source(error)
    }
}

/// `{{ event.order.total | money }}`: the amount with all its digits, and its currency. A missing amount stays undefined, so that `default` may follow.
fn money(value: &Value, currency: Option<String>) -> Result<Value, Error> {
    if value.is_undefined() {
        return Ok(Value::UNDEFINED);
    }
    let text = |value: &Value| match value.as_str() {
        Some(text) => Some(text.to_owned()),
        None if value.is_number() => Some(value.to_string()),
        None => None,
    };
    let (amount, currency) = match currency {
        Some(currency) => (text(value), Some(currency)),
        None => match value.as_str().and_then(|written| written.split_once(' ')) {
            Some((amount, currency)) => (Some(amount.to_owned()), Some(currency.to_owned())),
            None => (
                value.get_attr("amount").ok().and_then(|amount| text(&amount)),
                value.get_attr("currency").ok().and_then(|currency| text(&currency)),
            ),
        },
    };
    match (amount, currency) {
        (Some(amount), Some(currency)) if is_decimal(&amount) => Ok(format!("{amount} {currency}").into()),
        _ => Err(FilterError::Money.into()),
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, part].iter().all(|half| !half.is_empty() && half.bytes().all(|byte| byte.is_ascii_digit()))
}

/// `{{ now | date('%d.%m.%Y', 'Europe/Rome') }}`: an instant in a time zone (UTC when left out). A missing instant stays undefined.
fn date(value: &Value, format: &str, zone: Option<String>) -> Result<Value, Error> {
    if value.is_undefined() {
        return Ok(Value::UNDEFINED);
    }
    let instant = value.as_str().and_then(|text| Timestamp::parse(text).ok());
    let instant = instant.and_then(|at| jiff::Timestamp::from_millisecond(at.ms()).ok()).ok_or(FilterError::Instant)?;
    let zone = match zone {
        None => TimeZone::UTC,
        Some(name) => ZONES.get(&name).map_err(|_| FilterError::Zone(name))?,
    };
    let text = jiff::fmt::strtime::format(format, &instant.to_zoned(zone))
        .map_err(|_| FilterError::Format(format.to_owned()))?;
    Ok(text.into())
}
