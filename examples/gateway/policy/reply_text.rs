//! The text of a reply, as the modifier `message` gives it.

use std::str::FromStr;

use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};

use super::rules::Problem;
use super::text::Text;

/// Makes a reply of lines. The first may begin with a code of the same class as `code`, and with an
/// enhanced one of that class; returned is also a code of another class, which is left out.
pub(super) fn reply(
    code: ReplyCode,
    enhanced: EnhancedCode,
    lines: &[String],
    flat: bool,
) -> (Reply, Option<String>) {
    let joined;
    let lines = if flat {
        joined = [lines.join(" ")];
        &joined
    } else {
        lines
    };
    let (first, more) = lines.split_first().map_or(("", &[][..]), |(first, more)| (first, more));
    let class = code.get() / 100;
    let Codes { own, own_enhanced, text } = split(first);
    let wrong = own.filter(|own| own.severity() != code.severity()).map(|own| own.to_string());
    let fits = |own: &EnhancedCode| u16::from(own.class()) == class;
    let wrong_enhanced = own_enhanced.filter(|own| !fits(own)).map(|own| own.to_string());
    // After a wrong code, the enhanced code was not chosen for this reply either.
    let own_enhanced = own_enhanced.filter(|own| wrong.is_none() && fits(own));
    let code = own.filter(|_| wrong.is_none()).unwrap_or(code);
    let reply = Reply::new(code, text);
    let reply = reply.with_enhanced(own_enhanced.unwrap_or(enhanced));
    let reply = more.iter().fold(reply, |reply, line| reply.with_line(line));
    (reply, wrong.or(wrong_enhanced))
}

/// Checks the codes that a text begins with, as far as they are written in it.
///
/// # Errors
///
/// [`Problem::ReplyClass`] for a code of another class than `code`, and [`Problem::NotEnhanced`] for a dotted number
/// other than an enhanced status code.
pub(super) fn check_codes(text: &Text, code: ReplyCode, verb: &'static str) -> Result<(), Problem> {
    let lead = String::from_utf8_lossy(text.lead());
    // A word that goes on with an expansion is not known.
    let known = match (lead.split_once('\n'), text.literal()) {
        (Some((line, _)), _) => line,
        (None, Some(_)) => &*lead,
        (None, None) => lead.rsplit_once(' ').map_or("", |(known, _)| known),
    };
    let class = code.get() / 100;
    let Codes { own, own_enhanced, text } = split(known);
    let other_class = |code| Err(Problem::ReplyClass { code, verb });
    if let Some(own) = own.filter(|own| own.severity() != code.severity()) {
        return other_class(own.to_string());
    }
    if let Some(enhanced) = own_enhanced {
        let fits = u16::from(enhanced.class()) == class;
        return if fits { Ok(()) } else { other_class(enhanced.to_string()) };
    }
    let word = text.split(' ').next().unwrap_or_default();
    let is_like_one = word.starts_with(['2', '4', '5'])
        && word.matches('.').count() > 1
        && word.bytes().all(|octet| octet.is_ascii_digit() || octet == b'.');
    if own.is_some() && is_like_one {
        return Err(Problem::NotEnhanced { word: word.to_owned() });
    }
    Ok(())
}

/// What a line begins with, and the text behind that.
struct Codes<'a> {
    own: Option<ReplyCode>,
    own_enhanced: Option<EnhancedCode>,
    text: &'a str,
}

/// Splits a reply code and an enhanced code off.
fn split(line: &str) -> Codes<'_> {
    let (own, rest) = word(line.trim());
    let (own_enhanced, text) = word(rest);
    Codes { own, own_enhanced, text }
}

/// Splits the first word off, if it is of this type.
fn word<T: FromStr>(line: &str) -> (Option<T>, &str) {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word.parse() {
        Ok(word) => (Some(word), rest.trim_start()),
        Err(_) => (None, line),
    }
}
