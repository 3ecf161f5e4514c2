//! A provider that is read from: a small HTTP server that answers each path as it is told, and keeps what it was asked.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// What is done with a request.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Answered: status, headers as lines, body.
    Whole(u16, &'static str, Vec<u8>),
    /// A byte now and then, without end.
    Drip,
    /// Taken, and never answered.
    Hang,
}

impl Reply {
    /// 200 with this body.
    pub fn ok(body: &str) -> Self {
        Self::Whole(200, "content-type: application/json\r\n", body.as_bytes().to_vec())
    }

    /// This status, without a body.
    pub const fn status(status: u16) -> Self {
        Self::Whole(status, "", Vec::new())
    }
}

#[derive(Debug, Default)]
struct Known {
    /// By path: each is used once, the last for ever.
    replies: HashMap<String, Vec<Reply>>,
    heard: Vec<String>,
    /// Where several are read at once, each with what stands before an id in the path of one.
    batches: HashMap<String, String>,
    /// The ids of each such read.
    read_together: Vec<Vec<String>>,
}

impl Known {
    /// What is known of the ids in the body, as HubSpot answers: what is not is left out.
    fn together(&mut self, before: &str, body: &[u8]) -> Reply {
        let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let inputs = body["inputs"].as_array().into_iter().flatten();
        let ids: Vec<String> = inputs.filter_map(|input| input["id"].as_str()).map(str::to_owned).collect();
        let shown = |id: &String| match self.replies.get(&format!("{before}{id}"))?.first()? {
            Reply::Whole(200, _, body) => String::from_utf8(body.clone()).ok(),
            _ => None,
        };
        let found: Vec<String> = ids.iter().filter_map(shown).collect();
        self.read_together.push(ids);
        Reply::ok(&format!("{{\"status\":\"COMPLETE\",\"results\":[{}]}}", found.join(",")))
    }
}

/// The provider. It ends when it is dropped.
#[derive(Debug)]
pub struct Provider {
    authority: String,
    known: Arc<Mutex<Known>>,
    _serving: JoinSet<()>,
}

impl Provider {
    /// Starts one, on a port of its own. A path that it was not told of is answered 404.
    ///
    /// # Panics
    /// When there is no port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let authority = listener.local_addr().expect("it has an address").to_string();
        let known = Arc::new(Mutex::new(Known::default()));
        let (kept, mut serving) = (Arc::clone(&known), JoinSet::new());
        serving.spawn(async move {
            let mut streams = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                streams.spawn(answer(stream, Arc::clone(&kept)));
                while streams.try_join_next().is_some() {}
            }
        });
        Self { authority, known, _serving: serving }
    }

    /// Its address and port.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.authority)
    }

    /// Answers a path so, one request after the other; the last answer stays.
    pub fn tell(&self, path: &str, replies: &[Reply]) {
        lock(&self.known).replies.insert(path.to_owned(), replies.to_vec());
    }

    /// Reads several at once by a POST to this path; `before` stands before the id in the path of a read of one.
    pub fn reads_together(&self, path: &str, before: &str) {
        lock(&self.known).batches.insert(path.to_owned(), before.to_owned());
    }

    /// The ids of each read of several.
    pub fn read_together(&self) -> Vec<Vec<String>> {
        lock(&self.known).read_together.clone()
    }

    /// The heads of all requests so far, in lower case but for their first line.
    pub fn heard(&self) -> Vec<String> {
        lock(&self.known).heard.clone()
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(mut stream: TcpStream, known: Arc<Mutex<Known>>) {
    let (mut head, mut byte) = (Vec::new(), [0; 1]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let target = head.split(' ').nth(1).unwrap_or_default();
    let path = target.split('?').next().unwrap_or_default().to_owned();
    let length = head.lines().filter_map(|line| line.split_once(':'));
    let length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.filter_map(|(_, value)| value.trim().parse::<usize>().ok()).next();
    let mut body = vec![0; length.unwrap_or(0)];
    if stream.read_exact(&mut body).await.is_err() {
        return;
    }
    let reply = {
        let mut known = lock(&known);
        known.heard.push(head);
        let before = known.batches.get(&path).cloned();
        let together = before.map(|before| known.together(&before, &body));
        let replies = known.replies.entry(path).or_insert_with(|| vec![Reply::status(404)]);
        let told = if replies.len() > 1 { replies.remove(0) } else { replies[0].clone() };
        together.unwrap_or(told)
    };
    // Who asked may have gone: then there is nobody to tell.
    let _ = send(&mut stream, reply).await;
}

async fn send(stream: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
    match reply {
        Reply::Whole(status, headers, body) => {
            let length = body.len();
            let head =
                format!("HTTP/1.1 {status} Told\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n");
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&body).await
        }
        Reply::Drip => {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 99999\r\n\r\n").await?;
            loop {
                stream.write_all(b".").await?;
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
        Reply::Hang => std::future::pending().await,
    }
}
