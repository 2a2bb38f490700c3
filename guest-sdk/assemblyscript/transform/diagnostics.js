// What is wrong with a source, said as the compiler says it: with file, line and a mark under the place.

export class Diagnostics {
  constructor(parser, { DiagnosticCode }) {
    this.parser = parser;
    this.code = DiagnosticCode.User_defined_0;
    this.count = 0;
  }

  /** Reports an error at a range of a source. */
  error(message, range) {
    this.count += 1;
    this.parser.error(this.code, range, message);
  }
}
