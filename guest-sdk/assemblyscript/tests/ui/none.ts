// A module without a process.

export function add_product(price: i64): void {}
