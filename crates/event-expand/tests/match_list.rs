//! Lists of domains, local parts, addresses and hosts: their matches and their items.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a helper of tests may panic")]

use std::net::IpAddr;
use std::sync::Arc;

use event_expand::{
    Ask, Limits, ListKind, ListSearch, ListSubject, MatchList, MatchListError, Membership,
    SearchStep,
};
use mail_types::dns::Name;
use mail_types::exim::{ByteList, LookupResult, Trust};

fn list(text: &str, kind: ListKind, limits: &Limits) -> Arc<MatchList> {
    let list = ByteList::new(text.as_bytes());
    Arc::new(MatchList::read(list, Trust::Trusted, kind, limits).unwrap())
}

/// Searches; named lists are `+inner`, files have three lines, and `ann` is a key of every lookup.
fn search(text: &str, kind: ListKind, subject: ListSubject<'_>) -> Membership {
    let limits = Limits::default();
    let mut search = ListSearch::new(list(text, kind, &limits), subject, b"mx.example", &limits);
    loop {
        match search.poll() {
            SearchStep::Decided(membership) => return membership,
            SearchStep::Failed(error) => panic!("{text}: {error}"),
            SearchStep::Named { kind, name, .. } => {
                let inner = match &*name {
                    "inner" => "!bob : !bob.example : ann : ann.example : 192.0.2.1",
                    "not" => "!bob",
                    "circle" => "+circle",
                    name => panic!("{name}"),
                };
                if search.handle_list(list(inner, kind, &limits)).is_err() {
                    return Membership::No;
                }
            }
            SearchStep::Ask(Ask::Lookup { lookup, key, query }) => {
                assert_eq!((lookup.name, query.segments().len()), ("lsearch", 1));
                let is_key = key.unwrap().as_bytes() == b"ann";
                let found =
                    if is_key { LookupResult::Value(Vec::new()) } else { LookupResult::Nothing };
                search.handle_found(&found).unwrap();
            }
            SearchStep::Ask(Ask::Call { arguments, .. }) => {
                assert_eq!(arguments.first().unwrap().as_bytes(), b"/file");
                let lines = "# comment\n!bob # not he\n\nann\n*.example\nc#d@e.example\n";
                search.handle_found(&LookupResult::Value(lines.into())).unwrap();
            }
            SearchStep::Ask(_) => panic!("{text}"),
        }
    }
}

fn is_in(text: &str, kind: ListKind, subject: &str) -> bool {
    search(text, kind, ListSubject::Text(subject.as_bytes())) == Membership::Yes
}

#[test]
fn local_parts() {
    for (text, part, inside) in [
        ("", "ann", false),
        ("*", "ann", true),
        ("ann : bob", "ANN", true),
        ("!root : *", "root", false),
        ("!root : *", "ann", true),
        ("! root", "ann", true),
        ("*-list", "dev-list", true),
        ("*-list", "list", false),
        ("^adm", "admin", true),
        ("^ADM", "admin", true),
        ("^adm$", "admin", false),
        ("!^adm : *", "admin", false),
        ("+inner", "ann", true),
        ("+inner", "bob", false),
        ("+inner : *", "bob", true), // A negated match in a named list is an item that does not match.
        ("!+inner : *", "ann", false),
        ("+not", "ann", true),
        ("/file", "ann", true),
        ("/file", "carl", false),
        ("/file : *", "carl", true),
        ("/file : *", "bob", false), // Its lines stand for the item: a match ends the search.
        ("!/file : *", "ann", false),
        ("!/file : *", "bob", true),
        ("lsearch;/keys", "ann", true),
        ("lsearch;/keys : bob", "bob", true),
        ("!lsearch;/keys : *", "ann", false),
    ] {
        assert_eq!(is_in(text, ListKind::LocalPart, part), inside, "{part} in {text}");
    }
}

#[test]
fn domains() {
    for (text, domain, inside) in [
        ("@", "MX.example", true),
        ("a.example", "A.example", true),
        ("*.example", "a.example", true),
        ("*.example", "example", false),
        ("*example", "example", true),
        (r"^m\d", "m4.example", true),
        (r"^m\d", "mx.example", false),
        ("+inner", "ann.example", true),
        ("!+inner : *", "ann.example", false),
        ("/file", "x.example", true),
        ("[192.0.2.1]", "[192.0.2.1]", true),
        ("*", "[192.0.2.1]", true),
    ] {
        assert_eq!(is_in(text, ListKind::Domain, domain), inside, "{domain} in {text}");
    }
}

#[cfg(feature = "idna")]
#[test]
fn u_labels_match_a_labels() {
    assert!(is_in("bücher.example", ListKind::Domain, "xn--bcher-kva.example"));
    assert!(is_in("*.bücher.example", ListKind::Domain, "a.xn--bcher-kva.example"));
    assert!(is_in("*@bücher.example", ListKind::Address, "ann@xn--bcher-kva.example"));
}

