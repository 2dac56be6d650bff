//! Events: their names, their actions, and deliveries as they happen.

use event_expand::{
    Action, ActionOutcome, ActionStep, Effect, Event, EventName, ExpandFailure, OnFailure, Options,
    Profile, Section, Selection, SelectionError, Template, Variables, packed_errno,
};
use mail_types::exim::{LookupResult, Trust, Value, Variable};

struct Program;

impl Variables for Program {
    fn variable(&self, name: &str) -> Variable<'_> {
        match name {
            "primary_hostname" => Value::trusted("mx.example").into(),
            "host" => Value::new(&b"peer.example"[..], Trust::Untrusted).into(),
            _ => Variable::Unknown,
        }
    }
}

fn act(template: &str, event: &Event, on_failure: OnFailure) -> ActionOutcome {
    let template: Template = template.parse().unwrap_or_else(|error| unreachable!("{error}"));
    let options = Options::default();
    let mut action = Action::new(&template, event, &Program, &options, on_failure);
    loop {
        match action.poll() {
            ActionStep::Done(outcome) => return outcome,
            ActionStep::Request(_) => action.handle_found(LookupResult::Nothing),
        }
    }
}

/// Sections "Event Actions" of 2014 and of today.
#[test]
fn names_profiles_and_effects() {
    let of_2014: Vec<_> =
        EventName::ALL.into_iter().filter(|event| event.is_in(Profile::Of2014)).collect();
    assert_eq!((of_2014.len(), EventName::ALL.len()), (9, 19));
    for event in EventName::ALL {
        assert_eq!(event.to_string().parse(), Ok(event));
        assert!(event.is_in(Profile::Current));
        let effect = match event.as_str() {
            "tcp:connect" => Effect::DoNotConnect,
            "tls:cert" => Effect::RefuseVerification,
            "smtp:connect" => Effect::CloseConnection,
            "auth:fail" => Effect::ReplaceLogLine,
            _ => Effect::Ignored,
        };
        assert_eq!(event.effect(), effect, "{event}");
    }
    assert!("msg:nothing".parse::<EventName>().is_err());
    let fail = EventName::MsgFailDelivery;
    assert_eq!(
        (fail.section(Profile::Of2014), fail.section(Profile::Current)),
        (Section::Main, Section::Transport)
    );
    assert_eq!(EventName::MsgComplete.section(Profile::Current), Section::Main);
}

#[test]
fn a_selection_has_parts_of_the_tree() {
    let count = |text: &str| text.parse::<Selection>().map(|selection| selection.iter().count());
    assert_eq!(count("*"), Ok(19));
    assert_eq!(count("msg:*"), Ok(8));
    assert_eq!(count("msg:fail:* : tcp:connect msg:fail:delivery"), Ok(3));
    assert_eq!(count("tcp:close"), Ok(1));
    assert_eq!(count(""), Err(SelectionError::Empty));
    for (text, told) in [
        ("tcp:close msg:del*", "unknown event in word 2 (msg:del*); did you mean msg:delivery?"),
        ("msg", "unknown event in word 1 (msg); did you mean msg:*?"),
        ("msg:deliver", "unknown event in word 1 (msg:deliver); did you mean msg:delivery?"),
        ("tcp:* : TCP:conect", "unknown event in word 2 (TCP:conect); did you mean tcp:connect?"),
        ("msg:fail", "unknown event in word 1 (msg:fail); did you mean msg:fail:*?"),
        ("queue:start", "unknown event in word 1 (queue:start)"),
        ("tcp:close, tcp:connect", "unknown event in word 1 (tcp:close,); did you mean tcp:close?"),
    ] {
        assert_eq!(count(text).map_err(|error| error.to_string()), Err(told.to_owned()), "{text}");
    }
}

#[test]
fn each_event_has_variables_of_its_own() {
    let template = "$event_name|$event_data|$event_defer_errno|$host|$host_port|$tls_out_dane";
    let deferred = Event::new(EventName::MsgRcptDefer)
        .data(b"450 NOT RIGHT NOW", Trust::Untrusted)
        .defer_errno(packed_errno(450, false));
    let outcome = act(template, &deferred, OnFailure::Proceed);
    assert_eq!(outcome.text.to_string(), "msg:rcpt:defer|450 NOT RIGHT NOW|12865|peer.example||no");
    assert_eq!(outcome.effect, Effect::Ignored);
    let closed = Event::new(EventName::TcpClose).with("host", b"a.example", Trust::Untrusted);
    let outcome = act(template, &closed, OnFailure::Proceed);
    assert_eq!(outcome.text.to_string(), "tcp:close||0|a.example||no", "nothing is left over");
    for name in Event::VARIABLES {
        let event = Event::new(EventName::TlsCert).with(name, b"v", Trust::Untrusted);
        assert!(
            name == "event_name"
                || event.variable(name) != Event::new(EventName::TlsCert).variable(name)
        );
    }
    assert_eq!(
        Event::new(EventName::TlsCert).with("nosuch", b"v", Trust::Trusted),
        Event::new(EventName::TlsCert)
    );
    assert_eq!(packed_errno(450, true), 12_877);
}

