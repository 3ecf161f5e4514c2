//! Names become addresses here, and only public ones leave: what is connected to is what was checked, so a name that changes its address between a check and a
//! connection gains nothing.

use crate::address::not_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

/// The addresses of a name, when they are there.
pub type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Looks names up.
pub trait Lookup: Send + Sync {
    /// All addresses of a name.
    fn lookup(&self, name: &str) -> LookupFuture;
}

/// The system's resolver.
pub(crate) struct System;

impl Lookup for System {
    fn lookup(&self, name: &str) -> LookupFuture {
        let name = name.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A name that leads to no public address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} leads to {address}, {what}")]
pub(crate) struct NotPublic {
    pub(crate) name: String,
    pub(crate) address: IpAddr,
    pub(crate) what: &'static str,
}

/// Gives the client the public addresses of a name.
pub(crate) struct Guarded(pub(crate) Arc<dyn Lookup>);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let looking = self.0.lookup(name.as_str());
        Box::pin(async move {
            let public = public_of(name.as_str(), looking.await?)?;
            Ok(Box::new(public.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

fn public_of(name: &str, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, NotPublic> {
    let refused = found.iter().find_map(|address| Some((*address, not_public(*address)?)));
    let public: Vec<IpAddr> = found.into_iter().filter(|address| not_public(*address).is_none()).collect();
    match (public.is_empty(), refused) {
        (true, Some((address, what))) => Err(NotPublic { name: name.to_owned(), address, what }),
        _ => Ok(public),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_of_a_name_are_given() {
        let check = |found: &[&str], expected: Result<&[&str], &str>| {
            let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
            let given = public_of("a.example", parse(found)).map_err(|error| error.to_string());
            assert_eq!(given, expected.map(parse).map_err(str::to_owned));
        };
        check(&["1.1.1.1", "10.0.0.1", "::1"], Ok(&["1.1.1.1"]));
        check(&["10.0.0.1"], Err("a.example leads to 10.0.0.1, a private address"));
        check(&[], Ok(&[]));
    }
}
