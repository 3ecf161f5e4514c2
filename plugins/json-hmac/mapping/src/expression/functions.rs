//! The functions of expressions. Their texts are bounded by the steps that are taken for them before and after.

use super::{
    ExpressionError, Value,
    eval::{Evaluated, no},
    node::Function,
};
use std::rc::Rc;

/// Longest text that a function makes, in bytes.
const MAX_TEXT: usize = 64 << 10;

/// Calls a function with as many values as it takes.
pub(super) fn call<'a>(function: Function, values: &[Value<'a>]) -> Evaluated<'a> {
    let wrong = |value: &Value<'_>| no(format!("{}() can't read {}", function.name(), value.name()));
    let Some(first) = values.first() else { return Err(no("a function without a value")) };
    let text = |place: usize| {
        let value = values.get(place).unwrap_or(&Value::Null);
        value.text().ok_or_else(|| wrong(value))
    };
    Ok(match function {
        Function::Size => {
            let size = first.size().ok_or_else(|| wrong(first))?;
            Value::Int(i64::try_from(size).unwrap_or(i64::MAX))
        }
        Function::Contains => Value::Bool(text(0)?.contains(text(1)?)),
        Function::StartsWith => Value::Bool(text(0)?.starts_with(text(1)?)),
        Function::EndsWith => Value::Bool(text(0)?.ends_with(text(1)?)),
        Function::Text => to_text(first).ok_or_else(|| wrong(first))?,
        Function::Int => Value::Int(to_int(first).ok_or_else(|| unread(first, "int"))?),
        Function::Double => Value::Double(to_double(first).ok_or_else(|| unread(first, "double"))?),
        Function::Bool => Value::Bool(to_bool(first).ok_or_else(|| unread(first, "bool"))?),
        Function::LowerAscii => made(text(0)?.to_ascii_lowercase()),
        Function::UpperAscii => made(text(0)?.to_ascii_uppercase()),
        Function::Trim => made(text(0)?.trim().to_owned()),
        Function::Split => {
            let (whole, separator) = (text(0)?, text(1)?);
            if whole.len() > MAX_TEXT {
                return Err(too_long());
            }
            let parts: Vec<Value<'a>> = if separator.is_empty() {
                whole.chars().map(|c| made(c.to_string())).collect()
            } else {
                whole.split(separator).map(|part| made(part.to_owned())).collect()
            };
            Value::List(Rc::new(parts))
        }
        Function::Join => join(first.elements().ok_or_else(|| wrong(first))?.as_slice(), text(1)?)?,
        Function::Replace => replace(text(0)?, text(1)?, text(2)?)?,
    })
}

fn made<'a>(text: String) -> Value<'a> {
    Value::Made(text.into())
}

fn too_long() -> ExpressionError {
    no(format!("a text gets longer than {MAX_TEXT} bytes"))
}

fn unread(value: &Value<'_>, name: &str) -> ExpressionError {
    no(format!("{name}() can't read {}", if value.text().is_some() { "this text" } else { value.name() }))
}

fn to_text<'a>(value: &Value<'a>) -> Option<Value<'a>> {
    match value {
        Value::Text(_) | Value::Made(_) => Some(value.clone()),
        Value::Int(number) => Some(made(number.to_string())),
        Value::Double(number) => Some(made(number.to_string())),
        Value::Bool(holds) => Some(made(holds.to_string())),
        Value::Null | Value::List(_) | Value::Json(_) => None,
    }
}

fn to_int(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        // Beyond these a float is no 64-bit number.
        Value::Double(number) if (-9.223_372_036_854_775e18..=9.223_372_036_854_775e18).contains(number) => {
            Some(*number as i64)
        }
        other => other.text()?.parse().ok(),
    }
}

fn to_double(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        other => other.text()?.parse().ok(),
    }
}

fn to_bool(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(holds) => Some(*holds),
        other => match other.text()? {
            "1" | "t" | "true" | "TRUE" | "True" => Some(true),
            "0" | "f" | "false" | "FALSE" | "False" => Some(false),
            _ => None,
        },
    }
}

fn join<'a>(parts: &[Value<'a>], separator: &str) -> Evaluated<'a> {
    let mut joined = String::new();
    for (place, part) in parts.iter().enumerate() {
        let part = part.text().ok_or_else(|| no(format!("join() takes texts, found {}", part.name())))?;
        if place > 0 {
            joined.push_str(separator);
        }
        joined.push_str(part);
        if joined.len() > MAX_TEXT {
            return Err(too_long());
        }
    }
    Ok(made(joined))
}

fn replace<'a>(text: &str, from: &str, to: &str) -> Evaluated<'a> {
    if from.is_empty() {
        return Err(no("replace() can't replace an empty text"));
    }
    let most = text.len() + text.matches(from).count() * to.len();
    if most > MAX_TEXT { Err(too_long()) } else { Ok(made(text.replace(from, to))) }
}
