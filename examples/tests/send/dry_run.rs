//! The plan, which sends nothing.

use super::program::send;

const ZONE: &str = "
example.test. MX 10 a.example.test.
example.test. MX 20 b.example.test.
a.example.test. A 192.0.2.1
b.example.test. A 192.0.2.2
_25._tcp.a.example.test. TLSA 3 1 1 8a9a70596e869bed72c69d97a8895dfad86f300a343feceff19e89c27c896bc9
";

#[test]
fn it_shows_each_host_with_its_policy_and_the_questions() {
    let sent = send(ZONE, "", &["--dry-run", "ann@example.test", "bob@example.test"]);
    assert_eq!(sent.status, 0, "{}", sent.told);
    let expected = "domain example.test:\na.example.test: dane\n  addresses  192.0.2.1\n  \
                    names      a.example.test example.test\n";
    assert!(sent.out.starts_with(expected), "{}", sent.out);
    assert!(sent.out.contains("b.example.test: opportunistic\n"), "{}", sent.out);
    assert!(!sent.out.contains("TLSA 3 1 1"), "{}", sent.out);
    let traced = send(ZONE, "", &["--dry-run", "--trace", "ann@example.test"]);
    assert!(traced.out.contains("_25._tcp.a.example.test TLSA"), "{}", traced.out);

    let sent = send(ZONE, "", &["--dry-run", "--json", "ann@example.test", "x@nowhere.test"]);
    let [plan, nowhere] = sent.outcomes().try_into().unwrap();
    assert_eq!(plan["hosts"][0]["action"], "dane");
    assert_eq!(plan["hosts"][1]["action"], "opportunistic");
    assert_eq!(nowhere["reason"], "the domain does not exist");
    assert_eq!(nowhere["hosts"].as_array().unwrap().len(), 0);
}

#[test]
fn options_change_the_plan() {
    for (options, word) in [
        ("hosts_try_dane = \"\"", "a.example.test: opportunistic"),
        ("dnssec_request_domains = \"\"", "a.example.test: opportunistic"),
        ("hosts_require_dane = \"b.example.test\"", "b.example.test: defer-host"),
        (
            "hosts_try_dane = \"${if eq{$domain}{example.test}{}{*}}\"",
            "a.example.test: opportunistic",
        ),
        ("hosts_try_dane = \"${if eq{$host}{a.example.test}{*}{}}\"", "a.example.test: dane"),
    ] {
        let sent = send(ZONE, options, &["--dry-run", "ann@example.test"]);
        assert!(sent.out.contains(word), "{options}: {}{}", sent.out, sent.told);
    }
    let insecure = ["--dry-run", "--security", "insecure", "ann@example.test"];
    let sent = send(ZONE, "dnssec_require_domains = \"*\"", &insecure);
    assert!(sent.out.contains("which dnssec_require_domains demands"), "{}", sent.out);
}

#[test]
fn wrong_usage_ends_with_2_and_the_cause() {
    for (options, arguments, cause) in [
        ("hosts_try_dane = \"${x\"", &["a@b.test"][..], "line 4: remote_smtp.hosts_try_dane: "),
        ("no_such_option = 1", &["a@b.test"], "no_such_option"),
        ("", &["--route", "a/b", "a@b.test"], "the next hop is not the name of a host"),
        ("", &["no-address"], "invalid value 'no-address'"),
        ("tls_verify_certificates = \"/nonexistent\"", &["a@b.test"], "cannot read /nonexistent"),
    ] {
        let sent = send("a.test. A 192.0.2.1\n", options, arguments);
        assert_eq!(sent.status, 2, "{options} {arguments:?}: {}", sent.out);
        assert!(sent.told.contains(cause), "{options} {arguments:?}: {}", sent.told);
    }
}
