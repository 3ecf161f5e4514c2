//! What an expression works with.

use crate::Json;
use std::{borrow::Cow, cmp::Ordering, rc::Rc};

/// A value. What comes from the webhook is borrowed; numbers are CEL's (64 bits, floats for the rest).
#[derive(Debug, Clone)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    /// Of the webhook, or of the expression.
    Text(&'a str),
    /// Made by the expression.
    Made(Rc<str>),
    List(Rc<Vec<Value<'a>>>),
    /// An array or object of the webhook.
    Json(&'a Json<'a>),
}

impl<'a> Value<'a> {
    pub(crate) fn of(json: &'a Json<'a>) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(digits) => match digits.parse() {
                Ok(whole) => Self::Int(whole),
                Err(_) => Self::Double(digits.parse().unwrap_or(f64::NAN)),
            },
            Json::Text(text) => Self::Text(text),
            Json::List(_) | Json::Object(_) => Self::Json(json),
        }
    }

    /// As a person would call it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Int(_) | Self::Double(_) => "a number",
            Self::Text(_) | Self::Made(_) => "a text",
            Self::List(_) | Self::Json(Json::List(_)) => "a list",
            Self::Json(_) => "an object",
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Made(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of a list.
    pub(crate) fn elements(&self) -> Option<Vec<Value<'a>>> {
        match self {
            Self::List(items) => Some(items.to_vec()),
            Self::Json(Json::List(items)) => Some(items.iter().map(Self::of).collect()),
            _ => None,
        }
    }

    /// How many elements a list, how many members an object, how many characters a text has.
    pub(crate) fn size(&self) -> Option<usize> {
        match self {
            Self::List(items) => Some(items.len()),
            Self::Json(json) => Some(json.len()),
            Self::Text(_) | Self::Made(_) => self.text().map(|text| text.chars().count()),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Double(_) => None,
        }
    }

    /// What looking at all of it costs, in steps.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::List(items) => items.iter().map(Self::weight).sum::<usize>() + 1,
            Self::Json(json) => weight(json),
            Self::Text(_) | Self::Made(_) => 1 + self.text().map_or(0, str::len) / 16,
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Double(_) => 1,
        }
    }

    /// Whether two values are the same; numbers by what they are worth.
    pub(crate) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Json(Json::Object(a)), Self::Json(Json::Object(b))) => {
                let held = |name: &str| other.member(name);
                a.len() == b.len()
                    && a.iter().all(|(name, value)| held(name).is_some_and(|held| Self::of(value).same(&held)))
            }
            _ => match (self.elements(), other.elements()) {
                (Some(a), Some(b)) => a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a.same(b)),
                (None, None) => self.compare(other) == Some(Ordering::Equal),
                _ => false,
            },
        }
    }

    /// The order of two numbers or two texts; `None` for others.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => Some(a.cmp(b)),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b),
            (Self::Int(a), Self::Double(b)) => int_to_double(*a, *b),
            (Self::Double(a), Self::Int(b)) => int_to_double(*b, *a).map(Ordering::reverse),
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            _ => Some(self.text()?.cmp(other.text()?)),
        }
    }

    /// The member of an object.
    pub(crate) fn member(&self, name: &str) -> Option<Value<'a>> {
        match self {
            Self::Json(json) => json.member(name).map(Self::of),
            _ => None,
        }
    }

    /// As JSON; `None` for a number that has no digits (infinite).
    pub(crate) fn into_json(self) -> Option<Cow<'a, Json<'a>>> {
        Some(match self {
            Self::Json(json) => Cow::Borrowed(json),
            Self::Null => Cow::Owned(Json::Null),
            Self::Bool(value) => Cow::Owned(Json::Bool(value)),
            Self::Int(value) => Cow::Owned(Json::Number(Cow::Owned(value.to_string()))),
            Self::Double(value) if value.is_finite() => Cow::Owned(Json::Number(Cow::Owned(value.to_string()))),
            Self::Double(_) => return None,
            Self::Text(text) => Cow::Owned(Json::Text(Cow::Borrowed(text))),
            Self::Made(text) => Cow::Owned(Json::Text(Cow::Owned(text.to_string()))),
            Self::List(items) => {
                let items: Option<Vec<_>> =
                    items.iter().cloned().map(|item| item.into_json().map(Cow::into_owned)).collect();
                Cow::Owned(Json::List(items?))
            }
        })
    }
}

fn weight(json: &Json<'_>) -> usize {
    1 + match json {
        Json::List(items) => items.iter().map(weight).sum(),
        Json::Object(members) => members.iter().map(|(_, value)| weight(value)).sum(),
        Json::Text(text) => text.len() / 16,
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
    }
}

/// Compares exactly: a float does not hold every whole number.
fn int_to_double(int: i64, double: f64) -> Option<Ordering> {
    if double.is_nan() {
        return None;
    }
    if double >= 9_223_372_036_854_775_808.0 {
        return Some(Ordering::Less);
    }
    if double < -9_223_372_036_854_775_808.0 {
        return Some(Ordering::Greater);
    }
    let whole = double.trunc();
    Some(int.cmp(&(whole as i64)).then(0.0_f64.partial_cmp(&(double - whole))?))
}
