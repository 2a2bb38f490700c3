//! The call that runs on this thread: what a sandbox is in the host.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, Location, PanicHookInfo, catch_unwind, resume_unwind};
use std::sync::{Arc, Once};

use theus_core::context_guard::ContextGuard;
use theus_core::guest_log::GuestLog;
use theus_core::limits::{Limit, LimitExceeded, Limits};
use theus_core::refusal::Refusal;

/// What a process reaches while it runs, and why it was ended.
pub(super) struct Call {
    pub(super) guard: ContextGuard,
    pub(super) log: GuestLog,
    /// Set once; nothing that the process does afterwards has an effect.
    end: Option<End>,
    host_calls: u64,
    limits: Arc<Limits>,
}

/// What a call left.
pub(super) struct Finished<R> {
    pub(super) returned: Result<R, End>,
    pub(super) guard: ContextGuard,
    pub(super) log: GuestLog,
}

/// Why a call was ended before its process returned.
pub(super) enum End {
    /// By the host.
    Refused(Refusal),
    /// By a panic of the process.
    Panicked {
        message: String,
        file: String,
        line: u32,
        column: u32,
    },
}

/// The panic payload that takes a process whose call has ended off the stack.
struct Ended;

thread_local! {
    static CURRENT: RefCell<Option<Call>> = const { RefCell::new(None) };
}

impl Call {
    pub(super) fn new(guard: ContextGuard, limits: Arc<Limits>) -> Self {
        Self {
            guard,
            log: GuestLog::new(&limits),
            end: None,
            host_calls: 0,
            limits,
        }
    }

    fn perform<R>(
        &mut self,
        operation: impl FnOnce(&mut Self) -> Result<R, Refusal>,
    ) -> Result<R, Ended> {
        if self.end.is_some() {
            return Err(Ended);
        }
        self.host_calls += 1;
        LimitExceeded::check(Limit::HostCalls, self.limits.host_calls, self.host_calls)
            .map_err(Refusal::from)
            .and_then(|()| operation(self))
            .map_err(|refusal| {
                self.end = Some(End::Refused(refusal));
                Ended
            })
    }
}

impl End {
    fn panicked(payload: &(dyn Any + Send), place: Option<&Location<'_>>) -> Self {
        let message = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned());
        Self::Panicked {
            message: message.unwrap_or_else(|| "a panic without a message".into()),
            file: place.map_or("an unknown place", Location::file).to_owned(),
            line: place.map_or(0, Location::line),
            column: place.map_or(0, Location::column),
        }
    }
}

/// Runs `process` with `call` as this thread's call.
pub(super) fn enter<R>(call: Call, process: impl FnOnce() -> R) -> Finished<R> {
    listen_for_panics();
    CURRENT.with_borrow_mut(|current| {
        assert!(
            current.is_none(),
            "a process runs on this thread already, and a process cannot run another one"
        );
        *current = Some(call);
    });
    let returned = catch_unwind(AssertUnwindSafe(process));
    let Some(call) = CURRENT.take() else {
        unreachable!("only this function takes the call away")
    };
    Finished {
        // A process that catches the panic that ends it has ended all the same.
        returned: match (call.end, returned) {
            (Some(end), _) => Err(end),
            (None, Ok(returned)) => Ok(returned),
            // Somebody else's panic hook stands in for ours.
            (None, Err(payload)) => Err(End::panicked(payload.as_ref(), None)),
        },
        guard: call.guard,
        log: call.log,
    }
}

/// Makes one call into the host. Where the host refuses it, the process ends here.
#[track_caller]
pub(super) fn host_call<R: Default>(
    name: &str,
    operation: impl FnOnce(&mut Call) -> Result<R, Refusal>,
) -> R {
    // Destructors that run while a call ends: in a sandbox nothing runs by then.
    if std::thread::panicking() {
        return R::default();
    }
    let done =
        CURRENT.with_borrow_mut(|current| current.as_mut().map(|call| call.perform(operation)));
    match done {
        Some(Ok(done)) => done,
        // Not `panic!`: this is no panic of the process, so no hook hears of it.
        Some(Err(ended)) => resume_unwind(Box::new(ended)),
        None => panic!(
            "outside a host: `{name}` works only in a process that theus-host or theus_guest::testing runs"
        ),
    }
}

/// Whether a process runs on this thread.
pub(super) fn is_running() -> bool {
    CURRENT.with_borrow(Option::is_some)
}

fn listen_for_panics() {
    static LISTENS: Once = Once::new();
    LISTENS.call_once(|| {
        let next = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            note(panic);
            next(panic);
        }));
    });
}

/// Notes a panic of the running process: even if it is caught, the call has ended. A sandbox cannot catch panics.
fn note(panic: &PanicHookInfo<'_>) {
    // A thread that ends, or the host in the middle of an operation, has no process that could have panicked.
    let _ = CURRENT.try_with(|current| {
        let Ok(mut current) = current.try_borrow_mut() else {
            return;
        };
        if let Some(call) = current.as_mut()
            && call.end.is_none()
        {
            call.end = Some(End::panicked(panic.payload(), panic.location()));
        }
    });
}
