//! The retention worker: a pass over the store each hour, in slices with rests between them.

use crate::{
    app::App,
    config::Retention,
    retention::{Load, Stepped, Sweep, pause},
    supervisor::Shutdown,
    tx::TxError,
};
use std::{sync::Arc, time::Duration};
use tidegate_clock::Stopwatch;

/// Domain time between the beginnings of two passes.
const PASS_EVERY_MS: i64 = 3_600_000;
/// Time over which it is measured how much the gateway writes.
const MEASURED_OVER: Duration = Duration::from_secs(2);

/// Runs until the gateway stops.
pub(super) async fn run(app: Arc<App>, settings: Retention, mut shutdown: Shutdown) -> Result<(), String> {
    let mut sweep = Sweep::new(settings.clone());
    let mut written = Written::default();
    while !shutdown.is_asked() {
        let next = app.now().plus_ms(PASS_EVERY_MS);
        while !shutdown.is_asked() {
            let (app, mut stepping) = (Arc::clone(&app), sweep);
            let stepped = tokio::task::spawn_blocking(move || {
                let watch = Stopwatch::start();
                let stepped = stepping.step(&app);
                (stepping, stepped, watch.elapsed(), app.store().stats())
            });
            let (stepping, stepped, took, stats) = stepped.await.map_err(|error| error.to_string())?;
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
            let load = Load {
                is_busy: stats.ready.iter().sum::<u64>() + stats.waiting > 0,
                rows_per_s: written.in_a_second(stats.rows_put),
                took,
            };
            tokio::select! {
                () = tokio::time::sleep(pause(removed, load)) => {}
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

/// How many rows the gateway writes in a second, measured over some seconds.
#[derive(Default)]
struct Written {
    since: Option<(Stopwatch, u64)>,
    rate: u32,
}

impl Written {
    fn in_a_second(&mut self, rows_put: u64) -> u32 {
        let (watch, before) = *self.since.get_or_insert_with(|| (Stopwatch::start(), rows_put));
        let elapsed = watch.elapsed();
        if elapsed >= MEASURED_OVER {
            let rate = rows_put.saturating_sub(before) as f64 / elapsed.as_secs_f64();
            // Far below the largest number.
            self.rate = rate as u32;
            self.since = Some((Stopwatch::start(), rows_put));
        }
        self.rate
    }
}
