// Contract paths.

import { Context, Secret, Some } from "theus-guest";

@process({
  inputs: [
    "",
    "items",
    "domain..items",
    "domain.items[-1]",
    "domain.items[01]",
    "domain.items[3",
    "domain.a b",
    'domain["items"]',
    'domain["a.b"',
    "domain._meta",
  ],
})
export function malformed(ctx: Context): void {}

@process({
  outputs: [
    "domain.slot_{user}",
    "domain.{user",
    "domain.{nobody}",
    "domain.{note}",
    "domain.{limit}",
    "domain.{token}",
    "domain.{rate}",
    "domain.rows[{user}]",
    "domain.rows[{row}",
    "domain.accounts.{user}.rows[{row}]",
  ],
})
export function parameters(
  ctx: Context,
  user: string,
  row: i64,
  note: string | null,
  limit: Some<i64> | null,
  token: Secret<string>,
  rate: f64,
): void {}
