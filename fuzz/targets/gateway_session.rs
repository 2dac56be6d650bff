//! A session never panics, sends whole replies, accepts no message with a bare CR or LF, accepts a
//! message for exactly the recipients that accept it, and does not depend on the pieces of its input,
//! except after the two commands at which the client must wait.

#![no_main]

use std::sync::Arc;

use examples::gateway::smtp::session::{Question, Session, SessionSettings, SessionStep};
use libfuzzer_sys::fuzz_target;
use mail_types::smtp::{Header, Mailbox, Reply, ReplyCode};

fuzz_target!(|input: (u8, &[u8])| {
    let (choices, bytes) = input;
    let whole = talk(choices, &[bytes]);
    let waits =
        |command: &[u8]| bytes.windows(command.len()).any(|w| w.eq_ignore_ascii_case(command));
    let split: Vec<&[u8]> = bytes.chunks(1 + usize::from(choices >> 4)).collect();
    let split = talk(choices, &split);
    if !waits(b"DATA") && !waits(b"STARTTLS") {
        assert_eq!(whole, split);
    }
});

/// What a session takes, and offers by these choices.
fn settings(choices: u8) -> SessionSettings {
    SessionSettings {
        primary_hostname: "mx.example".into(),
        smtp_banner: "ESMTP".into(),
        message_size_limit: 200,
        recipients_max: 4,
        header_maxsize: 10_000,
        received_headers_max: 2,
        smtp_max_synprot_errors: 5,
        smtp_max_unknown_commands: 5,
        smtp_accept_max_nonmail: 10,
        smtp_max_refused: u32::from(choices >> 6) * 3,
        smtp_accept_max_per_connection: 3,
        tls_advertise: choices & 1 != 0,
        prdr_enable: choices & 8 != 0,
    }
}

/// Runs a session; returns what it said and what it took.
fn talk(choices: u8, pieces: &[&[u8]]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let settings = settings(choices);
    let mut session = Session::new(Arc::new(settings), choices & 2 != 0);
    let (mut output, mut messages, mut takers) = (Vec::new(), Vec::new(), Vec::new());
    session.handle_decision(&Reply::new(ReplyCode::READY, ""));
    for piece in pieces {
        session.handle_bytes(piece);
        loop {
            match session.poll() {
                SessionStep::Read => break,
                SessionStep::Close => {
                    assert_eq!(session.poll(), SessionStep::Close);
                    break;
                }
                SessionStep::Turn => {}
                SessionStep::Pause(wait) => {
                    assert!((1..=10).contains(&wait.as_secs()));
                    session.handle_pause_end();
                }
                SessionStep::StartTls => session.handle_tls(),
                SessionStep::Decide(question) => {
                    check_takers(question, &session, &mut takers);
                    let reply = decide(choices, question, &mut session, &mut messages);
                    if let Question::Verdict(at) = question {
                        let recipient = &session.transaction().unwrap().recipients[at];
                        takers.push((recipient.clone(), reply.code() == ReplyCode::OK));
                    }
                    session.handle_decision(&reply);
                }
            }
        }
        output.extend(session.take_output());
        assert!(session.held() < 16_384 + 4 * 1024 + 3 * bytes_of(pieces));
    }
    session.handle_timeout();
    output.extend(session.take_output());
    // Nobody gets more than ASCII who has not asked for it.
    assert!(
        output.is_ascii()
            || pieces.concat().to_ascii_uppercase().windows(8).any(|w| w == b"SMTPUTF8")
    );
    let mut rest = &output[..];
    while !rest.is_empty() {
        rest = Reply::parse(rest).expect("only whole replies are sent").0;
    }
    (output, messages)
}

fn bytes_of(pieces: &[&[u8]]) -> usize {
    pieces.iter().map(|piece| piece.len()).max().unwrap_or(0)
}

/// Where each recipient was asked, the message is for those who said yes.
fn check_takers(question: Question, session: &Session, takers: &mut Vec<(Mailbox, bool)>) {
    match question {
        Question::Verdict(at) => assert_eq!(at, takers.len()),
        Question::Message if !takers.is_empty() => {
            let yes = takers.drain(..).filter(|(_, yes)| *yes).map(|(mailbox, _)| mailbox);
            assert_eq!(yes.collect::<Vec<_>>(), session.transaction().unwrap().recipients);
        }
        Question::Message => {
            let transaction = session.transaction().unwrap();
            assert!(!transaction.prdr && transaction.recipients.len() > 1);
        }
        _ => takers.clear(),
    }
}

fn decide(
    choices: u8,
    question: Question,
    session: &mut Session,
    messages: &mut Vec<Vec<u8>>,
) -> Reply {
    match question {
        Question::Message => {
            let message = session.take_message();
            let bare = message.split(|&c| c == b'\n').any(|line| {
                let inner = line.strip_suffix(b"\r").unwrap_or(line);
                inner.contains(&b'\r') || (!line.is_empty() && inner.len() == line.len())
            });
            assert!(!bare, "{message:?}");
            assert!(message.len() <= 204);
            assert!(!Header::is_missing(&message), "{message:?}");
            assert!(!session.transaction().unwrap().is_headless() || message.starts_with(b"\r\n"));
            assert!(!session.transaction().unwrap().recipients.is_empty());
            messages.push(message);
        }
        Question::Verdict(at) => {
            let recipient = &session.transaction().unwrap().recipients[at];
            let first = recipient.local_part().bytes().next().unwrap_or(b'a');
            let code = [ReplyCode::OK, ReplyCode::BUSY, ReplyCode::MAILBOX_UNAVAILABLE];
            return Reply::new(code[usize::from(first % 3)], "as you like");
        }
        Question::Recipient => assert!(session.candidate().is_some()),
        Question::Greeting => {}
        Question::Mail => assert!(session.transaction().is_some()),
        Question::Connect => unreachable!("it has been decided"),
    }
    let no = choices & 4 != 0 && question == Question::Recipient && messages.len() % 2 == 1;
    Reply::new(if no { ReplyCode::MAILBOX_UNAVAILABLE } else { ReplyCode::OK }, "as you like")
}
