//! What a call of a plugin costs: the Shopify plugin interprets an order of 8 KB in a fresh instance, on one thread and on two, in chunks, and as native code; and a mapping of three events reads one of its own.
//! `cargo bench -p tidegate-bundled`. The order is Shopify's documented example with two more lines, so it holds no real person.

#![expect(clippy::unwrap_used, reason = "a bench that fails should stop")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::{
    hint::black_box,
    thread,
    time::{Duration, Instant},
};
use tidegate_model::{
    ItemId, Timestamp,
    outcome::{ConnectionInfo, Item, Outcome},
};
use tidegate_plugin_host::{HostConfig, Plugin, PluginHost};
use tidegate_plugin_sdk as sdk;
use tidegate_plugin_shopify::Shopify;
use tidegate_plugin_testing::Fixture;

const ORDER: &str = include_str!("data/order8k.json");
const RECEIVED_MS: i64 = 1_780_000_000_000;
const TOPIC: &str = "orders/create";
const SHOP: &str = "acme.myshopify.com";

fn item(topic: &str, place: u8) -> Item {
    Item {
        id: ItemId::derive(RECEIVED_MS, &[&[place]]),
        topic: topic.to_owned(),
        headers: [("x-shopify-topic", TOPIC), ("x-shopify-shop-domain", SHOP)]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        body: ORDER.to_owned(),
        envelope: None,
        received_at: Timestamp::from_ms(RECEIVED_MS),
        state: None,
        answers: Vec::new(),
    }
}

fn connection() -> ConnectionInfo {
    ConnectionInfo { name: "shop".to_owned(), account: Some(SHOP.to_owned()), settings: "{}".to_owned() }
}

fn load() -> Plugin {
    let host = PluginHost::new(&HostConfig::default()).unwrap();
    host.load(tidegate_bundled::plugin("shopify").unwrap().component).unwrap()
}

/// Time for so many calls on each of so many threads, with the threads' start left out as far as one call each can.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn calls(plugin: &Plugin, connection: &ConnectionInfo, items: &[Item], threads: u64, calls: u64) -> Duration {
    let started = Instant::now();
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
                runtime.block_on(async {
                    for _ in 0..calls {
                        let outcomes = plugin.interpret(connection, black_box(items)).await.unwrap();
                        assert!(matches!(outcomes[0], Outcome::Done(_) | Outcome::Skip(_)), "{outcomes:?}");
                    }
                });
            });
        }
    });
    started.elapsed()
}

fn fresh_instance(criterion: &mut Criterion) {
    let plugin = load();
    let mut group = criterion.benchmark_group("fresh instance");
    for threads in [1, 2] {
        group.throughput(Throughput::Elements(threads));
        let items = [item(TOPIC, 0)];
        group.bench_function(BenchmarkId::new("one order, threads", threads), |bencher| {
            bencher.iter_custom(|count| calls(&plugin, &connection(), &items, threads, count));
        });
    }
    group.throughput(Throughput::Elements(1));
    let skipped = [item("products/update", 0)];
    group.bench_function("nothing to do", |bencher| {
        bencher.iter_custom(|count| calls(&plugin, &connection(), &skipped, 1, count))
    });
    let chunk: Vec<Item> = (0..32).map(|place| item(TOPIC, place)).collect();
    group.throughput(Throughput::Elements(32));
    group.bench_function("32 orders", |bencher| {
        bencher.iter_custom(|count| calls(&plugin, &connection(), &chunk, 1, count))
    });
    group.finish();
}

/// The fixture `order` of json-hmac: three event mappings, two of which make an event.
fn mapping(criterion: &mut Criterion) {
    let host = PluginHost::new(&HostConfig::default()).unwrap();
    let plugin = host.load(tidegate_bundled::plugin("json-hmac").unwrap().component).unwrap();
    let sample = tidegate_bundled::samples("json-hmac", None).find(|sample| sample.case == "order").unwrap();
    let fixture = Fixture::parse(sample.webhook_json).unwrap();
    let settings = fixture.settings.as_ref().unwrap().to_string();
    let connection = ConnectionInfo { name: "tool".to_owned(), account: None, settings };
    let body = fixture.body().into_owned();
    let items: Vec<Item> =
        (0..8).map(|place| Item { body: body.clone(), headers: Vec::new(), ..item("", place) }).collect();
    let mut group = criterion.benchmark_group("mapping of three events");
    for count in [1, 8] {
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(BenchmarkId::new("fresh instance, items", count), |bencher| {
            bencher.iter_custom(|times| calls(&plugin, &connection, &items[..count], 1, times));
        });
    }
    group.finish();
}

fn native(criterion: &mut Criterion) {
    let header = |name: &str, value: &str| sdk::Header { name: name.to_owned(), value: value.to_owned() };
    let items = [sdk::Item {
        headers: vec![header("x-shopify-topic", TOPIC), header("x-shopify-shop-domain", SHOP)],
        ..sdk::testing::item(TOPIC, ORDER)
    }];
    let connection = sdk::testing::connection("{}");
    criterion.bench_function("native", |bencher| {
        bencher.iter(|| black_box(sdk::testing::interpret_for::<Shopify>(&connection, black_box(&items))));
    });
}

criterion_group!(benches, native, fresh_instance, mapping);
criterion_main!(benches);
