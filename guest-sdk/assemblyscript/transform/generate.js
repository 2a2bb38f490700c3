// The code between the host and a process: arguments in, result out.

/** Where the source with the exports would lie. */
export const EXPORTS_PATH = "theus-exports.ts";

/** Appends to a source what calls its processes: there, because that is where their types have a name. */
export function appendCalls(source, processes, compiler) {
  const imports = `import { Arguments as __theusArguments, Context as __theusContext, ended as __theusEnded,
    enter as __theusEnter, returned as __theusReturned } from "theus-guest/assembly/run";`;
  appendSource([imports, ...processes.map(callOf)].join("\n"), source, compiler);
}

/** The source with the exports of the guest. The entry files come first: their top-level code runs in that order. */
export function exportsSource(processes, entries) {
  const imports = entries.map((entry) => `import "${importPath(entry)}";`);
  for (const source of new Set(processes.map((process) => process.source))) {
    const names = processes.filter((process) => process.source === source).map(callName);
    imports.push(`import { ${names.join(", ")} } from "${importPath(source)}";`);
  }
  const names = processes.map((process) => process.name).sort();
  const choices = processes.map(
    (process) =>
      `if (isCalled(name, nameLength, "${process.name}")) return ${callName(process)}(new Context(), args, argsLength);`,
  );
  return `import { Context, isCalled, noSuchProcess } from "theus-guest/assembly/run";
${imports.join("\n")}
export { cabi_realloc } from "theus-guest/assembly/run";
export function run(name: usize, nameLength: usize, args: usize, argsLength: usize): usize {
  ${choices.join("\n  ")}
  noSuchProcess(name, nameLength, ${JSON.stringify(names.join(", "))});
  return 0;
}
`;
}

/** Appends statements, as if they had been written at the end of a source. */
export function appendSource(text, source, { Parser }) {
  const parser = new Parser();
  parser.parseFile(text, source.normalizedPath, false);
  refuseProblems(parser, text);
  source.statements.push(...parser.sources[0].statements);
}

/** A member of a class, as if it had been written there. */
export function parseMember(text, source, declaration, { Parser, Source, SourceKind, Tokenizer }) {
  const parser = new Parser();
  const tokenizer = new Tokenizer(new Source(SourceKind.User, source.normalizedPath, text), parser.diagnostics);
  parser.currentSource = tokenizer.source;
  const member = parser.parseClassMember(tokenizer, declaration);
  refuseProblems(parser, text);
  return member;
}

/** What is generated is never malformed; if it were, nobody would know why a process is missing. */
function refuseProblems(parser, text) {
  const [problem] = parser.diagnostics;
  if (problem) throw new Error(`the code that theus-guest generates is malformed: ${problem.message}\n${text}`);
}

function importPath({ normalizedPath }) {
  return `./${normalizedPath.replace(/\.ts$/, "")}`;
}

function callName({ name }) {
  return `${name}__process`;
}

function callOf(process) {
  const { name, parameters, returns, source, line, column } = process;
  const slots = parameters.map((_, index) => `let __theus${index}: usize = 0;`);
  const taken = parameters.map(
    (parameter, index) =>
      `if (__theusArgs.is("${parameter.name}")) { __theus${index} = __theusArgs.take(__theus${index}); continue; }`,
  );
  const names = parameters.map((parameter) => parameter.name).join(", ") || "none";
  const decoded = parameters.map(
    ({ name, type, optional }, index) =>
      `const __theusArg${index} = __theusArgs.${optional ? "optional" : "required"}<${type}>(__theus${index}, "${name}");`,
  );
  const passed = parameters.map((_, index) => `__theusArg${index}`);
  const call = `${name}(${["__theusCtx", ...passed].join(", ")})`;
  return `export function ${callName(process)}(__theusCtx: __theusContext, __theusStart: usize, __theusLength: usize): usize {
  __theusEnter(${JSON.stringify(source.normalizedPath)}, ${line}, ${column});
  const __theusArgs = new __theusArguments(__theusStart, __theusLength);
  ${slots.join("\n  ")}
  while (__theusArgs.next()) {
    ${taken.join("\n    ")}
    __theusArgs.unknown("${names}");
  }
  ${decoded.join("\n  ")}
  if (!__theusArgs.fit(__theusCtx)) return __theusEnded(__theusCtx);
  ${returns === null ? `${call};\n  return __theusEnded(__theusCtx);` : `return __theusReturned<${returns}>(__theusCtx, ${call});`}
}`;
}
