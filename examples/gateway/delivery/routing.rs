//! The routing of recipients. By default every recipient is refused.

use event_expand::{ListKind, Membership};
use mail_types::exim::List;
use mail_types::smtp::{Domain, EnhancedCode, MailHost, Mailbox, Reply, ReplyCode};

use super::mailboxes::OwnMaildirs;
use super::next_hop::{RouteData, RouteError};
use crate::gateway::policy::condition::RuleScope;
use crate::gateway::policy::context::Context;
use crate::gateway::policy::list::{RuleList, Subject, Undecided};
use crate::gateway::policy::rules::Problem;
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::surroundings::Surroundings as _;
use crate::gateway::policy::text::Text;
use crate::gateway::smtp::replies::say;

/// The route of a recipient.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Route {
    /// Local delivery, into these Maildirs.
    Local(OwnMaildirs),
    /// The next hop.
    Relay(RouteData),
}

/// The lists for routing.
#[derive(Debug)]
pub(crate) struct Routing {
    host: Domain,
    local_domains: RuleList,
    local_parts: RuleList,
    relay_to_domains: RuleList,
    route_data: Option<Text>,
    own_domain: Domain,
}

impl Routing {
    /// Reads the lists.
    ///
    /// # Errors
    ///
    /// The invalid option, and its error.
    pub(crate) fn read(
        texts: &RoutingTexts<'_>,
        home: &RuleScope<'_>,
    ) -> Result<Self, (&'static str, Problem)> {
        let list = |option, text: &str, kind| {
            let list = RuleList::read(text, Stage::Rcpt, (home.language, home.host), kind);
            list.map(|list| list.of_option(option)).map_err(|problem| (option, problem))
        };
        let mut routing = Self {
            host: home.host.clone(),
            local_domains: list("local_domains", texts.local_domains, ListKind::Domain)?,
            local_parts: list("local_parts", texts.local_parts, ListKind::LocalPart)?,
            relay_to_domains: list("relay_to_domains", texts.relay_to_domains, ListKind::Domain)?,
            route_data: texts
                .route_data
                .map(|text| Text::parse(text, Stage::Rcpt, home.language))
                .transpose()
                .map_err(|error| ("route_data", error.into()))?,
            own_domain: home.host.clone(),
        };
        if let Some(domain) = routing.written_out(texts.local_domains) {
            routing.own_domain = domain;
        }
        Ok(routing)
    }

    /// Returns a domain of `local_domains` that is written out, if there is one, or the name of this host: mail for
    /// its postmaster is delivered here.
    pub(crate) fn own_domain(&self) -> &Domain {
        &self.own_domain
    }

    /// Finds a domain in the text of `local_domains`, best one of several labels.
    fn written_out(&self, local_domains: &str) -> Option<Domain> {
        let written = List::new(local_domains).filter_map(|item| item.trim().parse().ok());
        let is_own = |domain: &Domain| self.keeps(&MailHost::Domain(domain.clone()));
        let written: Vec<Domain> = written.filter(is_own).collect();
        let several = written.iter().find(|domain| domain.as_str().contains('.'));
        several.or(written.first()).cloned()
    }

    /// Returns the next hop, if it is the same for all recipients.
    pub(crate) fn known_route(&self) -> Option<Result<RouteData, RouteError>> {
        let literal = self.route_data.as_ref()?.literal()?;
        Some(str::from_utf8(literal).map_err(|_| RouteError::Name).and_then(str::parse))
    }

    /// Tells whether mail may be relayed to the next hop.
    pub(crate) fn relays(&self) -> bool {
        !self.relay_to_domains.is_empty()
    }

    /// Tells whether mail for any domain may be relayed.
    pub(crate) fn relays_all(&self) -> bool {
        let domains = ["relay.example", "relay.invalid", "relay.arpa"];
        let relays = |domain: &str| {
            let subject = Subject::Text(domain.to_owned());
            self.relay_to_domains.decide_known(&subject) == Some(Membership::Yes)
        };
        domains.into_iter().all(relays)
    }

