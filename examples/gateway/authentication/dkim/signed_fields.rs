//! The header fields that a signature covers: RFC 6376 section 5.4.2.

use mail_types::smtp::{Field, Header};
use std::collections::HashMap;

use super::terms::Terms;

/// The fields of a message, indexed by their names.
#[derive(Debug)]
pub(crate) struct SignedFields<'m> {
    fields: Vec<Field<'m>>,
    /// The positions of the fields of each name, in lower case.
    places: HashMap<Vec<u8>, Vec<usize>>,
}

impl<'m> SignedFields<'m> {
    pub(crate) fn of(header: Header<'m>) -> Self {
        let fields: Vec<_> = header.fields().collect();
        let mut places = HashMap::<_, Vec<_>>::new();
        for (at, field) in fields.iter().enumerate() {
            places.entry(field.bare_name().to_ascii_lowercase()).or_default().push(at);
        }
        Self { fields, places }
    }

    /// Writes the signed text: for each name in `h=` the last field that is not yet used, then the
    /// signature field itself, which has the number `own`.
    pub(crate) fn write(&self, terms: &Terms, own: usize) -> Vec<u8> {
        let (form, mut out) = (terms.forms.0, Vec::new());
        let mut left = HashMap::<&str, &[usize]>::new();
        for name in &terms.names {
            let all = || self.places.get(name.as_bytes()).map_or(&[][..], Vec::as_slice);
            let left = left.entry(name).or_insert_with(all);
            while let Some((&at, above)) = left.split_last() {
                *left = above;
                if let Some(field) = self.fields.get(at).filter(|_| at != own) {
                    form.write_field(*field, &mut out);
                    break;
                }
            }
        }
        if let Some(field) = self.fields.get(own) {
            form.write_signature(*field, terms.signature_at, &mut out);
        }
        out
    }
}
