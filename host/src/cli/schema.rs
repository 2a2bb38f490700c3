//! `schema`: a schema made from a context file, and a schema made into what editors read.

use super::context_file;
use super::exit;
use super::failure::Failure;
use super::limits;
use super::output::Output;
use super::text::escape;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use theus_core::code::Code;
use theus_host::{EditError, Engine, EngineBuildError, Limits, Schema, Tree};

/// The words of `schema`.
#[derive(Args, Debug)]
pub(super) struct SchemaVerb {
    #[command(subcommand)]
    form: Form,
}

#[derive(Debug, Subcommand)]
enum Form {
    /// Writes the tightest schema that a context file fits: a starting point to edit
    Infer {
        /// The context file: YAML, or JSON where the name ends in .json
        context: PathBuf,
    },
    /// Prints a schema as a JSON Schema (draft 2020-12) of context files, for editors
    Export {
        /// The schema file
        schema: PathBuf,
    },
}

impl SchemaVerb {
    /// Prints the other form.
    pub(super) fn execute(&self, output: &mut Output) -> Result<u8, Failure> {
        match &self.form {
            Form::Infer { context } => infer(context, output)?,
            Form::Export { schema } => output.json(&read(schema)?.to_json_schema())?,
        }
        Ok(exit::OK)
    }
}

/// Reads and parses a schema.
pub(super) fn read(file: &Path) -> Result<Schema, Failure> {
    let text =
        std::fs::read_to_string(file).map_err(|error| Failure::file("read", file, &error))?;
    Schema::parse(&text, &file.display().to_string())
        .map_err(|errors| Failure::in_file(Code::SchemaFile, &errors))
}

/// An engine takes the context with the schema, or says what is wrong with it.
pub(super) fn fits_an_engine(
    context: Tree,
    schema: Option<Schema>,
    file: &Path,
) -> Result<(), Failure> {
    let mut builder = Engine::builder().context(context);
    if let Some(schema) = schema {
        builder = builder.schema(schema);
    }
    match builder.build() {
        Ok(_) => Ok(()),
        Err(error) => Err(not_built(&error, Some(file))),
    }
}

/// Why there is no engine: nearly always the context file.
pub(super) fn not_built(error: &EngineBuildError, context: Option<&Path>) -> Failure {
    match (error, context) {
        (EngineBuildError::Limits(error), _) => limits::unfit(error),
        (EngineBuildError::Context(EditError::Private(path)), Some(file)) => {
            let told = context_file::places(file).private_keys(path);
            Failure::in_file(Code::ContextFile, &told)
        }
        (EngineBuildError::Context(problem), Some(file)) => {
            Failure::new(Code::ContextFile, problem).about(file.display())
        }
        (EngineBuildError::Schema(breaches), Some(file)) => Failure::in_file(
            Code::ContextFile,
            &context_file::places(file).breaches(breaches),
        ),
        (EngineBuildError::Schema(_), None) => Failure::with_lines(Code::ContextFile, error).help(
            "the initial context is empty but for the schema's defaults: give one with --context",
        ),
        (EngineBuildError::Store(error), _) => error.clone().into(),
        _ => Failure::new(Code::HostFailed, error),
    }
}

fn infer(file: &Path, output: &mut Output) -> Result<(), Failure> {
    let context = context_file::read(file, &Limits::default())?;
    fits_an_engine(context.clone(), None, file)?;
    let schema = Schema::infer(&context);
    if output.is_json() {
        return output.json(&schema);
    }
    let yaml = schema
        .to_yaml()
        .map_err(|error| Failure::new(Code::HostFailed, error))?;
    let origin = file.display().to_string();
    output.data(&format!(
        "# Inferred from {}: loosen what is too tight, add limits and defaults.\n{yaml}",
        escape(&origin)
    ))
}
