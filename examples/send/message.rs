//! The message to send.

use std::io::{self, Read};

/// The most octets of a message.
const MAX: u64 = 256 << 20;

/// Reads a message, whose lines may end in LF, and gives each line its CRLF.
pub(crate) fn read(input: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    input.take(MAX + 1).read_to_end(&mut text)?;
    if text.len() as u64 > MAX {
        let error = format!("the message has more than {MAX} octets");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, error));
    }
    Ok(with_crlf(&text))
}

/// Makes every line end CRLF: a bare LF or CR is one too.
fn with_crlf(text: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(text.len() + text.len() / 32 + 2);
    let mut last = 0;
    for &octet in text {
        match octet {
            b'\n' if last == b'\r' => {}
            b'\n' | b'\r' => lines.extend_from_slice(b"\r\n"),
            other => lines.push(other),
        }
        last = octet;
    }
    if !lines.is_empty() && !lines.ends_with(b"\r\n") {
        lines.extend_from_slice(b"\r\n");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::with_crlf;

    #[test]
    fn each_line_ends_in_crlf() {
        for (text, lines) in [
            ("", ""),
            ("a", "a\r\n"),
            ("a\n", "a\r\n"),
            ("a\r\n\r\nb\r\n", "a\r\n\r\nb\r\n"),
            ("a\n\nb\r\nc\rd", "a\r\n\r\nb\r\nc\r\nd\r\n"),
            ("\r\r\n", "\r\n\r\n"),
        ] {
            assert_eq!(with_crlf(text.as_bytes()), lines.as_bytes(), "{text:?}");
        }
    }
}
