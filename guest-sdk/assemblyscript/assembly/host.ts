// The functions that the host gives to a guest, as the canonical ABI flattens them: text and lists are an address and a
// length, and what does not fit into one result goes to an address that the guest hands in.

@external("theus:process/context@0.1.0", "get")
export declare function contextGet(path: usize, pathLength: usize, result: usize): void;

@external("theus:process/context@0.1.0", "set")
export declare function contextSet(path: usize, pathLength: usize, value: usize, valueLength: usize): void;

@external("theus:process/context@0.1.0", "remove")
export declare function contextRemove(path: usize, pathLength: usize): bool;

@external("theus:process/context@0.1.0", "push")
export declare function contextPush(path: usize, pathLength: usize, value: usize, valueLength: usize): u64;

@external("theus:process/context@0.1.0", "len")
export declare function contextLen(path: usize, pathLength: usize, result: usize): void;

@external("theus:process/context@0.1.0", "keys")
export declare function contextKeys(
  path: usize, pathLength: usize,
  hasAfter: bool, after: usize, afterLength: usize,
  limit: u32,
  result: usize,
): void;

@external("theus:process/context@0.1.0", "read-bytes")
export declare function contextReadBytes(path: usize, pathLength: usize, offset: u64, length: u32, result: usize): void;

@external("theus:process/log@0.1.0", "write")
export declare function logWrite(level: u32, message: usize, messageLength: usize): void;

@external("theus:process/log@0.1.0", "abort")
export declare function logAbort(
  message: usize, messageLength: usize,
  file: usize, fileLength: usize,
  line: u32, column: u32,
): void;

@external("theus:process/outbox@0.1.0", "send")
export declare function outboxSend(topic: usize, topicLength: usize, payload: usize, payloadLength: usize): void;
