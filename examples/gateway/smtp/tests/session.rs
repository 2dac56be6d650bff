//! Sessions of clients, hostile ones included.

use std::sync::Arc;

use mail_types::smtp::{EnhancedCode, Reply, ReplyCode};

use crate::gateway::smtp::replies::say;
use crate::gateway::smtp::session::{Question, Session, SessionSettings, SessionStep};

pub(crate) fn settings() -> SessionSettings {
    SessionSettings {
        primary_hostname: "mx.example".into(),
        smtp_banner: "ESMTP".into(),
        message_size_limit: 1000,
        recipients_max: 3,
        header_maxsize: 10_000,
        received_headers_max: 2,
        smtp_max_synprot_errors: 3,
        smtp_max_unknown_commands: 2,
        smtp_accept_max_nonmail: 4,
        smtp_max_refused: 5,
        smtp_accept_max_per_connection: 2,
        tls_advertise: true,
        prdr_enable: false,
    }
}

/// A session, and what was accepted in it.
pub(crate) struct Talk {
    pub(crate) session: Session,
    pub(crate) messages: Vec<String>,
    /// For whom each message was taken.
    pub(crate) taken: Vec<Vec<String>>,
    pub(crate) closed: bool,
    /// How often others had their turn.
    pub(crate) turns: usize,
    /// For how many seconds each reply was held back.
    pub(crate) pauses: Vec<u64>,
}

impl Talk {
    pub(crate) fn new(settings: SessionSettings) -> Self {
        let session = Session::new(Arc::new(settings), false);
        Self {
            session,
            messages: Vec::new(),
            taken: Vec::new(),
            closed: false,
            turns: 0,
            pauses: Vec::new(),
        }
    }

    /// Goes on until more is wanted; refuses senders and recipients that begin with `no`.
    pub(crate) fn replies(&mut self) -> String {
        for step in 0.. {
            assert!(step < 100_000, "the session does not come to an end");
            match self.session.poll() {
                SessionStep::Read => break,
                SessionStep::Close => {
                    self.closed = true;
                    break;
                }
                SessionStep::Turn => self.turns += 1,
                SessionStep::Pause(wait) => {
                    self.pauses.push(wait.as_secs());
                    self.session.handle_pause_end();
                }
                SessionStep::StartTls => self.session.handle_tls(),
                SessionStep::Decide(question) => {
                    let reply = self.decide(question);
                    self.session.handle_decision(&reply);
                }
            }
        }
        String::from_utf8(self.session.take_output()).unwrap()
    }

    fn decide(&mut self, question: Question) -> Reply {
        let no = |name: &str| name.starts_with("no");
        match question {
            Question::Connect => Reply::new(ReplyCode::READY, ""),
            Question::Greeting if no(&self.session.greeting().name) => {
                say(ReplyCode::MAILBOX_UNAVAILABLE, EnhancedCode::REFUSED_BY_POLICY, "no")
            }
            Question::Greeting => Reply::new(ReplyCode::OK, ""),
            Question::Mail => {
                let sender = &self.session.transaction().unwrap().sender;
                match sender.mailbox() {
                    Some(sender) if no(sender.local_part()) => {
                        say(ReplyCode::MAILBOX_UNAVAILABLE, EnhancedCode::REFUSED_BY_POLICY, "no")
                    }
                    _ => say(ReplyCode::OK, EnhancedCode::ADDRESS_VALID, "ok"),
                }
            }
            Question::Recipient if self.session.candidate().unwrap().local_part() == "wait" => {
                say(ReplyCode::BUSY, EnhancedCode::of::<4, 2, 1>(), "wait")
            }
            Question::Recipient if no(self.session.candidate().unwrap().local_part()) => {
                say(ReplyCode::MAILBOX_UNAVAILABLE, EnhancedCode::NO_SUCH_MAILBOX, "no")
            }
            Question::Recipient => say(ReplyCode::OK, EnhancedCode::RECIPIENT_VALID, "ok"),
            Question::Verdict(at) => self.verdict(at),
            Question::Message => {
                let recipients = &self.session.transaction().unwrap().recipients;
                self.taken.push(recipients.iter().map(ToString::to_string).collect());
                self.messages.push(String::from_utf8(self.session.take_message()).unwrap());
                say(ReplyCode::OK, EnhancedCode::SUCCESS, "taken")
            }
        }
    }

