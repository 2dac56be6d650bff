//! The variables of texts. A configuration with a variable that has no value at the stage of its text is
//! refused.
//!
//! | name                                                        | value                            |
//! |-------------------------------------------------------------|----------------------------------|
//! | `sender_host_address`, `sender_host_port`, `sender_host_name` | the client; behind a proxy, the client that it announces |
//! | `sender_helo_name`                                          | its name in `HELO` or `EHLO`     |
//! | `sender_fullhost`                                           | the client as `name (helo) [address]`: the name only if it was looked up, the helo only if it differs from name and address |
//! | `received_ip_address`, `received_port`                      | the local address of the connection |
//! | `received_protocol`                                         | the protocol, such as `esmtps`   |
//! | `proxy_*`                                                   | see `proxy_protocol::ProxyInfo`  |
//! | `primary_hostname`                                          | this host's name                 |
//! | `tls_in_sni`, `tls_sni`                                     | the server name that the client requested by TLS |
//! | `tls_in_ocsp`                                               | 4 if an OCSP staple was available for the client, 1 if not, 0 without TLS and in a resumed session |
//! | `tls_in_cipher`                                             | the TLS version and cipher suite, such as `TLS1.3:TLS_AES_256_GCM_SHA384:256` |
//! | `tls_in_peercert`, `tls_in_peerdn`                          | the certificate of a client that was asked for one, for `certextract` and digests, and its subject |
//! | `tls_in_ourcert`                                            | the certificate that this host has shown, likewise; empty in a resumed session |
//! | `tls_in_certificate_verified`                               | 1 if it is valid, otherwise 0    |
//! | `smtp_command`                                              | the current command, as received |
//! | `sender_address`, `sender_address_local_part`, `sender_address_domain` | of `MAIL`             |
//! | `prdr_requested`                                            | `yes` or `no`                    |
//! | `local_part`, `domain`, `recipients_count`                  | the recipient; the number of accepted ones, at data of those that accept the message |
//! | `rcpt_count`, `rcpt_fail_count`, `rcpt_defer_count`         | the number of `RCPT` commands for the message, the current one included, and of those that were refused for good and for now |
//! | `recipients`                                                | at prdr and data: the accepted recipients, at data those that accept the message, with a comma and a blank between them |
//! | `message_size`                                              | the announced size; after the message, its real size |
//! | `profile`                                                   | the profile of the recipient; at data, of all recipients |
//! | `sender_rate`, `sender_rate_limit`, `sender_rate_period`    | of the last `ratelimit`          |
//! | `spf_result`, `spf_result_guessed`, `spf_used_domain`       | of the last `spf` or `spf_guess` |
//! | `spf_received`, `spf_header_comment`, `spf_smtp_comment`    | of the same, for header fields and replies |
//! | `dmarc_status`, `dmarc_status_text`, `dmarc_used_domain`, `dmarc_domain_policy` | after the message; see `dmarc_policy::Verdict::variable` |
//! | `dmarc_alignment_spf`, `dmarc_alignment_dkim`, `dmarc_ar_header` | of the same                 |
//! | `h_NAME:`, `rh_NAME:`, `lh_NAME:`, `bh_NAME:`              | the message's header fields of this name, at prdr and data: decoded and trimmed; as received; as a list; like `h_`, since all text is UTF-8 |
//! | `message_headers`                                           | at prdr and data: the header section as received, decoded, up to 64K |
//! | `message_body`                                              | at prdr and data: the first `message_body_visible` octets of the body, with blanks in place of line ends and NUL |
//! | `tod_epoch`, `tod_log`                                      | the time, in seconds since 1970, and as `2026-11-29 23:00:00` in UTC |
//! | `acl_arg1` to `acl_arg9`, `acl_narg`                      | in a list that is called: its arguments, and their number    |
//! | `acl_c…`, `acl_m…`                                          | the value of `set`, for the connection or the message |

use std::sync::atomic::{AtomicUsize, Ordering};

use event_expand::{Event, HeaderForm, ListKind, Variables};
use mail_types::exim::{Trust, Value, Variable};
use proxy_protocol::ProxyInfo;