#[test]
fn addresses() {
    for (text, address, inside) in [
        (":", "", true),
        ("ann : <>", "", true),
        ("*", "", false),
        ("", "", false),
        ("!:", "", false),
        ("a.example", "ann@a.example", true),
        ("*@a.example", "ann@a.example", true),
        ("*n@a.example", "ann@a.example", true),
        ("bob@a.example", "ann@a.example", false),
        ("ann@*.example", "Ann@a.example", true),
        ("ann@+inner", "ann@ann.example", true),
        ("ann@+inner", "ann@bob.example", false),
        ("ann@!a.example", "ann@a.example", false),
        ("^ann@", "ann@a.example", true),
        ("^ann", "ann", false),
        ("/file", "c#d@e.example", true),
        ("*@/file", "z@x.example", true),
        ("*@lsearch;/keys", "z@ann", true),
        ("ann@@", "ann@mx.example", true),
    ] {
        assert_eq!(is_in(text, ListKind::Address, address), inside, "{address} in {text}");
    }
}

#[test]
fn hosts() {
    let name: Name = "mx.example.com".parse().unwrap();
    for (text, address, name, membership) in [
        ("*", "192.0.2.1", None, Membership::Yes),
        (":", "192.0.2.1", None, Membership::No),
        (": *", "192.0.2.1", None, Membership::Yes),
        ("192.0.2.0/24", "::ffff:192.0.2.1", None, Membership::Yes),
        ("!192.0.2.1 : *", "192.0.2.1", None, Membership::No),
        ("*.example.com", "192.0.2.1", Some(&name), Membership::Yes),
        ("*.example.com : *", "192.0.2.1", None, Membership::NameNeeded),
        ("+inner", "192.0.2.1", Some(&name), Membership::Yes),
        ("+inner : *", "192.0.2.1", None, Membership::NameNeeded),
    ] {
        let address: IpAddr = address.parse().unwrap();
        let found = search(text, ListKind::Host, ListSubject::Host { address, name });
        assert_eq!(found, membership, "{address} {name:?} in {text}");
    }
}

