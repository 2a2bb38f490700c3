// Processes that each show the host one behaviour of a guest in AssemblyScript. The integration tests run them.
//
// | file | what its processes do |
// | --- | --- |
// | arguments.ts | take arguments of all kinds and give them back |
// | context.ts | make every call of the context, the outbox and the log |
// | endings.ts | end in every other way than well |
// | codec.ts | read and write values of all types |
//
// `context.yaml` holds the places that they expect.

import "./arguments";
import "./codec";
import "./context";
import "./endings";
