//! `state interlock`: whether processes may run, and letting them run again.

use crate::cli::exit;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::progress::during;
use crate::cli::schema;
use crate::cli::state_dir::StateDir;
use crate::cli::text::escape;
use clap::{Args, Subcommand};
use serde::Serialize;
use theus_host::{Engine, Interlock, store};

#[derive(Args, Debug)]
pub(super) struct InterlockVerb {
    #[command(subcommand)]
    form: Form,
}

#[derive(Debug, Subcommand)]
enum Form {
    /// Says whether a level S rule has stopped all processes, and why
    Show(StateDir),
    /// Lets processes run again after a level S rule threw the interlock
    Reset(StateDir),
}

#[derive(Serialize)]
struct Shown<'a> {
    in_force: bool,
    #[serde(flatten)]
    cause: Cause<'a>,
}

#[derive(Serialize)]
struct Reset<'a> {
    was_in_force: bool,
    #[serde(flatten)]
    cause: Cause<'a>,
}

#[derive(Serialize)]
struct Cause<'a> {
    process: Option<&'a str>,
    rule: Option<&'a str>,
    message: Option<&'a str>,
    error: (),
}

impl InterlockVerb {
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        match &self.form {
            Form::Show(dir) => show(dir, output)?,
            Form::Reset(dir) => reset(dir, output)?,
        }
        Ok(exit::OK)
    }
}

fn show(dir: &StateDir, output: &mut Output) -> Result<(), Failure> {
    let state = dir.open(output)?.state();
    let cause = state.interlock();
    if output.is_json() {
        return output.json(&Shown {
            in_force: cause.is_some(),
            cause: Cause::of(cause),
        });
    }
    output.data(&match cause {
        None => "the interlock is not in force\n".to_owned(),
        Some(cause) => format!("the interlock is in force; {}\n", told(cause)),
    })
}

fn reset(dir: &StateDir, output: &mut Output) -> Result<(), Failure> {
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
        return output.json(&Reset {
            was_in_force: cause.is_some(),
            cause: Cause::of(cause.as_ref()),
        });
    }
    output.data(&match &cause {
        None => "the interlock was not in force\n".to_owned(),
        Some(cause) => format!("the interlock is reset; {}\n", told(cause)),
    })
}

fn told(cause: &Interlock) -> String {
    format!(
        "`{}` of {} had thrown it: {}",
        escape(&cause.rule),
        escape(&cause.process),
        escape(&cause.message)
    )
}

impl<'a> Cause<'a> {
    fn of(cause: Option<&'a Interlock>) -> Self {
        Self {
            process: cause.map(|it| it.process.as_str()),
            rule: cause.map(|it| it.rule.as_str()),
            message: cause.map(|it| it.message.as_str()),
            error: (),
        }
    }
}
