// Names in a contract: processes, parameters and errors. The host has the same rule.

const MAX_LENGTH = 128;

/** What a name may be, for messages. */
export const RULE = "ASCII letters, digits, `_` and `-`, not a digit first, at most 128 bytes";

/** Whether the host takes the name. */
export function isName(text) {
  return text.length <= MAX_LENGTH && /^[A-Za-z_][A-Za-z0-9_-]*$/.test(text);
}
