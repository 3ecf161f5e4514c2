//! The value of an expression, in counted steps.

use super::{
    ExpressionError, Value, functions,
    node::{Binary, Loop, Node},
};
use crate::Scope;
use std::{cmp::Ordering, rc::Rc};

pub(super) type Evaluated<'a> = Result<Value<'a>, ExpressionError>;

pub(super) fn no(reason: impl Into<String>) -> ExpressionError {
    ExpressionError::Value(reason.into())
}

/// One evaluation: the variables, and what loops have named.
pub(super) struct Evaluation<'s, 'a> {
    scope: &'s Scope<'a>,
    bound: Vec<(&'a str, Value<'a>)>,
}

impl<'s, 'a> Evaluation<'s, 'a> {
    pub(super) fn new(scope: &'s Scope<'a>) -> Self {
        Self { scope, bound: Vec::new() }
    }

    fn take(&self, steps: usize) -> Result<(), ExpressionError> {
        self.scope.budget.take(steps)
    }

    pub(super) fn value(&mut self, node: &'a Node) -> Evaluated<'a> {
        self.take(1)?;
        match node {
            Node::Null => Ok(Value::Null),
            Node::Bool(value) => Ok(Value::Bool(*value)),
            Node::Int(value) => Ok(Value::Int(*value)),
            Node::Double(value) => Ok(Value::Double(*value)),
            Node::Text(text) => Ok(Value::Text(text)),
            Node::List(nodes) => {
                let items: Result<Vec<_>, _> = nodes.iter().map(|node| self.value(node)).collect();
                Ok(Value::List(Rc::new(items?)))
            }
            Node::Name(name) => {
                let bound = self.bound.iter().rev().find(|(held, _)| held == name);
                Ok(bound.map_or_else(|| self.scope.variable(name), |(_, value)| value.clone()))
            }
            Node::Member(of, name) => {
                let of = self.value(of)?;
                self.member(&of, name)
            }
            Node::Index(of, index) => {
                let (of, index) = (self.value(of)?, self.value(index)?);
                self.index(&of, &index)
            }
            Node::Has(node) => self.value(node).map(|value| Value::Bool(!matches!(value, Value::Null))),
            Node::Not(node) => match self.value(node)? {
                Value::Bool(value) => Ok(Value::Bool(!value)),
                other => Err(no(format!("`!` takes true or false, found {}", other.name()))),
            },
            Node::Negative(node) => match self.value(node)? {
                Value::Int(value) => value.checked_neg().map(Value::Int).ok_or_else(too_large),
                Value::Double(value) => Ok(Value::Double(-value)),
                other => Err(no(format!("`-` takes a number, found {}", other.name()))),
            },
            Node::And(a, b) => self.either(a, b, false),
            Node::Or(a, b) => self.either(a, b, true),
            Node::Choice(nodes) => {
                let [condition, then, otherwise] = &**nodes;
                match self.value(condition)? {
                    Value::Bool(holds) => self.value(if holds { then } else { otherwise }),
                    other => Err(no(format!("before `?` stands true or false, found {}", other.name()))),
                }
            }
            Node::Binary(operator, a, b) => {
                let (a, b) = (self.value(a)?, self.value(b)?);
                self.binary(*operator, &a, &b)
            }
            Node::Loop(kind, list, name, body) => self.looped(*kind, list, name, body),
            Node::Call(function, nodes) => {
                let values: Result<Vec<_>, _> = nodes.iter().map(|node| self.value(node)).collect();
                let values = values?;
                let weight: usize = values.iter().map(|value| value.text().map_or(0, str::len) / 16).sum();
                self.take(weight)?;
                let value = functions::call(*function, &values)?;
                self.take(value.text().map_or(0, str::len) / 16)?;
                if let Value::List(items) = &value {
                    self.take(items.len())?;
                }
                Ok(value)
            }
        }
    }

    /// What is not there is null, and has no members that are there.
    fn member(&self, of: &Value<'a>, name: &str) -> Evaluated<'a> {
        match of {
            Value::Null => Ok(Value::Null),
            Value::Json(json) if json.member(name).is_none() && matches!(json, crate::Json::List(_)) => {
                Err(no(format!("`.{name}` of a list; name an element, as in [0].{name}, or use exists() and map()")))
            }
            Value::Json(json) => {
                self.take(json.len() / 8)?;
                Ok(of.member(name).unwrap_or(Value::Null))
            }
            other => Err(no(format!("`.{name}` of {}", other.name()))),
        }
    }

    fn index(&self, of: &Value<'a>, index: &Value<'a>) -> Evaluated<'a> {
        match (of, index) {
            (Value::Null, _) => Ok(Value::Null),
            (Value::Json(crate::Json::Object(_)), Value::Text(_) | Value::Made(_)) => {
                self.member(of, index.text().unwrap_or_default())
            }
            (Value::Json(crate::Json::List(items)), Value::Int(place)) => {
                Ok(usize::try_from(*place).ok().and_then(|place| items.get(place)).map_or(Value::Null, Value::of))
            }
            (Value::List(items), Value::Int(place)) => {
                Ok(usize::try_from(*place).ok().and_then(|place| items.get(place)).cloned().unwrap_or(Value::Null))
            }
            _ => Err(no(format!("{} as an index of {}", index.name(), of.name()))),
        }
    }

    /// `&&` (decided by false) and `||` (decided by true): what decides does so also where the other side has no value, as in CEL.
    fn either(&mut self, a: &'a Node, b: &'a Node, decides: bool) -> Evaluated<'a> {
        let mut failed = None;
        for node in [a, b] {
            match self.value(node) {
                Ok(Value::Bool(value)) if value == decides => return Ok(Value::Bool(decides)),
                Ok(Value::Bool(_)) => {}
                Ok(other) => {
                    let sign = if decides { "||" } else { "&&" };
                    failed = failed.or(Some(no(format!("`{sign}` takes true or false, found {}", other.name()))));
                }
                Err(ExpressionError::Steps) => return Err(ExpressionError::Steps),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(Value::Bool(!decides)), Err)
    }

    fn binary(&self, operator: Binary, a: &Value<'a>, b: &Value<'a>) -> Evaluated<'a> {
        let ordered = |holds: fn(Ordering) -> bool| match a.compare(b) {
            Some(order) => Ok(Value::Bool(holds(order))),
            None if is_number(a) && is_number(b) => Ok(Value::Bool(false)),
            None => Err(mismatch(operator, a, b)),
        };
        match operator {
            Binary::Equal | Binary::Unequal => {
                self.take(a.weight().min(b.weight()))?;
                Ok(Value::Bool(a.same(b) == (operator == Binary::Equal)))
            }
            Binary::Less => ordered(Ordering::is_lt),
            Binary::AtMost => ordered(Ordering::is_le),
            Binary::Greater => ordered(Ordering::is_gt),
            Binary::AtLeast => ordered(Ordering::is_ge),
            Binary::In => self.contains(a, b),
            Binary::Add => self.sum(a, b),
            Binary::Subtract | Binary::Multiply | Binary::Divide | Binary::Remainder => arithmetic(operator, a, b),
        }
    }

