//! Walks over MessagePack without decoding it.
//!
//! The format: <https://github.com/msgpack/msgpack/blob/master/spec.md>.

/// The rest of an encoded sequence of values.
pub(crate) struct Walk<'a> {
    rest: &'a [u8],
}

impl<'a> Walk<'a> {
    pub(crate) fn new(encoded: &'a [u8]) -> Self {
        Self { rest: encoded }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The number of entries of the map that begins here; its keys and values follow.
    pub(crate) fn map(&mut self) -> Option<u64> {
        match self.byte()? {
            short @ 0x80..=0x8f => Some(u64::from(short & 0x0f)),
            0xde => self.number(2),
            0xdf => self.number(4),
            _ => None,
        }
    }

    /// The string that begins here.
    pub(crate) fn string(&mut self) -> Option<&'a str> {
        let length = match self.byte()? {
            short @ 0xa0..=0xbf => u64::from(short & 0x1f),
            0xd9 => self.number(1)?,
            0xda => self.number(2)?,
            0xdb => self.number(4)?,
            _ => return None,
        };
        std::str::from_utf8(self.take(length)?).ok()
    }

    /// The whole value that begins here, still encoded.
    pub(crate) fn value(&mut self) -> Option<&'a [u8]> {
        let start = self.rest;
        // Values still to come; counting instead of recursing keeps the stack flat.
        let mut open: u64 = 1;
        while open > 0 {
            open -= 1;
            let (bytes, values) = self.head()?;
            self.take(bytes)?;
            open = open.checked_add(values)?;
        }
        Some(&start[..start.len() - self.rest.len()])
    }

    /// Reads one marker and its length: how many bytes belong to it, and how many values follow inside it.
    fn head(&mut self) -> Option<(u64, u64)> {
        Some(match self.byte()? {
            0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => (0, 0),
            short @ 0x80..=0x8f => (0, 2 * u64::from(short & 0x0f)),
            short @ 0x90..=0x9f => (0, u64::from(short & 0x0f)),
            short @ 0xa0..=0xbf => (u64::from(short & 0x1f), 0),
            0xc4 | 0xd9 => (self.number(1)?, 0),
            0xc5 | 0xda => (self.number(2)?, 0),
            0xc6 | 0xdb => (self.number(4)?, 0),
            0xcc | 0xd0 => (1, 0),
            0xcd | 0xd1 => (2, 0),
            0xca | 0xce | 0xd2 => (4, 0),
            0xcb | 0xcf | 0xd3 => (8, 0),
            0xdc => (0, self.number(2)?),
            0xdd => (0, self.number(4)?),
            0xde => (0, 2 * self.number(2)?),
            0xdf => (0, 2 * self.number(4)?),
            0xc1 | 0xc7..=0xc9 | 0xd4..=0xd8 => return None,
        })
    }

    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    fn number(&mut self, bytes: u64) -> Option<u64> {
        let bytes = self.take(bytes)?;
        Some(
            bytes
                .iter()
                .fold(0, |number, byte| number << 8 | u64::from(*byte)),
        )
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let length = usize::try_from(length).ok()?;
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_cut_at_their_end() {
        for value in [
            &b"\xc0"[..],
            b"\x07",
            b"\xff",
            b"\xcb\0\0\0\0\0\0\0\0",
            b"\xa3abc",
            b"\xd9\x03abc",
            b"\xc4\x02\0\xff",
            b"\x92\x01\x92\x02\x03",
            b"\x81\xa1a\x81\xa1b\x90",
            b"\xdc\0\x02\x01\x02",
            b"\xdf\0\0\0\x01\xa1k\xc3",
        ] {
            let mut encoded = value.to_vec();
            encoded.push(0xc2);
            let mut walk = Walk::new(&encoded);
            assert_eq!(walk.value(), Some(value));
            assert_eq!(walk.value(), Some(&b"\xc2"[..]));
            assert!(walk.is_at_end());
        }
    }

    #[test]
    fn what_is_cut_short_or_unknown_is_no_value() {
        for encoded in [
            &b""[..],
            b"\xa3ab",
            b"\x92\x01",
            b"\xdd\xff\xff\xff\xff",
            b"\xdb\xff\xff\xff\xff",
            b"\xc1",
            b"\xd4\x00\x00",
        ] {
            assert_eq!(Walk::new(encoded).value(), None, "{encoded:x?}");
        }
    }
}
