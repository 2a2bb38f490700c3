// Classes under `@record`: the code that writes and reads their fields.

import { isName } from "./name.js";
import { decoratorOf } from "./process.js";
import { appendSource, parseMember } from "./generate.js";

/** The fields of one record are marked as seen in one 64-bit number. */
const MAX_FIELDS = 64;

/** The records of a source. */
export function readRecords(source, compiler, diagnostics) {
  const records = [];
  for (const statement of source.statements) {
    const decorator = decoratorOf(statement, "record");
    if (!decorator) continue;
    if (statement.kind !== compiler.NodeKind.ClassDeclaration) {
      diagnostics.error("`@record` stands over a class", decorator.range);
      continue;
    }
    if (statement.typeParameters?.length) {
      diagnostics.error("a record is not generic: give every field a plain type", statement.typeParameters[0].range);
    }
    if (statement.extendsType) {
      diagnostics.error("a record extends nothing: write all of its fields into it", statement.extendsType.range);
    }
    const fields = readFields(source, statement, compiler, diagnostics);
    records.push({ source, declaration: statement, name: statement.name.text, fields });
  }
  return records;
}

/** Gives every record its two methods. */
export function expandRecords(records, compiler) {
  for (const record of records) {
    for (const text of [encodeMethod(record), decodeMethod(record)]) {
      record.declaration.members.push(parseMember(text, record.source, record.declaration, compiler));
    }
  }
  for (const source of new Set(records.map((record) => record.source))) {
    appendSource(
      `import { Decoder as __theusDecoder, Encoder as __theusEncoder, decodeFrom as __theusDecodeFrom,
        encodeInto as __theusEncodeInto } from "theus-guest/assembly/run";`,
      source,
      compiler,
    );
  }
}

function readFields(source, declaration, compiler, diagnostics) {
  const { CommonFlags, NodeKind } = compiler;
  const fields = [];
  for (const member of declaration.members) {
    if (member.kind !== NodeKind.FieldDeclaration || member.is(CommonFlags.Static)) continue;
    const name = member.name.text;
    if (!member.type) {
      diagnostics.error(`the field \`${name}\` of a record needs a type`, member.name.range);
    } else if (!isName(name)) {
      diagnostics.error(`\`${name}\` cannot name a field of a record: write ASCII letters, digits and \`_\``, member.name.range);
    } else {
      const { start, end } = member.type.range;
      fields.push({ name, type: source.text.slice(start, end), isNullable: member.type.isNullable });
    }
  }
  if (fields.length > MAX_FIELDS) {
    diagnostics.error(`a record has at most ${MAX_FIELDS} fields: use a \`Map\` or records in it`, declaration.name.range);
  }
  return fields;
}

function encodeMethod({ fields }) {
  const written = fields.map(
    ({ name, type }) => `encoder.text("${name}"); __theusEncodeInto<${type}>(encoder, this.${name});`,
  );
  return `__theusEncode(encoder: __theusEncoder): void {
    encoder.map(${fields.length});
    ${written.join("\n")}
    encoder.end();
  }`;
}

function decodeMethod({ name: record, fields }) {
  const read = fields.map(({ name, type }, index) => {
    const bit = `(<u64>1 << ${index})`;
    return `if (decoder.keyIs("${name}")) {
      if (seen & ${bit}) decoder.twice();
      seen |= ${bit};
      this.${name} = __theusDecodeFrom<${type}>(decoder);
      continue;
    }`;
  });
  const missing = fields.map(({ name, isNullable }, index) =>
    isNullable ? "" : `if (!(seen & (<u64>1 << ${index}))) decoder.missing("${name}", "${record}");`,
  );
  return `__theusDecode(decoder: __theusDecoder): void {
    let seen: u64 = 0;
    for (let left = decoder.map("${record}"); left > 0 && !decoder.isStuck; --left) {
      decoder.nextKey();
      ${read.join("\n")}
      decoder.skip();
    }
    decoder.close();
    ${missing.join("\n")}
  }`;
}
