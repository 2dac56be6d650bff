//! The header section of any message is split into fields without a gap, is its own header section, and
//! has the same fields before other text; a message without one has none after an empty line.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mail_types::smtp::{Field, Header};

fuzz_target!(|message: &[u8]| {
    let header = Header::of(message);
    let mut end = 0;
    for span in Header::spans(message) {
        assert!(span.start == end && span.end > span.start);
        let field = &message[span.clone()];
        assert!(field.ends_with(b"\n") || span.end == message.len());
        if let Some(field) = Field::of(field) {
            assert!(!field.name.contains(&b':'));
            let bare = field.bare_name();
            assert!(bare.len() <= field.name.len());
            if let Ok(name) = str::from_utf8(bare) {
                assert!(field.is(name) && field.is(&name.to_ascii_uppercase()));
                assert!(header.bodies(name).any(|body| body == field.body));
            }
        }
        end = span.end;
    }
    assert_eq!(header.text, &message[..end]);
    let between = &message[end..message.len() - header.body.len()];
    assert!(matches!(between, b"" | b"\n" | b"\r\n"));
    assert!(!between.is_empty() || header.body.is_empty());

    let fields: Vec<_> = header.fields().collect();
    let again = Header::of(header.text);
    assert!(again.text == header.text && again.body.is_empty());
    assert!(again.fields().eq(fields.iter().copied()));

    // A field that a server puts before the message, and an empty line where it has to be.
    let line: &[u8] = if Header::is_missing(message) { b"\r\n" } else { b"" };
    let whole = [b"X: y\r\n", line, message].concat();
    let mut fields = fields.into_iter().filter(|_| line.is_empty());
    let mut longer = Header::of(&whole).fields();
    let first = longer.next();
    assert_eq!(first, Some(Field { name: b"X", body: b" y\r\n" }));
    assert!(longer.by_ref().eq(fields.by_ref()));
});
