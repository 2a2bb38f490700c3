// The contract as one line of JSON, the form in which the host reads it. The Rust SDK writes the same.

/** One JSON object and a line end. */
export function contractLine(process) {
  const { name, summary, parameters, lists } = process;
  const contract = {
    name,
    summary,
    parameters: parameters.map(({ name, kind, optional, secret }) => ({ name, kind, optional, secret })),
    inputs: texts(lists.inputs),
    outputs: texts(lists.outputs),
    side_effects: [],
    errors: texts(lists.errors),
  };
  return JSON.stringify(contract) + "\n";
}

function texts(list) {
  return list.map((entry) => entry.text);
}
