//! Does as much of one thing as it is told.

use theus_guest::prelude::*;

/// Writes so many lines to the log.
#[process]
pub fn log_lines(_ctx: &Context, count: u64) -> Result<(), Failure> {
    for number in 0..count {
        log::info(format_args!("line {number}"));
    }
    Ok(())
}

/// Writes one line of every level to the log.
#[process]
pub fn log_levels(_ctx: &Context) -> Result<(), Failure> {
    log::trace("a trace line");
    log::debug("a debug line");
    log::info("an info line");
    log::warn("a warn line");
    log::error("an error line");
    Ok(())
}

/// Sends so many messages under a topic, numbered from 0.
#[process]
pub fn send_messages(_ctx: &Context, count: u64, topic: String) -> Result<(), Failure> {
    for number in 0..count {
        outbox::send(&topic, format!("message {number}"));
    }
    Ok(())
}

/// Sets a binary value of so many bytes.
#[process(outputs = ["domain.data"])]
pub fn big_value(ctx: &Context, bytes: u64) -> Result<(), Failure> {
    ctx.set("domain.data.big", &zeroes(bytes))?;
    Ok(())
}

/// Gives a binary result of so many bytes.
#[process]
pub fn big_result(_ctx: &Context, bytes: u64) -> Result<Bytes, Failure> {
    Ok(zeroes(bytes))
}

/// Pushes nil inside so many lists.
#[process(outputs = ["domain.deep"])]
pub fn deep_value(ctx: &Context, depth: u64) -> Result<(), Failure> {
    const LIST_OF_ONE: u8 = 0x91;
    const NIL: u8 = 0xc0;

    let mut encoded = vec![LIST_OF_ONE; size(depth)];
    encoded.push(NIL);
    ctx.push_encoded("domain.deep", &encoded);
    Ok(())
}

/// Writes so many slots.
#[process(outputs = ["domain.slots"])]
pub fn many_writes(ctx: &Context, count: u64) -> Result<(), Failure> {
    for number in 0..count {
        ctx.set(&path!("domain.slots", number.to_string()), &number)?;
    }
    Ok(())
}

/// Writes the counter so many times.
#[process(outputs = ["domain.counter"])]
pub fn rewrite(ctx: &Context, count: u64) -> Result<(), Failure> {
    const SEVEN: &[u8] = &[7];
    for _ in 0..count {
        ctx.set_encoded("domain.counter", SEVEN);
    }
    Ok(())
}

/// Reads the counter so many times.
#[process(inputs = ["domain.counter"])]
pub fn many_reads(ctx: &Context, count: u64) -> Result<(), Failure> {
    for _ in 0..count {
        ctx.get_encoded("domain.counter");
    }
    Ok(())
}

fn zeroes(bytes: u64) -> Bytes {
    Bytes(vec![0; size(bytes)])
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
