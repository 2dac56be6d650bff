//! Elements of DER that no library at hand writes.

use der::{Encode as _, Header, Tag};

use crate::Done;

/// Writes an element with this tag around these parts.
pub(crate) fn element(tag: Tag, parts: &[&[u8]]) -> Done<Vec<u8>> {
    let contents = parts.concat();
    let mut written = Header::new(tag, contents.len().try_into()?).to_der()?;
    written.extend(contents);
    Ok(written)
}
