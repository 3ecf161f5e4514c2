//! The retention worker: a pass over the store each hour, in slices with rests between them.

use crate::{
    app::App,
    config::Retention,
    retention::{Stepped, Sweep, pause},
    supervisor::Shutdown,
    tx::TxError,
};
use std::sync::Arc;

/// Domain time between the beginnings of two passes.
const PASS_EVERY_MS: i64 = 3_600_000;

/// Runs until the gateway stops.
pub(super) async fn run(app: Arc<App>, settings: Retention, mut shutdown: Shutdown) -> Result<(), String> {
    let mut sweep = Sweep::new(settings.clone());
    while !shutdown.is_asked() {
        let next = app.now().plus_ms(PASS_EVERY_MS);
        while !shutdown.is_asked() {
            let (app, mut stepping) = (Arc::clone(&app), sweep);
            let stepped = tokio::task::spawn_blocking(move || {
                let stepped = stepping.step(&app);
                (stepping, stepped, is_busy(&app))
            });
            let (stepping, stepped, is_busy) = stepped.await.map_err(|error| error.to_string())?;
            sweep = stepping;
            let Stepped { removed, more } = match stepped {
                Ok(stepped) => stepped,
                Err(error) if error.is_final() => return Err(error.to_string()),
                Err(error) => {
                    given_up(&error);
                    sweep = Sweep::new(settings.clone());
                    break;
                }
            };
            if !more {
                break;
            }
            // How fast the disk is worked is a matter of the machine's time.
            tokio::select! {
                () = tokio::time::sleep(pause(removed, is_busy)) => {}
                () = shutdown.asked() => {}
            }
        }
        tokio::select! {
            () = app.clock().sleep_until(next.ms()) => {}
            () = shutdown.asked() => {}
        }
    }
    Ok(())
}

fn given_up(error: &TxError) {
    tracing::error!(error = %error, "retention met a row that it can't deal with; it tries again in an hour");
}

/// Whether the gateway has other work.
fn is_busy(app: &App) -> bool {
    let stats = app.store().stats();
    stats.ready.iter().sum::<u64>() + stats.waiting > 0
}
