//! The waker: sleeps until the next timer is due, and moves due timers to their queues.

use crate::{app::App, supervisor::Shutdown};
use std::sync::Arc;
use tidegate_store::records::{ReadError, promote_due};

/// Longest sleep in domain time, so that a step of the system's clock is seen.
const LONGEST_SLEEP_MS: i64 = 30_000;
/// Timers that are moved in one commit.
const AT_ONCE: usize = 128;

/// Runs until the gateway stops.
pub(super) async fn run(app: Arc<App>, mut shutdown: Shutdown) -> Result<(), String> {
    let earlier = app.store().timer_signal();
    while !shutdown.is_asked() {
        let (more, wake_at) = {
            let app = Arc::clone(&app);
            let ticked = tokio::task::spawn_blocking(move || tick(&app));
            ticked.await.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?
        };
        if more {
            continue;
        }
        tokio::select! {
            () = app.clock().sleep_until(wake_at) => {}
            () = earlier.wait() => {}
            () = shutdown.asked() => {}
        }
    }
    Ok(())
}

/// Moves what is due. Returns whether more may be due, and when to look again.
fn tick(app: &App) -> Result<(bool, i64), ReadError> {
    app.watch_disk();
    let now = app.now().ms();
    let promoted = promote_due(app.store(), now, AT_ONCE)?;
    let latest = now.saturating_add(LONGEST_SLEEP_MS);
    Ok((promoted.more, app.store().next_due()?.map_or(latest, |due| due.min(latest))))
}
