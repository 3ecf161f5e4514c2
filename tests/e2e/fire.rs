//! The gateway under fire: a disk that fills up, kills while it starts, kills at random moments under load. `TIDEGATE_ROUNDS` multiplies the rounds.

use crate::{crash::sent_to, shop};
use std::{collections::HashMap, time::Duration};
use tidegate_double::Failure;
use tidegate_test_support::{Customer, Gateway, Played, Taken, free_mib, order};

fn rounds(usual: u32) -> u32 {
    usual * std::env::var("TIDEGATE_ROUNDS").map_or(1, |times| times.parse().expect("TIDEGATE_ROUNDS is a number"))
}

/// The webhooks of orders, by number: each is sent again until it is acknowledged, as a provider does.
#[derive(Default)]
struct Orders {
    acknowledged: HashMap<u32, String>,
    open: Vec<(u32, Played)>,
}

impl Orders {
    /// The provider sends what was not acknowledged again; in the end every order was done once.
    async fn complete(&mut self, gateway: &mut Gateway) {
        for (number, webhook) in std::mem::take(&mut self.open) {
            self.acknowledged.insert(number, gateway.post("shopify", &webhook).await.stored());
        }
        gateway.settle().await;
        gateway.advance(Duration::from_secs(5)).await;
        let unknown = self.assert_once(gateway).await;
        gateway.expect_undelivered(unknown);
    }

    /// Every acknowledged delivery is there, every order is one event and one message, and no message went out twice. Gives how many are unknown.
    async fn assert_once(&self, gateway: &Gateway) -> usize {
        assert!(self.open.is_empty());
        for (number, id) in &self.acknowledged {
            let shown = gateway.show(id).await.unwrap_or_else(|| panic!("order {number}: {id} is gone"));
            assert!(shown["items"][0]["result"]["interpreted"].is_object(), "order {number}: {shown:#}");
        }
        assert_eq!(gateway.events_of("order.placed").await.len(), self.acknowledged.len(), "one event for each order");
        let counts = sent_to(gateway);
        let mut times: HashMap<u32, usize> = HashMap::new();
        let mut unknown = 0;
        let messages = gateway.outbound().await;
        for message in &messages {
            let address = message["address"].to_string();
            let number = self.acknowledged.keys().find(|n| address.contains(Customer::nth(**n).digits()));
            let number = *number.unwrap_or_else(|| panic!("nobody ordered this: {message:#}"));
            *times.entry(number).or_default() += 1;
            let sent = counts.get(Customer::nth(number).digits()).copied().unwrap_or_default();
            match message["state"].as_str() {
                Some("read") => assert_eq!(sent, 1, "{message:#}"),
                Some("unknown") => {
                    assert_eq!(sent, 0, "one that the provider took is resolved by its status: {message:#}");
                    unknown += 1;
                }
                other => panic!("{other:?} is no end of a message here: {message:#}"),
            }
        }
        assert!(messages.len() == self.acknowledged.len() && times.values().all(|times| *times == 1), "{times:?}");
        unknown
    }
}

/// An order with a body that compresses badly.
fn large_order(gateway: &Gateway, number: u32) -> Played {
    let mut state = u64::from(number) + 1;
    let mut digit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b'!' + (state >> 58) as u8)
    };
    let mut body = order(number, &Customer::nth(number));
    body["noise"] = (0..200_000).map(|_| digit()).collect::<String>().into();
    gateway.webhook("orders/create", &body)
}

