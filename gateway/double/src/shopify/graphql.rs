//! The GraphQL Admin API: webhook subscriptions are listed, made and removed. Whatever is not in the schema is refused, as the server refuses it: with 200 and `errors`.

use super::{
    Shop, ShopHook,
    document::{self, Document, Field},
};
use crate::account::Inside;
use serde_json::{Map, Value, json};

/// Topics that a subscription can have: as webhooks name them.
const TOPICS: &[&str] = &[
    "orders/create",
    "orders/paid",
    "orders/updated",
    "orders/edited",
    "orders/partially_fulfilled",
    "orders/fulfilled",
    "orders/cancelled",
    "orders/delete",
    "refunds/create",
    "fulfillments/create",
    "fulfillments/update",
    "fulfillment_events/create",
    "checkouts/create",
    "checkouts/update",
    "checkouts/delete",
    "customers/create",
    "customers/update",
    "customers/enable",
    "customers/disable",
    "customers/delete",
    "customers/merge",
    "customer.tags_added",
    "customer.tags_removed",
    "customers/purchasing_summary",
    "customers_marketing_consent/update",
    "customers_email_marketing_consent/update",
    "app/uninstalled",
    "products/update",
];
/// Most rows of a page.
const MOST_ROWS: u64 = 250;

/// A type of the schema: its fields, each with its arguments and the type that it leads to.
struct Type {
    name: &'static str,
    fields: &'static [(&'static str, &'static [&'static str], Option<&'static Type>)],
}

const ERROR: Type = Type { name: "UserError", fields: &[("field", &[], None), ("message", &[], None)] };
const HTTP: Type = Type { name: "WebhookHttpEndpoint", fields: &[("callbackUrl", &[], None)] };
const ENDPOINT: Type =
    Type { name: "WebhookSubscriptionEndpoint", fields: &[("WebhookHttpEndpoint", &[], Some(&HTTP))] };
const HOOK: Type = Type {
    name: "WebhookSubscription",
    fields: &[
        ("id", &[], None),
        ("topic", &[], None),
        ("format", &[], None),
        ("uri", &[], None),
        ("endpoint", &[], Some(&ENDPOINT)),
    ],
};
const PAGE: Type = Type { name: "PageInfo", fields: &[("hasNextPage", &[], None), ("endCursor", &[], None)] };
const HOOKS: Type = Type {
    name: "WebhookSubscriptionConnection",
    fields: &[("nodes", &[], Some(&HOOK)), ("pageInfo", &[], Some(&PAGE))],
};
const QUERY: Type = Type { name: "QueryRoot", fields: &[("webhookSubscriptions", &["first", "after"], Some(&HOOKS))] };
const MADE: Type = Type {
    name: "WebhookSubscriptionCreatePayload",
    fields: &[("webhookSubscription", &[], Some(&HOOK)), ("userErrors", &[], Some(&ERROR))],
};
const REMOVED: Type = Type {
    name: "WebhookSubscriptionDeletePayload",
    fields: &[("deletedWebhookSubscriptionId", &[], None), ("userErrors", &[], Some(&ERROR))],
};
const MUTATION: Type = Type {
    name: "Mutation",
    fields: &[
        ("webhookSubscriptionCreate", &["topic", "webhookSubscription"], Some(&MADE)),
        ("webhookSubscriptionUpdate", &["id", "webhookSubscription"], Some(&MADE)),
        ("webhookSubscriptionDelete", &["id"], Some(&REMOVED)),
    ],
};

/// What GraphQL says when an app has no points left.
pub(super) fn throttled(available: f64) -> Value {
    let status = json!({"maximumAvailable": 2000.0, "currentlyAvailable": available, "restoreRate": 100.0});
    json!({"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED", "documentation": "https://shopify.dev/api/usage/rate-limits"}}],
        "extensions": {"cost": {"requestedQueryCost": 10, "actualQueryCost": null, "throttleStatus": status}}})
}

fn error(message: &str, code: &str) -> Value {
    json!({"errors": [{"message": message, "extensions": {"code": code}}]})
}

/// The answer to a request, and the names of the fields that it asked for.
pub(super) fn answer(inside: &Inside<Shop>, body: &Value) -> (Value, String) {
    match asked(body) {
        Ok((document, variables)) => {
            let names: Vec<&str> = document.fields.iter().map(|field| field.name.as_str()).collect();
            (run(inside, &document, &variables), names.join(" "))
        }
        Err(refused) => (refused, "graphql".to_owned()),
    }
}