    fn contains(&self, a: &Value<'a>, b: &Value<'a>) -> Evaluated<'a> {
        if let (Value::Json(json @ crate::Json::Object(_)), Some(name)) = (b, a.text()) {
            self.take(json.len() / 8)?;
            return Ok(Value::Bool(json.member(name).is_some()));
        }
        let Some(items) = b.elements() else { return Err(mismatch(Binary::In, a, b)) };
        self.take(b.weight())?;
        Ok(Value::Bool(items.iter().any(|item| item.same(a))))
    }

    fn sum(&self, a: &Value<'a>, b: &Value<'a>) -> Evaluated<'a> {
        if let (Some(left), Some(right)) = (a.text(), b.text()) {
            self.take((left.len() + right.len()) / 16)?;
            return Ok(Value::Made([left, right].concat().into()));
        }
        if let (Some(mut left), Some(right)) = (a.elements(), b.elements()) {
            self.take(left.len() + right.len())?;
            left.extend(right);
            return Ok(Value::List(Rc::new(left)));
        }
        arithmetic(Binary::Add, a, b)
    }

    fn looped(&mut self, kind: Loop, list: &'a Node, name: &'a str, body: &'a Node) -> Evaluated<'a> {
        let list = self.value(list)?;
        let items = match &list {
            Value::Null => Vec::new(),
            Value::Json(crate::Json::Object(members)) => members.iter().map(|(name, _)| Value::Text(name)).collect(),
            other => {
                other.elements().ok_or_else(|| no(format!("a loop goes through a list, found {}", other.name())))?
            }
        };
        self.take(items.len())?;
        let (mut kept, mut count, mut failed) = (Vec::new(), 0_usize, None);
        for item in items {
            self.bound.push((name, item.clone()));
            let value = self.value(body);
            self.bound.pop();
            let value = match value {
                // What decides does so also where another element has no value.
                Err(error @ ExpressionError::Value(_)) if matches!(kind, Loop::All | Loop::Exists) => {
                    failed = failed.or(Some(error));
                    continue;
                }
                value => value?,
            };
            match (kind, value) {
                (Loop::Map, value) => kept.push(value),
                (_, Value::Bool(holds)) => match kind {
                    Loop::All if !holds => return Ok(Value::Bool(false)),
                    Loop::Exists if holds => return Ok(Value::Bool(true)),
                    Loop::Filter if holds => kept.push(item),
                    _ => count += usize::from(holds),
                },
                (_, other) => {
                    return Err(no(format!("the loop's condition gives {}, not true or false", other.name())));
                }
            }
        }
        match (kind, failed) {
            (_, Some(error)) => Err(error),
            (Loop::All, None) => Ok(Value::Bool(true)),
            (Loop::Exists, None) => Ok(Value::Bool(false)),
            (Loop::ExistsOne, None) => Ok(Value::Bool(count == 1)),
            (Loop::Map | Loop::Filter, None) => Ok(Value::List(Rc::new(kept))),
        }
    }
}

