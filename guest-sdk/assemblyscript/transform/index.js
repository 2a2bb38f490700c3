// The compiler transform: makes a guest of a module with `@process` functions.
//
// After parsing it reads the decorators, appends what calls a process to the source of each, and adds a source with the
// exports. After compiling it leaves only the exports of a guest, checks the imports, and writes the contract.

import { realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { COMPONENT_TYPE } from "./component-type.js";
import { contractLine } from "./contract.js";
import { Diagnostics } from "./diagnostics.js";
import { EXPORTS_PATH, appendCalls, exportsSource } from "./generate.js";
import { foreignImports } from "./imports.js";
import { readProcesses } from "./process.js";
import { expandRecords, readRecords } from "./record.js";

/** What the global names of the language are in a guest. */
const ALIASES = {
  abort: "~lib/theus-guest/assembly/abort/abort",
  trace: "~lib/theus-guest/assembly/log/trace",
  console: "~lib/theus-guest/assembly/log/console",
};

/** The export that runs a process: under the name that the generated source gives it, and under its own. */
const RUN = { generated: "run", exported: "theus:process/processes@0.1.0#run" };

/** Compilations that have this transform already: asc makes a second one where two files name it. */
const compilations = new WeakSet();

export default class TheusTransform {
  constructor() {
    this.isFirst = !compilations.has(this.program);
    compilations.add(this.program);
  }

  async afterParse(parser) {
    if (!this.isFirst) return;
    const compiler = await loadCompiler(this.baseDir);
    const diagnostics = new Diagnostics(parser, compiler);
    const sources = parser.sources.filter((source) => isOfTheGuest(source, compiler));

    const records = sources.flatMap((source) => readRecords(source, compiler, diagnostics));
    this.processes = sources.flatMap((source) => readProcesses(source, compiler, diagnostics));
    checkNames(this.processes, sources, diagnostics);
    if (diagnostics.count > 0) return;

    expandRecords(records, compiler);
    for (const source of sources) {
      const processes = this.processes.filter((process) => process.source === source);
      if (processes.length > 0) appendCalls(source, processes, compiler);
    }
    // Only what is generated is exported, whatever the entry files export: a process may be called `memory`.
    const entries = sources.filter((source) => source.sourceKind === compiler.SourceKind.UserEntry);
    for (const source of entries) source.sourceKind = compiler.SourceKind.User;
    parser.parseFile(exportsSource(this.processes, entries), EXPORTS_PATH, true);

    // The host runs top-level code before it hands the guest its imports: a start function would run it too early.
    this.program.options.exportStart = "_initialize";
    this.program.options.globalAliases ??= new Map();
    for (const [name, element] of Object.entries(ALIASES)) {
      if (!this.program.options.globalAliases.has(name)) this.program.options.globalAliases.set(name, element);
    }
  }

  afterCompile(module) {
    if (!this.isFirst || !this.processes) return;
    nameExport(module, this.binaryen);
    keepNames(module, this.processes, this.binaryen);
    for (const message of foreignImports(module, this.binaryen)) {
      this.program.error(102, null, message);
    }
    module.addCustomSection("theus:contract", new TextEncoder().encode(this.processes.map(contractLine).join("")));
    module.addCustomSection("component-type:theus-guest", Buffer.from(COMPONENT_TYPE, "base64"));
  }
}

/** The compiler that runs: that of the guest's folder. This package has none of its own, and may lie behind a link. */
async function loadCompiler(baseDir) {
  const places = [join(process.cwd(), baseDir, "package.json"), realpathSync(process.argv[1])];
  for (const place of places) {
    try {
      const file = createRequire(place).resolve("assemblyscript/dist/assemblyscript.js");
      return await import(pathToFileURL(file));
    } catch (error) {
      if (error.code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  throw new Error("the package `assemblyscript` is not installed beside `theus-guest`: type npm install --save-dev assemblyscript@~0.28.20");
}

function isOfTheGuest(source, { SourceKind }) {
  // The runtime comes as an entry file, but lies in the library.
  if (source.normalizedPath.startsWith("~lib/")) return false;
  return source.sourceKind === SourceKind.User || source.sourceKind === SourceKind.UserEntry;
}

function checkNames(processes, sources, diagnostics) {
  if (processes.length === 0 && diagnostics.count === 0) {
    const entry = sources.find((source) => source.statements.length > 0) ?? sources[0];
    diagnostics.error("this guest has no process: write `@process` over a function", entry?.statements[0]?.range ?? null);
  }
  const seen = new Set();
  for (const process of processes) {
    if (seen.has(process.name)) {
      diagnostics.error(`there are two processes \`${process.name}\`: give one of them another name`, process.range);
    }
    seen.add(process.name);
  }
}

/** A process stays a function of its own, whatever the optimiser thinks: traps in it are reported under its name. */
function keepNames(module, processes, binaryen) {
  for (const { source, name } of processes) {
    binaryen.setPassArgument("no-inline", `${source.internalPath}/${name}`);
    module.runPasses(["no-inline"]);
  }
  binaryen.setPassArgument("no-inline", null);
}

/** Gives the generated export the name that no source could give it. */
function nameExport(module, binaryen) {
  for (let index = module.getNumExports() - 1; index >= 0; --index) {
    const { name, value } = binaryen.getExportInfo(module.getExportByIndex(index));
    if (name !== RUN.generated) continue;
    module.removeExport(name);
    module.addFunctionExport(value, RUN.exported);
    return;
  }
  throw new Error("the code that theus-guest generates has no export");
}