/// The operation and its variables, checked against the schema.
fn asked(body: &Value) -> Result<(Document, Map<String, Value>), Value> {
    let text = body["query"].as_str().ok_or_else(|| error("No query string was present", "BAD_REQUEST"))?;
    let document = document::read(text).map_err(|message| error(&message, "PARSE_ERROR"))?;
    let variables = body["variables"].as_object().cloned().unwrap_or_default();
    let root = if document.is_mutation { &MUTATION } else { &QUERY };
    check(root, &document.fields, &document.variables)?;
    Ok((document, variables))
}

fn check(of: &Type, fields: &[Field], variables: &[String]) -> Result<(), Value> {
    for field in fields {
        if field.name == "__typename" && !field.is_fragment {
            continue;
        }
        let Some((_, arguments, leads_to)) = of.fields.iter().find(|(name, ..)| *name == field.name) else {
            let message = format!("Field '{}' doesn't exist on type '{}'", field.name, of.name);
            return Err(error(&message, "undefinedField"));
        };
        for (argument, variable) in &field.arguments {
            if !arguments.contains(&argument.as_str()) {
                let message = format!("Field '{}' doesn't accept argument '{argument}'", field.name);
                return Err(error(&message, "argumentNotAccepted"));
            }
            if !variables.contains(variable) {
                return Err(error(&format!("Variable ${variable} is used but not declared"), "variableNotDefined"));
            }
        }
        match (leads_to, field.fields.is_empty()) {
            (Some(to), false) => check(to, &field.fields, variables)?,
            (None, true) => {}
            (Some(_), true) => {
                return Err(error(&format!("Field '{}' must have selections", field.name), "selectionMismatch"));
            }
            (None, false) => {
                return Err(error(
                    &format!("Selections can't be made on scalars ({})", field.name),
                    "selectionMismatch",
                ));
            }
        }
    }
    Ok(())
}

fn run(inside: &Inside<Shop>, document: &Document, variables: &Map<String, Value>) -> Value {
    let rows = variables.get("first").and_then(Value::as_u64).unwrap_or(0);
    let cost = if document.is_mutation { 10 } else { u32::try_from(2 + rows).unwrap_or(u32::MAX) };
    if let Err(left) = inside.shelf().spend_points(cost, inside.now_s()) {
        return throttled(left);
    }
    let mut data = Map::new();
    for field in &document.fields {
        let given = |name: &str| {
            let variable = field.arguments.iter().find(|(argument, _)| argument == name).map(|(_, variable)| variable);
            variable.and_then(|variable| variables.get(variable)).cloned().unwrap_or(Value::Null)
        };
        let done = match field.name.as_str() {
            "webhookSubscriptions" => list(inside, &given("first"), &given("after")),
            "webhookSubscriptionCreate" => make(inside, &given("topic"), &given("webhookSubscription")),
            "webhookSubscriptionUpdate" => change(inside, &given("id"), &given("webhookSubscription")),
            _ => Ok(remove(inside, &given("id"))),
        };
        match done {
            Ok(value) => data.insert(field.name.clone(), shown(&value, &field.fields)),
            Err(refused) => return refused,
        };
    }
    json!({"data": data})
}

fn list(inside: &Inside<Shop>, first: &Value, after: &Value) -> Result<Value, Value> {
    let first = first.as_u64().filter(|first| (1..=MOST_ROWS).contains(first));
    let first = first.ok_or_else(|| error("you must provide one of first or last, up to 250", "BAD_REQUEST"))?;
    let after: u64 = after.as_str().and_then(|after| after.parse().ok()).unwrap_or(0);
    let shelf = inside.shelf();
    let mut rows = shelf.hooks.range(after + 1..).map(|(_, hook)| hook);
    let page: Vec<&ShopHook> = rows.by_ref().take(usize::try_from(first).unwrap_or(usize::MAX)).collect();
    let end = page.last().map(|hook| hook.id.to_string());
    let nodes: Vec<Value> = page.into_iter().map(node).collect();
    Ok(json!({"nodes": nodes, "pageInfo": {"hasNextPage": rows.next().is_some(), "endCursor": end}}))
}

