//! Reads a `From` field that RFC 5322 does not allow, as mail programs show it to people.
//!
//! If programs differ, every domain that one of them may show counts: the message is tested for
//! each, so that an extra domain harms only a malformed field.

use mail_types::dns::Name;
use mail_types::smtp::MailHost;

use crate::author::domain::{domain, is_dot, shown_otherwise};
use crate::author::domains::AuthorDomains;
use crate::author::encoded_word::{
    decoded, has_opaque_word, has_unknown_word, is_in_encoded_word, without_escapes,
};
use crate::author::line_end::{has_bare, without_folds};
use crate::author::{quoted, text};
use crate::{Author, AuthorFault};

/// The body of a field, and the position of its first violation of RFC 5322.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lenient<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) at: usize,
}

impl Lenient<'_> {
    /// Adds the domains and the fault in the first [`Author::MAX_OCTETS`] octets.
    pub(crate) fn read(self, domains: &mut AuthorDomains) {
        let start = self.body.get(..Author::MAX_OCTETS);
        if start.is_none()
            && let Some(domain) = self.only_address()
        {
            return domains.add(domain);
        }
        let body = start.unwrap_or(self.body);
        let unfolded = without_folds(body).and_then(|unfolded| decoded(&unfolded));
        let (decoded, unescaped) = (decoded(body), without_escapes(body));
        let (mut is_faulty, mut has_domain) = (has_opaque_word(body), false);
        let others = [&decoded, &unescaped, &unfolded].into_iter().flatten();
        for text in std::iter::once(body).chain(others.map(|text| &**text)) {
            let mut seen = Seen::default();
            // Programs may or may not show the text between two parts of a domain.
            for blanks in [true, false] {
                let visible = text::visible(text, blanks);
                let shown = match visible {
                    Some(visible) => [Some(visible), None],
                    None => [Some(text::all(text, blanks)), text::before_unclosed(text, blanks)],
                };
                for text in shown.into_iter().flatten() {
                    seen.scan(&String::from_utf8_lossy(&text), domains);
                }
            }
            // An unreadable text may contain an `@`: many East Asian charsets have a second form of
            // it.
            let hidden = has_at(text) && !seen.found || has_unread(text) && !seen.domain;
            is_faulty |= seen.unreadable || hidden || is_reversed(text);
            has_domain |= seen.domain;
        }
        if is_faulty || has_unknown_word(body) && !has_domain {
            domains.mark(AuthorFault::Unreadable { at: self.at });
        }
    }

    /// Returns the domain of the only `<…>` with an address, if there is exactly one, no `@` after
    /// it, and no address with a separator before it. An address literal does not count: then the
    /// text before it does.
    fn only_address(self) -> Option<Name> {
        // Some programs end the domain at a control character.
        let ends = |octet: &u8| octet.is_ascii_control() && !b"\r\n\t".contains(octet);
        if self.body.iter().any(ends) || has_bare(self.body) || is_reversed(self.body) {
            return None;
        }
        let visible = text::visible(self.body, true)?;
        let mut rest = &*visible;
        while let Some(open) = rest.iter().position(|&octet| octet == b'<') {
            let inside = rest.get(open + 1..)?;
            let close = inside.iter().position(|&octet| octet == b'>')?;
            let (content, behind) = inside.split_at(close);
            if content.contains(&b'<') {
                return None;
            }
            if has_at(content) {
                let before = visible.get(..visible.len() - inside.len()).unwrap_or_default();
                let more = has_at(behind)
                    || has_opaque_word(behind)
                    || decoded(behind).as_deref().is_some_and(has_at)
                    || has_listed(before)
                    || decoded(before).as_deref().is_some_and(has_listed);
                return if more { None } else { address(content) };
            }
            rest = behind;
        }
        None
    }
}

/// Reads the text between `<` and `>`, without a route (RFC 5322 section 4.4), dots at its end, and
/// blanks around dots and `@`. Returns `None` if programs differ: a domain with a blank in a label
/// or after several labels, with punctuation, or an encoded word.
fn address(content: &[u8]) -> Option<Name> {
    let content = str::from_utf8(content).ok()?;
    if is_in_encoded_word(content.as_bytes()) {
        return None;
    }
    let (_, host) = content.rsplit_once(AT)?;
    let (near, far) = (labels(host.trim_start(), false), labels(host.trim_start(), true));
    let is_parted = |label: &str| label.trim().contains(char::is_whitespace);
    if host.split(is_dot).any(is_parted) || near != far && near.contains('.') {
        return None;
    }
    let text: String = content.split_whitespace().collect();
    let text = text.trim_end_matches(is_dot);
    let route = text.rsplit_once(':').filter(|_| text.starts_with(AT));
    let text = route.map_or(text, |(_, behind)| behind);
    let (local, host) = text.split_once(AT)?;
    if local.is_empty() || host.contains(AT) {
        return None;
    }
    let whole = host.chars().all(|c| is_dot(c) || is_label(c));
    domain(host).filter(|_| whole && shown_otherwise(host).next().is_none())
}

/// The combined result of the readings of a text.
#[derive(Debug, Default)]
struct Seen {
    /// A domain or an address literal was found.
    found: bool,
    /// A domain was found.
    domain: bool,
    /// The text after an `@` is not a domain.
    unreadable: bool,
}

