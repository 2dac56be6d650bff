//! Every report that is read stays within the limits, and is written and read again as the same, plain
//! and compressed.

#![no_main]

use dmarc_policy::{Feedback, FeedbackLimits, OverrideKind};
use libfuzzer_sys::fuzz_target;
use mail_types::results::SpfIdentity;

fuzz_target!(|input: &[u8]| {
    let mut limits = FeedbackLimits::default();
    (limits.xml, limits.records, limits.text) = (1 << 20, 50, 1000);
    (limits.children, limits.deviations) = (20, 10);
    let Ok(reading) = Feedback::read(input, &limits) else { return };
    assert!(reading.deviations.len() <= limits.deviations);
    let mut feedback = reading.feedback;
    assert!(feedback.rows.len() <= limits.records);
    assert!(feedback.rows.iter().all(|row| row.signatures.len() <= limits.children));

    // A report that has lost its policy cannot be written again.
    if feedback.policy.domain.is_empty() {
        feedback.policy.domain = "x".to_owned();
    }
    // What only RFC 7489 has is not written.
    feedback.policy.pct = None;
    for row in &mut feedback.rows {
        row.spf_result.take_if(|spf| spf.scope == Some(SpfIdentity::Helo));
        for reason in &mut row.reasons {
            reason.kind = match reason.kind {
                OverrideKind::Forwarded => OverrideKind::TrustedForwarder,
                OverrideKind::SampledOut => OverrideKind::Other,
                kind => kind,
            };
        }
    }
    // Several errors are one that may be longer.
    limits.text = usize::MAX / 2;
    limits.xml = usize::MAX / 2;
    for written in [feedback.to_xml().into_bytes(), feedback.to_gzip()] {
        let again = Feedback::read(&written, &limits).map(|reading| reading.feedback);
        assert_eq!(again.as_ref(), Ok(&feedback));
    }
});
