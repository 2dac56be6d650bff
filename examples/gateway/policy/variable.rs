//! The variables that a text can name. One that cannot have a value yet where the text stands is refused as
//! the configuration is read.
//!
//! | name                                                        | value                            |
//! |-------------------------------------------------------------|----------------------------------|
//! | `sender_host_address`, `sender_host_port`, `sender_host_name` | the client; behind a proxy, the real one |
//! | `sender_helo_name`                                          | what it called itself            |
//! | `received_ip_address`, `received_port`                      | where it was accepted            |
//! | `received_protocol`                                         | `esmtps` and the like            |
//! | `proxy_*`                                                   | see `proxy_protocol::ProxyInfo`  |
//! | `primary_hostname`                                          | this host                        |
//! | `smtp_command`                                              | the command under way, as it came |
//! | `sender_address`, `sender_address_local_part`, `sender_address_domain` | of `MAIL`             |
//! | `prdr_requested`                                            | `yes` or `no`                    |
//! | `local_part`, `domain`, `recipients_count`                  | the recipient; how many were accepted, at data how many take the message |
//! | `message_size`                                              | as declared; once it came, as it is |
//! | `profile`                                                   | the recipient's; at data, the one of all recipients |
//! | `sender_rate`, `sender_rate_limit`, `sender_rate_period`    | of the last `ratelimit`          |
//! | `spf_result`, `spf_result_guessed`, `spf_used_domain`       | of the last `spf` or `spf_guess` |
//! | `spf_received`, `spf_header_comment`, `spf_smtp_comment`    | for headers and replies, of the same |
//! | `dmarc_status`, `dmarc_status_text`, `dmarc_used_domain`, `dmarc_domain_policy` | once the message came; see `dmarc_policy::Verdict::variable` |
//! | `dmarc_alignment_spf`, `dmarc_alignment_dkim`, `dmarc_ar_header` | of the same                 |
//! | `h_NAME:`, `rh_NAME:`, `lh_NAME:`, `bh_NAME:`              | the message's header fields of this name, at prdr and data: decoded and without blanks around them; as they came; as a list; as `h_`, since all is in UTF-8 |
//! | `acl_c…`, `acl_m…`                                          | what was `set`, for the connection or the message |

use event_expand::{HeaderForm, ListKind, Variables};
use mail_types::exim::{Trust, Value, Variable};
use mail_types::smtp::Mailbox;
use proxy_protocol::ProxyInfo;

use super::condition::PUBLISHED;
use super::context::Scene;
use super::field_text::field_text;
use super::stage::Place;
use crate::gateway::lookups::language::NamedLists;
use crate::gateway::smtp::peer::protocol;

/// The variables' names, without a scene: to check a text as the program starts.
pub(super) struct Names;

impl Variables for Names {
    fn variable(&self, name: &str) -> Variable<'_> {
        if places(name).is_some() { Variable::Unset } else { Variable::Unknown }
    }
}

/// The names of those that can have a value at a place, header fields too.
pub(super) struct NamesAt(pub(super) Place);

impl Variables for NamesAt {
    fn variable(&self, name: &str) -> Variable<'_> {
        let known = places(name).is_some_and(|places| places.contains(&self.0));
        if known { Variable::Unset } else { Variable::Unknown }
    }

    fn header(&self, _: &str, _: HeaderForm) -> Variable<'_> {
        if Place::CONTENT.contains(&self.0) { Variable::Unset } else { Variable::Unknown }
    }
}

/// Where a variable can have a value; `None` if there is no such variable.
fn places(name: &str) -> Option<&'static [Place]> {
    if let Some((_, places, _)) = BUILT_IN.iter().find(|(known, ..)| *known == name) {
        return Some(places);
    }
    if is_acl(name) {
        return Some(&Place::ALL);
    }
    if let Some((places, _)) = PUBLISHED.iter().find(|(_, names)| names.contains(&name)) {
        return Some(places);
    }
    let proxied = ProxyInfo::direct(([0, 0, 0, 0], 0).into());
    let unknown = matches!(proxied.variable(name), Variable::Unknown);
    (!unknown).then_some(EVERYWHERE)
}

/// A scene, as a text sees it.
pub(super) struct Seen<'a, 's> {
    pub(super) scene: &'a Scene<'s>,
    pub(super) lists: &'a NamedLists,
}

