//! Deliveries that no program here can play, as the events of them in Exim's own tests: a queue that
//! is cancelled, filters, an autoreply, names that are not found, TLS, DANE and authentication.

use event_expand::{
    Action, ActionOutcome, ActionStep, Ask, Effect, Event, EventName, ExpandFailure, Journal,
    OnFailure, Options, Profile, Section, Template, Variables,
};
use mail_types::exim::{LookupResult, Trust, Value, Variable};

/// The program's own variables.
struct Program;

impl Variables for Program {
    fn variable(&self, name: &str) -> Variable<'_> {
        match name {
            "primary_hostname" => Value::trusted("mx.example").into(),
            "sender_host_address" => Value::new(&b"192.0.2.1"[..], Trust::Untrusted).into(),
            _ => Variable::Unknown,
        }
    }
}

fn act(
    template: &str,
    event: &Event,
    on_failure: OnFailure,
    found: &[LookupResult],
) -> ActionOutcome {
    let template: Template = template.parse().unwrap_or_else(|error| unreachable!("{error}"));
    let options = Options::default();
    let mut journal = Journal::default();
    loop {
        // As a program does that keeps nothing while it waits.
        let action = Action::new(&template, event, &Program, &options, on_failure);
        let mut action = action.with_journal(journal);
        match action.poll() {
            ActionStep::Done(outcome) => return outcome,
            ActionStep::Request(_) => journal = action.into_journal(),
        }
        let next = found.get(journal.found().len()).cloned();
        journal.handle_found(next.unwrap_or(LookupResult::Nothing));
    }
}

fn event(name: EventName, data: &str) -> Event {
    Event::new(name).data(data.as_bytes(), Trust::Untrusted)
}

fn at(event: Event, address: &str) -> Event {
    let (local_part, domain) = address.rsplit_once('@').unwrap_or((address, ""));
    event.with("local_part", local_part.as_bytes(), Trust::Untrusted).with(
        "domain",
        domain.as_bytes(),
        Trust::Untrusted,
    )
}

/// The result of `template` for each event.
fn said(template: &str, events: &[Event]) -> Vec<String> {
    let outcomes = events.iter().map(|event| act(template, event, OnFailure::Proceed, &[]));
    outcomes.map(|outcome| outcome.text.to_string()).collect()
}

const OF_RECIPIENTS: &str = "$event_name($event_data) $local_part@$domain $message_exim_id";

/// G: each recipient fails, the bounce is complete before the message it is about.
#[test]
fn a_delivery_cancelled_by_the_administrator() {
    let id = |event: Event, id: &str| event.with("message_exim_id", id.as_bytes(), Trust::Trusted);
    let cancelled = "delivery cancelled by administrator";
    let trace = [
        id(at(event(EventName::MsgFailInternal, cancelled), "a@d.example"), "first"),
        id(at(event(EventName::MsgFailInternal, cancelled), "b@d.example"), "first"),
        id(Event::new(EventName::MsgComplete), "bounce"),
        id(Event::new(EventName::MsgComplete), "first"),
    ];
    assert_eq!(
        said(OF_RECIPIENTS, &trace),
        [
            "msg:fail:internal(delivery cancelled by administrator) a@d.example first",
            "msg:fail:internal(delivery cancelled by administrator) b@d.example first",
            "msg:complete() @ bounce",
            "msg:complete() @ first",
        ],
        "nothing of a recipient is left over at the end"
    );
    assert!(trace.iter().all(|event| event.name().section(Profile::Current) == Section::Main));
}

/// H: a recipient with an earlier delivery has no event.
#[test]
fn a_message_removed_from_the_queue() {
    let removed = "message removed by ann";
    let trace = [
        at(event(EventName::MsgFailInternal, removed), "b@d.example"),
        Event::new(EventName::MsgComplete),
    ];
    let says = "$event_name($event_data) $local_part ${if def:transport_name{by}{no}} transport";
    assert_eq!(
        said(says, &trace),
        [
            "msg:fail:internal(message removed by ann) b no transport",
            "msg:complete()  no transport",
        ]
    );
}

/// I: a failure with no transport is one of the main section, in both profiles; one with a transport
/// was there in 2014.
#[test]
fn a_filter_fails_a_message() {
    let failed = at(event(EventName::MsgFailInternal, "we do not want that"), "a@d.example");
    let complete = Event::new(EventName::MsgComplete);
    assert_eq!(
        said(OF_RECIPIENTS, &[failed.clone(), complete.clone(), complete]),
        [
            "msg:fail:internal(we do not want that) a@d.example ",
            "msg:complete() @ ",
            "msg:complete() @ "
        ]
    );
    for profile in [Profile::Current, Profile::Of2014] {
        assert!(failed.name().is_in(profile));
        assert_eq!(failed.name().section(profile), Section::Main);
    }
}

