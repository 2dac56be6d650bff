//! A regular expression matches where PCRE2 without UTF matches, with the same groups, or is refused.
//! The input is the expression up to a zero octet, and the subject.

#![no_main]

use event_expand::{ExpandError, ExpandFailure, Options, Template, Variables};
use libfuzzer_sys::fuzz_target;
use mail_types::exim::{Trust, Value, Variable};
use pcre2::bytes::{Regex, RegexBuilder};

struct Case<'a> {
    pattern: &'a str,
    subject: &'a [u8],
}

impl Variables for Case<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        match name {
            "p" => Value::new(self.pattern.as_bytes(), Trust::Trusted).into(),
            "s" => Value::new(self.subject, Trust::Untrusted).into(),
            _ => Variable::Unknown,
        }
    }
}

fuzz_target!(|input: &[u8]| {
    let Some(end) = input.iter().position(|octet| *octet == 0) else { return };
    let Ok(pattern) = str::from_utf8(&input[..end]) else { return };
    let subject = &input[end + 1..];
    if pattern.len() > 200 || subject.len() > 2000 {
        return;
    }
    let case = Case { pattern, subject };
    let mut options = Options::default();
    options.limits.regex_backtracks = 10_000;
    let matched = Template::parse(MATCH.as_bytes()).unwrap();
    let found = match matched.expand_with(&case, &options, |_| unreachable!()) {
        Ok(found) => found,
        Err(ExpandFailure::Error(ExpandError::Regex { offset, .. })) => {
            assert!(offset <= pattern.len());
            return;
        }
        Err(_) => return,
    };
    // Compared without shortcuts: the plain search defines the meaning.
    let text = format!("(*NO_START_OPT)(*NO_AUTO_POSSESS)(*LIMIT_MATCH=1000000){pattern}");
    let peer = match RegexBuilder::new().build(&text) {
        Ok(peer) => peer,
        Err(error) if error.to_string().contains("too large") => return,
        Err(error) => panic!("PCRE2 refuses {pattern:?}: {error}"),
    };
    let Ok(captures) = peer.captures(subject) else { return };
    let expected = captures.map_or(b"no".to_vec(), |captures| {
        let groups = (0..=9).map(|group| captures.get(group).map_or(&b""[..], |m| m.as_bytes()));
        groups.flat_map(|group| [b"<", group, b">"].concat()).collect()
    });
    assert_eq!(
        found.as_bytes().escape_ascii().to_string(),
        expected.escape_ascii().to_string(),
        "{pattern:?} of {}",
        subject.escape_ascii()
    );
    substitutions(&case, &peer, &options);
});

/// All matches of a subject: `sg` searches on from each, after an empty one for another that is not empty there.
fn substitutions(case: &Case<'_>, peer: &Regex, options: &Options) {
    let (Case { pattern, subject }, mut at, mut empty) = (case, 0, false);
    // These depend on the start of a search.
    if pattern.contains("\\G") || pattern.contains("\\K") {
        return;
    }
    let template = Template::parse(SUBSTITUTE.as_bytes()).unwrap();
    let Ok(found) = template.expand_with(case, options, |_| unreachable!()) else { return };
    let text = format!("(*NOTEMPTY_ATSTART){}", peer.as_str());
    let not_empty = RegexBuilder::new().build(&text).unwrap();
    let (mut expected, mut groups) = (Vec::new(), peer.capture_locations());
    loop {
        let regex = if empty { &not_empty } else { peer };
        let Ok(matched) = regex.captures_read_at(&mut groups, subject, at) else { return };
        let Some(matched) = matched else { break };
        expected.extend_from_slice(&subject[at..matched.start()]);
        expected.extend([b"<", matched.as_bytes(), b">"].concat());
        (at, empty) = (matched.end(), matched.start() == matched.end());
        if empty && at >= subject.len() {
            break;
        }
    }
    expected.extend_from_slice(&subject[at..]);
    let shown = |text: &[u8]| text.escape_ascii().to_string();
    assert_eq!(shown(found.as_bytes()), shown(&expected), "{pattern:?} in {}", shown(subject));
}

/// Each match in brackets.
const SUBSTITUTE: &str = "${sg{$s}{$p}{<\\$0>}}";

/// The groups, if it matches.
const MATCH: &str = "${if match{$s}{$p}{<$0><$1><$2><$3><$4><$5><$6><$7><$8><$9>}{no}}";
