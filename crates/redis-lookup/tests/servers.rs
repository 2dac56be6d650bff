//! Lists of servers, good and bad. The forms of 2014 are those of Exim's experimental specification.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests may panic"
)]

use redis_lookup::{Address, ServerKind, ServerProblem, Servers};

fn one(text: &str) -> redis_lookup::Server {
    let servers = Servers::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(servers.as_slice().len(), 1, "{text}");
    servers.as_slice()[0].clone()
}

fn password(text: &str) -> Option<String> {
    one(text).password.map(|password| password.expose().to_owned())
}

#[test]
fn the_forms_of_2014() {
    for (text, shown, secret) in [
        ("127.0.0.1/10/", "127.0.0.1:6379/10", None),
        ("127.0.0.1//password", "127.0.0.1:6379/0", Some("password")),
        ("127.0.0.1//", "127.0.0.1:6379/0", None),
        ("127.0.0.1::6380/10/", "127.0.0.1:6380/10", None),
        ("redis.example.org//pa/ss/", "redis.example.org:6379/0", Some("pa/ss/")),
        ("(/run/redis.sock)/3/a::b", "(/run/redis.sock)/3", Some("a:b")),
        ("(/run/re(d)is/s)//)/x", "(/run/re(d)is/s)/0", Some(")/x")),
        ("<; [2001:db8::1]:6380/1/x@y", "[2001:db8::1]:6380/1", Some("x@y")),
        ("<; 127.0.0.1//redis://x", "127.0.0.1:6379/0", Some("redis://x")),
        ("<| [::1]//a;b", "[::1]:6379/0", Some("a;b")),
        ("<\n 127.0.0.1:7000//p:q", "127.0.0.1:7000/0", Some("p:q")),
    ] {
        assert_eq!(one(text).to_string(), shown, "{text}");
        assert_eq!(password(text).as_deref(), secret, "{text}");
    }
    let list = Servers::parse("127.0.0.1/10/ : 127.0.0.1//password : 127.0.0.1//").unwrap();
    assert_eq!(list.as_slice().len(), 3);
    assert!(Servers::parse("").unwrap().is_empty());
}

#[test]
fn addresses_with_a_scheme() {
    let server = one("<; redis://ann%40x:p%40%3A%2F%23%25@redis.example:7000/4?protocol=3");
    assert_eq!(server.to_string(), "redis.example:7000/4");
    assert_eq!(server.user.as_deref(), Some("ann@x"));
    assert_eq!(server.password.unwrap().expose(), "p@:/#%");
    assert!(server.resp3 && server.tls.is_none());

    let server = one("<; rediss://:secret@[2001:db8::1]?ca=/etc/ca.pem");
    assert_eq!((server.user, server.database), (None, 0));
    let ca = server.tls.unwrap().ca_file.unwrap();
    assert_eq!(ca.to_str(), Some("/etc/ca.pem"));
    assert_eq!(one("<; rediss://a").tls.unwrap().ca_file, None);

    let server = one("<; redis://u:p@%2Frun%2Fredis.sock/2");
    assert_eq!(server.kind, ServerKind::Single(Address::Unix("/run/redis.sock".into())));

    let server = one("<; redis+cluster://:p@a:1,b,[::1]:3");
    assert_eq!(server.to_string(), "cluster a:1,b:6379,[::1]:3/0");

    let text = "<; rediss+sentinel://u:p@a,b:1/my%20master/2?sentinel_user=s&sentinel_password=q";
    let server = one(text);
    assert_eq!(server.to_string(), "master my master of a:26379,b:1/2");
    let ServerKind::Sentinel(group) = server.kind else { unreachable!() };
    assert_eq!(group.user.as_deref(), Some("s"));
    assert_eq!(group.password.unwrap().expose(), "q");
    assert_eq!((server.password.unwrap().expose(), server.database), ("p", 2));
}

/// The position and the problem of an item after another one.
fn refusal(item: &str) -> (usize, ServerProblem) {
    let error = Servers::parse(&format!("<; good// ; {item}")).unwrap_err();
    assert_eq!(error.item, 2, "{item}");
    (error.at, error.problem)
}

#[test]
fn a_bad_item_is_refused_with_its_number_and_byte() {
    use ServerProblem::{
        Brackets, Character, ClusterDatabase, Database, Host, Hosts, Incomplete, NoHost, NoMaster,
        Parameter, Path, Percent, Port, Scheme, Socket, UserAlone, Value,
    };
    for (item, at, problem) in [
        ("127.0.0.1", 9, Incomplete),
        ("127.0.0.1/10", 12, Incomplete),
        ("/10/", 0, NoHost),
        ("a:/1/", 2, Port),
        ("a:0/1/", 2, Port),
        ("a:65536/1/", 2, Port),
        ("a:+1/1/", 2, Port),
        ("::1//", 0, NoHost),
        ("2001:db8::1//", 0, Brackets),
        ("[::1//", 0, Brackets),
        ("[127.0.0.1]//", 0, Brackets),
        ("[::1]x//", 0, Brackets),
        ("a/ten/", 2, Database),
        ("a/-1/", 2, Database),
        ("a/4294967296/", 2, Database),
        ("a b//", 1, Host),
        ("user@a//", 4, Host),
        ("(run/x)//", 0, Socket),
        ("(/run/x//", 0, Socket),
        ("http://a", 0, Scheme),
        ("redis://", 8, NoHost),
        ("redis://u@a", 8, UserAlone),
        ("redis://u:p%4@a", 11, Percent),
        ("redis://u:%ff@a", 10, Percent),
        ("redis://u:p@q@a", 11, Character),
        ("redis://u:p#@a", 11, Character),
        ("redis://a/x", 10, Database),
        ("redis://a/1/2", 11, Path),
        ("redis://a,b", 9, Hosts),
        ("redis://a?x=1", 10, Parameter),
        ("redis://a?protocol=4", 19, Value),
        ("redis://a?ca=/x", 10, Parameter),
        ("rediss://a?ca=x", 14, Value),
        ("rediss://%2Fx", 9, Socket),
        ("redis+cluster://a/3", 18, ClusterDatabase),
        ("redis+cluster://a,,b", 18, NoHost),
        ("redis+sentinel://a", 18, NoMaster),
        ("redis+sentinel://a/", 19, NoMaster),
        ("redis+sentinel://a/m?sentinel_user=x", 21, UserAlone),
    ] {
        assert_eq!(refusal(item), (at, problem), "{item}");
    }
}

