//! The public listener: accepts connections up to a limit, closes those that are slow to say what they want, and lets what is under way end.
//!
//! A loop of its own, and not axum's, because that has no limits. Knows nothing of what is served.

use crate::supervisor::Closing;
use axum::{Router, extract::ConnectInfo};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{net::SocketAddr, pin::pin, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// How long a request's head may take, from the first moment that a connection could send one: also how long a connection may idle.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The most bytes of a request's head, and of what is read ahead.
const HEAD_BYTES: usize = 64 * 1024;
/// How long no connection is accepted after the system refused one, for want of file handles most likely.
const BREATHE: Duration = Duration::from_millis(50);

/// Serves until it is told to end; then each connection ends with the request that it is at.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    most_connections: usize,
    mut closing: Closing,
) -> Result<(), String> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = closing.asked() => break,
            accepted = listener.accept(), if connections.len() < most_connections => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(connection(stream, peer, router.clone(), closing.clone()));
                }
                Err(error) => {
                    tracing::warn!(error = %error, connections = connections.len(), "a connection was not accepted");
                    tokio::time::sleep(BREATHE).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
    Ok(())
}

async fn connection(stream: TcpStream, peer: SocketAddr, router: Router, mut closing: Closing) {
    // Without it small answers wait for the other side's acknowledgement.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router.layer(axum::Extension(ConnectInfo(peer))));
    let mut settings = http1::Builder::new();
    settings.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT).max_buf_size(HEAD_BYTES);
    let mut served = pin!(settings.serve_connection(TokioIo::new(stream), service));
    let outcome = tokio::select! {
        outcome = served.as_mut() => outcome,
        () = closing.asked() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(error = %error, "a connection ended early");
    }
}
