// Builds warehouse.js into a component with its contract: node build.mjs [OUT]

import { componentize } from "@bytecodealliance/componentize-js";
import { mkdir, writeFile } from "node:fs/promises";
import { register } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, ".theus", "warehouse.wasm");

// The contract is what the module says; to ask it here, the host's functions need not be there.
const stub = "export const get = 0, write = 0, send = 0;";
const hooks = `export function resolve(specifier, context, next) {
  return specifier.startsWith("theus:")
    ? { url: "data:text/javascript,${encodeURIComponent(stub)}", shortCircuit: true }
    : next(specifier, context);
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
const { contract } = await import("./warehouse.js");

process.chdir(here);
const { component } = await componentize({
  sourcePath: "warehouse.js",
  witPath: join(here, "..", "..", "..", "wit", "theus.wit"),
  worldName: "guest",
  // None of the runtime's own reach: a process sees the context, and nothing else.
  disableFeatures: ["clocks", "fetch-event", "http", "random", "stdio"],
});
await mkdir(dirname(out), { recursive: true });
await writeFile(out, Buffer.concat([component, customSection("theus:contract", contract)]));
console.log(out);

/** A custom section at the end of a component. */
function customSection(name, text) {
  const named = Buffer.concat([leb(Buffer.byteLength(name)), Buffer.from(name), Buffer.from(text)]);
  return Buffer.concat([Buffer.from([0]), leb(named.length), named]);
}

/** A length, seven bits a byte. */
function leb(number) {
  const bytes = [];
  for (; number >= 0x80; number >>>= 7) bytes.push((number & 0x7f) | 0x80);
  return Buffer.from([...bytes, number]);
}
