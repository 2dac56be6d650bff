//! A template parses to the same tree each time, its outline shows it, and an error is at a position in
//! the text.

#![no_main]

use event_expand::{Limits, Template, TemplateError};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let limits = Limits::default();
    match Template::parse(text) {
        Ok(template) => {
            assert_eq!(template.text(), text);
            assert!(template.names().all(|name| !name.is_empty() && name.len() <= text.len()));
            let outline = template.outline().to_string();
            let again = Template::parse(text).map(|again| again.outline().to_string());
            assert_eq!(again, Ok(outline));
        }
        Err(TemplateError::TooLong { limit }) => assert!(text.len() > limit),
        Err(error) => {
            assert!(error.at() <= text.len(), "{error}");
            // Where the limits are wider, it is the same fault, or one further on.
            let mut wider = limits;
            wider.depth *= 2;
            if let Err(other) = Template::parse_within(text, &wider) {
                assert!(other.at() >= error.at());
            }
        }
    }
});
