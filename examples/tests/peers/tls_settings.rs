//! The options of TLS for deliveries: Exim's client and `send` with the same settings, to the same servers.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use serde_json::Value;

use super::block::Block;
use super::dane_lab::{Lab, found_in};
use super::delivery_line::outcome;
use super::servers::have;
use super::stapled_hosts::{Kind, Staple, StapledHost, write};

const fn host(name: &'static str, certificate: Kind, usage: u8, staple: Staple) -> StapledHost {
    StapledHost { name, certificate, usage, staple }
}

const HOSTS: [StapledHost; 16] = [
    host("stapled", Kind::Good, 0, Staple::Good),
    host("stapled-ee", Kind::Good, 3, Staple::Good),
    host("stapled-ta", Kind::Good, 2, Staple::Good),
    host("bare", Kind::Good, 0, Staple::None),
    host("bare-ee", Kind::Good, 3, Staple::None),
    host("bare-ta", Kind::Good, 2, Staple::None),
    host("wrong", Kind::Good, 0, Staple::Other),
    host("wrong-ee", Kind::Good, 3, Staple::Other),
    host("named", Kind::Named, 0, Staple::None),
    host("named-ee", Kind::Named, 3, Staple::None),
    host("foreign", Kind::Foreign, 0, Staple::None),
    host("foreign-ee", Kind::Foreign, 3, Staple::None),
    host("revoked", Kind::Revoked, 0, Staple::None),
    host("revoked-ee", Kind::Revoked, 3, Staple::None),
    host("clear", Kind::None, 0, Staple::None),
    host("clear-ee", Kind::None, 3, Staple::None),
];

const DEFAULT_OCSP: &str =
    "${if or {{= {0}{$tls_out_tlsa_usage}} {= {4}{$tls_out_tlsa_usage}}} {*}{}}";
const VERIFY: (&str, &str) = ("tls_verify_hosts", "*");
const CA: (&str, &str) = ("tls_verify_certificates", "ca.pem");
const OTHER: (&str, &str) = ("tls_verify_certificates", "other-ca.pem");
const ENCRYPTED: (&str, &str) = ("hosts_require_tls", "*");
const UNNAMED: (&str, &str) = ("tls_verify_cert_hostnames", "");
const OLD_CRL: (&str, &str) = ("tls_crl", "crl-of-2025.pem");
const CRL: (&str, &str) = ("tls_crl", "crl.pem");

/// Options with the same names and values in both; a value that ends with `.pem` is a file.
const SETTINGS: [&[(&str, &str)]; 31] = [
    &[],
    &[CA],
    &[OTHER],
    &[("tls_verify_certificates", "")],
    &[ENCRYPTED],
    &[("hosts_require_dane", "*")],
    &[("hosts_try_dane", ""), CA],
    &[("hosts_try_dane", ""), VERIFY, CA],
    &[("hosts_try_dane", ""), VERIFY, ENCRYPTED, CA],
    &[VERIFY],
    &[VERIFY, CA],
    &[VERIFY, ENCRYPTED, CA],
    &[VERIFY, ENCRYPTED, OTHER],
    &[("tls_try_verify_hosts", ""), CA],
    &[("tls_try_verify_hosts", ""), ("tls_verify_hosts", ""), CA],
    &[("tls_try_verify_hosts", ":"), CA],
    &[("tls_try_verify_hosts", ""), ENCRYPTED, CA],
    &[("tls_tempfail_tryclear", "false"), VERIFY, CA],
    &[("tls_tempfail_tryclear", "false"), VERIFY, OTHER],
    &[UNNAMED, CA],
    &[UNNAMED, VERIFY, ENCRYPTED, CA],
    &[CRL, CA],
    &[OLD_CRL, CA],
    &[OLD_CRL, VERIFY, ENCRYPTED, CA],
    &[CRL, VERIFY, ENCRYPTED, CA],
    &[("hosts_require_ocsp", "*"), ENCRYPTED, CA],
    &[("hosts_require_ocsp", "*"), ENCRYPTED, VERIFY, CA],
    &[("hosts_request_ocsp", ""), CA],
    &[("hosts_request_ocsp", "*"), CA],
    &[("hosts_request_ocsp", DEFAULT_OCSP), CA],
    &[("hosts_request_ocsp", "${if eq{$tls_out_tlsa_usage}{8}{*}}"), CA],
];

