//! An excerpt of a message's header, for use in another mail.

/// Returns as many whole fields as fit into `limit` octets, with CR LF as line ends.
///
/// It ends with the header, and no line is longer than RFC 5322 section 2.1.1 allows. CR and NUL
/// within a line become `?`, and so does the first of two hyphens at its start, since they begin
/// the boundary of a part.
pub(crate) fn header_excerpt(header: &[u8], limit: usize) -> Vec<u8> {
    let mut excerpt = Vec::new();
    let mut fields_end = 0;
    for line in header.split_inclusive(|&octet| octet == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        if !matches!(line.first(), Some(b' ' | b'\t')) {
            fields_end = excerpt.len();
        }
        let line = line.get(..LINE).unwrap_or(line);
        if excerpt.len() + line.len() + 2 > limit {
            excerpt.truncate(fields_end);
            break;
        }
        let hyphens = line.starts_with(b"--");
        excerpt.extend(line.iter().enumerate().map(|(at, octet)| match octet {
            b'\r' | 0 => b'?',
            b'-' if hyphens && at == 0 => b'?',
            octet => *octet,
        }));
        excerpt.extend(b"\r\n");
    }
    excerpt
}

const LINE: usize = 998;