const fn is_number(value: &Value<'_>) -> bool {
    matches!(value, Value::Int(_) | Value::Double(_))
}

fn arithmetic<'a>(operator: Binary, a: &Value<'a>, b: &Value<'a>) -> Evaluated<'a> {
    match (a, b) {
        (Value::Int(_), Value::Int(0)) if matches!(operator, Binary::Divide | Binary::Remainder) => {
            Err(no("it divides by zero"))
        }
        (Value::Int(a), Value::Int(b)) => {
            let value = match operator {
                Binary::Add => a.checked_add(*b),
                Binary::Subtract => a.checked_sub(*b),
                Binary::Multiply => a.checked_mul(*b),
                Binary::Divide => a.checked_div(*b),
                _ => a.checked_rem(*b),
            };
            value.map(Value::Int).ok_or_else(too_large)
        }
        (Value::Double(a), Value::Double(b)) => match operator {
            Binary::Add => Ok(Value::Double(a + b)),
            Binary::Subtract => Ok(Value::Double(a - b)),
            Binary::Multiply => Ok(Value::Double(a * b)),
            Binary::Divide => Ok(Value::Double(a / b)),
            _ => Err(no("`%` takes whole numbers")),
        },
        (Value::Int(_), Value::Double(_)) | (Value::Double(_), Value::Int(_)) => Err(no(format!(
            "`{}` takes two whole numbers or two that are not; convert with double() or int()",
            operator.sign()
        ))),
        _ => Err(mismatch(operator, a, b)),
    }
}

fn mismatch(operator: Binary, a: &Value<'_>, b: &Value<'_>) -> ExpressionError {
    let hint = match (a, b) {
        (Value::Null, _) | (_, Value::Null) => "; null is what the webhook does not have: ask by has() first",
        (Value::Text(_) | Value::Made(_), Value::Int(_) | Value::Double(_))
        | (Value::Int(_) | Value::Double(_), Value::Text(_) | Value::Made(_)) => {
            "; convert with double(), int() or string()"
        }
        _ => "",
    };
    no(format!("`{}` between {} and {}{hint}", operator.sign(), a.name(), b.name()))
}

fn too_large() -> ExpressionError {
    no("a number gets too large")
}