async fn readiness(gateway: &Gateway) -> Option<u16> {
    let url = gateway.url("x").replace("/in/x", "/readyz");
    gateway.client().get(url).send().await.ok().map(|response| response.status().as_u16())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_ends_the_gateway_with_a_reason_and_loses_nothing_acknowledged() {
    const LIMIT_KIB: u64 = 12 << 10;
    let mut gateway = shop().send_timeout_s(2).start().await;
    gateway.limit_files(Some(LIMIT_KIB));
    gateway.restart().await;
    let log = gateway.data().join("store/db");
    let is_nearly_full = || std::fs::metadata(&log).expect("the store has a log").len() >= (LIMIT_KIB - 4_096) << 10;
    let mut orders = Orders::default();
    let mut holds = false;
    for number in 0..2_000 {
        if !holds && is_nearly_full() {
            // A message on its way keeps the gateway answering for a while when it ends.
            holds = true;
            gateway.script().fail_next(1, Failure::Hang);
        }
        let webhook = large_order(&gateway, number);
        let answer = gateway.post("shopify", &webhook).await;
        if answer.status != 200 {
            assert_eq!((answer.status, answer.problem().as_str()), (503, "unavailable"));
            orders.open.push((number, webhook));
            break;
        }
        orders.acknowledged.insert(number, answer.stored());
    }
    assert!(holds && !orders.open.is_empty(), "the disk was never full");
    assert_eq!(readiness(&gateway).await, Some(503));
    let again = gateway.post("shopify", &orders.open[0].1).await;
    assert_eq!((again.status, again.problem().as_str()), (503, "unavailable"));
    assert_eq!(gateway.ended().await.code(), Some(1));
    let said = gateway.log_text();
    assert!(said.contains("the store has stopped") && said.contains("File too large"), "{said}");

    gateway.limit_files(None);
    gateway.start_again().await;
    orders.complete(&mut gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn below_its_reserve_the_gateway_takes_no_webhooks_until_there_is_room() {
    let mut gateway = shop().start().await;
    let free = free_mib(&gateway.data());
    let margin = (free / 4).min(512);
    gateway.set("TIDEGATE_DATA__RESERVE_MIB", &(free - margin).to_string());
    gateway.restart().await;
    gateway.orders(1, &Customer::nth(1)).await;
    let webhook = gateway.order_webhook(2, &Customer::nth(2));
    let taken = Taken::new(&gateway.data(), 2 * margin);
    // It looks again every half minute.
    gateway.advance(Duration::from_secs(31)).await;
    let refused = gateway
        .wait_until("webhooks are refused", async |gateway| {
            let answer = gateway.post("shopify", &webhook).await;
            (answer.status != 200).then_some(answer)
        })
        .await;
    assert_eq!((refused.status, refused.problem().as_str()), (503, "unavailable"));
    assert!(refused.body.contains("disk is nearly full"), "{}", refused.body);
    assert_eq!(readiness(&gateway).await, Some(503));
    assert!(gateway.log_text().contains("the disk is nearly full"));
    drop(taken);
    gateway.advance(Duration::from_secs(31)).await;
    gateway
        .wait_until("webhooks are taken again", async |gateway| {
            (gateway.post("shopify", &webhook).await.status == 200).then_some(())
        })
        .await;
    assert_eq!(readiness(&gateway).await, Some(200));
    gateway.settle().await;
    assert_eq!(gateway.sent().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_while_it_starts_leave_a_gateway_that_starts_and_sends_once() {
    let mut gateway = shop().start().await;
    gateway.set("TIDEGATE_WORKERS__PAUSED", "true");
    gateway.restart().await;
    let mut orders = Orders::default();
    for number in 0..5 {
        orders.acknowledged.insert(number, gateway.orders(number, &Customer::nth(number)).await);
    }
    gateway.kill9();
    gateway.set("TIDEGATE_WORKERS__PAUSED", "false");
    // From before its first step to well behind the moment when it is ready.
    let moments = rounds(12);
    for n in 0..moments {
        gateway.start_and_kill(Duration::from_millis(u64::from(n * 200 / moments))).await;
    }
    gateway.start_again().await;
    gateway.settle().await;
    gateway.advance(Duration::from_secs(5)).await;
    let unknown = orders.assert_once(&gateway).await;
    gateway.expect_undelivered(unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn kills_at_any_moment_under_load_lose_nothing_acknowledged_and_double_nothing() {
    const ORDERS: u32 = 30;
    let mut gateway = shop().start().await;
    let mut orders = Orders::default();
    for round in 0..rounds(4) {
        for number in round * ORDERS..(round + 1) * ORDERS {
            orders.open.push((number, gateway.order_webhook(number, &Customer::nth(number))));
        }
        let webhooks: Vec<Played> = orders.open.iter().map(|(_, webhook)| webhook.clone()).collect();
        let mut answers = gateway.burst("shopify", &webhooks);
        // At first while webhooks are taken, later while messages are on their way and their statuses come.
        tokio::time::sleep(Duration::from_millis(u64::from(10 + round * 37 % 160))).await;
        gateway.kill9();
        while let Some(answer) = answers.join_next().await {
            let (place, answer) = answer.expect("a webhook's task does not panic");
            if let Ok(answer) = answer {
                orders.acknowledged.insert(orders.open[place].0, answer.stored());
            }
        }
        let Orders { acknowledged, open } = &mut orders;
        open.retain(|(number, _)| !acknowledged.contains_key(number));
        gateway.start_again().await;
    }
    orders.complete(&mut gateway).await;
}