/// K: the colons of the name are doubled, so that the three parts stay separate.
#[test]
fn a_name_that_is_not_found() {
    let says = "$event_name ${extract{1}{:}{$event_data}} ${listextract{2}{$event_data}} \
        ${listextract{3}{$event_data}}";
    let trace = [
        event(EventName::DnsFail, "DNS_NOMATCH:nosuch.example:A"),
        event(EventName::DnsFail, "DNS_AGAIN:a::b.example:MX"),
    ];
    assert_eq!(
        said(says, &trace),
        ["dns:fail DNS_NOMATCH nosuch.example A", "dns:fail DNS_AGAIN a:b.example MX"]
    );
    // A look-up by a transport is the transport's, and there was none of it in 2014.
    assert_eq!(EventName::DnsFail.section(Profile::Current), Section::Transport);
    assert!(!EventName::DnsFail.is_in(Profile::Of2014));
}

/// L: no host is at work, and none is left over.
#[test]
fn an_autoreply_has_no_host() {
    let by = |event: Event| {
        event.with("transport_name", b"autoreply", Trust::Trusted).with(
            "router_name",
            b"vacation",
            Trust::Trusted,
        )
    };
    let invalid = "filter autoreply generated syntactically invalid recipient";
    let trace = [
        at(by(event(EventName::MsgFailDelivery, invalid)), ">a@d.example"),
        at(by(Event::new(EventName::MsgDelivery)), "b@d.example"),
    ];
    let says =
        "$event_name($event_data) $local_part <$host> <$host_address> <$host_port> $transport_name";
    assert_eq!(
        said(says, &trace),
        [
            "msg:fail:delivery(filter autoreply generated syntactically invalid recipient) >a <> <> <> autoreply",
            "msg:delivery() b <> <> <> autoreply",
        ],
        "a port that is not known is no 0"
    );
}

/// O: each certificate of a chain has its event; without verification the connection continues in
/// clear, where it may. The certificate is the event's own, and nothing of it is left for the next.
#[test]
fn a_chain_of_certificates() {
    let cert = |depth: &str, subject: &str| {
        event(EventName::TlsCert, depth).with(
            "tls_out_peercert",
            subject.as_bytes(),
            Trust::Untrusted,
        )
    };
    let trace = [
        event(EventName::SmtpEhlo, "250-mx\n250 STARTTLS"),
        cert("1", "CN=ca"),
        cert("0", "CN=mx"),
        event(EventName::SmtpEhlo, "250 mx"),
        event(EventName::MsgDelivery, "250 OK"),
    ];
    let says = "$event_name $event_data $tls_out_peercert${base64:$tls_out_peercert}";
    assert_eq!(
        said(says, &trace),
        [
            "smtp:ehlo 250-mx\\n250 STARTTLS ",
            "tls:cert 1 <cert>Q049Y2E=",
            "tls:cert 0 <cert>Q049bXg=",
            "smtp:ehlo 250 mx ",
            "msg:delivery 250 OK ",
        ]
    );
    // The result of an action about the certificate refuses it, with the reason.
    let pinned = "${if eq{$event_name}{tls:cert}{${if eq{$event_data}{0}{${lookup sqlite{SELECT why FROM \
        bad WHERE certificate='${quote_sqlite:${base64:$tls_out_peercert}}'}}}}}}";
    let revoked = [LookupResult::Value(b"revoked".to_vec())];
    let refused = act(pinned, &cert("0", "CN=mx"), OnFailure::Proceed, &revoked);
    assert_eq!(refused.effect, Effect::RefuseVerification);
    assert_eq!(refused.text.to_string(), "revoked");
    let fine = act(pinned, &cert("0", "CN=mx"), OnFailure::Proceed, &[LookupResult::Nothing]);
    assert_eq!((fine.effect, fine.stop), (Effect::Ignored, None));
    let above = act(pinned, &cert("1", "CN=ca"), OnFailure::Proceed, &revoked);
    assert_eq!(above.effect, Effect::Ignored);
}

/// O, on the server's side: the client's certificate, and a database that is down.
#[test]
fn a_certificate_that_cannot_be_judged_now() {
    let client = event(EventName::TlsCert, "0").with("tls_in_peercert", b"CN=c", Trust::Untrusted);
    let says = "[$sender_host_address] depth=$event_data ${base64:$tls_in_peercert}";
    assert_eq!(said(says, std::slice::from_ref(&client)), ["[192.0.2.1] depth=0 Q049Yw=="]);
    let asks =
        "${lookup sqlite{SELECT 1 FROM bad WHERE s='${quote_sqlite:${base64:$tls_in_peercert}}'}}";
    for (on_failure, effect) in
        [(OnFailure::Proceed, Effect::Ignored), (OnFailure::Refuse, Effect::RefuseVerification)]
    {
        let outcome = act(asks, &client, on_failure, &[LookupResult::Deferred]);
        assert_eq!(
            (outcome.effect, outcome.stop),
            (effect, Some(ExpandFailure::Deferred { at: 0 }))
        );
    }
}

