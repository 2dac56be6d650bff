//! The canonical form of header fields: RFC 6376 sections 3.4.1 and 3.4.2.

use mail_types::smtp::Field;

/// A canonicalization: the changes in transit that a signature tolerates.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Form {
    /// No change.
    Simple,
    /// Changes of white space, and of the case of field names.
    Relaxed,
}

impl Form {
    /// Reads one half of `c=`.
    pub(crate) fn of(word: &str) -> Option<Self> {
        let all = [("simple", Self::Simple), ("relaxed", Self::Relaxed)];
        all.into_iter().find(|(own, _)| own.eq_ignore_ascii_case(word)).map(|(_, form)| form)
    }

    /// Appends a field, with its line end.
    pub fn write_field(self, field: Field<'_>, out: &mut Vec<u8>) {
        self.write_open(field.name, field.body, out);
        out.extend_from_slice(b"\r\n");
    }

    /// Appends the signature field itself, without a line end and without the value of `b=`, whose
    /// position in the body is given.
    pub(crate) fn write_signature(
        self,
        field: Field<'_>,
        (begin, end): (usize, usize),
        out: &mut Vec<u8>,
    ) {
        let before = field.body.get(..begin).unwrap_or_default();
        let behind = field.body.get(end..).unwrap_or_default();
        self.write_open(field.name, &[before, behind].concat(), out);
    }

    fn write_open(self, name: &[u8], body: &[u8], out: &mut Vec<u8>) {
        let body = body.strip_suffix(b"\r\n").unwrap_or(body);
        match self {
            Self::Simple => {
                out.extend_from_slice(name);
                out.push(b':');
                out.extend_from_slice(body);
            }
            Self::Relaxed => {
                out.extend(name.trim_ascii_end().iter().map(u8::to_ascii_lowercase));
                out.push(b':');
                write_relaxed(body, out);
            }
        }
    }
}

/// Appends an unfolded body, with one blank for each run of white space and none at its ends.
fn write_relaxed(body: &[u8], out: &mut Vec<u8>) {
    let begin = out.len();
    let mut blank = false;
    let mut rest = body;
    while let Some((&octet, behind)) = rest.split_first() {
        rest = match (octet, behind) {
            (b' ' | b'\t', _) => {
                blank = true;
                behind
            }
            (b'\r', [b'\n', behind @ ..]) => behind,
            _ => {
                if std::mem::take(&mut blank) && out.len() > begin {
                    out.push(b' ');
                }
                let length = rest.iter().skip(1).position(|c| matches!(c, b' ' | b'\t' | b'\r'));
                let (plain, behind) = rest
                    .split_at_checked(length.map_or(rest.len(), |l| l + 1))
                    .unwrap_or((rest, &[]));
                out.extend_from_slice(plain);
                behind
            }
        };
    }
}
