//! Load: what comes at once does not fill the memory, and a flood at one endpoint does not stop the others.

use crate::{bare, shop};
use serde_json::json;
use std::time::Duration;
use tidegate_test_support::{Customer, Gateway, Played, order};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const MIB: usize = 1 << 20;

/// An order whose note makes it so long. The note is noise: it does not compress well.
fn long_order(gateway: &Gateway, number: u32, length: usize) -> Played {
    let customer = Customer::nth(number);
    let mut body = order(number, &customer);
    let short = body.to_string().len();
    let mut seed = u64::from(number) + 1;
    let noise = std::iter::repeat_with(|| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        char::from(b'0' + (seed % 75) as u8)
    });
    let note: String = noise.filter(|letter| *letter != '\\').take(length - short).collect();
    body["note"] = json!(note);
    gateway.webhook("orders/create", &body)
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_connections_with_four_mebibytes_each_do_not_fill_the_memory() {
    const CONNECTIONS: u32 = 64;
    /// The bodies have 256 MiB together. What is used is bounded by `body_memory_mib`, the store's cache, and what the system's allocator keeps aside.
    const MOST_MIB: usize = 640;
    let mut gateway = shop().max_body_bytes("shopify", 4 * MIB).start().await;
    let webhooks: Vec<Played> = (0..CONNECTIONS).map(|n| long_order(&gateway, n, 4 * MIB - 1_000)).collect();
    let before = gateway.peak_memory_bytes() / MIB;
    for (_, answer) in gateway.burst("shopify", &webhooks).join_all().await {
        answer.expect("an answer").stored();
    }
    let stored = gateway.peak_memory_bytes() / MIB;
    gateway.settle().await;
    let after = gateway.peak_memory_bytes() / MIB;
    assert!(after < MOST_MIB, "{before} MiB at first, {stored} with all stored, {after} with all interpreted");
    // This is more than the plugin's limits are made for: an item goes through or is parked, none is lost.
    let parked = gateway.parked().await.len();
    assert_eq!(gateway.sent().len() + parked, CONNECTIONS as usize);
    gateway.expect_parked(parked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_one_shop_does_not_make_another_one_wait() {
    const FLOOD: u32 = 300;
    let mut gateway = shop().second_shop().start().await;
    gateway.set("TIDEGATE_WORKERS__PAUSED", "true");
    gateway.restart().await;
    let flood: Vec<Played> = (0..FLOOD).map(|n| gateway.order_webhook(n, &Customer::nth(n))).collect();
    for (_, answer) in gateway.burst("shopify", &flood).join_all().await {
        answer.expect("an answer").stored();
    }
    let last = Customer::nth(FLOOD);
    gateway.post("second", &gateway.order_webhook(FLOOD, &last)).await.stored();
    gateway.set("TIDEGATE_WORKERS__PAUSED", "false");
    gateway.set("TIDEGATE_WORKERS__THREADS", "1");
    gateway.restart().await;
    gateway.settle().await;
    let sent = gateway.sent();
    assert_eq!(sent.len(), FLOOD as usize + 1);
    let place = sent.iter().position(|message| message.to == last.digits()).expect("the second shop's message is sent");
    assert!(place < 100, "it came after {place} messages of the flood");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_over_the_limit_wait_until_one_ends() {
    let mut gateway = bare().start().await;
    gateway.set("TIDEGATE_SERVER__MAX_CONNECTIONS", "2");
    gateway.restart().await;
    let address = gateway.url("").replace("http://", "").replace("/in/", "");
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(&address).await.expect("it connects");
        assert!(answers(&mut stream, Duration::from_secs(30)).await);
        open.push(stream);
    }
    let mut third = TcpStream::connect(&address).await.expect("the system takes it");
    assert!(!answers(&mut third, Duration::from_millis(300)).await, "there is no room for a third");
    open.pop();
    let mut answered = [0; 15];
    let read = tokio::time::timeout(Duration::from_secs(30), third.read_exact(&mut answered)).await;
    read.expect("it is answered now").expect("it is answered");
    assert_eq!(&answered, b"HTTP/1.1 200 OK");
}

/// Asks for the health, and whether there is an answer within this time.
async fn answers(stream: &mut TcpStream, within: Duration) -> bool {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.expect("it is written");
    let mut answer = [0; 15];
    tokio::time::timeout(within, stream.read_exact(&mut answer)).await.is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_that_does_not_need_the_body_leaves_the_connection_in_order() {
    let gateway = shop().max_body_bytes("meta", 100_000).start().await;
    let address = gateway.url("").replace("http://", "").replace("/in/", "");
    let mut stream = TcpStream::connect(&address).await.expect("it connects");
    let request = |endpoint: &str, length: usize, header: &str| {
        let mut request =
            format!("POST /in/{endpoint} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n{header}\r\n");
        request.push_str(&"x".repeat(if header.is_empty() { length } else { 0 }));
        request.into_bytes()
    };
    for (endpoint, expected) in [("meta", "413"), ("nowhere", "404"), ("meta", "413")] {
        // Answered when it was read to its end: the next one can be sent on the same connection.
        let request = request(endpoint, 400_000, "");
        stream.write_all(&request[..1_000]).await.expect("it is written");
        stream.write_all(&request[1_000..]).await.expect("it is written");
        let head = head(&mut stream).await;
        assert!(head.starts_with(&format!("http/1.1 {expected} ")) && !head.contains("connection: close"), "{head}");
    }
    // Who waits for a word before the body is told the end of it.
    stream.write_all(&request("meta", 400_000, "expect: 100-continue\r\n")).await.expect("it is written");
    let head = head(&mut stream).await;
    assert!(head.starts_with("http/1.1 413 ") && head.contains("connection: close"), "{head}");
}

/// Reads an answer; gives its head in lower case.
async fn head(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.expect("it is answered"));
    }
    let head = String::from_utf8_lossy(&read).to_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).expect("it has a length");
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.expect("it has a body");
    head
}
