// Classes that are no record.

import { Context } from "theus-guest";

@record
class Box<T> {
  value: T;
}

@record
class Crate extends Shelf {
  größe: i64 = 0;
}

@record
function no_class(): void {}

@process()
export function fine(ctx: Context): void {}
