//! Does to the context whatever it is told, under one broad contract: reads `domain.inbox`, writes `domain.data` and the
//! signal `domain.sig_done`. The paths come from the caller, so that a test reaches every host call with every path.

use theus_guest::prelude::*;

/// Gets a value; nil where nothing is there.
#[process(inputs = ["domain.inbox"], outputs = ["domain.data", "domain.sig_done"])]
pub fn get_raw(ctx: &Context, path: String) -> Result<Option<Value>, Failure> {
    Ok(ctx.get(&path)?)
}

/// Gets a value and does not look into it; how many bytes it takes, encoded.
#[process(inputs = ["domain.inbox"], outputs = ["domain.data", "domain.sig_done"])]
pub fn touch(ctx: &Context, path: String) -> Result<Option<u64>, Failure> {
    Ok(ctx.get_encoded(&path).map(|bytes| bytes.len() as u64))
}

/// Sets a value.
#[process(inputs = ["domain.inbox"], outputs = ["domain.data", "domain.sig_done"])]
pub fn set_raw(ctx: &Context, path: String, value: Value) -> Result<(), Failure> {
    Ok(ctx.set(&path, &value)?)
}

/// Sets a value from its encoding, however broken that is.
#[process(inputs = ["domain.inbox"], outputs = ["domain.data", "domain.sig_done"])]
pub fn set_encoded_raw(ctx: &Context, path: String, encoded: Bytes) -> Result<(), Failure> {
    ctx.set_encoded(&path, &encoded);
    Ok(())
}

/// Removes a value and says whether there was one.
#[process(inputs = ["domain.inbox"], outputs = ["domain.data", "domain.sig_done"])]
pub fn remove_raw(ctx: &Context, path: String) -> Result<bool, Failure> {
    Ok(ctx.remove(&path)?)
}

/// Pushes a value and gives the list's new length.
#[process(inputs = ["domain.inbox"], outputs = ["domain.data", "domain.sig_done"])]
pub fn push_raw(ctx: &Context, path: String, value: Value) -> Result<u64, Failure> {
    Ok(ctx.push(&path, &value)?)
}

/// Pushes a value from its encoding, however broken that is.
#[process(inputs = ["domain.inbox"], outputs = ["domain.data", "domain.sig_done"])]
pub fn push_encoded_raw(ctx: &Context, path: String, encoded: Bytes) -> Result<u64, Failure> {
    Ok(ctx.push_encoded(&path, &encoded))
}

/// Gives a length; nil where nothing is there.
#[process(inputs = ["domain.inbox"], outputs = ["domain.data", "domain.sig_done"])]
pub fn len_raw(ctx: &Context, path: String) -> Result<Option<u64>, Failure> {
    Ok(ctx.len(&path)?)
}

/// Gives all keys of a map.
#[process(inputs = ["domain.inbox"], outputs = ["domain.data", "domain.sig_done"])]
pub fn keys_raw(ctx: &Context, path: String) -> Result<Vec<String>, Failure> {
    Ok(ctx.keys(&path)?)
}

/// Gives one page of the keys of a map.
#[process(inputs = ["domain.inbox"], outputs = ["domain.data", "domain.sig_done"])]
pub fn keys_page_raw(
    ctx: &Context,
    path: String,
    after: Option<String>,
    limit: u32,
) -> Result<Vec<String>, Failure> {
    Ok(ctx.keys_page(&path, after.as_deref(), limit)?)
}

/// Gives a piece of a bytes or string value.
#[process(inputs = ["domain.inbox"], outputs = ["domain.data", "domain.sig_done"])]
pub fn read_bytes_raw(
    ctx: &Context,
    path: String,
    offset: u64,
    len: u32,
) -> Result<Bytes, Failure> {
    Ok(Bytes(ctx.read_bytes(&path, offset, len)?))
}

/// One call of [`script()`], written `{"set": {"path": "domain.data.a", "value": 1}}`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "they mirror the host's functions")]
pub enum Step {
    Get {
        path: String,
    },
    Set {
        path: String,
        value: Value,
    },
    Remove {
        path: String,
    },
    Push {
        path: String,
        value: Value,
    },
    Len {
        path: String,
    },
    Keys {
        path: String,
    },
    KeysPage {
        path: String,
        after: Option<String>,
        limit: u32,
    },
    ReadBytes {
        path: String,
        offset: u64,
        len: u32,
    },
    SetEncoded {
        path: String,
        encoded: Bytes,
    },
    PushEncoded {
        path: String,
        encoded: Bytes,
    },
    Send {
        topic: String,
        payload: Bytes,
    },
}

/// Makes several calls in one run and gives what each of them gave.
#[process(inputs = ["domain.inbox"], outputs = ["domain.data", "domain.sig_done"])]
pub fn script(ctx: &Context, steps: Vec<Step>) -> Result<Vec<Value>, Failure> {
    steps.into_iter().map(|step| play(ctx, step)).collect()
}

fn play(ctx: &Context, step: Step) -> Result<Value, Failure> {
    Ok(match step {
        Step::Get { path } => ctx.get(&path)?.unwrap_or_default(),
        Step::Set { path, value } => {
            ctx.set(&path, &value)?;
            Value::Nil
        }
        Step::Remove { path } => Value::Bool(ctx.remove(&path)?),
        Step::Push { path, value } => Value::UInt(ctx.push(&path, &value)?),
        Step::Len { path } => ctx.len(&path)?.map_or(Value::Nil, Value::UInt),
        Step::Keys { path } => texts(ctx.keys(&path)?),
        Step::KeysPage { path, after, limit } => {
            texts(ctx.keys_page(&path, after.as_deref(), limit)?)
        }
        Step::ReadBytes { path, offset, len } => Value::Bytes(ctx.read_bytes(&path, offset, len)?),
        Step::SetEncoded { path, encoded } => {
            ctx.set_encoded(&path, &encoded);
            Value::Nil
        }
        Step::PushEncoded { path, encoded } => Value::UInt(ctx.push_encoded(&path, &encoded)),
        Step::Send { topic, payload } => {
            outbox::send(&topic, payload.0);
            Value::Nil
        }
    })
}

fn texts(keys: Vec<String>) -> Value {
    Value::List(keys.into_iter().map(Value::Str).collect())
}