    /// Tells whether a host is this one or in `local_domains`, or is unknown without an expansion.
    pub(crate) fn may_be_local(&self, host: &MailHost) -> bool {
        let own = matches!(host, MailHost::Domain(domain) if *domain == self.host);
        let subject = Subject::Text(host.to_string());
        own || self.local_domains.decide_known(&subject) != Some(Membership::No)
    }

    /// Tells whether a host is certainly this one or in `local_domains`.
    pub(crate) fn keeps(&self, host: &MailHost) -> bool {
        let own = matches!(host, MailHost::Domain(domain) if *domain == self.host);
        let subject = Subject::Text(host.to_string());
        own || self.local_domains.decide_known(&subject) == Some(Membership::Yes)
    }

    /// Routes a recipient in the context of `RCPT`, or returns the refusal.
    pub(crate) async fn route(
        &self,
        recipient: &Mailbox,
        context: &mut Context<'_>,
    ) -> Result<Route, Reply> {
        let (host, part) = (recipient.host(), recipient.local_part());
        let domain = Subject::Text(host.to_string());
        let is_domain = matches!(host, MailHost::Domain(_));
        // This host's name is always local: `postmaster` without a domain is at this name.
        let own = matches!(host, MailHost::Domain(domain) if *domain == self.host);
        let is_postmaster = part.eq_ignore_ascii_case("postmaster");
        if own || holds(&self.local_domains, context, &domain).await? {
            let part = Subject::Text(part.to_owned());
            if is_postmaster || holds(&self.local_parts, context, &part).await? {
                return Ok(Route::Local(OwnMaildirs::default()));
            }
            return Err(say(
                ReplyCode::MAILBOX_UNAVAILABLE,
                EnhancedCode::NO_SUCH_MAILBOX,
                "no such mailbox here",
            ));
        }
        // The route may be the domain: a client would choose an address of the connection.
        if let MailHost::Domain(domain) = host
            && ends_in_number(domain)
        {
            let text = "no domain of the DNS ends in a number; an address stands in brackets";
            return Err(say(ReplyCode::MAILBOX_UNAVAILABLE, EnhancedCode::of::<5, 1, 2>(), text));
        }
        // The next hop is for domains; address literals are never relayed.
        if is_domain && holds(&self.relay_to_domains, context, &domain).await? {
            return self.next_hop(context).await.map(Route::Relay);
        }
        Err(say(
            ReplyCode::MAILBOX_UNAVAILABLE,
            EnhancedCode::REFUSED_BY_POLICY,
            "relay not permitted",
        ))
    }
}

impl Routing {
    /// Expands `route_data`.
    async fn next_hop(&self, context: &mut Context<'_>) -> Result<RouteData, Reply> {
        let later = || {
            let text = "temporary failure finding the next hop, try again later";
            say(ReplyCode::LOCAL_ERROR, EnhancedCode::of::<4, 3, 5>(), text)
        };
        let route = self.route_data.as_ref().ok_or_else(later)?;
        let expanded = route.expand_whole(context).await;
        context.log().place(&"route_data");
        let value = expanded.map_err(|_| later())?;
        let text = str::from_utf8(value.as_bytes()).map_err(|_| RouteError::Name);
        text.and_then(|text| text.trim().parse()).map_err(|error| {
            context.state.log(format!("route_data: {error}: \"{}\"", value.to_line()));
            later()
        })
    }
}

/// Tells whether the last label is a number, as of `192.0.2.1` and `127.1`.
fn ends_in_number(domain: &Domain) -> bool {
    let last = domain.as_str().rsplit('.').next().unwrap_or_default();
    last.bytes().all(|octet| octet.is_ascii_digit())
}

/// The texts of the lists in a configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RoutingTexts<'a> {
    pub(crate) local_domains: &'a str,
    pub(crate) local_parts: &'a str,
    pub(crate) relay_to_domains: &'a str,
    pub(crate) route_data: Option<&'a str>,
}

async fn holds(
    list: &RuleList,
    context: &mut Context<'_>,
    subject: &Subject,
) -> Result<bool, Reply> {
    let decided = list.decide(context, subject).await;
    decided.map(|membership| membership == Membership::Yes).map_err(|Undecided| {
        let text = "temporary failure looking up the recipient, try again later";
        say(ReplyCode::LOCAL_ERROR, EnhancedCode::of::<4, 3, 0>(), text)
    })
}
