//! What the system says about this process. Where there is no `/proc` all figures are 0.

use std::fs;

/// Ticks of a second in `/proc`: a constant of Linux' interface (`USER_HZ`).
const TICKS_A_SECOND: f64 = 100.0;

/// Figures of the process.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Process {
    /// Resident memory.
    pub resident_bytes: u64,
    /// Processor time, of user and system.
    pub cpu_s: f64,
    /// Open files.
    pub open_files: u64,
}

/// Looks at this process.
pub(super) fn look() -> Process {
    let read = |name: &str| fs::read_to_string(format!("/proc/self/{name}")).unwrap_or_default();
    Process {
        resident_bytes: resident_bytes(&read("status")),
        cpu_s: cpu_s(&read("stat")),
        open_files: fs::read_dir("/proc/self/fd").map_or(0, |files| files.count() as u64),
    }
}

fn resident_bytes(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0).saturating_mul(1_024)
}

/// Fields 14 and 15; the second field is a name in brackets that may hold anything.
fn cpu_s(stat: &str) -> f64 {
    let Some((_, rest)) = stat.rsplit_once(')') else { return 0.0 };
    let ticks = rest.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS_A_SECOND
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_s_words_are_read() {
        assert_eq!(resident_bytes("Name:\tx\nVmRSS:\t   2048 kB\nVmData:\t 1 kB\n"), 2 << 20);
        assert_eq!(cpu_s("7 (a ) name) S 1 7 7 0 -1 4194304 1 0 0 0 150 50 0 0 20"), 2.0);
        assert_eq!((resident_bytes(""), cpu_s("")), (0, 0.0));
    }
}
