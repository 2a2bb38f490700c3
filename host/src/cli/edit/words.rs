//! The operations on the command line, in the order in which they were written.

use super::operation::Operation;
use crate::cli::failure::Failure;
use clap::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

/// `PATH=VALUE`, `PATH:=JSON`, `--push …` and `--remove PATH`.
///
/// A derived list of each would lose how they follow one another.
#[derive(Clone, Debug, Default)]
pub(super) struct Words(Vec<Word>);

#[derive(Clone, Debug)]
struct Word {
    form: Form,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Set,
    Push,
    Remove,
}

impl Form {
    const ALL: [Self; 3] = [Self::Set, Self::Push, Self::Remove];

    fn id(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Push => "push",
            Self::Remove => "remove",
        }
    }

    fn arg(self) -> Arg {
        let arg = Arg::new(self.id()).action(ArgAction::Append);
        match self {
            Self::Set => arg
                .value_name("PATH=VALUE")
                .help("Sets a place: PATH=VALUE is read by the kind of the value that is there, PATH:=JSON is JSON"),
            Self::Push => arg
                .long("push")
                .value_name("PATH:=JSON")
                .help("Appends to a list, or makes a list of one"),
            Self::Remove => arg
                .long("remove")
                .value_name("PATH")
                .help("Removes the value at a place, where there is one"),
        }
    }
}

impl Words {
    /// What they mean.
    pub(super) fn operations(&self) -> Result<Vec<Operation>, Failure> {
        let operations = self.0.iter().map(|word| match word.form {
            Form::Set => Operation::set(&word.text),
            Form::Push => Operation::push(&word.text),
            Form::Remove => Ok(Operation::remove(&word.text)),
        });
        operations.collect()
    }
}

impl Args for Words {
    fn augment_args(command: Command) -> Command {
        command.args(Form::ALL.map(Form::arg))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Words {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut words: Vec<(usize, Word)> = Vec::new();
        for form in Form::ALL {
            let indices = matches.indices_of(form.id()).into_iter().flatten();
            let texts = matches.get_many::<String>(form.id()).into_iter().flatten();
            words.extend(indices.zip(texts).map(|(index, text)| {
                let text = text.clone();
                (index, Word { form, text })
            }));
        }
        words.sort_by_key(|(index, _)| *index);
        Ok(Self(words.into_iter().map(|(_, word)| word).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
