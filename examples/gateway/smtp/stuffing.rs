//! Dot stuffing: RFC 5321 section 4.5.2.

/// Writes a message in the form that follows `DATA`.
#[derive(Clone, Copy, Debug)]
pub struct Stuffing {
    at: At,
}

impl Stuffing {
    /// Appends the next piece of the message to `out`. The pieces may be cut anywhere; all their
    /// line ends are CRLF.
    pub fn write(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let mut rest = piece;
        while let Some((&first, behind)) = rest.split_first() {
            if self.at == At::LineStart && first == b'.' {
                out.push(b'.');
            }
            if first == b'\n' && self.at == At::CarriageReturn {
                out.push(first);
                (rest, self.at) = (behind, At::LineStart);
                continue;
            }
            // Up to the next CR everything is copied.
            let end = rest.iter().position(|&c| c == b'\r').map_or(rest.len(), |cr| cr + 1);
            let (run, behind) = rest.split_at(end);
            out.extend_from_slice(run);
            self.at = if run.ends_with(b"\r") { At::CarriageReturn } else { At::WithinLine };
            rest = behind;
        }
    }

    /// Appends the final dot, after completing the last line.
    pub fn finish(self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self.at {
            At::LineStart => b".\r\n",
            At::CarriageReturn => b"\n.\r\n",
            At::WithinLine => b"\r\n.\r\n",
        });
    }
}

impl Default for Stuffing {
    fn default() -> Self {
        Self { at: At::LineStart }
    }
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum At {
    LineStart,
    CarriageReturn,
    WithinLine,
}
