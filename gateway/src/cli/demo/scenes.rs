//! What the demo plays: a shop's orders and a shipment, each a signed webhook, one after the other.

use super::{super::Failure, House, watch::Watch};
use crate::{
    app::Running,
    play::{self, Script},
};
use anyhow::{Context, anyhow};
use std::time::Duration;

/// What happens in the shop, in order: the sample's case, and what a person would say it is.
const SCENES: &[(&str, &str)] = &[
    ("demo_order_placed", "a customer orders"),
    ("demo_order_placed_cash_on_delivery", "another customer orders"),
    ("demo_fulfillment_created", "the first order is shipped"),
];
/// Longest that a scene may take in real time before the demo says that something is wrong.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays all scenes and waits until every message was read. False when one was not.
pub(super) async fn play(running: &Running, house: &House, watch: &mut Watch) -> Result<bool, Failure> {
    let client = reqwest::Client::new();
    let doors = house.doors(running);
    let door = doors
        .iter()
        .find(|door| door.provider == "shopify")
        .ok_or_else(|| anyhow!("the shopify plugin is not bundled"))?;
    let mut all_read = true;
    for (case, words) in SCENES {
        let unique = play::unique().map_err(|error| anyhow!("the system has no randomness: {error}"))?;
        let now = running.app.now();
        let mut script = Script::sample("shopify", case).map_err(anyhow::Error::from)?;
        script.freshen("shopify", &unique, now);
        let played = script.sign("shopify", &door.secret, &unique, now).map_err(anyhow::Error::from)?;
        watch.scene(words, script.topic.as_deref().unwrap_or_default(), &door.url);
        let answer = play::post(&client, &door.url, &played).await.context("the gateway can't be reached")?;
        let Some(delivery) = answer.delivery.as_deref().and_then(|id| id.parse().ok()) else {
            return Err(Failure::Work(anyhow!("the gateway answered {}: {}", answer.status, answer.body)));
        };
        watch.expect(delivery);
        let read = tokio::time::timeout(PATIENCE, watch.until_read(running)).await;
        match read {
            Ok(done) => all_read &= done?,
            Err(_) => all_read = false,
        }
    }
    Ok(all_read)
}
