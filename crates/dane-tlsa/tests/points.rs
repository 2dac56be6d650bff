//! The points at which clients of DANE have gone wrong, and the standards' requirements: each has a test whose name
//! begins with its number.

#![expect(clippy::unwrap_used, reason = "a helper of tests may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The points, from 1.
const POINTS: [&str; 42] = [
    // The DNS.
    "each failure of a TLSA lookup skips the host",
    "only an answer without error, secure or insecure, is an absence",
    "insecure addresses are not asked about TLSA records",
    "one family of addresses is enough",
    "MX records must be secure",
    "a failed MX lookup defers the message",
    "a domain without MX records is its own host",
    "a configured relay or list of hosts is secure",
    "an aliased host has two base domains",
    "an alias into an unsigned zone is asked about by itself",
    "an insecure alias makes all behind it insecure",
    "the records may be behind an alias, and the base domain stays",
    "an insecure denial is an absence",
    "a failure at the end of an alias is final",
    "TLSA records come before the connection",
    "names are absolute, ports are those of the connection, addresses have no records",
    "a resolver that does not validate is noticed",
    "validation on this host takes unsigned zones and wildcards",
    // Certificates.
    "usages 2 and 3 are alternatives",
    "usage 2 needs no public authority",
    "an anchor may be an intermediate, private, known by its digest",
    "the path ends at the anchor",
    "usage 3 needs no name, date or chain",
    "usage 2 needs one of the reference names",
    "SNI is the base domain",
    "usages 0 and 1 cannot be used",
    "malformed records cannot be used",
    "without a usable record TLS is needed, not authenticated",
    "a server that is not authenticated gets no mail, and no bounce follows",
    "only the strongest digest of a usage and selector counts",
    "an anchor in the DNS need not be sent",
    "an anchor by digest must be sent",
    "one unreadable certificate harms no other",
    "the signature of the handshake is verified",
    "a DNAME record needs nothing special",
    // Policy.
    "where DANE is required, less defers",
    "the preference of MX records goes before DANE",
    "hosts of insecure MX records do not vouch for the next hop",
    "MTA-STS does not override DANE",
    "connections and sessions are shared only where they are as safe",
    "failures have the types of RFC 8460",
    "Exim's variables tell what was used",
];

#[test]
fn each_point_has_a_test_and_each_number_is_a_point() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut found = BTreeMap::new();
    collect(&tests, &mut found);
    for (at, point) in POINTS.iter().enumerate() {
        assert!(found.remove(&(at + 1)).is_some(), "point {}, {point}, has no test", at + 1);
    }
    assert!(found.is_empty(), "tests of other numbers: {found:?}");
}

/// Collects the tests with numbers in their names.
fn collect(folder: &Path, found: &mut BTreeMap<usize, Vec<String>>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            for name in tests_of(&fs::read_to_string(&path).unwrap()) {
                for number in numbers(&name) {
                    found.entry(number).or_default().push(name.clone());
                }
            }
        }
    }
}

/// The names of the functions that are tests.
fn tests_of(source: &str) -> Vec<String> {
    let mut lines = source.lines();
    let mut names = Vec::new();
    while let Some(line) = lines.next() {
        if line == "#[test]" || line.starts_with("#[tokio::test") {
            let function = lines.find(|line| line.contains("fn ")).unwrap();
            let (_, name) = function.split_once("fn ").unwrap();
            names.push(name.split('(').next().unwrap().to_owned());
        }
    }
    names
}

/// The numbers at the start of a name: `point_1_…`, `points_9_12_and_14_…`.
fn numbers(name: &str) -> Vec<usize> {
    let Some(rest) = name.strip_prefix("points_").or_else(|| name.strip_prefix("point_")) else {
        return Vec::new();
    };
    rest.split('_').filter(|word| *word != "and").map_while(|word| word.parse().ok()).collect()
}

#[test]
fn the_numbers_of_a_name_are_read() {
    for (name, expected) in [
        ("point_1_each_failure", &[1][..]),
        ("points_9_12_and_14_an_aliased_host", &[9, 12, 14]),
        ("points_27_and_28_records", &[27, 28]),
        ("a_point_3", &[]),
        ("point_of_view", &[]),
    ] {
        assert_eq!(numbers(name), expected, "{name}");
    }
    assert_eq!(
        tests_of("#[test]\n#[cfg(x)]\nfn a() {\nfn b() {\n#[tokio::test]\nasync fn c() {"),
        ["a", "c"]
    );
}