    /// Who begins with `bad` refuses each message, who begins with `later` defers it.
    fn verdict(&self, at: usize) -> Reply {
        assert!(!self.session.message().is_empty());
        let recipient = &self.session.transaction().unwrap().recipients[at];
        match recipient.local_part() {
            part if part.starts_with("bad") => {
                say(ReplyCode::MAILBOX_UNAVAILABLE, EnhancedCode::REFUSED_BY_POLICY, "not this")
            }
            part if part.starts_with("later") => {
                say(ReplyCode::BUSY, EnhancedCode::of::<4, 2, 1>(), "not now")
            }
            part => say(ReplyCode::OK, EnhancedCode::RECIPIENT_VALID, &format!("{part} takes it")),
        }
    }

    pub(crate) fn say(&mut self, text: &str) -> String {
        self.session.handle_bytes(text.as_bytes());
        self.replies()
    }
}

/// Greets, and comes as far as a sender and a recipient.
pub(crate) fn ready(settings: SessionSettings) -> Talk {
    let mut talk = Talk::new(settings);
    talk.replies();
    talk.say("EHLO client.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n");
    talk
}

/// Each line and the codes it is answered with, one after the other in a session of its own.
pub(crate) fn dialogue(rows: &[(&str, &str)]) {
    let mut talk = Talk::new(settings());
    talk.replies();
    for (line, expected) in rows {
        let answer = talk.say(&format!("{line}\r\n"));
        let codes: Vec<_> = answer
            .lines()
            .filter(|l| l.as_bytes()[3] == b' ')
            .map(|l| l.split(' ').take(2).collect::<Vec<_>>().join(" "))
            .collect();
        assert_eq!(codes.join(", "), *expected, "{line} was answered {answer:?}");
    }
}

#[test]
fn a_message_with_data() {
    let mut talk = Talk::new(settings());
    assert_eq!(talk.replies(), "220 mx.example ESMTP\r\n");
    assert_eq!(
        talk.say("EHLO client.example\r\n"),
        "250-mx.example greets client.example\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
         250-PIPELINING\r\n250-CHUNKING\r\n250-ENHANCEDSTATUSCODES\r\n250-STARTTLS\r\n250 HELP\r\n"
    );
    assert_eq!(
        talk.say("MAIL FROM:<a@b.example> SIZE=20\r\nRCPT TO:<c@d.example>\r\nDATA\r\n"),
        "250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 send the message, end it with a dot\r\n"
    );
    assert_eq!(talk.say("Subject: x\r\n\r\n..dot\r\n.\r"), "");
    assert_eq!(
        talk.say("\nQUIT\r\n"),
        "250 2.0.0 taken\r\n221 2.0.0 mx.example closing connection\r\n"
    );
    assert_eq!(talk.messages, ["Subject: x\r\n\r\n.dot\r\n"]);
    assert!(talk.closed);
}

#[test]
fn a_session_is_the_same_however_its_bytes_are_split() {
    let text = "EHLO c.example\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nBDAT 5\r\nab\r\nc\
                BDAT 6 LAST\r\nd\r\ne\r\nQUIT\r\n";
    let mut whole = Talk::new(settings());
    whole.replies();
    let answers = whole.say(text);
    assert_eq!(whole.messages, ["\r\nab\r\ncd\r\ne\r\n"], "it has no header");
    let mut split = Talk::new(settings());
    split.replies();
    let bytes: String = text.bytes().map(|c| split.say(&char::from(c).to_string())).collect();
    assert_eq!(bytes, answers);
    assert_eq!(split.messages, whole.messages);
}

#[test]
fn data_is_the_same_however_its_bytes_are_split() {
    for end in 0..=12 {
        let data = "..a\r\n.b\r\n\r\n.\r\n";
        let mut talk = ready(settings());
        talk.say("DATA\r\n");
        let (first, second) = data.split_at(end);
        let answers = talk.say(first) + &talk.say(second);
        assert_eq!(answers, "250 2.0.0 taken\r\n", "cut at {end}");
        assert_eq!(talk.messages, ["\r\n.a\r\nb\r\n\r\n"]);
    }
}

