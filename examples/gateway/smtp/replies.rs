//! The replies of the SMTP protocol, independent of policy.

use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};

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
    say(ReplyCode::SYNTAX_ERROR, EnhancedCode::of::<5, 5, 6>(), "line too long")
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

/// RFC 6531 section 3.5.
pub(crate) fn needs_utf8() -> Reply {
    say(ReplyCode::NAME_NOT_ALLOWED, EnhancedCode::of::<5, 6, 7>(), "the address needs SMTPUTF8")
}

pub(crate) fn unknown_parameter() -> Reply {
    say(ReplyCode::PARAMETER_UNKNOWN, EnhancedCode::of::<5, 5, 4>(), "unknown parameter")
}

/// The reply to a `BDAT` with an invalid size. The next command cannot be found, so the connection closes,
/// and the code says so (RFC 7504).
pub(crate) fn unreadable_chunk() -> Reply {
    let text = "invalid chunk size";
    say(ReplyCode::MAIL_NOT_ACCEPTED, EnhancedCode::of::<5, 5, 4>(), text)
}
