//! Conditions on lists: whose host, domain, local part, address or profile is in one.

use event_expand::{ListKind, Membership};
use mail_types::exim::List;
use mail_types::smtp::{MailHost, Mailbox};

use crate::gateway::policy::condition::{Condition, RuleScope, Test, Truth};
use crate::gateway::policy::context::Context;
use crate::gateway::policy::list::{RuleList, SHOWN, Subject, Undecided};
use crate::gateway::policy::rules::Problem;
use crate::gateway::policy::source::RuleEntry;
use crate::gateway::policy::stage::Stage;
#[cfg(feature = "gateway")]
use crate::gateway::telemetry::cipher::suites;

/// Whether somebody is in a list.
#[derive(Debug)]
pub(crate) struct ListTest {
    list: RuleList,
    subject: SubjectOf,
}

/// Returns the subject of a list test; `None` is in no list.
pub(crate) type SubjectOf = fn(&Context<'_>) -> Option<Subject>;

impl ListTest {
    pub(crate) fn read(
        entry: &RuleEntry,
        stage: Stage,
        home: &RuleScope<'_>,
        kind: ListKind,
        subject: SubjectOf,
    ) -> Result<Self, Problem> {
        let list = RuleList::read(&entry.text, stage, (home.language, home.host), kind)?;
        if list.is_empty() {
            return Err(Problem::EmptyList { hint: hint(&entry.name) });
        }
        if !entry.text.contains('$')
            && let Some(mistake) = mistake(&entry.name, List::new(&entry.text))
        {
            return Err(mistake);
        }
        Ok(Self { list, subject })
    }

    async fn ask(&self, context: &mut Context<'_>, subject: Subject) -> Truth {
        match self.list.decide(context, &subject).await {
            Ok(membership) => (membership == Membership::Yes).into(),
            Err(Undecided) => Truth::Later,
        }
    }
}

impl Condition for ListTest {
    fn test<'a>(&'a self, context: &'a mut Context<'_>) -> Test<'a> {
        let Some(subject) = (self.subject)(context) else { return Test::Known(Truth::No) };
        match self.list.decide_known(&subject) {
            Some(membership) => Test::Known((membership == Membership::Yes).into()),
            None => Test::Pending(Box::pin(self.ask(context, subject))),
        }
    }
}

/// Says how an empty item is written, where that has a meaning.
fn hint(condition: &str) -> &'static str {
    match condition {
        "senders" => "; the sender of bounces is \":\"",
        "profiles" => "; no profile is \":\"",
        _ => "",
    }
}

/// Finds an item that no subject of this condition can match.
fn mistake(condition: &str, list: List<'_>) -> Option<Problem> {
    for (at, text) in list.enumerate() {
        let text = text.trim_start_matches('!').trim();
        let (item, shown) = (at + 1, || text.chars().take(SHOWN).collect());
        if text.starts_with(['^', '+', '/']) || text.contains(';') {
            continue;
        }
        match condition {
            "local_parts" if text.contains('@') => {
                return Some(Problem::AddressAsLocalPart { item, text: shown() });
            }
            #[cfg(feature = "gateway")]
            "encrypted" if !suites().any(|suite| is_matched(text, &suite)) => {
                let example = suites().next().unwrap_or_default();
                return Some(Problem::CipherSuite { item, text: shown(), example });
            }
            _ => {}
        }
    }
    None
}

/// Tells whether a pattern, which may begin with `*`, matches a name.
#[cfg(feature = "gateway")]
fn is_matched(pattern: &str, name: &str) -> bool {
    let end = pattern.strip_prefix('*');
    let part = name.len().checked_sub(end.unwrap_or(pattern).len());
    let part = part
        .and_then(|from| name.get(from..))
        .filter(|part| end.is_some() || part.len() == name.len());
    part.is_some_and(|part| part.eq_ignore_ascii_case(end.unwrap_or(pattern)))
}

/// The client, of an event that of its session.
pub(crate) fn client(context: &Context<'_>) -> Option<Subject> {
    if let Some(client) = context.client {
        return Some(Subject::Host(client.address.ip(), client.host_name.clone()));
    }
    let name = context.of_event("sender_host_name").and_then(|name| name.parse().ok());
    let address = context.of_event("sender_host_address")?.parse().ok()?;
    Some(Subject::Host(address, name))
}

/// The sender; `<>` is nobody.
fn sender<'a>(context: &Context<'a>) -> Option<&'a Mailbox> {
    context.transaction.and_then(|transaction| transaction.sender.mailbox())
}

/// The sender of notifications can be in a list, as an empty item.
#[expect(clippy::unnecessary_wraps, reason = "all these functions have one type")]
pub(crate) fn sender_address(context: &Context<'_>) -> Option<Subject> {
    if let (Some(local_part), Some(domain)) =
        (context.of_event("sender_address_local_part"), context.of_event("sender_address_domain"))
    {
        return Some(Subject::Text(format!("{local_part}@{domain}")));
    }
    Some(Subject::Text(sender(context).map_or_else(String::new, address)))
}

pub(crate) fn sender_domain(context: &Context<'_>) -> Option<Subject> {
    let of_event = || context.of_event("sender_address_domain");
    let domain = sender(context).map(Mailbox::host).map(MailHost::to_string).or_else(of_event);
    domain.map(Subject::Text)
}

pub(crate) fn recipient_address(context: &Context<'_>) -> Option<Subject> {
    context.recipient.map(address).map(Subject::Text)
}

pub(crate) fn recipient_domain(context: &Context<'_>) -> Option<Subject> {
    context.recipient.map(|recipient| Subject::Text(recipient.host().to_string()))
}

pub(crate) fn local_part(context: &Context<'_>) -> Option<Subject> {
    context.recipient.map(|recipient| Subject::Text(recipient.local_part().to_owned()))
}

/// The name of the cipher suite, as it stands in `$tls_in_cipher`.
pub(crate) fn cipher_suite(context: &Context<'_>) -> Option<Subject> {
    let cipher = context.client?.tls.as_ref()?.cipher.as_deref()?;
    cipher.split(':').nth(1).map(|suite| Subject::Text(suite.to_owned()))
}

/// The content-filter profile; none is an empty item.
pub(crate) fn profile(context: &Context<'_>) -> Option<Subject> {
    context.profile().map(|profile| Subject::Text(String::from_utf8_lossy(profile).into_owned()))
}

/// An address as lists have it: without quotes around its local part.
fn address(mailbox: &Mailbox) -> String {
    format!("{}@{}", mailbox.local_part(), mailbox.host())
}

/// `authenticated = LIST`: nobody can log in here, so it never holds.
#[derive(Debug)]
pub(crate) struct Authenticated;

impl Authenticated {
    /// Reads the list all the same, for its faults.
    pub(crate) fn read(
        entry: &RuleEntry,
        stage: Stage,
        home: &RuleScope<'_>,
    ) -> Result<Self, Problem> {
        let surroundings = (home.language, home.host);
        let list = RuleList::read(&entry.text, stage, surroundings, ListKind::LocalPart)?;
        if list.is_empty() { Err(Problem::EmptyList { hint: "" }) } else { Ok(Self) }
    }
}

impl Condition for Authenticated {
    fn test<'a>(&'a self, _: &'a mut Context<'_>) -> Test<'a> {
        Test::Known(Truth::No)
    }
}
