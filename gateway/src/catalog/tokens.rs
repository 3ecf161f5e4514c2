//! Where the tokens of authorized connections lie: sealed, in the store. It knows no provider and makes no request.

use crate::{
    records::TokenRow,
    tx::{Tx, TxError},
    vault::{Vault, VaultFault},
};
use std::sync::Arc;
use tidegate_clock::DomainClock;
use tidegate_fetch::{Held, Hidden, TokenShelf, Tokens};
use tidegate_model::Timestamp;
use tidegate_store::{Engine, records::get};

/// What tokens need beside the vault: a store that outlives the catalog, and the clock.
#[derive(Clone)]
pub(crate) struct TokenPlace {
    /// Where they lie.
    pub store: Arc<dyn Engine>,
    /// The domain clock.
    pub clock: DomainClock,
}

/// Where the tokens of one connection lie. Its functions are for threads that may wait.
pub(super) struct ConnectionTokens {
    pub(super) place: TokenPlace,
    pub(super) vault: Arc<Vault>,
    pub(super) workspace: u32,
    pub(super) connection: u32,
}

/// Why they can't be read or written down.
#[derive(Debug, thiserror::Error)]
enum ShelfFault {
    #[error("its tokens can't be read or written: {0}")]
    Store(#[from] TxError),
    #[error("its tokens can't be used: {0}")]
    Vault(#[from] VaultFault),
}

impl ConnectionTokens {
    fn purpose(&self) -> String {
        TokenRow::purpose(self.workspace, self.connection)
    }

    fn open(&self, sealed: &str) -> Result<Tokens, VaultFault> {
        Tokens::of_secret(&self.vault.open(&self.purpose(), sealed)?).ok_or(VaultFault::Damaged)
    }

    fn look(&self) -> Result<Held, ShelfFault> {
        let row = get::<TokenRow>(&*self.place.store, &(self.workspace, self.connection)).map_err(TxError::from)?;
        Ok(match row.map(|(row, _)| row) {
            None => Held::Nothing,
            Some(TokenRow { sealed: Some(sealed), .. }) => Held::Tokens(self.open(&sealed)?),
            Some(row) => Held::Void(row.void.unwrap_or_default()),
        })
    }

    fn put(&self, tokens: &Tokens) -> Result<(), ShelfFault> {
        let sealed = self.vault.seal(&self.purpose(), &tokens.to_secret())?;
        let mut tx = Tx::new(&*self.place.store, self.workspace);
        // What was there is void from now on, whatever it was.
        tx.put(TokenRow {
            workspace: self.workspace,
            connection: self.connection,
            sealed: Some(sealed),
            void: None,
            given_at: self.now(),
            expires_at: tokens.expires_at,
        });
        Ok(tx.commit(None)?)
    }

    fn strike(&self, used: &Hidden, reason: &str) -> Result<(), ShelfFault> {
        let mut tx = Tx::new(&*self.place.store, self.workspace);
        let Some(row) = tx.get::<TokenRow>(&(self.workspace, self.connection))? else { return Ok(()) };
        let Some(sealed) = &row.sealed else { return Ok(()) };
        if self.open(sealed)?.refresh.as_ref() != Some(used) {
            return Ok(());
        }
        tx.put(TokenRow { sealed: None, void: Some(reason.to_owned()), ..row });
        match tx.commit(None) {
            // Another one lies there by now.
            Err(error) if error.is_conflict() => Ok(()),
            ended => Ok(ended?),
        }
    }
}

impl TokenShelf for ConnectionTokens {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.place.clock.now_ms())
    }

    fn held(&self) -> Result<Held, String> {
        waiting(|| self.look())
    }

    fn keep(&self, tokens: &Tokens) -> Result<(), String> {
        waiting(|| self.put(tokens))
    }

    fn void(&self, used: &Hidden, reason: &str) -> Result<(), String> {
        waiting(|| self.strike(used, reason))
    }
}

/// On a thread that others do not wait for.
fn waiting<T>(work: impl FnOnce() -> Result<T, ShelfFault>) -> Result<T, String> {
    tokio::task::block_in_place(work).map_err(|fault| fault.to_string())
}

impl std::fmt::Debug for ConnectionTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectionTokens").field("connection", &self.connection).finish_non_exhaustive()
    }
}