/// None of these is the end of a message, and none leaves its rest to be taken for commands.
#[test]
fn nothing_but_crlf_dot_crlf_ends_data() {
    for end in [
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r",
        "\r\n.\r",
        "\r.\r\n",
        "\n.\r",
        "\r\r\n.\r\n",
        "x\ny\r\n.\r\n",
        "x\ry\r\n.\r\n",
        "\0\n.\r\n",
    ] {
        let mut talk = ready(settings());
        talk.say("DATA\r\n");
        let answers = talk.say(&format!(
            "a{end}MAIL FROM:<x@y.example>\r\nRCPT TO:<x@y.example>\r\nDATA\r\nb\r\n.\r\n"
        ));
        assert_eq!(answers, "554 5.6.0 bare CR or LF in the message or command\r\n", "{end:?}");
        assert!(talk.closed && talk.messages.is_empty(), "{end:?}");
    }
    let mut talk = ready(settings());
    talk.say("DATA\r\n");
    assert_eq!(talk.say("a\r\n.b\r\n..\r\nc.\r\n.\r\n"), "250 2.0.0 taken\r\n");
    assert_eq!(talk.messages, ["\r\na\r\nb\r\n.\r\nc.\r\n"]);
}

#[test]
fn a_bare_end_in_a_chunk_or_a_command_is_refused() {
    let mut talk = ready(settings());
    let answer = talk.say("BDAT 4 LAST\r\na\nb\nNOOP\r\n");
    assert!(answer.starts_with("554 5.6.0") && answer.ends_with("250 2.0.0 ok\r\n"), "{answer}");
    assert!(talk.messages.is_empty());
    for line in ["NOOP\n", "NOOP\rNOOP\r\n", "NO\nOP\r\n"] {
        let mut talk = ready(settings());
        assert!(talk.say(line).starts_with("554 5.6.0"), "{line:?}");
        assert!(talk.closed);
    }
}

#[test]
fn who_talks_too_early_is_refused() {
    let mut early = Talk::new(settings());
    early.session.handle_bytes(b"EHLO a\r\n");
    assert_eq!(early.replies(), "554 5.5.0 SMTP synchronization error\r\n");
    assert!(early.closed);
    // Behind DATA the client waits for 354, behind STARTTLS for 220.
    for text in ["DATA\r\nSubject: x\r\n", "STARTTLS\r\nNOOP\r\n"] {
        let mut talk = ready(settings());
        assert_eq!(talk.say(text), "554 5.5.0 SMTP synchronization error\r\n", "{text}");
        assert!(talk.closed);
    }
}

#[test]
fn tls_starts_the_session_over() {
    let mut talk = ready(settings());
    assert_eq!(talk.say("STARTTLS\r\n"), "220 2.0.0 go ahead\r\n");
    assert!(talk.session.greeting().tls);
    assert!(talk.say("MAIL FROM:<>\r\n").starts_with("503 5.5.1"));
    let answer = talk.say("EHLO c.example\r\n");
    assert!(!answer.contains("STARTTLS"), "{answer}");
    assert!(talk.say("STARTTLS\r\n").starts_with("502"));
}

