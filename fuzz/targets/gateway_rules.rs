//! A configuration is read or refused. Its rules can be evaluated at any stage, and their replies,
//! fields and log lines cannot be broken by any input of a client.

#![no_main]

use std::pin::pin;
use std::sync::Arc;
use std::task::{self, Poll, Waker};
use std::time::{Duration, Instant};

use event_expand::Ask;
use examples::gateway::config::Config;
use examples::gateway::lookups::asking::{Answering, Answers};
use examples::gateway::policy::context::Context;
use examples::gateway::policy::services::Services;
use examples::gateway::policy::stage::Stage;
use examples::gateway::policy::state::PolicyState;
use examples::gateway::smtp::peer::Client;
use examples::gateway::smtp::session::Greeting;
use examples::gateway::smtp::transaction::Transaction;
use libfuzzer_sys::fuzz_target;
use mail_types::dns::{Answer, DnsFailure, Question, Resolve, Resolving};
use mail_types::exim::LookupResult;
use mail_types::smtp::{Reply, Severity};
use proxy_protocol::ProxyInfo;

fuzz_target!(|input: (&str, &str, &[u8])| {
    let (text, helo, message) = input;
    let config = match Config::parse(text) {
        Ok(config) => config,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let session = ProxyInfo::direct(([192, 0, 2, 1], 5555).into());
    let client = Client::new(session, ([192, 0, 2, 2], 25).into());
    let greeting = Greeting { name: helo.to_owned(), extended: true, tls: false };
    let sender = "<\"a\u{2028}\\\\b\"@a.example>".parse().expect("a path");
    let recipient = "bob@local.example".parse().expect("a mailbox");
    let transaction = Transaction::new(sender);
    let (lookups, resolver) = (Arc::new(Nobody), Arc::new(Nobody));
    let services = Services::new(lookups, resolver, &config.server.live.rules);
    let mut state = PolicyState::default();
    for stage in Stage::ALL {
        let mail = stage != Stage::Connect;
        let mut context = Context {
            stage,
            now: Instant::now(),
            host: &config.server.live.session.primary_hostname,
            client: Some(&client),
            greeting: Some(&greeting),
            event: None,
            given: None,
            transaction: mail.then_some(&transaction),
            recipient: Stage::RECIPIENT.contains(&stage).then_some(&recipient),
            recipient_number: (stage == Stage::Prdr).then_some(0),
            command: helo.as_bytes(),
            message: if Stage::CONTENT.contains(&stage) { message } else { &[] },
            state: &mut state,
            services: &services,
            patience: None,
        };
        let decision = ready(config.server.live.rules.judge(&mut context));
        if let Some(refusal) = decision.refusal {
            check(&refusal);
            let severity = refusal.code().severity();
            assert!(matches!(severity, Severity::Transient | Severity::Permanent), "{refusal}");
        }
        if let Some(acceptance) = decision.acceptance {
            check(&acceptance);
            assert_eq!(acceptance.code().severity(), Severity::Completed);
        }
        let said = decision.log_message.into_iter().chain(decision.quarantine);
        for line in said.chain(state.take_log()).chain(state.headers().map(str::to_owned)) {
            assert!(!line.contains(char::is_control), "{line:?}");
        }
        if stage == Stage::Rcpt {
            state.accept_recipient();
        }
    }
});

/// Knows nothing, and says so at once.
struct Nobody;

impl Answers for Nobody {
    fn answer<'a>(&'a self, _: &'a Ask, _: Duration) -> Answering<'a> {
        Box::pin(async { (LookupResult::Deferred, None) })
    }
}

impl Resolve for Nobody {
    fn answer(&self, question: Question, _: Duration) -> Resolving<'_> {
        Box::pin(async { (question, Answer::Failed(DnsFailure::ServFail)) })
    }
}

/// Every condition that there is answers at once.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut task::Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("nothing to wait for"),
    }
}

fn check(reply: &Reply) {
    let mut wire = Vec::new();
    reply.write_to(&mut wire);
    let (rest, read) = Reply::parse(&wire).expect("a reply");
    assert!(rest.is_empty());
    assert_eq!(read.code(), reply.code());
}
