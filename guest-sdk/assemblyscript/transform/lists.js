// What stands in the parentheses of `@process({ … })`.

import { RULE, isName } from "./name.js";
import { patternProblem } from "./pattern.js";

const KEYS = ["inputs", "outputs", "errors"];
const SHAPE = "write `@process({ inputs: [\"domain.items\"], outputs: [], errors: [] })`";

/** An error code that the SDKs keep for themselves. */
const RESERVED_ERRORS = ["Decode"];

/** The lists of a decorator: each a list of `{ text, range }`. */
export function readLists(decorator, compiler, diagnostics) {
  const lists = { inputs: [], outputs: [], errors: [] };
  const args = decorator.args ?? [];
  if (args.length === 0) return lists;
  const [object] = args;
  if (args.length > 1 || !isLiteral(object, compiler.LiteralKind.Object, compiler)) {
    diagnostics.error(`\`@process\` takes one object: ${SHAPE}`, args.length > 1 ? args[1].range : object.range);
    return lists;
  }
  const seen = new Set();
  object.names.forEach((name, index) => {
    const key = name.text;
    if (key === "side_effects") {
      diagnostics.error(
        "an AssemblyScript guest cannot use side effects, so its contract asks for none: write the process in Rust for that",
        name.range,
      );
    } else if (!KEYS.includes(key)) {
      diagnostics.error(`unknown key \`${key}\`: a process has \`inputs\`, \`outputs\` and \`errors\``, name.range);
    } else if (seen.has(key)) {
      diagnostics.error(`\`${key}\` is given twice: put everything into one list`, name.range);
    } else {
      lists[key] = readList(key, object.values[index], compiler, diagnostics);
    }
    seen.add(key);
  });
  return lists;
}

/** Refuses what the host would refuse, while the author still looks at the line. */
export function checkLists(lists, parameters, diagnostics) {
  for (const key of KEYS) {
    lists[key].forEach(({ text, range }, index) => {
      if (lists[key].findIndex((it) => it.text === text) < index) {
        diagnostics.error(`\`${text}\` stands twice in \`${key}\`: once is enough`, range);
      }
    });
  }
  for (const { text, range } of [...lists.inputs, ...lists.outputs]) {
    const problem = patternProblem(text, parameters);
    if (problem) diagnostics.error(`\`${text}\` is not a contract path: ${problem}`, range);
  }
  for (const { text, range } of lists.errors) {
    if (RESERVED_ERRORS.includes(text)) {
      diagnostics.error(`\`${text}\` is kept for values that do not decode: choose another name`, range);
    } else if (!isName(text)) {
      diagnostics.error(
        `\`${text}\` is not an error name: write one word, as in "ValueError" (${RULE})`,
        range,
      );
    }
  }
}

function readList(key, value, compiler, diagnostics) {
  const { LiteralKind } = compiler;
  const shape = (range) => diagnostics.error(`write \`${key}: [..]\`, a list of string literals`, range);
  if (!isLiteral(value, LiteralKind.Array, compiler)) {
    shape(value.range);
    return [];
  }
  return value.elementExpressions.flatMap((element) => {
    if (!isLiteral(element, LiteralKind.String, compiler)) {
      shape(element.range);
      return [];
    }
    return [{ text: element.value, range: element.range }];
  });
}

function isLiteral(node, literalKind, { NodeKind }) {
  return node.kind === NodeKind.Literal && node.literalKind === literalKind;
}
