// Contract paths, as far as a compiler can judge them. The host parses them again and has the last word.

const LAYERS = ["domain", "global", "domain_ctx", "global_ctx"];
const BARE = /^[A-Za-z0-9_-]+$/;

/** Says what is wrong with a contract path, or gives null. */
export function patternProblem(path, parameters) {
  const layer = path.slice(0, endOfBare(path));
  if (!LAYERS.includes(layer)) return "it must begin with `domain` or `global`, as in `domain.items`";
  let rest = path.slice(layer.length);
  while (rest.length > 0) {
    const { problem, after } = segment(rest, parameters);
    if (problem) return problem;
    rest = after;
  }
  return null;
}

/** Checks one segment: `{ problem }` or `{ after }`, what follows it. */
function segment(rest, parameters) {
  if (rest.startsWith(".{") || rest.startsWith("[{")) {
    const isIndex = rest[0] === "[";
    const end = rest.indexOf("}");
    if (end < 0) return { problem: "a `{` has no `}`: write `{param}`" };
    const name = rest.slice(2, end);
    const problem = parameterProblem(name, parameters, isIndex);
    if (problem) return { problem };
    if (!isIndex) return { after: rest.slice(end + 1) };
    return rest[end + 1] === "]"
      ? { after: rest.slice(end + 2) }
      : { problem: `write \`[{${name}}]\` for a list index` };
  }
  if (rest.startsWith('["')) return quoted(rest.slice(2));
  if (rest[0] === "[") return index(rest.slice(1));
  if (rest[0] === ".") return bare(rest.slice(1));
  return { problem: `a \`.\` or \`[\` must stand before \`${rest}\`: a \`{param}\` is one whole key` };
}

function parameterProblem(name, parameters, isIndex) {
  const parameter = parameters.find((it) => it.name === name);
  if (!parameter) {
    const names = parameters.map((it) => it.name).join(", ") || "none";
    return `\`{${name}}\` names no parameter of this process: it has ${names}`;
  }
  if (parameter.optional) {
    return `\`${name}\` is optional, and a parameter in a path must always be given: write its type without \`null\``;
  }
  if (parameter.secret) {
    return `\`${name}\` is secret, and paths are written to records: take the key from another parameter`;
  }
  if (parameter.kind === "int" || (!isIndex && parameter.kind === "string")) return null;
  return isIndex
    ? `\`${name}\` is of kind ${parameter.kind}: a list index is taken from an integer`
    : `\`${name}\` is of kind ${parameter.kind}: a key is taken from a string or an integer`;
}

function quoted(text) {
  let key = "";
  for (let at = 0; at < text.length; ++at) {
    if (text[at] === '"') {
      if (key.startsWith("_")) return { problem: privateProblem(key) };
      if (BARE.test(key)) return { problem: `write \`.${key}\`: this key needs no quotes` };
      return text[at + 1] === "]"
        ? { after: text.slice(at + 2) }
        : { problem: 'a `]` is missing: a quoted key ends with `"]`' };
    }
    if (text[at] === "\\") {
      at += 1;
      if (text[at] !== '"' && text[at] !== "\\") return { problem: 'in quotes only `\\"` and `\\\\` are escapes' };
    }
    key += text[at];
  }
  return { problem: 'a quoted key has no end: write `"]` behind it' };
}

function index(text) {
  const end = text.indexOf("]");
  if (end < 0) return { problem: "a `[` has no `]`: write `[3]` for a list index" };
  const digits = text.slice(0, end);
  if (!/^(0|[1-9][0-9]*)$/.test(digits) || BigInt(digits) >= 1n << 64n) {
    return { problem: `\`[${digits}]\` is no index: write plain decimal digits, or ["…"] for a key` };
  }
  return { after: text.slice(end + 1) };
}

function bare(text) {
  const name = text.slice(0, endOfBare(text));
  if (name === "") {
    return { problem: 'a key is empty: write `domain.items`, or `domain[""]` if it is meant to be' };
  }
  if (/[{}]/.test(name)) {
    return { problem: `\`${name}\`: a \`{param}\` is one whole key, it cannot be a part of one` };
  }
  if (!BARE.test(name)) {
    return { problem: `write \`["${name}"]\`: a key with other letters than A-Z a-z 0-9 _ - is quoted` };
  }
  if (name.startsWith("_")) return { problem: privateProblem(name) };
  return { after: text.slice(name.length) };
}

function privateProblem(key) {
  return `\`${key}\` is private to the host: write a key that does not begin with \`_\``;
}

function endOfBare(text) {
  const end = text.search(/[.[]/);
  return end < 0 ? text.length : end;
}
