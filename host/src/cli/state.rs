//! `state`: what an operator does to a state besides running processes.

use super::exit;
use super::failure::Failure;
use super::output::Output;
use super::progress::during;
use super::schema;
use super::state_dir::StateDir;
use super::text::escape;
use clap::{Args, Subcommand};
use serde::Serialize;
use theus_host::{Engine, store};

/// The words of `state`.
#[derive(Args, Debug)]
pub(super) struct State {
    #[command(subcommand)]
    form: Form,
}

#[derive(Debug, Subcommand)]
enum Form {
    /// Lets processes run again after a level S rule threw the interlock
    ResetInterlock(StateDir),
}

#[derive(Serialize)]
struct Reset<'a> {
    was_in_force: bool,
    process: Option<&'a str>,
    rule: Option<&'a str>,
    message: Option<&'a str>,
    error: (),
}

impl State {
    /// Does it, and says what was there.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        let Form::ResetInterlock(dir) = &self.form;
        let path = dir.path()?;
        if !store::is_state(&path) {
            // An engine would make one.
            return Err(store::StoreError::Missing(path).into());
        }
        let built = during(output, "opening the state", || {
            let builder = Engine::builder().standing_instances(0);
            builder.state(&path).build()
        });
        let engine = built.map_err(|error| schema::not_built(&error, None))?;
        let cause = engine.reset_interlock()?;
        if output.is_json() {
            output.json(&Reset {
                was_in_force: cause.is_some(),
                process: cause.as_ref().map(|it| it.process.as_str()),
                rule: cause.as_ref().map(|it| it.rule.as_str()),
                message: cause.as_ref().map(|it| it.message.as_str()),
                error: (),
            })?;
            return Ok(exit::OK);
        }
        let text = match &cause {
            None => "the interlock was not in force\n".to_owned(),
            Some(cause) => format!(
                "the interlock is reset; `{}` of {} had thrown it: {}\n",
                escape(&cause.rule),
                escape(&cause.process),
                escape(&cause.message)
            ),
        };
        output.data(&text)?;
        Ok(exit::OK)
    }
}
