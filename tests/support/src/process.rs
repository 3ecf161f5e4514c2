//! The gateway's process: started, told to stop, killed, waited for.

use crate::{cli::bare, wait::poll};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    collections::BTreeMap,
    fs::OpenOptions,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
};

/// A running `tidegate serve`. Dropping it kills it.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts the program; both its outputs are added to the log. With a limit, none of its files may be longer.
    pub(crate) fn start(
        program: &Path,
        config: &Path,
        variables: &BTreeMap<String, String>,
        log: &Path,
        limit_kib: Option<u64>,
    ) -> Self {
        let output = || {
            let file = OpenOptions::new().create(true).append(true).open(log);
            Stdio::from(file.unwrap_or_else(|error| panic!("{}: {error}", log.display())))
        };
        let mut command = limit_kib.map_or_else(|| bare(program), |kib| limited(program, kib));
        command.arg("serve").arg("--config").arg(config).envs(variables);
        let child = command.stdin(Stdio::null()).stdout(output()).stderr(output()).spawn();
        Self { child: child.unwrap_or_else(|error| panic!("{}: {error}", program.display())) }
    }

    /// How it ended, if it did.
    pub(crate) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// The most memory that it had so far, in bytes.
    pub(crate) fn peak_memory_bytes(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|rest| rest.split_whitespace().next()?.parse::<usize>().ok());
        kib.expect("the system tells a process's memory") * 1_024
    }

    /// Asks it to stop: SIGTERM.
    pub(crate) fn ask_to_stop(&self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).expect("the process was started here");
    }

    /// Ends it at once: SIGKILL.
    pub(crate) fn kill_now(&self) {
        kill_process(Pid::from_child(&self.child), Signal::KILL).expect("the process was started here");
    }

    /// Asks it to read its configuration again: SIGHUP.
    pub(crate) fn ask_to_reload(&self) {
        kill_process(Pid::from_child(&self.child), Signal::HUP).expect("the process was started here");
    }

    /// Waits until it has ended.
    pub(crate) async fn wait(&mut self) -> ExitStatus {
        poll(async || self.ended()).await.expect("the gateway ends in time")
    }

    /// SIGKILL: it gets to do nothing more.
    pub(crate) fn kill9(&mut self) {
        // One that has ended already is as dead.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, run so that a write over the limit fails as one on a full disk does: the signal that comes with it is ignored.
fn limited(program: &Path, kib: u64) -> Command {
    let mut shell = bare(Path::new("sh"));
    // `ulimit -f` counts blocks of 512 bytes.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$0\" \"$@\"", kib * 2);
    shell.args(["-c", &script]).arg(program);
    shell
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill9();
    }
}
