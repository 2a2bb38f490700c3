"""The warehouse's process, as guests/warehouse has it in Rust."""

from theus_guest import Context, Failure, process

RESTOCK_ABOVE = 100
LARGEST = 2**63 - 1


@process(
    inputs=["domain.items", "global.max_capacity"],
    outputs=["domain.items", "domain.total_value", "domain.sig_restock_needed"],
    errors=["ValueError"],
)
def add_product(ctx: Context, product_name: str, price: int) -> str:
    """Adds one product to the warehouse and its price to the total value."""
    held = ctx.len("domain.items") or 0
    capacity = ctx.get("global.max_capacity")
    if capacity is not None and held >= capacity:
        raise Failure("ValueError", f"the warehouse is full: it holds {held} of {capacity} products")
    if price < 0:
        raise Failure("ValueError", "price cannot be negative")
    total = ctx.get("domain.total_value", 0) + price
    if total > LARGEST:
        raise Failure("ValueError", "the total value is too large to count")

    count = ctx.push("domain.items", {"name": product_name, "price": price})
    ctx.set("domain.total_value", total)
    if count > RESTOCK_ABOVE:
        ctx.set("domain.sig_restock_needed", True)
    return "Added"
