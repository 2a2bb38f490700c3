// The kind of a parameter, read from its type as it is written.

const INTEGERS = ["i8", "i16", "i32", "i64", "isize", "u8", "u16", "u32", "u64", "usize"];
const FLOATS = ["f32", "f64", "number"];
const BOOLS = ["bool", "boolean"];
const STRINGS = ["string", "String"];

/** Types that other languages have, and what they are here. */
const REMEDIES = {
  int: "there is no type `int`: write `i64`",
  float: "there is no type `float`: write `f64`",
  any: "there is no type `any`: write `Value`",
  object: "there is no type `object`: write `Map<string, Value>`, or a class with `@record`",
  ArrayBuffer: "write `Uint8Array` for bytes",
  Set: "write `Array`: the context has no sets",
  StaticArray: "write `Array`",
  Date: "write `string` or `i64`: the context has no dates",
};

/**
 * The kind of a type: `{ kind, optional, secret }`, or `{ problem }` with what to write instead.
 */
export function kindOf(type, compiler) {
  if (type.kind !== compiler.NodeKind.NamedType) {
    return {
      problem:
        "a parameter needs a plain type: write `string`, `i64`, `f64`, `bool`, `Uint8Array`, `Array`, `Map`, `Value` or a class with `@record`",
    };
  }
  const name = nameOf(type);
  const [argument] = type.typeArguments ?? [];
  if (name === "Secret") {
    if (!argument) return { problem: "write `Secret<string>`, with the type of the argument" };
    const inner = kindOf(argument, compiler);
    return inner.problem ? inner : { ...inner, optional: inner.optional || type.isNullable, secret: true };
  }
  if (name === "Some") {
    if (!argument) return { problem: "write `Some<i64> | null`, with the type of the argument" };
    const inner = kindOf(argument, compiler);
    return inner.problem ? inner : { ...inner, optional: type.isNullable };
  }
  const kind = kindOfName(name, argument);
  if (kind.problem) return kind;
  if (type.isNullable && ["bool", "int", "float"].includes(kind.kind)) {
    return { problem: `\`${name}\` cannot be null: write \`Some<${name}> | null\` for an argument that may be left out` };
  }
  return { ...kind, optional: type.isNullable, secret: false };
}

/** The last part of a type's name. */
export function nameOf(type) {
  let name = type.name;
  while (name.next) name = name.next;
  return name.identifier.text;
}

function kindOfName(name, argument) {
  if (BOOLS.includes(name)) return { kind: "bool" };
  if (INTEGERS.includes(name)) return { kind: "int" };
  if (FLOATS.includes(name)) return { kind: "float" };
  if (STRINGS.includes(name)) return { kind: "string" };
  if (name === "Uint8Array") return { kind: "bytes" };
  if (name === "Array") {
    if (argument?.name && nameOf(argument) === "u8") {
      return { problem: "write `Uint8Array` for bytes, or `i64[]` for a list of integers" };
    }
    return { kind: "list" };
  }
  if (name === "Map") return { kind: "map" };
  if (name === "void") return { problem: "a parameter cannot be `void`" };
  if (Object.hasOwn(REMEDIES, name)) return { problem: REMEDIES[name] };
  return { kind: "any" };
}
