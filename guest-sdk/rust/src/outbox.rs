//! Messages to the world outside.

use crate::host::outbox as host;

/// Sends `payload` under `topic`, only if the call's transaction commits.
///
/// The payload is whatever the receiver expects; the host does not look into it.
pub fn send(topic: &str, payload: impl AsRef<[u8]>) {
    host::send(topic, payload.as_ref());
}