fn node(hook: &ShopHook) -> Value {
    json!({
        "id": gid(hook.id), "topic": word(&hook.topic), "format": "JSON", "uri": hook.url,
        "endpoint": {"__typename": "WebhookHttpEndpoint", "callbackUrl": hook.url},
    })
}

/// The address that an input names; an error when it has what no input has.
fn address(input: &Value) -> Result<String, Value> {
    let unknown = input.as_object().into_iter().flat_map(Map::keys);
    let mut unknown =
        unknown.filter(|key| !["callbackUrl", "uri", "format", "includeFields", "filter"].contains(&key.as_str()));
    if let Some(key) = unknown.next() {
        let message = format!(
            "Variable $webhookSubscription of type WebhookSubscriptionInput! was provided invalid value for {key} (Field is not defined on WebhookSubscriptionInput)"
        );
        return Err(error(&message, "INVALID_VARIABLE"));
    }
    let address = input["uri"].as_str().or(input["callbackUrl"].as_str());
    Ok(address.unwrap_or_default().to_owned())
}

/// Shopify sends to https; to this machine a double also sends without.
fn is_good(address: &str) -> bool {
    address.starts_with("https://") || address.starts_with("http://127.0.0.1:")
}

fn make(inside: &Inside<Shop>, topic: &Value, input: &Value) -> Result<Value, Value> {
    let topic = topic.as_str().and_then(|asked| TOPICS.iter().find(|topic| word(topic) == asked));
    let Some(topic) = topic else {
        let message = "Variable $topic of type WebhookSubscriptionTopic! was provided invalid value";
        return Err(error(message, "INVALID_VARIABLE"));
    };
    let url = address(input)?;
    let mut shelf = inside.shelf();
    if !is_good(&url) {
        return Ok(refusal("Address is invalid"));
    }
    if shelf.hooks.values().any(|hook| hook.topic == *topic && hook.url == url) {
        return Ok(refusal("Address for this topic has already been taken"));
    }
    let hook = ShopHook { id: shelf.next_id(), topic: (*topic).to_owned(), url, failures: 0 };
    let shown = node(&hook);
    shelf.hooks.insert(hook.id, hook);
    Ok(json!({"webhookSubscription": shown, "userErrors": []}))
}

fn change(inside: &Inside<Shop>, id: &Value, input: &Value) -> Result<Value, Value> {
    let url = address(input)?;
    let mut shelf = inside.shelf();
    let Some(hook) = number(id).and_then(|id| shelf.hooks.get_mut(&id)) else {
        return Ok(refusal("Webhook subscription does not exist"));
    };
    if !is_good(&url) {
        return Ok(refusal("Address is invalid"));
    }
    hook.url = url;
    Ok(json!({"webhookSubscription": node(hook), "userErrors": []}))
}

fn remove(inside: &Inside<Shop>, id: &Value) -> Value {
    match number(id).and_then(|id| inside.shelf().hooks.remove(&id)) {
        Some(hook) => json!({"deletedWebhookSubscriptionId": gid(hook.id), "userErrors": []}),
        None => refusal("Webhook subscription does not exist"),
    }
}

fn refusal(message: &str) -> Value {
    let error = json!({"field": ["webhookSubscription", "callbackUrl"], "message": message});
    json!({"webhookSubscription": null, "deletedWebhookSubscriptionId": null, "userErrors": [error]})
}

/// What was asked of a value, and nothing else.
fn shown(value: &Value, fields: &[Field]) -> Value {
    match value {
        Value::Array(rows) => rows.iter().map(|row| shown(row, fields)).collect(),
        Value::Object(_) if !fields.is_empty() => {
            let mut kept = Map::new();
            for field in fields {
                if !field.is_fragment {
                    kept.insert(field.name.clone(), shown(&value[&field.name], &field.fields));
                } else if value["__typename"] == field.name.as_str()
                    && let Value::Object(more) = shown(value, &field.fields)
                {
                    kept.extend(more);
                }
            }
            Value::Object(kept)
        }
        other => other.clone(),
    }
}

fn gid(id: u64) -> String {
    format!("gid://shopify/WebhookSubscription/{id}")
}

fn number(id: &Value) -> Option<u64> {
    id.as_str()?.strip_prefix("gid://shopify/WebhookSubscription/")?.parse().ok()
}

fn word(topic: &str) -> String {
    topic.replace(['/', '.'], "_").to_ascii_uppercase()
}
