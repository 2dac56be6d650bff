//! The text of a reply, as the modifier `message` gives it.

use mail_types::{EnhancedCode, Reply, ReplyCode};

use super::text::Text;

/// Makes a reply of lines. The first may begin with a code of the same class as `code`, and with an
/// enhanced one of that class; returned is also a code of another class, which is not used.
pub(super) fn reply(
    code: ReplyCode,
    enhanced: &str,
    lines: &[String],
    flat: bool,
) -> (Reply, Option<ReplyCode>) {
    let joined;
    let lines = if flat {
        joined = [lines.join(" ")];
        &joined
    } else {
        lines
    };
    let (first, more) = lines.split_first().map_or(("", &[][..]), |(first, more)| (first, more));
    let (own, text) = split(first);
    let fits = own.is_none_or(|own| own.severity() == code.severity());
    let code = own.filter(|_| fits).unwrap_or(code);
    let with_own = format!("{code} {text}").parse::<Reply>().ok();
    let reply = match with_own.filter(|reply| reply.enhanced().is_some()) {
        Some(reply) => reply,
        None => match enhanced.parse() {
            Ok(enhanced) => Reply::new(code, text).with_enhanced(enhanced),
            Err(_) => Reply::new(code, text),
        },
    };
    let reply = more.iter().fold(reply, |reply, line| reply.with_line(line));
    (reply, own.filter(|_| !fits))
}

/// Checks the codes that a text begins with, as far as they are written in it.
///
/// # Errors
///
/// The code that is not of the class of `code`.
pub(super) fn check_class(text: &Text, code: ReplyCode) -> Result<(), String> {
    let lead = String::from_utf8_lossy(text.lead());
    // A word that goes on with an expansion is not known.
    let known = match text.literal() {
        Some(_) => &*lead,
        None => lead.rsplit_once(' ').map_or("", |(known, _)| known),
    };
    let (own, rest) = split(known);
    if let Some(own) = own.filter(|own| own.severity() != code.severity()) {
        return Err(own.to_string());
    }
    let word = rest.split(' ').next().unwrap_or_default();
    let class = code.get() / 100;
    match word.parse::<EnhancedCode>() {
        Ok(enhanced) if own.is_some() && u16::from(enhanced.class()) != class => {
            Err(enhanced.to_string())
        }
        _ => Ok(()),
    }
}

/// Splits a reply code off.
fn split(line: &str) -> (Option<ReplyCode>, &str) {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word.parse() {
        Ok(code) => (Some(code), rest),
        Err(_) => (None, line),
    }
}