#[test]
fn a_name_or_path_that_no_program_can_use_is_refused() {
    use ServerProblem::{Host, Master, Socket, Value};
    for (item, at, problem) in [
        ("*//", 0, Host),
        ("a\"b//", 1, Host),
        ("a,b//", 1, Host),
        ("b\u{fc}cher//", 1, Host),
        ("a\0b//", 1, Host),
        ("redis://a*", 9, Host),
        ("redis+cluster://a,b%00", 19, Host),
        ("(/run/x\0y)//", 0, Socket),
        ("redis://%2Fs%00x/1", 8, Socket),
        ("redis://%2Fs%0Ax/1", 8, Socket),
        ("rediss://a?ca=/x%00y", 14, Value),
        ("redis+sentinel://a/m%0D%0Ax", 19, Master),
        ("redis+sentinel://a/m%00", 19, Master),
    ] {
        assert_eq!(refusal(item), (at, problem), "{item}");
    }
}

#[test]
fn a_list_has_a_most_of_servers_and_nodes() {
    let many = |count| Servers::parse(&vec!["a//"; count].join(":"));
    assert_eq!(many(Servers::MAX).unwrap().as_slice().len(), Servers::MAX);
    assert_eq!(many(Servers::MAX + 1).unwrap_err().problem, ServerProblem::TooMany);
    let nodes =
        |count| Servers::parse(&format!("<; redis+cluster://{}", vec!["a"; count].join(",")));
    assert!(nodes(Servers::MAX).is_ok());
    assert_eq!(nodes(Servers::MAX + 1).unwrap_err().problem, ServerProblem::TooMany);
}

#[test]
fn an_address_of_a_program_has_no_control_characters_in_a_log_line() {
    for (address, shown) in [
        (Address::tcp("a\r\nb", 1), "a\\r\\nb:1"),
        (Address::tcp("::1\u{202e}", 1), "[::1\\u{202e}]:1"),
        (Address::Unix("/run/\u{1b}[0m".into()), "(/run/\\u{1b}[0m)"),
    ] {
        assert_eq!(address.to_string(), shown);
    }
    let mut server = one("<; redis+sentinel://a/m");
    let ServerKind::Sentinel(group) = &mut server.kind else { unreachable!() };
    group.master = "m\nx".to_owned();
    assert_eq!(server.to_string(), "master m\\nx of a:26379/0");
}

#[test]
fn a_password_is_in_no_text() {
    for text in [
        "<; 127.0.0.1//hunter2",
        "<; (/run/s)//hunter2",
        "<; redis://ann:hunter2@a",
        "<; redis+cluster://ann:hunter2@a,b",
        "<; redis+sentinel://ann:hunter2@a/m?sentinel_password=hunter2",
    ] {
        let servers = Servers::parse(text).unwrap();
        assert!(!format!("{servers:?} {servers:#?} {servers}").contains("hunter2"), "{text}");
        // Nor where the list is wrong behind it.
        let error = Servers::parse(&format!("{text} ; x")).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hunter2"), "{text}");
    }
    for text in ["<; a/hunter2", "<; a/hunter2/", "<; redis://hunter2@a", "<; redis://u:hunter2%@a"]
    {
        let error = Servers::parse(text).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hunter2"), "{text}");
    }
}

#[test]
fn a_lookup_picks_servers_by_name_or_brings_its_own() {
    let text = "<; 192.0.2.1/1/a ; (/run/s)/2/ ; redis://u:p@host:7/3 ; [::1]:8//";
    let servers = Servers::parse(text).unwrap();
    for (pick, shown) in [
        ("192.0.2.1", "192.0.2.1:6379/1"),
        ("(/run/s)", "(/run/s)/2"),
        ("host::7", "host:7/3"),
        ("<; [::1]:8 ; 192.0.2.1", "[::1]:8/0, 192.0.2.1:6379/1"),
        ("192.0.2.9/4/x", "192.0.2.9:6379/4"),
    ] {
        assert_eq!(servers.pick(pick).unwrap().to_string(), shown, "{pick}");
    }
    for pick in ["192.0.2.2", "", "192.0.2.1 : x"] {
        let error = servers.pick(pick).unwrap_err();
        assert_eq!(error.problem, ServerProblem::NotInList, "{pick}");
    }
}
