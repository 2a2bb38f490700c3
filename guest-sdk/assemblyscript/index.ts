// What a guest imports: `import { Context } from "theus-guest";`.

export { Context } from "./assembly/context";
export { Some } from "./assembly/some";
export { Secret } from "./assembly/secret";
export { Kind, Value } from "./assembly/value";
export { PathBuilder, path } from "./assembly/path";
export { log } from "./assembly/log";
export { outbox } from "./assembly/outbox";
export { decode, encode } from "./assembly/bytes";
