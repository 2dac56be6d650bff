//! MTA-STS policies from files (RFC 8461 section 3.2).

use std::fs;
use std::time::{Duration, SystemTime};

use mail_types::dns::Name;

use super::scratch::Scratch;
use crate::gateway::delivery::mta_sts::{MtaStsDirectory, StsPolicy};

const POLICY: &str = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n";

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[test]
fn a_policy_names_hosts_and_one_label_of_a_wildcard() {
    let policy = StsPolicy::parse(POLICY).unwrap();
    assert!(policy.is_enforced() && !policy.is_testing());
    for (host, is_named) in [
        ("mail.example.com", true),
        ("MAIL.example.COM", true),
        ("a.example.net", true),
        ("example.net", false),
        ("a.b.example.net", false),
        ("example.com", false),
        ("xmail.example.com", false),
    ] {
        assert_eq!(policy.names(&name(host)), is_named, "{host}");
    }
    assert_eq!(policy.lines().len(), 5);
    let testing = StsPolicy::parse(&POLICY.replace("enforce", "testing")).unwrap();
    assert!(testing.is_testing() && !testing.is_enforced());
    // A policy that withdraws another needs no host.
    let none = StsPolicy::parse("version: STSv1\nmode: none\nmax_age: 1\n").unwrap();
    assert!(!none.is_testing() && !none.is_enforced());
}

#[test]
fn of_a_repeated_field_the_first_counts_and_unknown_ones_are_ignored() {
    let text = format!("{POLICY}mode: none\nx-new: y\n\n");
    assert!(StsPolicy::parse(&text).unwrap().is_enforced());
}

#[test]
fn a_file_that_is_no_policy_says_why() {
    for (text, cause) in [
        ("", "no \"version: STSv1\""),
        ("version: STSv2\nmode: none\nmax_age: 1", "no \"version: STSv1\""),
        ("version: STSv1\nmax_age: 1\nmx: a.example", "no mode, or not enforce, testing or none"),
        (
            "version: STSv1\nmode: on\nmax_age: 1\nmx: a.example",
            "no mode, or not enforce, testing or none",
        ),
        ("version: STSv1\nmode: enforce\nmx: a.example", "no max_age, or not a number of seconds"),
        (
            "version: STSv1\nmode: enforce\nmax_age: -1\nmx: a.example",
            "no max_age, or not a number of seconds",
        ),
        ("version: STSv1\nmode: enforce\nmax_age: 1", "no mx"),
        ("version: STSv1\nnonsense\n", "line 2 is not a field of a policy"),
        ("version: STSv1\nmx: *.*.example\n", "line 2 is not a field of a policy"),
        ("version: STSv1\nmx: .\n", "line 2 is not a field of a policy"),
    ] {
        assert_eq!(StsPolicy::parse(text).unwrap_err().to_string(), cause, "{text:?}");
    }
}

#[test]
fn the_policy_of_a_domain_is_in_its_file_until_it_expires() {
    let scratch = Scratch::new();
    let (folder, now) = (MtaStsDirectory::new(scratch.path().into()), SystemTime::now());
    fs::write(scratch.path().join("example.com"), POLICY).unwrap();
    let found = |domain: &str, now| folder.policy(&name(domain), now).unwrap();
    assert_eq!(found("Example.COM", now), Some(StsPolicy::parse(POLICY).unwrap()));
    assert_eq!(found("example.net", now), None);
    let week = Duration::from_hours(168);
    assert!(found("example.com", now + week - Duration::from_mins(1)).is_some());
    assert_eq!(found("example.com", now + week + Duration::from_mins(1)), None);

    // No name leads out of the folder.
    for domain in [".", r"\.\..example", r"..\047example.com", r"a\047b"] {
        let Ok(domain) = domain.parse() else { continue };
        assert_eq!(folder.policy(&domain, now).unwrap(), None, "{domain}");
    }
    fs::write(scratch.path().join("long.example"), "x".repeat(70_000)).unwrap();
    let error = folder.policy(&name("long.example"), now).unwrap_err().to_string();
    assert!(error.ends_with("long.example: longer than 65536 octets"), "{error}");
    assert!(error.starts_with("MTA-STS policy /"), "{error}");
}
