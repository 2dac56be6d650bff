//! The removal of forged fields: later readers of a message trust these fields as written by this host.
//!
//! | field                    | removed                                                             |
//! |--------------------------|---------------------------------------------------------------------|
//! | `Authentication-Results` | with this host's identifier, or without one (RFC 8601 section 5)     |
//! | `Received-SPF`           | with this host's `receiver=`, or without one (RFC 7208 section 9.1)   |
//! | `X-Quarantine`           | always                                                              |
//! | `Return-Path`            | if the message is delivered here (RFC 5321 section 4.4), not if it is relayed |
//!
//! This host's names are `primary_hostname` and the domains in `local_domains`; if that list needs an
//! expansion, any name counts as one of them.

use std::ops::Range;

use bytes::Bytes;
use mail_types::exim::is_invisible;
use mail_types::smtp::{Domain, Field, Header, MailHost};

/// Tells whether a host is or may be this one.
pub(crate) type Own<'a> = dyn Fn(&MailHost) -> bool + 'a;

/// Tells whether a reader may take one of these words for a name of this host, or whether there is no
/// word, or too many names.
fn names_own<'a>(own: &Own<'_>, words: impl Iterator<Item = &'a str>) -> bool {
    let mut left = MOST_NAMES;
    let poses = |word: &str| {
        // The compatibility form of these characters is a dot.
        let word = &word.replace(['\u{2024}', '\u{fe52}'], ".");
        let joined: String = word.chars().filter(|c| is_name(*c)).collect();
        let parts = word.split(|c| !is_name(c));
        [&**word, &joined].into_iter().chain(parts).any(|name| {
            left = left.saturating_sub(1);
            left == 0 || is_own(own, name)
        })
    };
    let mut words = words.peekable();
    words.peek().is_none() || words.any(poses)
}

/// Tells whether a character can be in a host name: letters and digits of Unicode, and the dots of IDNA.
fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}')
}

/// Tells whether a name is one of this host.
fn is_own(own: &Own<'_>, name: &str) -> bool {
    let name = name.trim_matches(['.', '-', '_']);
    let host = match Domain::from_unicode(name) {
        Ok(domain) => Some(MailHost::from(domain)),
        Err(_) => name.parse().ok(),
    };
    host.is_some_and(|host| own(&host))
}

/// Returns the parts of a message without forged fields, in order; `own` tells the names of this host,
/// and `kept` whether the message is delivered here.
pub(crate) fn without_forged(message: &Bytes, own: &Own<'_>, kept: bool) -> Vec<Bytes> {
    let mut parts = Vec::new();
    let (mut done, mut results) = (0, 0);
    for Range { start: begin, end } in Header::spans(message) {
        let field = message.get(begin..end).unwrap_or_default();
        let Some(field) = Field::of(field) else { continue };
        let name = bare_name(field.name);
        results += usize::from(is_result(&name));
        let is_too_many = results > MOST_RESULTS && is_result(&name);
        if is_too_many || is_forged(&name, field.body, own, kept) {
            if begin > done {
                parts.push(message.slice(done..begin));
            }
            done = end;
        }
    }
    if done < message.len() || parts.is_empty() {
        parts.push(message.slice(done..));
    }
    parts
}

/// Returns a name in lower case. A reader may ignore characters that a field name cannot have.
fn bare_name(name: &[u8]) -> Vec<u8> {
    let mut name = name.to_ascii_lowercase();
    name.retain(|c| c.is_ascii_alphanumeric() || *c == b'-');
    name
}

/// Tells whether a field of this name names the host that wrote it.
fn is_result(name: &[u8]) -> bool {
    matches!(name, b"authentication-results" | b"received-spf")
}

fn is_forged(name: &[u8], body: &[u8], own: &Own<'_>, kept: bool) -> bool {
    match name {
        // A reader of ISO 2022 sees another name.
        _ if is_result(name) && (body.len() > MOST || body.contains(&ESCAPE)) => true,
        b"authentication-results" => {
            let tokens = tokens(body);
            let mut parts = tokens.split(|token| *token == Token::Mark(';'));
            // The identifier, and its version; or a method.
            let first = parts.next().unwrap_or_default();
            let words = first.iter().filter_map(|token| match token {
                Token::Word(word) => Some(&**word),
                Token::Mark(_) => None,
            });
            first.iter().any(|token| matches!(token, Token::Mark(_))) || names_own(own, words)
        }
        b"received-spf" => {
            let tokens = tokens(body);
            let receivers = tokens.windows(3).filter_map(|three| match three {
                [Token::Word(key), Token::Mark('='), Token::Word(value)] => {
                    key.eq_ignore_ascii_case("receiver").then_some(&**value)
                }
                _ => None,
            });
            names_own(own, receivers)
        }
        b"x-quarantine" => true,
        b"return-path" => kept,
        _ => false,
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    /// `;` or `=`.
    Mark(char),
}

/// Splits a body into tokens without blanks and comments; a quoted string is a word or a part of one.
fn tokens(body: &[u8]) -> Vec<Token> {
    let (mut tokens, mut word) = (Vec::new(), None::<String>);
    let (mut depth, mut quoted) = (0_usize, false);
    let text = String::from_utf8_lossy(body);
    let mut chars = text.chars().filter(|c| !is_invisible(*c));
    while let Some(c) = chars.next() {
        match c {
            '\\' if quoted => word.get_or_insert_default().extend(chars.next()),
            '\\' if depth > 0 => drop(chars.next()),
            '"' if depth == 0 => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            _ if quoted => word.get_or_insert_default().push(c),
            '(' => depth += 1,
            ')' if depth > 0 => depth -= 1,
            _ if depth > 0 => {}
            ';' | '=' => {
                tokens.extend(word.take().map(Token::Word));
                tokens.push(Token::Mark(c));
            }
            _ if c.is_whitespace() || c.is_control() || c == char::REPLACEMENT_CHARACTER => {
                tokens.extend(word.take().map(Token::Word));
            }
            _ => word.get_or_insert_default().push(c),
        }
    }
    tokens.extend(word.take().map(Token::Word));
    tokens
}

/// The most fields of a message that are read; the next ones are removed.
const MOST_RESULTS: usize = 100;
/// The most names of a field that are compared; a field with more is removed.
const MOST_NAMES: usize = 64;
/// The longest body that is read; a field with a longer one is removed.
const MOST: usize = 65_536;
/// The escape of ISO 2022, which switches to another charset.
const ESCAPE: u8 = 0x1b;
