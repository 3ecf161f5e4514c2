//! `tidegate reload`: a running gateway reads its configuration again.

use super::{Failure, Target, control::Control, output};
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(super) struct ReloadArgs {
    #[command(flatten)]
    target: Target,
}

pub(super) fn run(args: &ReloadArgs) -> Result<u8, Failure> {
    let done = Control::new(&args.target.data)?.post("/v1/reload", json!({}))?;
    if args.target.json {
        output::json(&done);
        return Ok(0);
    }
    let list = |key: &str| done[key].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for change in list("changes") {
        output::line(format!("{}: {}", text(&change["what"]), text(&change["how"])));
    }
    if list("changes").is_empty() {
        output::line("nothing has changed");
    }
    for key in list("restart") {
        output::line(format!("{}: in force from the next start on", text(&key)));
    }
    for warning in list("warnings") {
        output::line(format!("warning: {}", text(&warning)));
    }
    Ok(0)
}
