// The warehouse's process, as guests/warehouse has it in Rust.

import { Failure, contracts, serve } from "./theus-guest.js";

const RESTOCK_ABOVE = 100;
const LARGEST = (1n << 63n) - 1n;

const definitions = {
  add_product: {
    summary: "Adds one product to the warehouse and its price to the total value.",
    parameters: { product_name: "string", price: "int" },
    inputs: ["domain.items", "global.max_capacity"],
    outputs: ["domain.items", "domain.total_value", "domain.sig_restock_needed"],
    errors: ["ValueError"],
    run(ctx, { product_name, price }) {
      const held = ctx.len("domain.items") ?? 0;
      const capacity = ctx.get("global.max_capacity");
      if (capacity !== undefined && held >= capacity) {
        const message = `the warehouse is full: it holds ${held} of ${capacity} products`;
        throw new Failure("ValueError", message);
      }
      if (price < 0) throw new Failure("ValueError", "price cannot be negative");
      const total = BigInt(ctx.get("domain.total_value") ?? 0) + BigInt(price);
      if (total > LARGEST) throw new Failure("ValueError", "the total value is too large to count");

      const count = ctx.push("domain.items", { name: product_name, price });
      ctx.set("domain.total_value", total);
      if (count > RESTOCK_ABOVE) ctx.set("domain.sig_restock_needed", true);
      return "Added";
    },
  },
};

export const processes = serve(definitions);
export const contract = contracts(definitions);
