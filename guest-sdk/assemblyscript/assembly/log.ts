// Lines for the operator: `log.info("3 items")`. A run's log is bounded; what goes over is cut, with a note.

import { logWrite } from "./host";
import { lower, loweredLength } from "./text";

/** Writes lines to the run's log. */
export namespace log {
  /** Writes a line of level trace. */
  export function trace(message: string): void {
    write(0, message);
  }

  /** Writes a line of level debug. */
  export function debug(message: string): void {
    write(1, message);
  }

  /** Writes a line of level info. */
  export function info(message: string): void {
    write(2, message);
  }

  /** Writes a line of level warn. */
  export function warn(message: string): void {
    write(3, message);
  }

  /** Writes a line of level error. */
  export function error(message: string): void {
    write(4, message);
  }
}

function write(level: u32, message: string): void {
  const text = lower(message);
  logWrite(level, text, loweredLength);
}

/** What `console` is in a guest: the same log. */
export namespace console {
  export function log(message: string = ""): void {
    write(2, message);
  }

  export function debug(message: string = ""): void {
    write(1, message);
  }

  export function info(message: string = ""): void {
    write(2, message);
  }

  export function warn(message: string = ""): void {
    write(3, message);
  }

  export function error(message: string = ""): void {
    write(4, message);
  }

  export function assert<T>(condition: T, message: string = ""): void {
    if (!condition) write(4, "assertion failed: " + message);
  }
}

/** What the built-in `trace` is in a guest: a line of level trace. */
export function trace(message: string, n: i32 = 0, a0: f64 = 0, a1: f64 = 0, a2: f64 = 0, a3: f64 = 0, a4: f64 = 0): void {
  let line = message;
  if (n > 0) line += " " + a0.toString();
  if (n > 1) line += " " + a1.toString();
  if (n > 2) line += " " + a2.toString();
  if (n > 3) line += " " + a3.toString();
  if (n > 4) line += " " + a4.toString();
  write(0, line);
}
