//! The imports of a guest, natively: the guard of the call that runs on this thread.

pub(crate) mod context {
    use super::super::call::host_call;

    #[track_caller]
    pub(crate) fn get(path: &str) -> Option<Vec<u8>> {
        host_call("get", |call| call.guard.get(path))
    }

    #[track_caller]
    pub(crate) fn set(path: &str, value: &[u8]) {
        host_call("set", |call| call.guard.set(path, value));
    }

    #[track_caller]
    pub(crate) fn remove(path: &str) -> bool {
        host_call("remove", |call| call.guard.remove(path))
    }

    #[track_caller]
    pub(crate) fn push(path: &str, value: &[u8]) -> u64 {
        host_call("push", |call| call.guard.push(path, value))
    }

    #[track_caller]
    pub(crate) fn len(path: &str) -> Option<u64> {
        host_call("len", |call| call.guard.len(path))
    }

    #[track_caller]
    pub(crate) fn keys(path: &str, after: Option<&str>, limit: u32) -> Vec<String> {
        host_call("keys", |call| call.guard.keys(path, after, limit))
    }

    #[track_caller]
    pub(crate) fn read_bytes(path: &str, offset: u64, len: u32) -> Vec<u8> {
        host_call("read_bytes", |call| {
            call.guard.read_bytes(path, offset, len)
        })
    }
}

pub(crate) mod log {
    use super::super::call::{host_call, is_running};
    pub(crate) use theus_core::guest_log::LogLevel as Level;

    /// Outside a host nobody reads the log: the line is dropped.
    pub(crate) fn write(level: Level, message: &str) {
        if is_running() {
            host_call("log", |call| {
                call.log.write(level, message);
                Ok(())
            });
        }
    }
}

pub(crate) mod outbox {
    use super::super::call::host_call;

    #[track_caller]
    pub(crate) fn send(topic: &str, payload: &[u8]) {
        host_call("send", |call| call.guard.send(topic, payload));
    }
}