#[test]
fn what_a_failing_action_does_is_the_users_choice() {
    let failing = "${eval:1/0}";
    for event in EventName::ALL {
        let event = Event::new(event);
        let proceeding = act(failing, &event, OnFailure::Proceed);
        assert_eq!(proceeding.effect, Effect::Ignored);
        assert!(matches!(proceeding.stop, Some(ExpandFailure::Error(_))));
        let refusing = act(failing, &event, OnFailure::Refuse);
        let expected = if event.name().waits() { event.name().effect() } else { Effect::Ignored };
        assert_eq!(refusing.effect, expected, "{}", event.name());
    }
    let connect = Event::new(EventName::TcpConnect);
    let forced = act("${if eq{a}{b}{c}fail}", &connect, OnFailure::Refuse);
    assert_eq!(
        (forced.effect, forced.stop),
        (Effect::Ignored, Some(ExpandFailure::Forced { at: 0 }))
    );
    let template: Template = "${lookup redis{a}}".parse().unwrap_or_else(|_| unreachable!());
    let options = Options::default();
    let action = Action::new(&template, &connect, &Program, &options, OnFailure::Refuse);
    assert_eq!(
        action.handle_timeout().effect,
        Effect::DoNotConnect,
        "so is one that takes too long"
    );
}

/// The result of an action for each event: its name, its data, and more if it matters.
const SAYS: &str =
    "$event_name($event_data)${if !eq{$event_defer_errno}{0}{ errno $event_defer_errno}}";

/// A delivery to a host, as the events of it that happen, in order.
fn says(events: &[Event]) -> Vec<String> {
    let outcomes = events.iter().map(|event| act(SAYS, event, OnFailure::Proceed));
    outcomes.map(|outcome| outcome.text.to_string()).collect()
}

fn event(name: EventName, data: &str) -> Event {
    Event::new(name).data(data.as_bytes(), Trust::Untrusted)
}

/// A: one recipient accepted; D: deferred at RCPT; F: deferred after the data; N: closed before the
/// banner; R: PRDR with three recipients, of whom each raises its event.
#[test]
fn deliveries_as_they_happen() {
    let connected = [
        event(EventName::TcpConnect, ""),
        event(EventName::SmtpConnect, "220 ESMTP"),
        event(EventName::SmtpEhlo, "250-mx\n250 PRDR"),
    ];
    let accepted = [
        event(EventName::TcpClose, ""),
        event(EventName::MsgDelivery, "250 OK"),
        event(EventName::MsgComplete, ""),
    ];
    assert_eq!(
        says(&[&connected[..], &accepted].concat()),
        [
            "tcp:connect()",
            "smtp:connect(220 ESMTP)",
            "smtp:ehlo(250-mx\\n250 PRDR)",
            "tcp:close()",
            "msg:delivery(250 OK)",
            "msg:complete()",
        ]
    );
    let deferred = [
        event(EventName::MsgRcptHostDefer, "450 later").defer_errno(packed_errno(450, false)),
        event(EventName::MsgRcptDefer, "450 later").defer_errno(packed_errno(450, false)),
        event(EventName::TcpClose, ""),
    ];
    assert_eq!(
        says(&deferred),
        [
            "msg:rcpt:host:defer(450 later) errno 12865",
            "msg:rcpt:defer(450 later) errno 12865",
            "tcp:close()"
        ]
    );
    let after_data = event(EventName::MsgDefer, "450 post-data problem").defer_errno(-46);
    let closed = event(EventName::MsgHostDefer, "Remote host closed connection").defer_errno(-18);
    assert_eq!(
        says(&[after_data, closed]),
        [
            "msg:defer(450 post-data problem) errno -46",
            "msg:host:defer(Remote host closed connection) errno -18",
        ]
    );
    let prdr = [
        event(EventName::MsgDelivery, "250 r1 ok\n250 final ok"),
        event(EventName::MsgFailDelivery, "550 r2 no"),
        event(EventName::MsgRcptDefer, "450 r3 later").defer_errno(packed_errno(450, true)),
    ];
    assert_eq!(
        says(&prdr),
        [
            "msg:delivery(250 r1 ok\\n250 final ok)",
            "msg:fail:delivery(550 r2 no)",
            "msg:rcpt:defer(450 r3 later) errno 12877",
        ]
    );
}

/// J: an action that speaks at `tcp:connect`; O: one that refuses a certificate; Q: one that writes
/// the line of the log.
#[test]
fn what_actions_force() {
    let template = "${if eq{$event_name}{tcp:connect}{${if match_ip{$host_address}{192.0.2.0/24}{no}}}}\
        ${if eq{$event_name}{tls:cert}{${if eq{$event_data}{0}{untrusted}}}}\
        ${if eq{$event_name}{auth:fail}{auth of $authenticated_fail_id: $event_data}}";
    let address = |address: &[u8]| {
        Event::new(EventName::TcpConnect).with("host_address", address, Trust::Untrusted)
    };
    let failed = event(EventName::AuthFail, "535 Incorrect").with(
        "authenticated_fail_id",
        b"ann",
        Trust::Untrusted,
    );
    for (event, effect, text) in [
        (address(b"192.0.2.7"), Effect::DoNotConnect, "no"),
        (address(b"198.51.100.1"), Effect::Ignored, ""),
        (event(EventName::TlsCert, "0"), Effect::RefuseVerification, "untrusted"),
        (event(EventName::TlsCert, "1"), Effect::Ignored, ""),
        (failed, Effect::ReplaceLogLine, "auth of ann: 535 Incorrect"),
    ] {
        let outcome = act(template, &event, OnFailure::Refuse);
        assert_eq!((outcome.effect, &*outcome.text.to_string()), (effect, text));
        assert_eq!(outcome.stop, None);
    }
}

/// A certificate comes from outside, whatever the caller says.
#[test]
fn a_certificate_is_untrusted() {
    for name in Event::CERTIFICATES {
        let set = |trust| Event::new(EventName::TlsCert).with(name, b"certificate", trust);
        assert_eq!(set(Trust::Trusted), set(Trust::Untrusted));
    }
}