impl Seen {
    /// Adds every domain after an `@`.
    fn scan(&mut self, text: &str, domains: &mut AuthorDomains) {
        for part in text.split(AT).skip(1) {
            let Some(part) = self.after_literal(part.trim_start(), domains) else { continue };
            let (near, far) = (labels(part, false), labels(part, true));
            if near != far {
                self.take(&near, domains);
            }
            self.take(&far, domains);
            for joined in joined(part) {
                domains.found_in(&joined);
            }
        }
    }

    /// Returns the text in which a domain begins; `None` after an address literal that ends the
    /// address. What follows a tag in another literal (RFC 5321 section 4.1.3) is shown too.
    fn after_literal<'a>(&mut self, part: &'a str, domains: &mut AuthorDomains) -> Option<&'a str> {
        let Some(inside) = part.strip_prefix('[') else { return Some(part) };
        let Some((literal, behind)) = inside.split_once(']') else { return Some(inside) };
        if format!("[{}]", literal.trim()).parse::<MailHost>().is_err() {
            for tagged in literal.split(':').skip(1).filter(|tagged| tagged.contains(is_dot)) {
                domains.found_in(&labels(tagged, false));
            }
            return Some(inside);
        }
        self.found = true;
        let goes_on = behind.starts_with(is_label) || behind.trim_start().starts_with(is_dot);
        goes_on.then_some(behind)
    }

    fn take(&mut self, text: &str, domains: &mut AuthorDomains) {
        if text.is_empty() {
            return;
        }
        if domains.found_in(text) {
            (self.found, self.domain) = (true, true);
            return;
        }
        self.unreadable = true;
        // A name above it may have a policy for all names below it.
        let dots = text.match_indices('.').map(|(dot, _)| dot + 1);
        let count = dots.clone().count();
        let mut above = dots.skip(count.saturating_sub(MOST_ABOVE));
        if let Some(above) = above.find_map(|at| text.get(at..).and_then(domain)) {
            domains.add(above);
        }
    }
}

/// Returns the labels at the start of a text, with one dot between them; blanks around the dots are
/// skipped.
fn labels(text: &str, blanks: bool) -> String {
    let mut found = String::new();
    let mut rest = text;
    loop {
        let before = rest;
        rest = rest.trim_start_matches(|c: char| is_dot(c) || blanks && c.is_whitespace());
        let parted = before.len() > rest.len()
            && before.get(..before.len() - rest.len()).is_some_and(|gap| gap.contains(is_dot));
        let end = rest.find(|c| !is_label(c)).unwrap_or(rest.len());
        let (label, behind) = rest.split_at_checked(end).unwrap_or_default();
        if label.is_empty() || !(parted || found.is_empty()) {
            return found;
        }
        if !found.is_empty() {
            found.push('.');
        }
        found.push_str(label);
        rest = behind;
    }
}

/// Returns the domains of programs that remove the blanks in a label, before any number of words.
///
/// A word before a `<` that has no dot belongs to a display name.
fn joined(part: &str) -> Vec<String> {
    let end = part.find(|c: char| !is_label(c) && !is_dot(c) && !c.is_whitespace());
    let (region, behind) = part.split_at_checked(end.unwrap_or(part.len())).unwrap_or_default();
    let words: Vec<_> = region.split_whitespace().collect();
    let is_named = behind.starts_with('<');
    let mut found = Vec::new();
    for count in (2..=words.len().min(MOST_JOINED)).chain([words.len()]) {
        let words = words.get(..count).unwrap_or_default();
        let in_name = is_named && words.last().is_some_and(|word| !word.contains(is_dot));
        if count > 1 && !in_name {
            found.push(labels(&words.concat(), false));
        }
    }
    found
}

/// Tells whether a text has the character that shows all after it from right to left, so that
/// another address is seen than the one there.
pub(crate) fn is_reversed(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).contains('\u{202e}')
}

/// Adds the domains of addresses in quoted strings that are no names.
pub(crate) fn add_quoted(body: &[u8], domains: &mut AuthorDomains) {
    let body = body.get(..Author::MAX_OCTETS).unwrap_or(body);
    if !body.contains(&b'"') {
        return;
    }
    for text in [Some(body), decoded(body).as_deref()].into_iter().flatten() {
        for content in quoted::shown(text) {
            Seen::default().scan(&String::from_utf8_lossy(&content), domains);
        }
    }
}

/// Tells whether a text has a character that looks like an `@`.
pub(crate) fn has_wide_at(text: &[u8]) -> bool {
    let is_wide = |c: char| !c.is_ascii() && AT.contains(&c);
    !text.is_ascii() && String::from_utf8_lossy(text).contains(is_wide)
}

fn has_unread(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).contains(char::REPLACEMENT_CHARACTER)
}

fn has_at(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).contains(AT)
}

/// Tells whether a text has an address and a separator after it: then many programs show it as the
/// first of several, whatever is wrong with the next ones.
fn has_listed(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.split_once(AT).is_some_and(|(_, behind)| behind.contains(SEPARATORS))
}

fn is_label(c: char) -> bool {
    !is_dot(c) && !c.is_whitespace() && !AT.contains(&c) && !"()<>[]:;,\\\"".contains(c)
}

/// `@`, and characters that look like it.
const AT: [char; 3] = ['@', '\u{fe6b}', '\u{ff20}'];

/// Characters that end an address in some programs, and are not part of one in brackets.
const SEPARATORS: [char; 7] = [',', ';', ':', '>', ')', '[', ']'];

/// The most words of a domain with blanks, besides all.
const MOST_JOINED: usize = 4;
/// The number of labels at the end of an invalid domain that may form a domain.
const MOST_ABOVE: usize = 8;
