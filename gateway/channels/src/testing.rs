//! A provider on this machine for the tests of senders: one canned conversation a case.

use crate::SendResult;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Reads one request whole: its head and, by content-length, its body.
async fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    loop {
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).await.unwrap();
        request.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let wanted = name.eq_ignore_ascii_case("content-length");
                wanted.then(|| value.trim().parse::<usize>().unwrap())
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        assert_ne!(read, 0, "the request was cut: {text}");
    }
}

/// What the provider does after it read the request.
#[derive(Clone, Copy)]
pub(crate) enum Then {
    Answer(&'static str),
    Close,
    StaySilent,
}

/// One attempt against a provider that reads the request, then does something: the outcome, and the request. `send` is given the provider's address.
pub(crate) async fn attempt(then: Then, send: impl AsyncFnOnce(String) -> SendResult) -> (SendResult, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    let provider = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let request = read_request(&mut stream).await;
        if let Then::Answer(text) = then {
            stream.write_all(text.as_bytes()).await.unwrap();
        }
        (request, matches!(then, Then::StaySilent).then_some(stream))
    };
    let (result, (request, _open)) = tokio::join!(send(base_url), provider);
    (result, request)
}

/// An answer of the provider's.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Then {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
    Then::Answer(Box::leak(text.into_boxed_str()))
}
