// What stands in the parentheses of `@process`.

import { Context } from "theus-guest";

@process({ reads: ["domain.a"] })
export function unknown_key(ctx: Context): void {}

@process("domain.a")
export function no_object(ctx: Context): void {}

@process({ inputs: "domain.a" })
export function no_list(ctx: Context): void {}

@process({ inputs: [domain] })
export function no_text(ctx: Context): void {}

@process({ errors: ["A"], errors: ["B"] })
export function twice(ctx: Context): void {}

@process({ errors: ["A", "A"], inputs: ["domain.a", "domain.a"] })
export function double(ctx: Context): void {}

@process({ errors: ["", "Value Error", "Decode"] })
export function no_error_names(ctx: Context): void {}

@process({ side_effects: ["clock"] })
export function side_effects(ctx: Context): void {}
