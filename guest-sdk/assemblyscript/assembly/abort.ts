// How a call ends that cannot go on: the host takes the message and the place, and nothing of the run remains.

import { logAbort } from "./host";
import { lower, loweredLength } from "./text";

/** Where the process that runs is declared; the place of what this package itself finds wrong. */
let file: string = "";
let line: u32 = 0;
let column: u32 = 0;

/** Says which process runs. */
export function enter(declaredIn: string, atLine: u32, atColumn: u32): void {
  file = declaredIn;
  line = atLine;
  column = atColumn;
}

/** Ends the call because of something that this package found. */
export function stop(message: string): void {
  abort(message, file, line, column);
}

/** What the compiler calls for `throw`, failed assertions and failed bounds checks. */
export function abort(message: string | null = null, fileName: string | null = null, lineNumber: u32 = 0, columnNumber: u32 = 0): void {
  const why = lower(message === null ? "aborted without a message" : message);
  const whyLength = loweredLength;
  const place = lower(fileName === null ? "" : fileName);
  logAbort(why, whyLength, place, loweredLength, lineNumber, columnNumber);
  unreachable();
}
