//! How much of its limits a run has used, as far as the transaction knows.

use crate::zone::Zone;

/// How much of the transaction's limits a run has used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Reads made.
    pub reads: u64,
    /// Bytes handed to the guest.
    pub read_bytes: u64,
    /// Writes made.
    pub writes: u64,
    /// Encoded bytes written.
    pub write_bytes: u64,
    /// Messages sent.
    pub outbox_messages: u64,
    /// Bytes of topics and payloads.
    pub outbox_bytes: u64,
    /// Length of the longest path.
    pub path_bytes: u64,
    /// Segments of the deepest path.
    pub path_segments: u64,
    /// Size of the largest value, written or handed to the guest.
    pub value_bytes: u64,
    /// The same in the heavy zone.
    pub heavy_value_bytes: u64,
    /// Depth of the deepest value that was written, counted from its layer.
    pub value_depth: u64,
    /// Memory of the largest value that was written, once decoded.
    pub decoded_bytes: u64,
    /// The same in the heavy zone.
    pub heavy_decoded_bytes: u64,
    /// Length of the longest topic.
    pub topic_bytes: u64,
}

impl Usage {
    /// Notes the size of a value, written or handed to the guest.
    pub(super) fn note_value(&mut self, zone: Zone, size: u64) {
        let largest = match zone {
            Zone::Heavy => &mut self.heavy_value_bytes,
            _ => &mut self.value_bytes,
        };
        *largest = size.max(*largest);
    }

    /// Notes what a written value takes once decoded.
    pub(super) fn note_decoded(&mut self, zone: Zone, size: u64) {
        let largest = match zone {
            Zone::Heavy => &mut self.heavy_decoded_bytes,
            _ => &mut self.decoded_bytes,
        };
        *largest = size.max(*largest);
    }
}
