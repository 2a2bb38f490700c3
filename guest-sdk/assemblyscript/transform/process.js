// The function under `@process`: what makes a process, and which parameters it has.

import { checkLists, readLists } from "./lists.js";
import { kindOf, nameOf } from "./kind.js";
import { RULE, isName } from "./name.js";

/** Names that the rules of a recipe use for other things. */
const RESERVED_NAMES = ["args", "domain", "global", "result", "old"];

/** The processes of a source, those of which nothing was reported. */
export function readProcesses(source, compiler, diagnostics) {
  const processes = [];
  for (const statement of source.statements) {
    const decorator = decoratorOf(statement, "process");
    if (decorator) {
      const before = diagnostics.count;
      const process = readProcess(source, statement, decorator, compiler, diagnostics);
      if (diagnostics.count === before) processes.push(process);
    }
    for (const { range } of misplaced(statement)) {
      diagnostics.error("a process is a function at the top level of its file", range);
    }
  }
  return processes;
}

/** The decorator of a name that stands over a statement or member. */
export function decoratorOf(node, name) {
  return (node.decorators ?? []).find((decorator) => decorator.name.text === name) ?? null;
}

/** The first line of the comment that stands right before a place in a source. */
export function summaryBefore(text, end) {
  const before = text.slice(0, end).trimEnd();
  if (!before.endsWith("*/")) {
    const lines = [];
    for (const line of before.split("\n").reverse()) {
      const comment = /^\s*\/\/\/(.*)$/.exec(line);
      if (!comment) break;
      lines.unshift(comment[1].trim());
    }
    return lines.find((line) => line !== "") ?? "";
  }
  const start = before.lastIndexOf("/*");
  if (!before.startsWith("/**", start)) return "";
  const lines = before.slice(start + 3, -2).split("\n");
  return lines.map((line) => line.replace(/^\s*\*?/, "").trim()).find((line) => line !== "") ?? "";
}

/** The decorators of processes that nothing would ever call: those in namespaces and classes. */
function misplaced(statement) {
  const members = statement.members ?? [];
  return members.flatMap((member) => {
    const decorator = decoratorOf(member, "process");
    return [...(decorator ? [decorator] : []), ...misplaced(member)];
  });
}

function readProcess(source, declaration, decorator, compiler, diagnostics) {
  const { NodeKind } = compiler;
  if (declaration.kind !== NodeKind.FunctionDeclaration) {
    diagnostics.error("`@process` stands over a function: `function name(ctx: Context, …): …`", decorator.range);
    return null;
  }
  const name = declaration.name.text;
  checkName("process", declaration.name, diagnostics);
  if (declaration.typeParameters) {
    diagnostics.error("a process is not generic: give every parameter a plain type", declaration.typeParameters[0].range);
  }
  const { signature } = declaration;
  const [context, ...others] = signature.parameters;
  checkContext(context, declaration, compiler, diagnostics);
  const parameters = others.flatMap((it) => readParameter(it, source, compiler, diagnostics));
  const returns = returnType(signature.returnType, declaration, source, compiler, diagnostics);
  const lists = readLists(decorator, compiler, diagnostics);
  checkLists(lists, parameters, diagnostics);
  const start = Math.min(declaration.range.start, ...declaration.decorators.map((it) => it.range.start));
  return {
    source,
    name,
    summary: summaryBefore(source.text, start),
    parameters,
    returns,
    lists,
    range: declaration.name.range,
    line: source.lineAt(declaration.name.range.start),
    column: source.columnAt(),
  };
}

function checkContext(context, declaration, compiler, diagnostics) {
  const isContext =
    context &&
    context.type.kind === compiler.NodeKind.NamedType &&
    nameOf(context.type) === "Context" &&
    !context.type.isNullable;
  if (!isContext) {
    diagnostics.error(
      "the first parameter of a process is its context: write `ctx: Context`",
      context ? context.range : declaration.name.range,
    );
  }
}

function readParameter(parameter, source, compiler, diagnostics) {
  const { ParameterKind } = compiler;
  const name = parameter.name.text;
  checkName("parameter", parameter.name, diagnostics);
  if (RESERVED_NAMES.includes(name)) {
    diagnostics.error(
      `a parameter cannot be called \`${name}\`, audit rules use that word: choose another name, for example \`${name}_value\``,
      parameter.name.range,
    );
  }
  if (parameter.parameterKind === ParameterKind.Rest) {
    diagnostics.error("a process has a fixed number of parameters", parameter.range);
    return [];
  }
  if (parameter.initializer || parameter.parameterKind === ParameterKind.Optional) {
    diagnostics.error(
      "an argument has no default: write `| null` behind the type of one that may be left out",
      parameter.range,
    );
    return [];
  }
  const { kind, optional, secret, problem } = kindOf(parameter.type, compiler);
  if (problem) {
    diagnostics.error(problem, parameter.type.range);
    return [];
  }
  return [{ name, kind, optional, secret, type: textOf(parameter.type, source) }];
}

/** The text of what a process returns; null where that is nothing. */
function returnType(type, declaration, source, compiler, diagnostics) {
  if (type.kind === compiler.NodeKind.NamedType) {
    const name = nameOf(type);
    if (name === "") {
      diagnostics.error("a process says what it returns: write `: void` if that is nothing", declaration.name.range);
      return null;
    }
    if (name === "void") return null;
  }
  const { problem } = kindOf(type, compiler);
  if (problem) diagnostics.error(problem, type.range);
  return textOf(type, source);
}

function checkName(what, identifier, diagnostics) {
  if (!isName(identifier.text)) {
    diagnostics.error(`\`${identifier.text}\` cannot name a ${what}: write ${RULE}`, identifier.range);
  }
}

function textOf(node, source) {
  return source.text.slice(node.range.start, node.range.end);
}
