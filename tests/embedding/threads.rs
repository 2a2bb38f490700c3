//! Many threads: the example of a thousand calls, and what may be shared between threads.

use std::error::Error;
use theus_host::build::{BuildError, Built};
use theus_host::{
    Actor, Call, EditError, Engine, EngineBuildError, EngineBuilder, ErrorReport, Event,
    GuestSource, Interlock, Limits, List, Map, Path, Policy, Receipt, Recipe, Record,
    RegisterError, Registered, RunError, Subscription, Tree, Value,
};

#[path = "../../host/examples/thousand_calls.rs"]
mod thousand_calls;

#[test]
fn a_thousand_calls_from_many_threads_are_a_thousand() -> Result<(), Box<dyn Error>> {
    thousand_calls::main()
}

/// What is not, does not compile.
#[test]
fn what_a_program_holds_is_shared_between_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    fn cloned<T: Clone>() {}
    fn source<T: Error + Send + Sync + 'static>() {}

    shared::<(Engine, EngineBuilder, Policy, GuestSource, Registered)>();
    shared::<(Call, Receipt, Record, Actor, ErrorReport, Interlock)>();
    shared::<(Subscription, Event, Recipe, Limits, Built)>();
    shared::<(Tree, Path, Value, Map, List)>();
    shared::<theus_host::testing::Host>();
    cloned::<(Engine, Call, Receipt, Value, Tree)>();
    source::<RunError>();
    source::<RegisterError>();
    source::<EditError>();
    source::<EngineBuildError>();
    source::<BuildError>();
}
