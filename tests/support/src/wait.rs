//! Waiting for another process: look, and look again, until a deadline.

use std::time::Duration;

/// Longest that a test waits for anything, in real time. Generous: the machine may be busy, and a good test never waits so long.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(4);

/// What `look` finds, as soon as it finds something; `None` when it found nothing before the deadline.
pub(crate) async fn poll<T>(mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let looking = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.ok()
}
