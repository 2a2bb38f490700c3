// What a process in JavaScript needs: the context, failures, and `serve`, which makes a guest of functions.

import * as context from "theus:process/context@0.1.0";
import * as log from "theus:process/log@0.1.0";
import * as outbox from "theus:process/outbox@0.1.0";
import { decode, encode } from "./messagepack.js";

export { Float, float } from "./messagepack.js";

/** An error that the contract declares: throw it, and nothing of the run remains. */
export class Failure extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** The shared context, as far as the contract grants it. A call outside the grant ends the run. */
export const ctx = Object.freeze({
  /** The value at a place; undefined where nothing is there. */
  get(path) {
    const bytes = context.get(path);
    return bytes === undefined ? undefined : decode(bytes);
  },
  set(path, value) {
    context.set(path, encode(value));
  },
  /** Whether something was there. */
  remove(path) {
    return context.remove(path);
  },
  /** Appends to a list; its new length. */
  push(path, value) {
    return Number(context.push(path, encode(value)));
  },
  /** Elements of a list or map, bytes of a string or binary; undefined where nothing is there. */
  len(path) {
    const length = context.len(path);
    return length === undefined ? undefined : Number(length);
  },
  /** Keys of a map in order, behind `after`. */
  keys(path, after = undefined, limit = 1000) {
    return context.keys(path, after, limit);
  },
  /** A piece of a string or binary that is too large to get. */
  readBytes(path, offset, length) {
    return context.readBytes(path, BigInt(offset), length);
  },
  log(message, level = "info") {
    log.write(level, String(message));
  },
  /** A message that is sent if the run commits; the payload is text or bytes. */
  send(topic, payload) {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    outbox.send(topic, bytes);
  },
});

/** The contracts of processes, a line each: what the section `theus:contract` holds. */
export function contracts(processes) {
  const line = ([name, { summary = "", parameters = {}, inputs = [], outputs = [], errors = [] }]) =>
    JSON.stringify({
      name,
      summary,
      parameters: Object.entries(parameters).map(parameter),
      inputs,
      outputs,
      side_effects: [],
      errors,
    });
  return Object.entries(processes).map(line).join("\n") + "\n";
}

/** `"int"`, or `{ kind: "int", optional: true, secret: true }`. */
function parameter([name, kind]) {
  return typeof kind === "string" ? { name, kind } : { name, ...kind };
}

/** The guest's export for its processes. */
export function serve(definitions) {
  return {
    run(process, args) {
      try {
        const result = definitions[process].run(ctx, decode(args));
        return encode(result);
      } catch (error) {
        if (error instanceof Failure) throw { code: error.code, message: error.message };
        end(error);
      }
    },
  };
}

/** Ends the run as a trap that says where in the source it came from. */
function end(error) {
  const [, file = "unknown", line = 0, column = 0] =
    /@?([^@\n]*?):(\d+):(\d+)/.exec(error?.stack ?? "") ?? [];
  log.abort(String(error), file, Number(line), Number(column));
}
