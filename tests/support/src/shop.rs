//! Bodies of webhooks: those of the plugins' fixtures, and orders made from one of them.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Who orders.
#[derive(Debug, Clone)]
pub struct Customer {
    /// First name.
    pub first_name: String,
    /// Number, with `+` and country code.
    pub phone: String,
    /// Id at the shop.
    pub id: u64,
    /// Locale of the shop's pages, as `en-GB`.
    pub locale: String,
}

impl Customer {
    /// The `n`th of a shop's customers: each has a number of their own.
    ///
    /// # Panics
    /// Past 999: no more numbers are set aside for made-up people.
    pub fn nth(n: u32) -> Self {
        assert!(n < 1_000, "there are customers 0 to 999");
        Self {
            first_name: format!("Robin{n}"),
            phone: format!("+4477009{n:05}"),
            id: 7_000_000_000 + u64::from(n),
            locale: "en-GB".to_owned(),
        }
    }

    /// The number as WhatsApp writes it: digits.
    pub fn digits(&self) -> &str {
        self.phone.trim_start_matches('+')
    }
}

/// The file of a fixture, `plugins/PLUGIN/fixtures/CASE/webhook.json`.
pub fn fixture_file(plugin: &str, case: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../plugins/{plugin}/fixtures/{case}/webhook.json"))
}

/// The body of a fixture.
///
/// # Panics
/// When it is not there.
pub fn fixture(plugin: &str, case: &str) -> Value {
    let file = fixture_file(plugin, case);
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let mut webhook: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    webhook["body"].take()
}

/// A paid order of this number: Shopify's `orders/create`.
pub fn order(number: u32, customer: &Customer) -> Value {
    let mut body = fixture("shopify", "demo_order_placed");
    let email = format!("{}@example.com", customer.id);
    body["id"] = json!(6_120_000_000_000_u64 + u64::from(number));
    body["name"] = json!(format!("#{number}"));
    body["order_number"] = json!(number);
    body["customer_locale"] = json!(customer.locale);
    for key in ["email", "contact_email"] {
        body[key] = json!(email);
    }
    body["phone"] = json!(customer.phone);
    for address in ["billing_address", "shipping_address"] {
        body[address]["phone"] = json!(customer.phone);
        body[address]["first_name"] = json!(customer.first_name);
    }
    let person = &mut body["customer"];
    person["id"] = json!(customer.id);
    person["admin_graphql_api_id"] = json!(format!("gid://shopify/Customer/{}", customer.id));
    person["email"] = json!(email);
    person["phone"] = json!(customer.phone);
    person["first_name"] = json!(customer.first_name);
    person["default_address"]["phone"] = json!(customer.phone);
    body
}