use super::built_in::{BUILT_IN, EVERYWHERE, UNTRUSTED, word};
use super::condition::PUBLISHED;
use super::conditions::ratelimit;
use super::context::Context;
use super::field_text::field_text;
use super::outgoing;
use super::place::Place;
use super::stage::Stage;
use super::state::Snapshot;
use crate::gateway::events::variables::{UNTRUSTED as UNTRUSTED_OF_EVENTS, is_variable};
use crate::gateway::lookups::language::NamedLists;

/// The names of all variables, to check a text at the start.
pub(super) struct Names;

impl Variables for Names {
    fn variable(&self, name: &str) -> Variable<'_> {
        let is_known = stages(name).is_some() || outgoing::is_variable(name) || is_variable(name);
        if is_known { Variable::Unset } else { Variable::Unknown }
    }
}

/// The names of the variables that can have a value at a place, header fields included. For some of them
/// every value is untrusted.
pub(crate) struct NamesAt(pub(crate) Place);

impl Variables for NamesAt {
    fn variable(&self, name: &str) -> Variable<'_> {
        let (is_known, is_untrusted) = match self.0 {
            Place::Session(Stage::Event) => {
                (is_of_rules(name) || is_variable(name), UNTRUSTED_OF_EVENTS.contains(&name))
            }
            Place::Session(stage) => (
                stages(name).is_some_and(|stages| stages.contains(&stage)),
                UNTRUSTED.contains(&name),
            ),
            Place::Outgoing => (outgoing::is_variable(name), outgoing::is_untrusted(name)),
        };
        match is_known {
            true if is_untrusted => Value::new(b"", Trust::Untrusted).into(),
            true => Variable::Unset,
            false => Variable::Unknown,
        }
    }

    fn header(&self, _: &str, _: HeaderForm) -> Variable<'_> {
        match self.0 {
            Place::Session(stage) if Stage::CONTENT.contains(&stage) => Variable::Unset,
            _ => Variable::Unknown,
        }
    }

    fn certificate(&self, name: &str) -> Option<&[u8]> {
        let is_known = match self.0 {
            Place::Session(Stage::Event) => Event::CERTIFICATES.contains(&name),
            Place::Session(stage) => {
                Stage::GREETED.contains(&stage)
                    && ["tls_in_ourcert", "tls_in_peercert"].contains(&name)
            }
            Place::Outgoing => ["tls_out_ourcert", "tls_out_peercert"].contains(&name),
        };
        is_known.then_some(&[])
    }
}

/// The names of the variables of an action that calls no list of rules.
pub(crate) struct NamesOfEvents;

impl Variables for NamesOfEvents {
    fn variable(&self, name: &str) -> Variable<'_> {
        if is_variable(name) { Variable::Unset } else { Variable::Unknown }
    }
}

/// The stages at which a variable can have a value; `None` for an unknown variable.
fn stages(name: &str) -> Option<&'static [Stage]> {
    if let Some((_, stages, _)) = BUILT_IN.iter().find(|(known, ..)| *known == name) {
        return Some(stages);
    }
    if is_acl(name) || is_argument(name) {
        return Some(Stage::CALLED);
    }
    if let Some((stages, _)) = PUBLISHED.iter().find(|(_, names)| names.contains(&name)) {
        return Some(stages);
    }
    let proxied = ProxyInfo::direct(([0, 0, 0, 0], 0).into());
    let unknown = matches!(proxied.variable(name), Variable::Unknown);
    (!unknown).then_some(EVERYWHERE)
}

