//! Where mail goes: closed, unless the configuration opens it.

use event_expand::{ListKind, Membership};
use mail_types::smtp::{Domain, EnhancedCode, MailHost, Mailbox, Reply, ReplyCode};

use crate::gateway::policy::condition::{RuleScope, Truth};
use crate::gateway::policy::context::Context;
use crate::gateway::policy::list::{RuleList, Subject};
use crate::gateway::policy::rules::Problem;
use crate::gateway::policy::stage::Stage;
use crate::gateway::smtp::replies::say;

/// What becomes of mail for a recipient.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Route {
    /// It is kept here.
    Local,
    /// It goes to the next hop.
    Relay,
}

/// The lists that decide on recipients.
#[derive(Debug)]
pub(crate) struct Routing {
    host: Domain,
    local_domains: RuleList,
    local_parts: RuleList,
    relay_to_domains: RuleList,
}

impl Routing {
    /// Reads the lists.
    ///
    /// # Errors
    ///
    /// The option that is wrong, and why.
    pub(crate) fn read(
        texts: &RoutingTexts<'_>,
        home: &RuleScope<'_>,
    ) -> Result<Self, (&'static str, Problem)> {
        let list = |option, text: &str, kind| {
            RuleList::read(text, Stage::Rcpt, home, kind).map_err(|problem| (option, problem))
        };
        Ok(Self {
            host: home.host.clone(),
            local_domains: list("local_domains", texts.local_domains, ListKind::Domain)?,
            local_parts: list("local_parts", texts.local_parts, ListKind::LocalPart)?,
            relay_to_domains: list("relay_to_domains", texts.relay_to_domains, ListKind::Domain)?,
        })
    }

    /// Tells whether mail for other domains may be handed to the next hop.
    pub(crate) fn relays(&self) -> bool {
        !self.relay_to_domains.is_empty()
    }

    /// Tells whether a host is this one or in `local_domains`, or that cannot be told without an
    /// expansion.
    pub(crate) fn may_be_local(&self, host: &MailHost) -> bool {
        let own = matches!(host, MailHost::Domain(domain) if *domain == self.host);
        let subject = Subject::Text(host.to_string());
        own || self.local_domains.decide_known(&subject) != Some(Membership::No)
    }

    /// Tells whether it is known that a host is this one or in `local_domains`.
    pub(crate) fn keeps(&self, host: &MailHost) -> bool {
        let own = matches!(host, MailHost::Domain(domain) if *domain == self.host);
        let subject = Subject::Text(host.to_string());
        own || self.local_domains.decide_known(&subject) == Some(Membership::Yes)
    }

    /// Decides on a recipient, as the rules at `RCPT` see it; the reply says why not.
    pub(crate) async fn route(
        &self,
        recipient: &Mailbox,
        context: &mut Context<'_>,
    ) -> Result<Route, Reply> {
        let (host, part) = (recipient.host(), recipient.local_part());
        let domain = Subject::Text(host.to_string());
        let is_domain = matches!(host, MailHost::Domain(_));
        // The name of this host always is local: `postmaster` without a domain is an address with it.
        let own = matches!(host, MailHost::Domain(domain) if *domain == self.host);
        let is_postmaster = part.eq_ignore_ascii_case("postmaster");
        if own || holds(&self.local_domains, context, &domain).await? {
            let part = Subject::Text(part.to_owned());
            if is_postmaster || holds(&self.local_parts, context, &part).await? {
                return Ok(Route::Local);
            }
            return Err(say(
                ReplyCode::MAILBOX_UNAVAILABLE,
                EnhancedCode::NO_SUCH_MAILBOX,
                "no such mailbox here",
            ));
        }
        // The next hop is for domains; what is at an address is nobody else's.
        if is_domain && holds(&self.relay_to_domains, context, &domain).await? {
            return Ok(Route::Relay);
        }
        Err(say(
            ReplyCode::MAILBOX_UNAVAILABLE,
            EnhancedCode::REFUSED_BY_POLICY,
            "relay not permitted",
        ))
    }
}

/// The lists as a configuration has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoutingTexts<'a> {
    pub(crate) local_domains: &'a str,
    pub(crate) local_parts: &'a str,
    pub(crate) relay_to_domains: &'a str,
}

async fn holds(
    list: &RuleList,
    context: &mut Context<'_>,
    subject: &Subject,
) -> Result<bool, Reply> {
    match list.decide(context, subject).await {
        Ok(membership) => Ok(membership == Membership::Yes),
        Err(Truth::Later | Truth::Ignored | Truth::Yes | Truth::No) => {
            let text = "temporary failure looking up the recipient, try again later";
            Err(say(ReplyCode::LOCAL_ERROR, EnhancedCode::of::<4, 3, 0>(), text))
        }
    }
}