/// Outcomes that differ, of these hosts, with this option.
struct Difference {
    /// The name of the option, or its value.
    option: &'static str,
    /// The ends of the names.
    hosts: &'static [&'static str],
    /// Pairs of Exim's outcome and that of `send`.
    words: &'static [(&'static str, &'static str)],
    reason: &'static str,
}

const DIFFERENCES: [Difference; 9] = [
    Difference {
        option: "",
        hosts: &[
            "bare",
            "bare-ee",
            "bare-ta",
            "foreign",
            "foreign-ee",
            "named",
            "named-ee",
            "revoked",
            "revoked-ee",
        ],
        words: &[("yes 3", "yes 1"), ("no 3", "no 1")],
        reason: "Exim's manual: 1 without a staple; Exim with GnuTLS takes it for a failure",
    },
    Difference {
        option: "",
        hosts: &[""],
        words: &[("no 4", "no 2")],
        reason: "Exim's manual: 2 without a verified certificate; Exim with GnuTLS checks the staple alone",
    },
    Difference {
        option: "",
        hosts: &["-ee"],
        words: &[("dane 3", "dane 0")],
        reason: "Exim's text: no staple is asked for if a record has another usage than 2; with GnuTLS \
            $tls_out_tlsa_usage is 0 when the list is expanded",
    },
    Difference {
        option: "hosts_request_ocsp",
        hosts: &["-ee"],
        words: &[
            ("dane 0", "dane 4"),
            ("dane 0", "dane 1"),
            ("dane 3", "dane 4"),
            ("dane 3", "dane 1"),
        ],
        reason: "the same two faults, with a list of one's own",
    },
    Difference {
        option: "",
        hosts: &["-ta"],
        words: &[("dane 3", "dane 4"), ("dane 3", "dane 1")],
        reason: "GnuTLS checks a staple with the certificate's path only, in place of which Exim checks the records",
    },
    Difference {
        option: "hosts_require_ocsp",
        hosts: &[""],
        words: &[("deferred", "dane 4")],
        reason: "as above: with GnuTLS no host with TLSA records has a verified staple",
    },
    Difference {
        option: "hosts_require_dane",
        hosts: &[""],
        words: &[("failed", "deferred")],
        reason: "Exim returns what has no TLSA record; RFC 7672 section 6 delays mail that needs DANE",
    },
    Difference {
        option: "tls_try_verify_hosts",
        hosts: &[""],
        words: &[("no 3", "no 2")],
        reason: "Exim's manual: 2 without a verified certificate; GnuTLS checks no staple without a certificate",
    },
    Difference {
        option: "crl-of-2025.pem",
        hosts: &[""],
        words: &[
            ("yes 4", "no 2"),
            ("yes 3", "no 1"),
            ("yes 4", "deferred"),
            ("yes 3", "deferred"),
        ],
        reason: "RFC 5280 section 6.3.3: an expired list says nothing of today; Exim with GnuTLS does not look at its time",
    },
];

impl Difference {
    fn explains(&self, setting: &[(&str, &str)], host: &str, words: [&str; 2]) -> bool {
        (self.option.is_empty()
            || setting.iter().any(|(name, value)| [*name, *value].contains(&self.option)))
            && self.hosts.iter().any(|end| host.ends_with(end))
            && self.words.iter().any(|(exim, send)| words == [*exim, *send])
    }
}