#[test]
fn what_can_never_match_is_found_by_a_check() {
    let limits = Limits::default();
    for (text, kind, message) in [
        ("a : b_c*d", ListKind::Domain, "item 2 (b_c*d): a * is a wildcard only as the first"),
        ("exa mple", ListKind::Domain, "item 1 (exa mple): not a domain"),
        ("a : : b", ListKind::Domain, "item 2 (): empty item"),
        ("@[]", ListKind::Domain, "interfaces"),
        ("@mx_any", ListKind::Domain, "@mx_any"),
        ("a*b", ListKind::LocalPart, "a * is a wildcard"),
        ("^(", ListKind::LocalPart, "invalid regular expression"),
        ("lsearch;keys", ListKind::Domain, "absolute path"),
        ("sqlite;SELECT 1", ListKind::Domain, "a lookup with a query is not supported"),
        ("nolookup;/x", ListKind::Domain, "unknown lookup type"),
        ("@@lsearch;/x", ListKind::Address, "@@"),
        ("a*@b.example", ListKind::Address, "a * is a wildcard"),
        ("ann@b*c", ListKind::Address, "a * is a wildcard"),
        ("^a", ListKind::Host, "regular expressions are not supported in a host list"),
        ("lsearch;/x", ListKind::Host, "lookups are not supported in a host list"),
        ("192.0.2.1/33", ListKind::Host, "a number up to 32"),
        ("10.0.0.1/8", ListKind::Host, "bits set after its prefix of 8 bits"),
        ("@[]", ListKind::Host, "interfaces"),
    ] {
        let error = list(text, kind, &limits).check(&limits).unwrap_err().to_string();
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn untrusted_text_names_no_file() {
    let limits = Limits::default();
    for text in ["/etc/passwd", "lsearch;/etc/passwd"] {
        let items = ByteList::separated(text.as_bytes(), b':');
        let list = MatchList::read(items, Trust::Untrusted, ListKind::LocalPart, &limits).unwrap();
        let (list, subject) = (Arc::new(list), ListSubject::Text(b"root"));
        let mut search = ListSearch::new(list, subject, b"", &limits);
        let SearchStep::Failed(error) = search.poll() else { panic!("{text} was taken") };
        assert!(error.to_string().contains("list from untrusted text"), "{error}");
    }
}

#[test]
fn an_item_that_changes_those_after_it_is_refused() {
    let limits = Limits::default();
    for (text, kind, named) in [
        ("+caseful : ann", ListKind::LocalPart, "+caseful"),
        ("!+caseful : ann", ListKind::LocalPart, "+caseful"),
        ("+caseful : ann@a.example", ListKind::Address, "+caseful"),
        ("+include_unknown : *.example", ListKind::Host, "+include_unknown"),
        ("+ignore_unknown : *.example", ListKind::Host, "+ignore_unknown"),
        ("+ignore_defer : *.example", ListKind::Host, "+ignore_defer"),
        ("+include_defer : *.example", ListKind::Host, "+include_defer"),
    ] {
        let list = list(text, kind, &limits);
        let error = list.check(&limits).unwrap_err().to_string();
        assert!(error.contains(named) && error.contains("not supported"), "{text}: {error}");
        assert!(list.named_lists().next().is_none(), "{text}");
        let mut search = ListSearch::new(list, ListSubject::Text(b"ann"), b"", &limits);
        assert!(matches!(search.poll(), SearchStep::Failed(_)), "{text}");
    }
    // In the other lists they are names.
    for (text, kind) in [
        ("+caseful", ListKind::Domain),
        ("+caseful", ListKind::Host),
        ("+include_unknown", ListKind::Domain),
    ] {
        let list = list(text, kind, &limits);
        assert_eq!(list.named_lists().count(), 1, "{text}");
        assert_eq!(list.check(&limits), Ok(()));
    }
}

#[test]
fn a_prefix_that_is_no_number_of_bits_is_an_error_even_after_a_negation() {
    let limits = Limits::default();
    let poll = |item: &str, address: &str| {
        let list = list(&format!("<; !{item} ; *"), ListKind::Host, &limits);
        ListSearch::new(list, ListSubject::Text(address.as_bytes()), b"", &limits).poll()
    };
    for item in ["10.0.0.1/4294967296", "10.0.0.1/123456789", "::1/18446744073709551616"] {
        for address in ["10.0.0.1", "::1"] {
            let SearchStep::Failed(error) = poll(item, address) else { panic!("{item} was taken") };
            assert!(error.to_string().contains("prefix length"), "{error}");
        }
    }
    for item in [
        "10.0.0.1/33",
        "10.0.0.1/99999999",
        "10.0.0.1/",
        "10.0.0.1/ 32",
        "10.0.0.1/+32",
        "10.0.0.1/032",
    ] {
        assert_eq!(poll(item, "10.0.0.1"), SearchStep::Decided(Membership::No), "{item}");
    }
}

#[test]
fn the_limits_are_typed() {
    let mut limits = Limits::default();
    let subject = ListSubject::Text(b"ann");
    limits.items = 2;
    for (text, fits) in [("a:b", true), ("a:b:c", false)] {
        let items = ByteList::new(text.as_bytes());
        let read = MatchList::read(items, Trust::Trusted, ListKind::LocalPart, &limits);
        let expected = MatchListError::TooManyItems { limit: 2 };
        assert_eq!(read.map(drop), if fits { Ok(()) } else { Err(expected) }, "{text}");
        let lines = text.replace(':', "\n");
        assert_eq!(
            MatchList::from_lines(lines.as_bytes(), ListKind::LocalPart, &limits).is_ok(),
            fits
        );
    }
    // Ever deeper named lists end.
    assert!(!is_in("+circle", ListKind::LocalPart, "ann"));
    // An expression is 100 steps until it is compiled.
    limits.steps = 100;
    let compiled = list("^a", ListKind::LocalPart, &limits);
    let poll = |list: &Arc<MatchList>, limits: &Limits| {
        ListSearch::new(Arc::clone(list), subject, b"", limits).poll()
    };
    assert_eq!(poll(&compiled, &limits), SearchStep::Decided(Membership::Yes));
    let two = list("^b : ^a", ListKind::LocalPart, &limits);
    let error = MatchListError::TooManySteps { limit: 100 };
    assert_eq!(poll(&two, &limits), SearchStep::Failed(error));
    // What a search does is steps too.
    limits.steps = 1000;
    let (short, long) = ("a".repeat(10), "a".repeat(1000));
    for (subject, expected) in [
        (short, SearchStep::Decided(Membership::No)),
        (long, SearchStep::Failed(MatchListError::TooManySteps { limit: 1000 })),
    ] {
        let list = list("^((a?){50}){50}c", ListKind::LocalPart, &limits);
        let subject = ListSubject::Text(subject.as_bytes());
        let mut search = ListSearch::new(list, subject, b"", &limits);
        assert_eq!((search.poll(), search.poll()), (expected.clone(), expected));
    }
}

#[test]
fn a_poll_too_many_and_an_answer_too_many_change_nothing() {
    let limits = Limits::default();
    let list = list("+inner : ann", ListKind::LocalPart, &limits);
    let mut search = ListSearch::new(Arc::clone(&list), ListSubject::Text(b"ann"), b"", &limits);
    search.handle_list(Arc::clone(&list)).unwrap();
    search.handle_found(&LookupResult::Nothing).unwrap();
    let first = search.poll();
    assert!(matches!(&first, SearchStep::Named { name, .. } if &**name == "inner"));
    assert_eq!(search.poll(), first);
    search.handle_found(&LookupResult::Nothing).unwrap();
    assert_eq!(search.poll(), first);
}
