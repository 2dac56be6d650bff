//! Options and queries of Redis: an invalid one is refused with its line.

use crate::gateway::config::Config;

fn error(text: &str) -> String {
    Config::parse(text).err().map_or_else(String::new, |error| error.to_string())
}

#[test]
fn invalid_options_are_refused() {
    for (text, message) in [
        (
            "redis_servers = '127.0.0.1'",
            "line 1: redis_servers: item 1: byte 9: /database/password is missing",
        ),
        (
            "\nredis_servers = 'a// : b/x/'",
            "line 2: redis_servers: item 2: byte 2: the database is",
        ),
        ("redis_servers = 'a//'\nredis_timeout = '0s'", "line 2: redis_timeout must be"),
        (
            "redis_servers = 'a//'\nredis_timeout = '6s'",
            "line 2: redis_timeout: 6s is more than lookup_timeout, 5s",
        ),
    ] {
        let error = error(text);
        assert!(error.starts_with(message), "{text}: {error}");
    }
    assert_eq!(error("redis_servers = ''"), "");
}

#[cfg(feature = "redis")]
#[test]
fn valid_options_are_taken() {
    for options in [
        "redis_servers = '127.0.0.1/10/ : 127.0.0.1//pa$$word : 127.0.0.1//'",
        "redis_servers = 'a//'\nredis_timeout = '6s'\nlookup_timeout = '7s'\nredis_compatible = true",
    ] {
        let text = format!("{options}\nevent_action = '${{lookup redis{{GET a}}}}'");
        assert_eq!(error(&text), "", "{text}");
    }
}

#[test]
fn without_the_feature_or_without_servers_it_says_what_to_add() {
    let text = "[[acl_smtp_rcpt]]\nverb = 'deny'\ncondition = '${lookup redis{GET a}}'";
    let expected = if cfg!(feature = "redis") {
        "redis_servers names no server"
    } else {
        "not compiled in; build with --features redis"
    };
    assert_eq!(error(text), format!("line 3: byte 0: the lookup redis: {expected}"));
}

#[cfg(feature = "redis")]
#[test]
fn a_query_is_checked_as_far_as_it_is_known() {
    let of = |lookup: &str, options: &str| {
        error(&format!(
            "redis_servers = '192.0.2.1//x : 192.0.2.2::7/3/'\n{options}\n[[acl_smtp_rcpt]]\n\
             verb = 'deny'\ncondition = '''{lookup}'''"
        ))
    };
    for lookup in [
        "${lookup redis{GET $domain}}",
        "${lookup redis {HGET $domain domain}}",
        "${lookup redis{${if eq{$domain}{a}{GET}{SMEMBERS}} $domain}}",
        "${lookup redis,servers=192.0.2.1{GET a}}",
        "${lookup redis,servers=192.0.2.2::7:192.0.2.9/1/{GET a}}",
        "${lookup redis,cache=no_rd{GET a}}",
        "${lookup redis{servers=192.0.2.1;GET a}}",
    ] {
        assert_eq!(of(lookup, ""), "", "{lookup}");
    }
    for (lookup, message) in [
        ("${lookup redis{SET a b}}", "SET changes data, and writes are not allowed"),
        ("${lookup redis{FLUSHALL}}", "FLUSHALL is not an allowed command"),
        ("${lookup redis{SELECT 3}}", "SELECT is never allowed, since it changes or blocks"),
        ("${lookup redis{}}", "the query has no command"),
        ("${lookup redis{GET \"a}}", "a double quote is not closed"),
        ("${lookup redis{${quote_redis:$domain} a}}", "a value is in the name"),
        ("${lookup redis{$domain a}}", "a value is in the name"),
        ("${lookup redis{OBJECT ${lc:$domain} a}}", "a value is in the name"),
        (
            "${lookup redis,servers=192.0.2.3{GET a}}",
            "servers=: item 1: byte 0: no server of redis_servers has",
        ),
        (
            "${lookup redis{servers=192.0.2.3;GET a}}",
            "servers=: item 1: byte 0: no server of redis_servers has",
        ),
        ("${lookup redis,file=/x{GET a}}", "unsupported option after the comma"),
    ] {
        let error = of(lookup, "");
        let expected = "line 5: byte 0: the lookup redis: ";
        assert!(error.starts_with(expected) && error.contains(message), "{lookup}: {error}");
    }
    assert_eq!(of("${lookup redis{SET a b}}", "redis_allow_writes = true"), "");
    let event = "redis_servers = 'a//'\nevent_action = '${lookup redis{INCR $event_name}}'";
    let expected = "line 2: event_action: byte 0: the lookup redis: query refused: INCR changes";
    assert!(error(event).starts_with(expected), "{}", error(event));
}