#[test]
fn commands_out_of_order() {
    dialogue(&[
        ("MAIL FROM:<a@b.example>", "503 5.5.1"),
        ("HELO c.example", "250 mx.example"),
        ("RCPT TO:<a@b.example>", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
    ]);
    dialogue(&[
        ("EHLO c.example", "250 HELP"),
        ("MAIL FROM:<>", "250 2.1.0"),
        ("MAIL FROM:<>", "503 5.5.1"),
        ("DATA", "554 5.5.1"),
        ("RCPT TO:<no@b.example>", "550 5.1.1"),
        ("BDAT 0 LAST", "554 5.5.1"),
        ("EHLO c.example", "250 HELP"),
        ("RCPT TO:<a@b.example>", "503 5.5.1, 421 4.7.0"),
    ]);
    dialogue(&[
        ("EHLO c.example", "250 HELP"),
        ("MAIL FROM:<no@b.example>", "550 5.7.1"),
        ("MAIL FROM:<a@b.example>", "250 2.1.0"),
        ("RCPT TO:<postmaster>", "250 2.1.5"),
        ("BDAT 0", "250 2.0.0"),
        ("DATA", "503 5.5.1"),
        ("RCPT TO:<a@b.example>", "503 5.5.1"),
        ("RSET", "250 2.0.0"),
        ("BDAT 6", ""),
        ("abcd", "503 5.5.1"),
    ]);
}

#[test]
fn arguments() {
    for (line, expected) in [
        ("EHLO [IPv6:2001:db8::1]", "250 HELP"),
        ("ehlo c.example", "250 HELP"),
        ("EHLO", "501 5.5.4"),
        ("EHLO a b", "501 5.5.4"),
        ("EHLO [192.0.2.300]", "501 5.5.4"),
        ("VRFY a@b.example", "252 2.5.2"),
        ("VRFY", "501 5.5.4"),
        ("EXPN list", "502 5.5.1"),
        ("HELP", "214 2.0.0"),
        ("NOOP anything", "250 2.0.0"),
        ("XCLIENT", "500 5.5.2"),
        ("NOOP \u{1}", "500 5.5.2"),
        ("QUIT now", "501 5.5.4"),
    ] {
        dialogue(&[(line, expected)]);
    }
    for (line, expected) in [
        ("MAIL FROM:<a@b.example> BODY=8BITMIME SMTPUTF8 SIZE=1000", "250 2.1.0"),
        ("mail from: <a@b.example> body=7bit", "250 2.1.0"),
        ("MAIL FROM:<\u{fc}@b.example> SMTPUTF8", "250 2.1.0"),
        ("MAIL FROM:<a@b\u{fc}cher.example>", "550 5.6.7"),
        ("MAIL FROM:<\u{fc}@b.example>", "550 5.6.7"),
        ("MAIL FROM:<a@b.example> SIZE=1001", "552 5.3.4"),
        ("MAIL FROM:<a@b.example> SIZE=99999999999999999999", "552 5.3.4"),
        ("MAIL FROM:<a@b.example> SIZE=+5", "501 5.5.4"),
        ("MAIL FROM:<a@b.example> SIZE", "501 5.5.4"),
        ("MAIL FROM:<a@b.example> BODY=BINARYMIME", "501 5.5.4"),
        ("MAIL FROM:<a@b.example> SMTPUTF8=1", "501 5.5.4"),
        ("MAIL FROM:<a@b.example> SIZE=1 size=2", "501 5.5.4"),
        ("MAIL FROM:<a@b.example>SIZE=1", "501 5.5.4"),
        ("MAIL FROM:a@b.example", "501 5.1.7"),
        ("MAIL FROM:<a b@b.example>", "501 5.1.7"),
        ("MAIL TO:<a@b.example>", "501 5.5.4"),
        ("MAIL FROM:<\"a>b\"@b.example>", "250 2.1.0"),
    ] {
        dialogue(&[("EHLO c.example", "250 HELP"), (line, expected)]);
    }
    dialogue(&[("HELO c.example", "250 mx.example"), ("MAIL FROM:<> SIZE=1", "555 5.5.4")]);
    for (line, expected) in [
        ("RCPT TO:<>", "501 5.1.3"),
        ("RCPT TO:<a@b.example> NOTIFY=NEVER", "555 5.5.4"),
        ("RCPT TO:<\u{fc}@b.example>", "553 5.6.7"),
        ("RCPT TO:<@r.example:a@b.example>", "250 2.1.5"),
        ("BDAT", "501 5.5.4"),
    ] {
        dialogue(&[
            ("EHLO c.example", "250 HELP"),
            ("MAIL FROM:<>", "250 2.1.0"),
            (line, expected),
        ]);
    }
}

#[test]
fn time_and_the_server_can_end_it() {
    let mut talk = ready(settings());
    talk.session.handle_timeout();
    assert!(talk.replies().starts_with("421 4.4.2"));
    talk.session.handle_timeout();
    talk.session.handle_bytes(b"NOOP\r\n");
    assert_eq!(talk.replies(), "");
    let mut talk = ready(settings());
    talk.session.handle_stop();
    assert!(talk.replies().starts_with("421 4.3.2"));
}

#[test]
fn a_refused_connection_gets_no_banner() {
    let mut session = Session::new(Arc::new(settings()), false);
    assert_eq!(session.poll(), SessionStep::Decide(Question::Connect));
    session.handle_decision(&say(
        ReplyCode::TRANSACTION_FAILED,
        EnhancedCode::REFUSED_BY_POLICY,
        "no",
    ));
    assert_eq!(session.poll(), SessionStep::Close);
    assert_eq!(session.take_output(), b"554 5.7.1 no\r\n");
    session.handle_decision(&Reply::new(ReplyCode::OK, ""));
    assert_eq!(session.take_output(), b"");
}

#[test]
fn junk_is_a_name_where_that_is_allowed() {
    let mut session = Session::new(Arc::new(settings()), true);
    session.handle_decision(&Reply::new(ReplyCode::READY, ""));
    session.handle_bytes(b"EHLO not_a host\r\n");
    assert_eq!(session.poll(), SessionStep::Decide(Question::Greeting));
    assert_eq!(session.greeting().name, "not_a host");
}
