//! Where a value comes from: a place of the webhook, a constant, an expression; and what is found there.

use crate::{Budget, Expression, ExpressionError, Json, Pointer, expression::Value};
use std::borrow::Cow;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A place of the item, or of the list's element that is being read: `"/customer/phone"`.
    Pointer(Pointer),
    /// Always the same: `{ value = "EUR" }`.
    Constant(Json<'static>),
    /// An expression: `{ cel = "body.first + ' ' + body.last" }`.
    Expression(Expression),
}

/// What an item gives to a mapping. All of one item share a budget.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// What the provider says the item is.
    pub topic: &'a str,
    /// The item.
    pub body: &'a Json<'a>,
    /// Headers of the delivery, by their names in lower case.
    pub headers: &'a Json<'a>,
    /// What surrounds the item.
    pub envelope: &'a Json<'a>,
    /// When the delivery was received.
    pub received_at: &'a str,
    /// The element of the list that is being read.
    pub it: Option<&'a Json<'a>>,
    /// The steps that are left.
    pub budget: &'a Budget,
}

/// What a source found: a value that is there and not null.
pub type Found<'a> = Cow<'a, Json<'a>>;

impl<'a> Scope<'a> {
    /// The same for one element of a list.
    #[must_use]
    pub const fn of(self, element: &'a Json<'a>) -> Self {
        Self { it: Some(element), ..self }
    }

    /// What a pointer leads to.
    ///
    /// # Errors
    /// When the item's steps are used up.
    pub fn at(&self, pointer: &Pointer) -> Result<Option<&'a Json<'a>>, ExpressionError> {
        self.budget.take(1)?;
        let found = pointer.find(self.it.unwrap_or(self.body), |looked| self.budget.take(1 + looked / 8))?;
        Ok(found.filter(|found| **found != Json::Null))
    }

    pub(crate) fn variable(&self, name: &str) -> Value<'a> {
        match name {
            "topic" => Value::Text(self.topic),
            "body" => Value::of(self.body),
            "headers" => Value::of(self.headers),
            "envelope" => Value::of(self.envelope),
            "received_at" => Value::Text(self.received_at),
            _ => self.it.map_or(Value::Null, Value::of),
        }
    }
}

impl Source {
    /// What is there; `None` when nothing is, or `null`.
    ///
    /// # Errors
    /// When an expression has no value, or the item's steps are used up.
    pub fn find<'a>(&'a self, scope: &Scope<'a>) -> Result<Option<Found<'a>>, ExpressionError> {
        let found = match self {
            Self::Pointer(pointer) => return Ok(scope.at(pointer)?.map(Cow::Borrowed)),
            Self::Constant(constant) => Some(Cow::Owned(constant.clone())),
            Self::Expression(expression) => {
                let json = expression.value(scope)?.into_json();
                Some(json.ok_or_else(|| ExpressionError::Value("a number gets too large".to_owned()))?)
            }
        };
        Ok(found.filter(|found| **found != Json::Null))
    }

    /// What it is called in errors: the pointer, or nothing.
    pub fn pointer(&self) -> Option<&str> {
        match self {
            Self::Pointer(pointer) => Some(pointer.as_str()),
            Self::Constant(_) | Self::Expression(_) => None,
        }
    }

    /// Its expression, for errors.
    pub fn expression(&self) -> Option<&str> {
        match self {
            Self::Expression(expression) => Some(expression.source()),
            Self::Pointer(_) | Self::Constant(_) => None,
        }
    }
}
