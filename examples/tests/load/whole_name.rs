//! The name of a message of the client, if all of it has come.

/// Returns the name of a message that is whole.
pub(crate) fn whole_name(file: &[u8]) -> Option<String> {
    let text = str::from_utf8(file).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let field = |name| head.lines().find_map(|line| line.strip_prefix(name));
    let expected = format!("{} {:08x}", body.len(), crc32c::crc32c(body.as_bytes()));
    (field("X-Whole: ")? == expected).then(|| field("X-Name: ").map(str::to_owned))?
}
