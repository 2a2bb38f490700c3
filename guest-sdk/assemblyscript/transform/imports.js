// What a guest imports beyond the world that it is given: said here, with what to write instead, rather than by the host.

const REMEDIES = [
  [/^env\.seed$/, "`Math.random` needs randomness, which an AssemblyScript guest is not given: take it as an argument"],
  [/^env\.Date\./, "`Date.now` and the local time need a clock, which an AssemblyScript guest is not given: take the time as an argument"],
  [/^env\.performance\./, "`performance.now` needs a clock, which a guest is not given"],
  [/^env\.crypto\./, "`crypto` needs randomness, which an AssemblyScript guest is not given: take it as an argument"],
  [/^env\.process\./, "`process` is not there: a guest has no arguments, environment or exit of its own; use `throw` to end a call"],
  [/^env\.console\./, "of `console`, a guest has `log`, `debug`, `info`, `warn`, `error` and `assert`"],
];

/** One message for every import that the host does not give. */
export function foreignImports(module, binaryen) {
  const messages = new Set();
  for (let index = 0; index < module.getNumFunctions(); ++index) {
    const info = binaryen.getFunctionInfo(module.getFunctionByIndex(index));
    if (!info.module || info.module.startsWith("theus:process/")) continue;
    const name = `${info.module}.${info.base}`;
    const remedy = REMEDIES.find(([pattern]) => pattern.test(name))?.[1];
    messages.add(
      `${remedy ?? "leave out the code that needs it: a guest is given theus:process and nothing else"} (import ${name})`,
    );
  }
  return [...messages];
}
