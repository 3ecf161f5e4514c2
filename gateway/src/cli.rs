//! The command line: what can be asked for. Each command is carried out in a file of its own below.

mod bench;
mod config;
mod connection;
mod control;
mod demo;
mod event;
mod health;
mod message;
mod output;
mod plugin;
mod progress;
mod queue;
mod reload;
mod sender;
mod serve;
mod store;
mod webhook;

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Exit code for wrong usage or configuration; 1 is for work that failed.
const USAGE: u8 = 2;

#[derive(Debug, Parser)]
#[command(
    name = "tidegate",
    version,
    about = "Webhooks in, WhatsApp out: a gateway whose integrations are WebAssembly plugins.",
    max_term_width = 100
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Try everything with no account anywhere: a gateway, a double of the providers, and sample orders.
    Demo(demo::DemoArgs),
    /// Run the gateway.
    Serve(serve::ServeArgs),
    /// Show the configuration in force, or check a file.
    Config(config::ConfigArgs),
    /// Have a running gateway read its configuration again, and show what changed.
    Reload(reload::ReloadArgs),
    /// Ask a running gateway whether it takes webhooks.
    Health(health::HealthArgs),
    /// Play a provider: send a signed webhook.
    #[command(subcommand)]
    Webhook(webhook::WebhookCommand),
    /// What came in, and what it meant.
    #[command(subcommand)]
    Event(event::EventCommand),
    /// What went out, and what was answered.
    #[command(subcommand)]
    Message(message::MessageCommand),
    /// What was put aside: look, try again, throw away.
    #[command(subcommand)]
    Queue(queue::QueueCommand),
    /// Plugins: write, test and pack one; install, upgrade and roll back; see how those that are loaded fare.
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// Accounts at providers: have a provider send its webhooks here, and see how that fares.
    #[command(subcommand)]
    Connection(connection::ConnectionCommand),
    /// How the numbers that send fare: pause and resume them.
    #[command(subcommand)]
    Sender(sender::SenderCommand),
    /// What is in the store.
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Copy the store, of a running gateway or a stopped one, as it is at one moment.
    Backup(store::BackupArgs),
    /// Make a data directory of a backup.
    Restore(store::RestoreArgs),
    /// Copy a stopped gateway's store to a fresh one that takes no more room than it needs.
    Compact(Target),
    /// Save what can be read of a damaged store, and tell what is lost; the damaged one is kept.
    Repair(Target),
    /// Measure this machine: a gateway of its own, a load, and a double.
    Bench(bench::BenchArgs),
}

/// Which gateway a command talks to.
#[derive(Debug, Clone, Args)]
struct Target {
    /// The gateway's data directory; its control socket is in it.
    #[arg(long, value_name = "DIR", env = "TIDEGATE_DATA__DIR", default_value = "tidegate-data")]
    data: PathBuf,
    /// Print JSON, one object a line.
    #[arg(long)]
    json: bool,
}

/// Why a command ended without doing its work.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// The caller must change something.
    #[error("{0}")]
    Usage(String),
    /// It was tried, and failed.
    #[error(transparent)]
    Work(#[from] anyhow::Error),
}

impl Failure {
    const fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Work(_) => 1,
        }
    }
}

/// Runs the command line. The result is the process's exit code: 0 done, 1 failed, 2 wrong usage.
pub fn run() -> u8 {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Demo(args) => demo::run(args),
        Command::Serve(args) => serve::run(&args),
        Command::Config(args) => config::run(&args),
        Command::Reload(args) => reload::run(&args),
        Command::Health(args) => health::run(&args),
        Command::Webhook(command) => webhook::run(&command),
        Command::Event(command) => event::run(&command),
        Command::Message(command) => message::run(&command),
        Command::Queue(command) => queue::run(&command),
        Command::Plugin(command) => plugin::run(&command),
        Command::Connection(command) => connection::run(&command),
        Command::Sender(command) => sender::run(&command),
        Command::Store(command) => store::run(&command),
        Command::Backup(args) => store::backup(&args),
        Command::Restore(args) => store::restore(&args),
        Command::Compact(target) => store::compact(&target),
        Command::Repair(target) => store::repair(&target),
        Command::Bench(args) => bench::run(&args),
    };
    match outcome {
        Ok(code) => code,
        Err(failure) => {
            output::error(&failure);
            failure.code()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
