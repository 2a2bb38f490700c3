//! Values as a person reads them: JSON on one line, cut where it gets long.

use super::text::escape;
use std::fmt::{self, Write};
use theus_core::value::Value;

/// Shows a value on one line; what is beyond `limit` characters is left out and counted.
pub(super) fn show(value: &Value, limit: usize) -> String {
    let mut line = Line {
        text: String::new(),
        room: limit,
        left_out: 0,
    };
    // Writing to a string does not fail.
    let _ = write_value(&mut line, value);
    if line.left_out > 0 {
        let _ = write!(line.text, "… ({} more characters)", line.left_out);
    }
    line.text
}

/// Text of bounded length.
struct Line {
    text: String,
    room: usize,
    left_out: usize,
}

impl Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            if self.room == 0 {
                self.left_out += 1;
            } else {
                self.room -= 1;
                self.text.push(character);
            }
        }
        Ok(())
    }
}

fn write_value(line: &mut Line, value: &Value) -> fmt::Result {
    match value {
        Value::Nil => line.write_str("null"),
        Value::Bool(it) => write!(line, "{it}"),
        Value::Int(it) => write!(line, "{it}"),
        Value::UInt(it) => write!(line, "{it}"),
        Value::Float(it) => write!(line, "{:?}", it.value()),
        Value::Str(it) => write_text(line, it),
        Value::Bytes(it) => write!(line, "<{} bytes>", it.len()),
        Value::List(list) => {
            line.write_str("[")?;
            for (index, item) in list.iter().enumerate() {
                line.write_str(if index == 0 { "" } else { ", " })?;
                write_value(line, item)?;
            }
            line.write_str("]")
        }
        Value::Map(map) => {
            line.write_str("{")?;
            for (index, (key, item)) in map.iter().enumerate() {
                line.write_str(if index == 0 { "" } else { ", " })?;
                write_text(line, key)?;
                line.write_str(": ")?;
                write_value(line, item)?;
            }
            line.write_str("}")
        }
    }
}

fn write_text(line: &mut Line, text: &str) -> fmt::Result {
    line.write_str("\"")?;
    // Backslashes first: those that `escape` adds stay single.
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    line.write_str(&escape(&quoted))?;
    line.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &str) {
        let value: Value = serde_json::from_str(json).expect(json);
        assert_eq!(show(&value, 100), expected);
    }

    #[test]
    fn values_are_json_with_room_to_read() {
        check(
            r#"{"name":"TV","price":500}"#,
            r#"{"name": "TV", "price": 500}"#,
        );
        check(
            r#"[1,[],{},null,true,1.0,2.5e300]"#,
            "[1, [], {}, null, true, 1.0, 2.5e300]",
        );
        check(r#"{"$bytes":"AQI="}"#, "<2 bytes>");
        check(r#"{"$float":"nan"}"#, "NaN");
        check(r#""a\"b\\c\nd\u001b[31m""#, r#""a\"b\\c\nd\u{1b}[31m""#);
    }

    #[test]
    fn what_is_long_is_cut_with_a_note() {
        let value = Value::from("x".repeat(300));
        assert_eq!(show(&value, 4), "\"xxx… (298 more characters)");
        assert_eq!(show(&Value::from("héé"), 5), "\"héé\"");
    }
}
