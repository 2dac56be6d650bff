//! Authors of `From` fields, some of which show `victim.example`.

use dmarc_policy::Author;
use mail_types::dns::Name;

pub(crate) fn read(row: &str) -> Author {
    Author::from_fields([row.as_bytes()])
}

pub(crate) fn shows_victim(author: &Author) -> bool {
    author.domains().contains(&name("victim.example"))
}

pub(crate) fn name(text: &str) -> Name {
    text.parse().unwrap_or_else(|_| Name::root())
}
