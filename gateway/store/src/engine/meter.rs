//! Measures commits. The engine reads no clock: the meter brings one.

/// Told how long commits take.
pub trait Meter: Send + Sync + 'static {
    /// A number of nanoseconds that never falls.
    fn now_ns(&self) -> u64;

    /// A batch was answered so long after it was handed over.
    fn committed(&self, waited_ns: u64);

    /// A group of so many batches was made durable in so long.
    fn wrote(&self, batches: usize, took_ns: u64);
}
