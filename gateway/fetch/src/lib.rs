//! Reads from providers what plugins need: only from hosts that were granted, only at public addresses, with the credentials of the connection, within limits of
//! size, time and rate. It knows no plugin, no store and no domain clock; whether a request is made again, and when, is its caller's matter.

mod address;
mod answer;
mod batch;
mod client;
mod credentials;
mod keeper;
mod oauth;
mod pace;
mod reach;
mod resolve;
mod rules;
mod shared;
mod write;

pub use address::not_public;
pub use batch::BatchRule;
pub use client::{ClientError, Fetcher, Times};
pub use credentials::{Credential, Hidden, Kind};
pub use keeper::{Held, Keeper, NoToken, NotAuthorized, TokenShelf};
pub use oauth::{
    Attempt, CallbackFault, ClientProof, Granted, OauthClient, OauthProvider, RANDOM_BYTES, TokenFault, TokenRequest,
    Tokens, read_answer, refresh,
};
pub use pace::{Pace, Rate};
pub use reach::{Authorized, Fetched, Reach, TokenHost};
pub use resolve::{Lookup, LookupFuture};
pub use rules::{Grants, MissingCredential, Refusal, Rules};
pub use write::{Purpose, Told, Writes};