/// P: with a trust anchor three certificates, with an end entity one; then `yes`.
#[test]
fn a_delivery_with_dane() {
    let dane = |event: Event, usage: &str| {
        event
            .with("tls_out_dane", b"yes", Trust::Trusted)
            .with("tls_out_tlsa_usage", usage.as_bytes(), Trust::Trusted)
            .with("lookup_dnssec_authenticated", b"yes", Trust::Trusted)
    };
    let says =
        "$event_name $event_data $tls_out_dane $tls_out_tlsa_usage $lookup_dnssec_authenticated";
    let depths = ["2", "1", "0"].map(|depth| dane(event(EventName::TlsCert, depth), "4"));
    let delivered = dane(event(EventName::MsgDelivery, "250 OK"), "4");
    assert_eq!(
        said(says, &[&depths[..], &[delivered, event(EventName::MsgDelivery, "250 OK")]].concat()),
        [
            "tls:cert 2 yes 4 yes",
            "tls:cert 1 yes 4 yes",
            "tls:cert 0 yes 4 yes",
            "msg:delivery 250 OK yes 4 yes",
            "msg:delivery 250 OK no 0 no",
        ]
    );
    let failed = event(EventName::DaneFail, "validation-failure");
    let outcome = act("$event_data", &failed, OnFailure::Refuse, &[]);
    assert_eq!(
        outcome.effect,
        Effect::Ignored,
        "DANE itself has failed: there is nothing to force"
    );
}

/// Q: the result of an action replaces the log line; an empty result leaves it.
#[test]
fn an_authentication_that_failed() {
    let failed = |data: &str, id: &str| {
        event(EventName::AuthFail, data)
            .with("sender_host_authenticated", b"plain", Trust::Trusted)
            .with("authenticated_fail_id", id.as_bytes(), Trust::Untrusted)
    };
    let says =
        "${if match{$event_data}{^535}{$sender_host_authenticated of $authenticated_fail_id}}";
    for (event, effect, text) in [
        (
            failed("535 Incorrect authentication data", "ann"),
            Effect::ReplaceLogLine,
            "plain of ann",
        ),
        (failed("501 Invalid base64 data", ""), Effect::Ignored, ""),
        (failed("535 Incorrect", "a\r\nb"), Effect::ReplaceLogLine, "plain of a\\r\\nb"),
    ] {
        let outcome = act(says, &event, OnFailure::Proceed, &[]);
        assert_eq!((outcome.effect, &*outcome.text.to_string()), (effect, text));
    }
    // A failed action leaves the line, with any setting for connections.
    let outcome = act("${eval:x}", &failed("535", "a"), OnFailure::Refuse, &[]);
    assert_eq!(outcome.effect, Effect::Ignored);
}

/// An effect is the event's, never the data's: a peer's words cannot force anything.
#[test]
fn a_peer_cannot_force_a_result() {
    for name in EventName::ALL {
        let event = event(name, "${if eq{a}{a}{stop}} tcp:connect");
        let outcome =
            act("${if eq{$event_data}{tcp:connect}{stop}}", &event, OnFailure::Refuse, &[]);
        assert_eq!((outcome.effect, outcome.stop), (Effect::Ignored, None), "{name}");
        let expanded = act("${expand:$event_data}", &event, OnFailure::Proceed, &[]);
        assert!(matches!(expanded.stop, Some(ExpandFailure::Error(_))), "{name}");
    }
}

/// A query keeps its values apart from its text, over a replay too.
#[test]
fn a_replayed_action_asks_for_nothing_twice() {
    let template: Template =
        "${lookup sqlite{SELECT '${quote_sqlite:$event_data}'}}-${lookup sqlite{SELECT 2}}"
            .parse()
            .unwrap_or_else(|error| unreachable!("{error}"));
    let (event, options) = (event(EventName::MsgDelivery, "it's"), Options::default());
    let mut asked = Vec::new();
    let mut journal = Journal::default();
    let text = loop {
        let action = Action::new(&template, &event, &Program, &options, OnFailure::Proceed);
        let mut action = action.with_journal(journal);
        match action.poll() {
            ActionStep::Done(outcome) => break outcome.text.to_string(),
            ActionStep::Request(request) => {
                let Ask::Lookup { query, .. } = request.ask else { unreachable!() };
                asked.push(query.segments().len());
            }
        }
        journal = action.into_journal();
        journal.handle_found(LookupResult::Value(asked.len().to_string().into_bytes()));
    };
    assert_eq!((text.as_str(), asked), ("1-2", vec![3, 1]));
}
