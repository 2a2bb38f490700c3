// Messages to the world outside.

import { outboxSend } from "./host";
import { lower, loweredLength } from "./text";

/** Sends messages, only if the call's transaction commits. */
export namespace outbox {
  /** Sends bytes under a topic. They are whatever the receiver expects; the host does not look into them. */
  export function send(topic: string, payload: Uint8Array): void {
    const name = lower(topic);
    outboxSend(name, loweredLength, payload.dataStart, payload.length);
  }

  /** Sends a text, as UTF-8, under a topic. */
  export function sendText(topic: string, payload: string): void {
    const name = lower(topic);
    const nameLength = loweredLength;
    const text = lower(payload);
    outboxSend(name, nameLength, text, loweredLength);
  }
}
