//! A registry of plugins, as far as the OCI distribution API is read: manifests by tag and digest, blobs, and a token service for readers. It writes its answers byte
//! by byte, so that it can also lie about them, and break them off.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Longest head of a request that is read.
const HEAD_BYTES: usize = 64 << 10;
/// The token that the service gives.
const TOKEN: &str = "registry-token-5d1f";

/// How a registry behaves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Manner {
    /// It gives everything to everybody.
    #[default]
    Open,
    /// Its token service gives everybody a token.
    Token,
    /// Its token service wants this user and this password.
    Login(String, String),
    /// It wants this user and this password with each request.
    Basic(String, String),
    /// It gives other bytes of a blob.
    OtherBytes,
    /// It breaks off in the middle of a blob.
    Truncated,
    /// It says that a blob is longer than any plugin.
    TooLarge,
    /// It gives more bytes of a blob than the manifest says.
    Endless,
    /// It sends readers of blobs to another place without https.
    Elsewhere,
    /// It has an answer of its own.
    Status(u16),
}

/// A running registry on this machine. Dropping it stops it.
#[derive(Debug)]
pub struct Registry {
    host: String,
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

#[derive(Debug, Default)]
struct Shared {
    manner: Mutex<Manner>,
    /// By path: the type and the bytes.
    held: Mutex<HashMap<String, (&'static str, Vec<u8>)>>,
    asked: Mutex<Vec<String>>,
}

fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registry {
    /// Starts an empty one on a free port.
    ///
    /// # Errors
    /// The system gives no port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let host = listener.local_addr()?.to_string();
        let shared: Arc<Shared> = Arc::default();
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, host.clone(), Arc::clone(&shared)));
        Ok(Self { host, shared, _tasks: tasks })
    }

    /// Host and port.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Changes how it behaves.
    pub fn behave(&self, manner: Manner) {
        *lock(&self.shared.manner) = manner;
    }

    /// The paths that were asked for so far.
    pub fn asked(&self) -> Vec<String> {
        lock(&self.shared.asked).clone()
    }

    /// Takes a plugin in. Gives the digest of its manifest, `sha256:…`.
    pub fn push(&self, repository: &str, tag: &str, component: &[u8]) -> String {
        self.push_as(repository, tag, component, "application/wasm")
    }

    /// As [`Registry::push`], under another media type.
    pub fn push_as(&self, repository: &str, tag: &str, component: &[u8], media_type: &str) -> String {
        let length = match *lock(&self.shared.manner) {
            Manner::TooLarge => 65 << 20,
            _ => component.len(),
        };
        let blob = digest(component);
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.wasm.config.v0+json", "digest": digest(b"{}"), "size": 2},
            "layers": [{"mediaType": media_type, "digest": blob, "size": length}],
        });
        let manifest = manifest.to_string().into_bytes();
        let named = digest(&manifest);
        let mut held = lock(&self.shared.held);
        held.insert(format!("/v2/{repository}/blobs/{blob}"), ("application/octet-stream", component.to_vec()));
        for name in [tag, &named] {
            let kind = "application/vnd.oci.image.manifest.v1+json";
            held.insert(format!("/v2/{repository}/manifests/{name}"), (kind, manifest.clone()));
        }
        named
    }
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

async fn serve(listener: TcpListener, host: String, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    let (host, shared) = (host.clone(), Arc::clone(&shared));
                    connections.spawn(async move {
                        // A reader that goes away is no fault of the registry.
                        let _ = answer(stream, &host, &shared).await;
                    });
                }
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// One request and its answer; then the connection is closed.
async fn answer(stream: TcpStream, host: &str, shared: &Shared) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    let (mut path, mut authorization, mut read) = (String::new(), String::new(), 0);
    loop {
        let mut line = String::new();
        read += stream.read_line(&mut line).await?;
        let line = line.trim_end();
        if line.is_empty() || read > HEAD_BYTES {
            break;
        }
        if let Some(target) = line.strip_prefix("GET ") {
            path = target.split(' ').next().unwrap_or_default().to_owned();
        } else if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("authorization")
        {
            value.trim().clone_into(&mut authorization);
        }
    }
    lock(&shared.asked).push(path.clone());
    let reply = reply(&path, &authorization, host, shared);
    let mut head = format!("HTTP/1.1 {}\r\nconnection: close\r\ncontent-length: {}\r\n", reply.status, reply.length);
    for (name, value) in reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&reply.body).await?;
    stream.shutdown().await
}

struct Reply {
    status: String,
    headers: Vec<(&'static str, String)>,
    length: usize,
    body: Vec<u8>,
}

impl Reply {
    fn new(status: &str, kind: &str, body: Vec<u8>) -> Self {
        let headers = vec![("content-type", kind.to_owned())];
        Self { status: status.to_owned(), headers, length: body.len(), body }
    }

    fn refused(challenge: String) -> Self {
        let mut reply = Self::new("401 Unauthorized", "application/json", b"{\"errors\":[]}".to_vec());
        reply.headers.push(("www-authenticate", challenge));
        reply
    }
}

fn reply(path: &str, authorization: &str, host: &str, shared: &Shared) -> Reply {
    let manner = lock(&shared.manner).clone();
    let basic = |user: &str, password: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    if path.starts_with("/token?") {
        let known = match &manner {
            Manner::Login(user, password) => authorization == basic(user, password),
            _ => authorization.is_empty(),
        };
        let body = if known { json!({"token": TOKEN}) } else { json!({"errors": []}) };
        let status = if known { "200 OK" } else { "401 Unauthorized" };
        return Reply::new(status, "application/json", body.to_string().into_bytes());
    }
    match &manner {
        Manner::Token | Manner::Login(..) if authorization != format!("Bearer {TOKEN}") => {
            let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"registry\"");
            return Reply::refused(challenge);
        }
        Manner::Basic(user, password) if authorization != basic(user, password) => {
            return Reply::refused("Basic realm=\"registry\"".to_owned());
        }
        Manner::Status(status) => return Reply::new(&format!("{status} Odd"), "text/plain", Vec::new()),
        _ => {}
    }
    let Some((kind, mut bytes)) = lock(&shared.held).get(path).cloned() else {
        return Reply::new("404 Not Found", "application/json", b"{\"errors\":[]}".to_vec());
    };
    if path.contains("/blobs/") {
        match manner {
            Manner::OtherBytes => bytes[0] ^= 1,
            Manner::Endless => bytes.push(0),
            Manner::Truncated => {
                let whole = bytes.len();
                bytes.truncate(whole / 2);
                return Reply { length: whole, ..Reply::new("200 OK", kind, bytes) };
            }
            Manner::Elsewhere => {
                let mut reply = Reply::new("307 Temporary Redirect", kind, Vec::new());
                reply.headers.push(("location", "http://storage.invalid/blob?token=secret".to_owned()));
                return reply;
            }
            _ => {}
        }
    }
    Reply::new("200 OK", kind, bytes)
}
