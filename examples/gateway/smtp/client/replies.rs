//! The replies of the server.

use std::time::Instant;

use mail_types::smtp::{EnhancedCode, Reply, ReplyCode, ReplyError, Severity};
use memchr::{memchr2, memrchr};

use super::{Client, ClientStep, Due, Lost, Offers};

impl Client {
    /// Returns the next reply, if it is whole.
    pub(super) fn take_reply(&mut self) -> Option<Reply> {
        let rest = self.input.rest();
        // Parse again only after a line end, so that single octets do not cause a parse each.
        let line = rest.get(self.seen..).unwrap_or_default();
        let too_long = line.len() + "\r\n".len() > Reply::MAX_LINE_READ;
        if memchr2(b'\r', b'\n', line).is_some() || too_long {
            match Reply::parse(rest) {
                Ok((behind, reply)) => {
                    let used = rest.len() - behind.len();
                    self.input.take(used);
                    self.seen = 0;
                    return Some(reply);
                }
                Err(ReplyError::Incomplete) => {
                    self.seen = memrchr(b'\n', rest).map_or(0, |end| end + 1);
                }
                Err(_) => self.lose(Lost::Malformed),
            }
        }
        if self.ended {
            self.lose(Lost::Closed);
        }
        None
    }

    /// Takes the reply to the oldest command that has none.
    pub(super) fn handle_reply(&mut self, reply: Reply, now: Instant) -> Option<ClientStep> {
        let &due = self.due.front()?;
        let is_recipient = matches!(due, Due::Recipient(_));
        let reply = if is_recipient { recipient_reply(reply) } else { reply };
        let severity = reply.code().severity();
        if reply.code() == ReplyCode::NOT_AVAILABLE {
            self.lose(Lost::NotWilling(reply));
            return None;
        }
        if self.transfer.is_some() {
            self.handle_transfer_reply(due, reply, now);
            return None;
        }
        self.due.pop_front();
        match due {
            Due::Greeting if reply.code() != ReplyCode::READY => {
                self.lose(Lost::NotWilling(reply));
            }
            Due::Ehlo => {
                let completed = severity == Severity::Completed;
                self.offers = Offers::default();
                self.ehlo = Some(reply.clone());
                if completed {
                    self.offers = Offers::read(&reply, self.secured);
                    self.offers.prdr &= self.settings.try_prdr;
                    return Some(ClientStep::Replied(reply));
                }
                self.command(Due::Helo);
            }
            Due::Helo if severity != Severity::Completed => {
                self.lose(Lost::NotWilling(reply));
            }
            Due::StartTls if severity == Severity::Completed => {
                // RFC 3207 section 6: these octets could be of an attacker in the middle.
                if self.may_send() {
                    let by = self.by(now, self.settings.limits.command);
                    return Some(ClientStep::StartTls(by));
                }
            }
            Due::Greeting | Due::Helo | Due::Quit => return Some(ClientStep::Replied(reply)),
            _ if severity == Severity::Intermediate => self.lose(Lost::Malformed),
            _ => {
                if severity == Severity::Completed {
                    self.extend_transaction(due);
                }
                return Some(ClientStep::Replied(reply));
            }
        }
        None
    }

    /// The server has accepted the sender or a recipient.
    fn extend_transaction(&mut self, due: Due) {
        let transaction = &mut self.transaction;
        match due {
            Due::Mail => {
                transaction.open = true;
                transaction.recipients.clear();
            }
            Due::Recipient(_) => transaction.recipients.extend(transaction.candidate.take()),
            _ => {}
        }
    }
}

/// Returns the reply to `RCPT` that is meant. A server that takes no more recipients may say 552, which means 452 (RFC
/// 5321 section 4.5.3.1.10).
fn recipient_reply(reply: Reply) -> Reply {
    if reply.code() != ReplyCode::TOO_LARGE || reply.enhanced().is_some_and(is_permanent) {
        return reply;
    }
    let mut lines = reply.lines().collect::<Vec<_>>();
    let last = format!("{} (the server said 552)", lines.pop().unwrap_or_default());
    lines.push(last.trim_start());
    let mut lines = lines.into_iter();
    let first = Reply::new(ReplyCode::INSUFFICIENT_STORAGE, lines.next().unwrap_or_default());
    let meant = lines.fold(first, Reply::with_line);
    let enhanced = reply.enhanced();
    match enhanced.and_then(|code| EnhancedCode::new(4, code.subject(), code.detail()).ok()) {
        Some(enhanced) => meant.with_enhanced(enhanced),
        None => meant,
    }
}

/// Tells whether a code names a cause that lasts: the address, its mailbox, as one that is full, the size of the message
/// (RFC 1870 section 6.4), or a policy.
fn is_permanent(code: EnhancedCode) -> bool {
    match (code.subject(), code.detail()) {
        (2, detail) => detail > 0,
        (1 | 7, _) | (3, 4) => true,
        _ => false,
    }
}
