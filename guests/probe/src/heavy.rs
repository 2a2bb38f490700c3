//! A large value of the heavy zone.

use theus_guest::prelude::*;

/// Writes a binary value of so many bytes, then fails if it is told to.
#[process(outputs = ["domain.heavy_image"], errors = ["Told"])]
pub fn draw(ctx: &Context, bytes: u32, shade: u8, fail: bool) -> Result<(), Failure> {
    ctx.set("domain.heavy_image", &Bytes(vec![shade; bytes as usize]))?;
    if fail {
        return Err(Failure::new("Told", "as it was told"));
    }
    Ok(())
}

/// Gets the value as a whole; how many bytes it takes, encoded.
#[process(inputs = ["domain.heavy_image"])]
pub fn look(ctx: &Context) -> Result<Option<u64>, Failure> {
    let encoded = ctx.get_encoded("domain.heavy_image");
    Ok(encoded.map(|bytes| bytes.len() as u64))
}

/// Gets a piece of the value.
#[process(inputs = ["domain.heavy_image"])]
pub fn look_at(ctx: &Context, offset: u64, len: u32) -> Result<Bytes, Failure> {
    Ok(Bytes(ctx.read_bytes("domain.heavy_image", offset, len)?))
}
