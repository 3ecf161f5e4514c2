//! Connections of the HTTP face. Its own loop, and not a ready-made server, because a connection must be cut without an answer when a script wants it.

use std::{future::Future, pin::Pin};

use axum::{Router, extract::Request, response::Response};
use hyper::{body::Incoming, server::conn::http1, service::Service};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// Marks a response that is not to be sent: the connection is cut.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("a script wants the connection cut")]
pub(crate) struct Cut;

/// Serves for ever. Dropping the future closes every connection.
pub(crate) async fn serve(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone()));
                }
                // Out of file handles, most likely: others must close first.
                Err(error) => {
                    tracing::warn!(%error, "connection not accepted");
                    tokio::task::yield_now().await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn connection(stream: TcpStream, router: Router) {
    // Without it every answer waits for the other side's acknowledgement.
    let _ = stream.set_nodelay(true);
    let front = Front(TowerToHyperService::new(router));
    // A connection that ends badly was cut, by a script or by the client.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), front).await;
}

/// The router, but for responses that are marked with [`Cut`].
struct Front(TowerToHyperService<Router>);

impl Service<Request<Incoming>> for Front {
    type Response = Response;
    type Error = Cut;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Cut>> + Send>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let answer = self.0.call(request);
        Box::pin(async move {
            match answer.await {
                Ok(response) => match response.extensions().get::<Cut>() {
                    Some(cut) => Err(*cut),
                    None => Ok(response),
                },
                Err(never) => match never {},
            }
        })
    }
}