impl Variables for Context<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        if let Some(event) = self.event.as_ref().filter(|_| !is_of_rules(name)) {
            return event.variable(name);
        }
        let value = if let Some((.., value_of)) = BUILT_IN.iter().find(|(own, ..)| *own == name) {
            value_of(self)
        } else if is_acl(name) {
            self.state.variable(name)
        } else if name == "acl_narg" {
            Some(word(&self.state.arguments()))
        } else if is_argument(name) {
            let number = name.strip_prefix("acl_arg").and_then(|number| number.parse().ok());
            number.and_then(|number| self.state.argument(number))
        } else if let Some(name) = published(name) {
            self.state.published(name)
        } else {
            return self.client.map_or(Variable::Unset, |client| client.session.variable(name));
        };
        value.map_or(Variable::Unset, Variable::Value)
    }

    fn certificate(&self, name: &str) -> Option<&[u8]> {
        if let Some(event) = &self.event {
            return event.certificate(name);
        }
        match name {
            "tls_in_ourcert" => self.client?.own_certificate().map(|own| &**own),
            "tls_in_peercert" => self.client?.certificate().map(|certificate| &*certificate.der),
            _ => None,
        }
    }

    fn header(&self, name: &str, form: HeaderForm) -> Variable<'_> {
        match field_text(self.message, name, form) {
            Some(text) => Value::new(text, Trust::Untrusted).into(),
            None => Variable::Unset,
        }
    }
}

/// The variables of a text, with the named lists. A text that goes on after it has called a list of rules
/// is expanded from its beginning: up to the call it sees the variables as they were before.
pub(super) struct Seen<'a> {
    variables: &'a dyn Variables,
    lists: &'a NamedLists,
    /// The variables before the answers with these numbers.
    earlier: &'a [(usize, Snapshot)],
    /// The number of answers that the expansion has used.
    answers: AtomicUsize,
}

impl<'a> Seen<'a> {
    pub(super) fn new(
        variables: &'a dyn Variables,
        lists: &'a NamedLists,
        earlier: &'a [(usize, Snapshot)],
    ) -> Self {
        Self { variables, lists, earlier, answers: AtomicUsize::new(0) }
    }
}

impl Variables for Seen<'_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        let past = self.answers.load(Ordering::Relaxed);
        match self.earlier.iter().find(|(number, _)| *number > past) {
            Some((_, then)) if is_acl(name) || published(name).is_some() => {
                then.get(name).map_or(Variable::Unset, Variable::Value)
            }
            _ => self.variables.variable(name),
        }
    }

    fn handle_answers(&self, count: usize) {
        self.answers.store(count, Ordering::Relaxed);
    }

    fn header(&self, name: &str, form: HeaderForm) -> Variable<'_> {
        self.variables.header(name, form)
    }

    fn certificate(&self, name: &str) -> Option<&[u8]> {
        self.variables.certificate(name)
    }

    fn list(&self, kind: ListKind, name: &str) -> Variable<'_> {
        match self.lists.get(kind, name) {
            Some(text) if !text.contains('$') => Value::trusted(text).into(),
            _ => Variable::Unknown,
        }
    }
}

fn published(name: &str) -> Option<&'static str> {
    let names = PUBLISHED.iter().flat_map(|(_, names)| *names);
    names.copied().find(|known| *known == name)
}

/// Tells whether rules give a variable its value, in the action of an event too.
fn is_of_rules(name: &str) -> bool {
    is_acl(name) || is_argument(name) || ratelimit::VARIABLES.contains(&name)
}

/// Tells whether a name can be `set`: `acl_c` or `acl_m`, then a digit or an underscore and more.
pub(crate) fn is_acl(name: &str) -> bool {
    let rest = name.strip_prefix("acl_c").or_else(|| name.strip_prefix("acl_m"));
    let named = |rest: &str| rest.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
    let rest = rest.filter(|rest| named(rest) && name.len() <= MAX_NAME);
    rest.is_some_and(|rest| match rest.split_at_checked(1) {
        Some((first, _)) if first.bytes().all(|c| c.is_ascii_digit()) => true,
        Some(("_", more)) => !more.is_empty(),
        _ => false,
    })
}

/// Tells whether a variable is about the arguments of a called list.
fn is_argument(name: &str) -> bool {
    name == "acl_narg"
        || matches!(name.as_bytes(), [b'a', b'c', b'l', b'_', b'a', b'r', b'g', b'1'..=b'9'])
}

/// The longest name that can be set, in octets.
const MAX_NAME: usize = 64;