#[test]
fn each_option_of_tls_does_what_it_does_in_exim_but_for_known_differences() {
    if !have(&["exim4", "knotd", "kzonesign", "unbound", "openssl", "unshare"]) {
        return;
    }
    let block = Block::claim();
    let first = block.first();
    let lab = Lab::start_with(&block, "exim", |folder, port| write(&HOSTS, first, (folder, port)));
    let seen = Mutex::new(HashSet::new());
    let wrong = found_in(SETTINGS.iter().enumerate(), |(number, setting)| {
        let (exim, send) = (by_exim(&lab, setting), by_send(&lab, number, setting));
        let differ = HOSTS.iter().map(|host| (host.name, [&*exim[host.name], &*send[host.name]]));
        let unexplained =
            differ.filter(|(_, words)| words[0] != words[1]).filter(|(host, words)| {
                let known = |difference: &Difference| difference.explains(setting, host, *words);
                let found = DIFFERENCES.iter().position(known);
                seen.lock().unwrap().extend(found);
                found.is_none()
            });
        let unexplained: Vec<_> = unexplained.collect();
        (!unexplained.is_empty()).then(|| format!("{setting:?}: {unexplained:?}"))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let seen = seen.into_inner().unwrap();
    let unseen = DIFFERENCES.iter().enumerate().filter(|(at, _)| !seen.contains(at));
    let unseen: Vec<_> = unseen.map(|(_, difference)| difference.reason).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}

/// The outcome for each host: a word of [`outcome`], and `tls_out_ocsp` if the message went over TLS.
type Words = BTreeMap<&'static str, String>;

fn by_exim(lab: &Lab<'_>, setting: &[(&str, &str)]) -> Words {
    let option = |(name, value): &(&str, &str)| format!("  {name} = {}\n", value_of(lab, value));
    let event = "  event_action = ${if eq{$event_name}{msg:delivery}{${acl{tell_ocsp}}}}";
    let options = setting.iter().map(option).collect::<String>() + event;
    let recipients = HOSTS.map(|host| host.recipient());
    let recipients: Vec<_> = recipients.iter().map(String::as_str).collect();
    let log = lab.exim(&recipients, &options);
    let word = |host: &StapledHost| {
        let recipient = host.recipient();
        let told = log.lines().find(|line| line.contains(" OCSP=") && line.ends_with(&recipient));
        let ocsp = told.and_then(|line| line.split_once(" OCSP=")?.1.split(' ').next());
        match &*outcome(&log, &recipient) {
            word @ ("dane" | "yes" | "no") => format!("{word} {}", ocsp.unwrap()),
            word => word.to_owned(),
        }
    };
    HOSTS.iter().map(|host| (host.name, word(host))).collect()
}

fn by_send(lab: &Lab<'_>, number: usize, setting: &[(&str, &str)]) -> Words {
    let option = |(name, value): &(&str, &str)| match *value {
        "false" => format!("{name} = false\n"),
        value => format!("{name} = '{}'\n", value_of(lab, value)),
    };
    let options: String = setting.iter().map(option).collect();
    let config = lab.configuration(&format!("setting-{number}"), &options);
    let recipients = HOSTS.map(|host| host.recipient());
    let recipients: Vec<_> = recipients.iter().map(String::as_str).collect();
    let outcomes = lab.outcomes_of_send(&recipients, &["--config", &config]);
    let word = |outcome: &Value| match (outcome["result"].as_str().unwrap(), &outcome["tls"]) {
        ("delivered", Value::Null) => "clear".to_owned(),
        ("delivered", tls) => format!("{} {}", tls["verified"].as_str().unwrap(), tls["ocsp"]),
        (word, _) => word.to_owned(),
    };
    outcomes.iter().zip(HOSTS).map(|(outcome, host)| (host.name, word(outcome))).collect()
}

fn value_of(lab: &Lab<'_>, value: &str) -> String {
    let is_file = value.strip_suffix(".pem").is_some();
    if is_file { lab.path(value) } else { value.to_owned() }
}