impl Variables for Seen<'_, '_> {
    fn variable(&self, name: &str) -> Variable<'_> {
        let scene = self.scene;
        let value = if let Some((.., value_of)) = BUILT_IN.iter().find(|(own, ..)| *own == name) {
            value_of(scene)
        } else if is_acl(name) {
            scene.notes.variable(name)
        } else if let Some(name) = published(name) {
            scene.notes.published(name)
        } else {
            return scene.client.session.variable(name);
        };
        value.map_or(Variable::Unset, Variable::Value)
    }

    fn header(&self, name: &str, form: HeaderForm) -> Variable<'_> {
        match field_text(self.scene.message, name, form) {
            Some(text) => Value::new(text, Trust::Untrusted).into(),
            None => Variable::Unset,
        }
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

pub(crate) type ValueOf = for<'a> fn(&'a Scene<'_>) -> Option<Value<'a>>;

/// The name of each, where it can have a value, and which.
const BUILT_IN: &[(&str, &[Place], ValueOf)] = &[
    ("sender_host_address", EVERYWHERE, |scene| Some(text(&scene.client.address.ip()))),
    ("sender_host_port", EVERYWHERE, |scene| Some(text(&scene.client.address.port()))),
    ("sender_host_name", Place::NAMED, |scene| scene.client.host_name.as_ref().map(text)),
    ("sender_helo_name", Place::MESSAGE, |scene| some(&scene.greeting.name)),
    ("received_ip_address", EVERYWHERE, |scene| Some(text(&scene.client.server.ip()))),
    ("received_port", EVERYWHERE, |scene| Some(text(&scene.client.server.port()))),
    ("received_protocol", &Place::ALL, |scene| {
        let utf8 = scene.transaction.is_some_and(|transaction| transaction.utf8);
        Some(word(&protocol(scene.greeting, utf8).to_lowercase()))
    }),
    ("primary_hostname", EVERYWHERE, |scene| Some(Value::trusted(scene.host))),
    ("smtp_command", Place::MESSAGE, |scene| Some(Value::new(scene.command, Trust::Untrusted))),
    ("sender_address", Place::MESSAGE, |scene| sender(scene).map(text)),
    ("sender_address_local_part", Place::MESSAGE, |scene| {
        sender(scene).and_then(|s| some(s.local_part()))
    }),
    ("sender_address_domain", Place::MESSAGE, |scene| sender(scene).map(|s| text(s.host()))),
    ("prdr_requested", Place::MESSAGE, |scene| {
        let asked = scene.transaction.is_some_and(|transaction| transaction.prdr);
        Some(Value::trusted(if asked { "yes" } else { "no" }))
    }),
    ("local_part", Place::RECIPIENT, |scene| scene.recipient.and_then(|r| some(r.local_part()))),
    ("domain", Place::RECIPIENT, |scene| scene.recipient.map(|r| text(r.host()))),
    ("recipients_count", Place::MESSAGE, |scene| match scene.place {
        Place::Data => Some(word(&scene.notes.takers())),
        _ => scene.transaction.map(|transaction| word(&transaction.recipients.len())),
    }),
    ("message_size", Place::MESSAGE, |scene| match scene.message.len() {
        0 => scene.transaction.map(|transaction| word(&transaction.size)),
        size => Some(word(&size)),
    }),
    ("profile", Place::PROFILED, |scene| {
        scene.profile().map(|profile| Value::new(profile, Trust::Untrusted))
    }),
];

fn sender<'a>(scene: &'a Scene<'_>) -> Option<&'a Mailbox> {
    scene.transaction.and_then(|transaction| transaction.sender.mailbox())
}

fn some(text: &str) -> Option<Value<'_>> {
    (!text.is_empty()).then(|| Value::new(text.as_bytes(), Trust::Untrusted))
}

fn text(value: &impl ToString) -> Value<'static> {
    Value::new(value.to_string().into_bytes(), Trust::Untrusted)
}

fn word(value: &impl ToString) -> Value<'static> {
    Value::new(value.to_string().into_bytes(), Trust::Trusted)
}

/// All places, also those without rules.
const EVERYWHERE: &[Place] = &[
    Place::Accept,
    Place::Client,
    Place::Connect,
    Place::Mail,
    Place::Rcpt,
    Place::Prdr,
    Place::Data,
];
/// The longest name that can be set, in octets.
const MAX_NAME: usize = 64;
