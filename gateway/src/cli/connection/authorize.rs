//! `tidegate connection authorize`: a person says yes at the provider, in a browser. The provider leads the browser back to this command, or to a page of the operator's
//! whose address is pasted in. What it brings is given to the running gateway, which keeps it; nothing of it is printed.

use crate::cli::{Failure, Target, control::Control, output};
use anyhow::{Context, anyhow};
use axum::{
    Router,
    extract::{RawQuery, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use clap::Args;
use reqwest::Url;
use serde_json::{Value, json};
use std::{io::BufRead, net::Ipv4Addr, time::Duration};
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

/// How long the last answer may take to leave.
const LAST_ANSWER: Duration = Duration::from_secs(1);
/// Where the provider leads back to on this machine.
const CALLBACK: &str = "/callback";

#[derive(Debug, Args)]
pub(in crate::cli) struct AuthorizeArgs {
    #[command(flatten)]
    target: Target,
    /// Its name in the configuration.
    name: String,
    /// The provider leads back to http://localhost:PORT/callback, which the app there has among its redirect URLs.
    #[arg(long, value_name = "PORT", default_value_t = 8976)]
    port: u16,
    /// Another address of the app's that the provider leads back to. Paste in what the browser's address line shows then.
    #[arg(long, value_name = "URL", conflicts_with = "port")]
    redirect: Option<String>,
}

pub(super) fn run(args: &AuthorizeArgs) -> Result<u8, Failure> {
    let name = super::plain(&args.name)?;
    let control = Control::new(&args.target.data)?;
    let end = |query: &str| control.post(&format!("/v1/connections/{name}/authorization"), json!({ "query": query }));
    let begin = |redirect: &str| -> Result<String, Failure> {
        let begun = control.post(&format!("/v1/connections/{name}/authorize"), json!({ "redirect": redirect }))?;
        let url = begun["url"].as_str().unwrap_or_default().to_owned();
        if args.target.json {
            output::json(&begun);
        } else {
            output::line("Open this in a browser, and say yes as whoever the account belongs to:\n");
            output::line(format!("  {url}\n"));
            output::line(format!(
                "The provider leads back to {redirect}, which must be among the app's redirect URLs."
            ));
        }
        Ok(url)
    };
    let shown = match &args.redirect {
        Some(redirect) => {
            begin(redirect)?;
            end(&pasted()?)?
        }
        None => {
            let door = Door::open(args.port)?;
            let url = begin(&format!("http://localhost:{}{CALLBACK}", args.port))?;
            door.wait(&state(url.split_once('?').map_or("", |(_, query)| query)), end)?
        }
    };
    super::show(&args.target, &shown);
    Ok(0)
}

/// The query of an address that is typed in.
fn pasted() -> Result<String, Failure> {
    output::line("Paste the address that the browser shows then:");
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).map_err(anyhow::Error::from)?;
    // What was pasted holds a code: it is never shown.
    let wrong = || Failure::Usage("expected the whole address, with ?code=… and state=… in it".to_owned());
    let url = Url::parse(line.trim()).map_err(|_| wrong())?;
    url.query().map(str::to_owned).ok_or_else(wrong)
}

/// The parameter that ties what comes back to what was begun.
fn state(query: &str) -> Option<String> {
    let url = Url::parse(&format!("http://localhost/?{query}")).ok()?;
    url.query_pairs().find(|(name, _)| name == "state").map(|(_, state)| state.into_owned())
}

/// A browser that was led here, and what it is told.
struct Caller {
    query: String,
    answer: oneshot::Sender<Result<(), String>>,
}

/// Waits for the browser.
struct Door {
    runtime: Runtime,
    callers: mpsc::Receiver<Caller>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Door {
    fn open(port: u16) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.map_err(anyhow::Error::from)?;
        let (sender, callers) = mpsc::channel(1);
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, port)));
        let listener = listener.with_context(|| {
            format!("port {port} of this machine can't be listened on: choose another one with --port, and give it to the app")
        });
        let listener = listener.map_err(Failure::Work)?;
        let router = Router::new().route(CALLBACK, get(called)).with_state(sender);
        let (stop, stopped) = oneshot::channel::<()>();
        let until = async { drop(stopped.await) };
        let serving = runtime.spawn(axum::serve(listener, router).with_graceful_shutdown(until).into_future());
        Ok(Self { runtime, callers, stop, serving })
    }

    /// Waits for the caller that belongs to what was begun. Others are sent away: they end nothing.
    fn wait(mut self, begun: &Option<String>, end: impl Fn(&str) -> Result<Value, Failure>) -> Result<Value, Failure> {
        loop {
            let caller = self.runtime.block_on(self.callers.recv());
            let caller = caller.ok_or_else(|| Failure::Work(anyhow!("nobody can call back any more")))?;
            if state(&caller.query) != *begun {
                let _ = caller.answer.send(Err("this belongs to another authorization".to_owned()));
                continue;
            }
            let ended = end(&caller.query);
            // A browser that is gone need not know.
            let _ = caller.answer.send(ended.as_ref().map(|_| ()).map_err(ToString::to_string));
            drop(self.stop);
            // Lets the answer out. A browser may keep its connection open.
            let _ = self.runtime.block_on(async { tokio::time::timeout(LAST_ANSWER, self.serving).await });
            return ended;
        }
    }
}

async fn called(State(callers): State<mpsc::Sender<Caller>>, RawQuery(query): RawQuery) -> Response {
    let (answer, told) = oneshot::channel();
    let caller = Caller { query: query.unwrap_or_default(), answer };
    if callers.send(caller).await.is_err() {
        return page(StatusCode::GONE, "Nobody waits for this any more.");
    }
    match told.await {
        Ok(Ok(())) => page(StatusCode::OK, "The connection is authorized. You can close this page."),
        Ok(Err(problem)) => page(StatusCode::BAD_REQUEST, &format!("The connection is not authorized: {problem}")),
        Err(_) => page(StatusCode::GONE, "The command has ended."),
    }
}

/// Plain text: nothing in it is taken for markup.
fn page(status: StatusCode, text: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{text}\n")).into_response()
}
