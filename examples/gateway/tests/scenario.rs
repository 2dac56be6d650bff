//! The state of a session, set up for tests of rules.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use event_expand::Ask;
use mail_types::dns::{Answer, DnsFailure, Question, Resolve, Resolving};
use mail_types::exim::{HostSet, List, LookupResult};
use mail_types::smtp::{Domain, Mailbox, Reply};
use proxy_protocol::{Header, HeaderOutcome, ProxyInfo};

use crate::gateway::authentication::dmarc::DmarcSettings;
use crate::gateway::authentication::spf::SpfSettings;
use crate::gateway::delivery::routing::{Route, Routing};

use crate::gateway::lookups::asking::{Answering, Answers};
use crate::gateway::lookups::macros::Macros;
use crate::gateway::policy::condition::{KINDS, RuleScope};
use crate::gateway::policy::context::Context;
use crate::gateway::policy::decision::Decision;
use crate::gateway::policy::delay::{Clock, Patience, Presence, Wait};
use crate::gateway::policy::event_lists::EventLists;
use crate::gateway::policy::rules::Rules;
use crate::gateway::policy::services::Services;
use crate::gateway::policy::stage::Stage;
use crate::gateway::policy::state::PolicyState;
use crate::gateway::smtp::peer::Client;
use crate::gateway::smtp::session::Greeting;
use crate::gateway::smtp::transaction::Transaction;

/// Reads the rules of a configuration, its macros too.
pub(super) fn rules(text: &str) -> Rules {
    rules_with(text, &DmarcSettings::default())
}

/// The same, with these settings.
pub(super) fn rules_with(text: &str, dmarc: &DmarcSettings) -> Rules {
    let host: Domain = "mx.example".parse().unwrap();
    let macros = Macros::take(&mut text.parse().unwrap()).unwrap();
    let (language, spf) = (Arc::default(), SpfSettings::default());
    let home = RuleScope {
        kinds: KINDS,
        host: &host,
        language: &language,
        spf: &spf,
        dmarc,
        is_option: |_| false,
    };
    Rules::read(text, &macros, &home).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Knows nothing: every lookup is deferred, and every question to the DNS fails.
pub(super) struct Nobody;

impl Answers for Nobody {
    fn answer<'a>(&'a self, _: &'a Ask, _: Duration) -> Answering<'a> {
        Box::pin(async { (LookupResult::Deferred, Some("nobody makes lookups here".to_owned())) })
    }
}

impl Resolve for Nobody {
    fn answer(&self, question: Question, _: Duration) -> Resolving<'_> {
        Box::pin(async { (question, Answer::Failed(DnsFailure::ServFail)) })
    }
}

/// No lists of rules, for actions of events.
pub(super) fn no_lists() -> Arc<EventLists> {
    Arc::new(EventLists::new("mx.example", Scenario::new().services, Arc::default()))
}

/// Waits that are only noted down.
#[derive(Debug, Default)]
pub(super) struct Delays {
    /// How many seconds were waited.
    pub(super) waited: AtomicU64,
    /// After how many seconds the server stops, and the client goes.
    pub(super) stops: Option<u64>,
    pub(super) goes: Option<u64>,
}

impl Delays {
    fn patience(&self) -> Patience<'_> {
        Patience { clock: self, client: self, left: Patience::MOST }
    }
}

impl Clock for Delays {
    fn wait(&self, time: Duration) -> Wait<'_> {
        let waited = self.waited.fetch_add(time.as_secs(), Ordering::Relaxed) + time.as_secs();
        Box::pin(std::future::ready(self.stops.is_none_or(|stops| waited < stops)))
    }
}

impl Presence for Delays {
    fn is_gone(&self) -> bool {
        self.goes.is_some_and(|goes| self.waited.load(Ordering::Relaxed) >= goes)
    }
}

/// A client at 192.0.2.1, and what it has come to.
pub(super) struct Scenario {
    pub(super) client: Client,
    pub(super) greeting: Greeting,
    pub(super) transaction: Option<Transaction>,
    pub(super) recipient: Option<Mailbox>,
    pub(super) message: String,
    pub(super) state: PolicyState,
    pub(super) services: Services,
    pub(super) start: Instant,
    pub(super) delays: Option<Delays>,
}

impl Scenario {
    pub(super) fn new() -> Self {
        let session = ProxyInfo::direct("192.0.2.1:5555".parse().unwrap());
        Self::of(session)
    }

    /// Starts behind the proxy 198.51.100.7, with this first line of its header.
    pub(super) fn proxied(header: &str) -> Self {
        let (_, header) = Header::parse(header.as_bytes()).unwrap();
        let session =
            ProxyInfo::proxied("198.51.100.7:4000".parse().unwrap(), HeaderOutcome::from(&header));
        let mut scenario = Self::of(session);
        let proxies = HostSet::new(List::new("198.51.100.0/28")).unwrap();
        scenario.client.is_trusted_proxy = proxies.contains(scenario.client.address.ip(), None);
        scenario
    }

    fn of(session: ProxyInfo) -> Self {
        let client = Client::new(session, "203.0.113.25:25".parse().unwrap());
        let (lookups, resolver) = (Arc::new(Nobody), Arc::new(Nobody));
        let services = Services::new(lookups, resolver, &Rules::default());
        Self {
            client,
            greeting: Greeting { name: "client.example".into(), extended: true, tls: false },
            transaction: None,
            recipient: None,
            message: String::new(),
            state: PolicyState::default(),
            services,
            start: Instant::now(),
            delays: None,
        }
    }

    /// Comes as far as a sender, in angle brackets, and a recipient.
    pub(super) fn with_mail(mut self, sender: &str, recipient: &str) -> Self {
        self.transaction = Some(Transaction::new(sender.parse().unwrap()));
        self.recipient = Some(recipient.parse().unwrap());
        self
    }

    /// Asks the rules of a stage, some milliseconds after the start.
    pub(super) async fn judge(&mut self, rules: &Rules, stage: Stage, after: u64) -> Decision {
        rules.judge(&mut self.context(stage, after)).await
    }

    /// Asks where the mail for the recipient goes.
    pub(super) async fn route(&mut self, routing: &Routing) -> Result<Route, Reply> {
        let recipient = self.recipient.clone().unwrap();
        routing.route(&recipient, &mut self.context(Stage::Rcpt, 0)).await
    }

    pub(super) fn context(&mut self, stage: Stage, after: u64) -> Context<'_> {
        Context {
            stage,
            now: self.start + Duration::from_millis(after),
            host: "mx.example",
            client: Some(&self.client),
            greeting: Some(&self.greeting),
            event: None,
            given: None,
            transaction: self.transaction.as_ref(),
            recipient: self.recipient.as_ref(),
            recipient_number: (stage == Stage::Prdr).then_some(0),
            command: b"MAIL FROM:<ann@a.example> PRDR",
            message: self.message.as_bytes(),
            state: &mut self.state,
            services: &self.services,
            patience: self.delays.as_ref().map(Delays::patience),
        }
    }

    /// Asks the rules of a stage; returns the refusal, or nothing.
    pub(super) async fn refusal(&mut self, rules: &Rules, stage: Stage) -> String {
        let refusal = self.judge(rules, stage, 0).await.refusal;
        refusal.map(|reply| reply.to_string()).unwrap_or_default()
    }
}
