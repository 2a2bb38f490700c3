// Types that have no encoding: the compiler says where they are used.

import { Context } from "theus-guest";

class Plain {
  name: string = "";
}

@process({ outputs: ["domain.a"] })
export function write_plain(ctx: Context): void {
  ctx.set("domain.a", new Plain());
}

@process({ inputs: ["domain.a"] })
export function read_keys(ctx: Context): void {
  ctx.find<Map<i32, string>>("domain.a");
}

@process()
export function return_plain(ctx: Context): Plain {
  return new Plain();
}
