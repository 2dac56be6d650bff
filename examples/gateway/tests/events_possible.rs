//! The words of `event_select`: each is refused where none of its events can happen or has an action, and taken where one
//! can.

use event_expand::EventName;

use super::config_effect::refused;

const HOP: &str = "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\n";
const NAMED: &str = "relay_to_domains = 'b.example'\nroute_data = 'mx.b.example'\n";
const RELAY: &str = "no mail goes to a next hop, since relay_to_domains is empty";
const CERTIFICATES: &str = "tls_try_verify_hosts = '*'\ntls_verify_certificates = 'system'\n";
const UNLISTED: &str = "no event_action is for its events";

/// A word; options with which it has no effect, and the cause; options with which it has one. Actions are those of
/// the default, unless the options have their own.
const WORDS: &[(&str, &str, &str, &str)] = &[
    ("dane:fail", "", RELAY, NAMED),
    (
        "dane:fail",
        "relay_to_domains = 'b.example'\nroute_data = 'mx.b.example'\nremote_smtp.hosts_try_dane = ''\n",
        "hosts_try_dane and hosts_require_dane match no host",
        "relay_to_domains = 'b.example'\nroute_data = 'mx.b.example'\nremote_smtp.hosts_try_dane = ''\n\
         remote_smtp.hosts_require_dane = '*.b.example'\n",
    ),
    (
        "dane:*",
        "relay_to_domains = 'b.example'\nroute_data = 'mx.b.example'\nremote_smtp.dnssec_request_domains = ''\n",
        "no answer is secure, since dnssec_request_domains is empty",
        "relay_to_domains = 'b.example'\nroute_data = '${domain}/MX'\n",
    ),
    ("dane:fail", HOP, "route_data is an address, which has no TLSA records", NAMED),
    (
        "dns:fail",
        "host_lookup = ''\n",
        "host_lookup matches no client, and no mail goes to a next hop, since relay_to_domains is empty",
        "",
    ),
    (
        "dns:*",
        "host_lookup = ''\nrelay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\n",
        "host_lookup matches no client, and route_data is an address, which is not looked up",
        "host_lookup = ''\nrelay_to_domains = 'b.example'\nroute_data = 'mx.b.example'\n",
    ),
    ("msg:complete", "event_action = ''\nlocal_delivery.event_action = 'x'\n", UNLISTED, ""),
    ("msg:defer", "", RELAY, HOP),
    (
        "msg:delivery",
        "event_action = 'x'\n",
        UNLISTED,
        "event_action = ''\nlocal_delivery.event_action = 'x'\n",
    ),
    ("msg:fail:*", "", RELAY, HOP),
    ("msg:fail:delivery", "", RELAY, HOP),
    ("msg:host:*", "", RELAY, HOP),
    ("msg:host:defer", "", RELAY, HOP),
    ("msg:rcpt:*", "", RELAY, HOP),
    ("msg:rcpt:defer", "", RELAY, HOP),
    ("msg:rcpt:host:defer", "", RELAY, HOP),
    (
        "msg:defer",
        "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\nevent_action = 'x'\n",
        UNLISTED,
        "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\nevent_action = 'x'\nremote_smtp.event_action = 'y'\n",
    ),
    ("smtp:connect", "", RELAY, HOP),
    ("smtp:ehlo", "", RELAY, HOP),
    ("smtp:fail:*", "event_action = ''\nlocal_delivery.event_action = 'x'\n", UNLISTED, ""),
    ("smtp:fail:protocol", "event_action = ''\nlocal_delivery.event_action = 'x'\n", UNLISTED, ""),
    ("smtp:fail:syntax", "event_action = ''\nlocal_delivery.event_action = 'x'\n", UNLISTED, ""),
    ("tcp:*", "", RELAY, HOP),
    ("tcp:close", "", RELAY, HOP),
    ("tcp:connect", "", RELAY, HOP),
    (
        "tls:cert",
        "",
        "tls_verify_hosts and tls_try_verify_hosts match no client, and no mail goes to a next hop, since \
         relay_to_domains is empty",
        HOP,
    ),
    (
        "tls:cert",
        "relay_to_domains = 'b.example'\nroute_data = '127.0.0.1:1'\nremote_smtp.event_action = ''\n",
        UNLISTED,
        CERTIFICATES,
    ),
    ("tls:fail:connect", "tls_advertise_hosts = ''\n", "tls_advertise_hosts matches no client", ""),
    (
        "tls:*",
        "tls_advertise_hosts = ''\n",
        "tls_verify_hosts and tls_try_verify_hosts match no client, and no mail goes to a next hop, since \
         relay_to_domains is empty, and tls_advertise_hosts matches no client",
        "",
    ),
];

#[test]
fn a_word_of_event_select_is_taken_only_where_an_event_of_it_can_happen() {
    for (word, without, cause, with) in WORDS {
        // Behind another word, whose event always happens.
        let select = |options: &str| {
            let kept = if options.contains("local_delivery.event_action") {
                "msg:delivery"
            } else {
                "msg:complete"
            };
            let kept = if kept == *word { "" } else { kept };
            format!("{options}event_select = '{kept} : {word}'\n")
        };
        let line = without.lines().count() + 1;
        let number = usize::from(!select(without).contains("' : "));
        let expected = format!("line {line}: event_select: word {number} has no effect: {cause}");
        assert_eq!(refused(&select(without)), expected, "{word} {without}");
        assert_eq!(refused(&select(with)), "", "{word} {with}");
    }
}

#[test]
fn every_event_is_in_the_table_or_never_happens() {
    for event in EventName::ALL {
        let is_tested = WORDS.iter().any(|(word, ..)| *word == event.as_str());
        let never = ["auth:fail", "msg:fail:internal"].contains(&event.as_str());
        assert!(is_tested != never, "{event}");
        if never {
            let expected = "line 1: event_select: the event in word 0 never happens here, or not in event_profile";
            assert_eq!(refused(&format!("event_select = '{event}'")), expected);
        }
    }
}

/// A part of the tree is taken if one of its events can happen.
#[test]
fn a_part_of_the_tree_is_taken_with_one_event() {
    for words in ["*", "msg:*", "smtp:*", "tls:*"] {
        assert_eq!(refused(&format!("event_select = '{words}'")), "", "{words}");
    }
    let of_2014 = "event_profile = '2014'\n";
    assert_eq!(refused(&format!("{of_2014}{HOP}event_select = 'msg:fail:* smtp:*'")), "");
    let expected =
        "line 2: event_select: the event in word 0 never happens here, or not in event_profile";
    assert_eq!(refused(&format!("{of_2014}event_select = 'dns:fail'")), expected);
}

/// The tables of transports: each has an event, or its action is refused.
#[test]
fn an_action_of_a_transport_without_an_event_is_refused() {
    let remote = "[remote_smtp]\nevent_action = 'x'";
    assert_eq!(refused(remote), format!("line 2: remote_smtp.event_action has no effect: {RELAY}"));
    assert_eq!(refused(&format!("{HOP}{remote}")), "");
    let none = "no event is selected that it is for";
    let select = "event_select = 'msg:complete'\n";
    for (table, relay, line) in [("remote_smtp", HOP, 5), ("local_delivery", "", 3)] {
        let text = format!("{relay}{select}[{table}]\nevent_action = 'x'");
        let expected = format!("line {line}: {table}.event_action has no effect: {none}");
        assert_eq!(refused(&text), expected);
        let text = text.replace("msg:complete", "msg:complete msg:delivery");
        assert_eq!(refused(&text), "", "{text}");
    }
}
