//! Who calls: shown with a refusal, shortened, and believed from trusted proxies only.

use crate::shop;
use tidegate_test_support::{Customer, Gateway, Played};

async fn refused(gateway: &Gateway, headers: &[(&str, &str)]) -> String {
    let unsigned = gateway.order_webhook(1, &Customer::nth(1)).without("x-shopify-hmac-sha256");
    let webhook = headers.iter().fold(unsigned, |webhook: Played, (name, value)| webhook.and(name, value));
    assert_eq!(gateway.post("shopify", &webhook).await.status, 401);
    let log = gateway.log_text();
    let line = log.lines().rev().find(|line| line.contains("webhook refused")).expect("it is logged");
    let (_, caller) = line.split_once("caller=").expect("who called");
    caller.split_whitespace().next().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarded_headers_are_believed_from_trusted_proxies_only() {
    let mut gateway = shop().start().await;
    let spoofed =
        [("x-forwarded-for", "198.51.100.9"), ("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "http")];
    assert_eq!(refused(&gateway, &spoofed).await, "127.0.0.*", "nobody in front is trusted");
    gateway.set("TIDEGATE_SERVER__TRUSTED_PROXIES", "127.0.0.0/8, ::1");
    gateway.restart().await;
    assert_eq!(refused(&gateway, &[("x-forwarded-for", "192.0.2.1, 198.51.100.9")]).await, "198.51.100.*");
    assert_eq!(refused(&gateway, &[("forwarded", "for=\"[2001:db8:7::1]\"")]).await, "2001:db8:7:*");
    assert_eq!(refused(&gateway, &[]).await, "127.0.0.*");
    let log = gateway.log_text();
    assert!(!log.contains("198.51.100.9") && !log.contains("2001:db8:7::1"), "an address is personal data:\n{log}");
}
