//! The replies of the SMTP protocol, independent of policy.

use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};

use super::command_error::Shown;

/// Writes a reply for a client. Without SMTPUTF8 each non-ASCII character becomes a question mark (RFC
/// 5321 section 4.2).
pub(crate) fn write(reply: &Reply, utf8: bool, output: &mut Vec<u8>) {
    let begin = output.len();
    reply.write_to(output);
    let written = output.get(begin..).unwrap_or_default();
    if utf8 || written.is_ascii() {
        return;
    }
    let text = String::from_utf8_lossy(written);
    let ascii = text.chars().map(|c| u8::try_from(c).ok().filter(u8::is_ascii).unwrap_or(b'?'));
    let ascii: Vec<u8> = ascii.collect();
    output.truncate(begin);
    output.extend_from_slice(&ascii);
}

/// Makes a reply with an enhanced code (RFC 2034).
pub(crate) fn say(code: ReplyCode, enhanced: EnhancedCode, text: &str) -> Reply {
    Reply::new(code, text).with_enhanced(enhanced)
}

/// Makes the reply to a broken invariant of this program: the client should try again.
pub(crate) fn fault(what: &str) -> Reply {
    debug_assert!(false, "{what}");
    say(ReplyCode::LOCAL_ERROR, EnhancedCode::of::<4, 3, 0>(), what)
}

/// Makes the reply before the connection closes.
pub(crate) fn going(enhanced: EnhancedCode, text: &str) -> Reply {
    say(ReplyCode::NOT_AVAILABLE, enhanced, text)
}

pub(crate) fn bad_sequence(text: &str) -> Reply {
    say(ReplyCode::BAD_SEQUENCE, EnhancedCode::of::<5, 5, 1>(), text)
}

pub(crate) fn unsynchronized() -> Reply {
    say(ReplyCode::TRANSACTION_FAILED, EnhancedCode::of::<5, 5, 0>(), "SMTP synchronization error")
}

pub(crate) fn bare_line_end() -> Reply {
    say(
        ReplyCode::TRANSACTION_FAILED,
        EnhancedCode::of::<5, 6, 0>(),
        "bare CR or LF in the message or command",
    )
}

pub(crate) fn line_too_long() -> Reply {
    // 5.5.6 is for the lines of AUTH only (RFC 4954 section 6).
    say(ReplyCode::SYNTAX_ERROR, EnhancedCode::of::<5, 5, 2>(), "line too long")
}

pub(crate) fn no_room() -> Reply {
    say(
        ReplyCode::INSUFFICIENT_STORAGE,
        EnhancedCode::of::<4, 3, 1>(),
        "insufficient memory for the message, try again later",
    )
}

pub(crate) fn too_large() -> Reply {
    say(ReplyCode::TOO_LARGE, EnhancedCode::of::<5, 3, 4>(), "message too large")
}

pub(crate) fn header_too_large() -> Reply {
    let text = "message header section too large";
    say(ReplyCode::TOO_LARGE, EnhancedCode::of::<5, 3, 4>(), text)
}

/// The reply to `MAIL` or `RCPT` with octets above 127: 550 or 553 (RFC 6531 section 3.5).
pub(crate) fn needs_utf8(code: ReplyCode, verb: &str) -> Reply {
    let text = format!("{verb}: the address needs the parameter SMTPUTF8 of MAIL");
    say(code, EnhancedCode::of::<5, 6, 7>(), &text)
}

pub(crate) fn unknown_parameter(verb: &str, keyword: &str) -> Reply {
    let text = format!("{verb}: unknown parameter {}", Shown::new(keyword));
    say(ReplyCode::PARAMETER_UNKNOWN, EnhancedCode::of::<5, 5, 4>(), &text)
}

/// Makes the reply to a command whose argument is wrong.
pub(crate) fn wrong_argument(text: &str) -> Reply {
    say(ReplyCode::ARGUMENT_ERROR, EnhancedCode::of::<5, 5, 4>(), text)
}
