//! Servers that misbehave: the next host, or later; in clear only where nothing forbids it.

use std::net::{IpAddr, TcpListener};
use std::{fs, io, iter};

use super::program::{Sent, folder, send, send_in, tlsa};
use super::server::{Behaviour, Identity, Server, Tls};

/// Servers of `example.test` at addresses of loopback with one port, in the order of their preferences.
pub(crate) struct Servers {
    pub(crate) identity: Identity,
    pub(crate) list: Vec<Server>,
    pub(crate) port: u16,
}

impl Servers {
    pub(crate) fn start(behaviours: &[Behaviour]) -> Self {
        Self::start_at(&loopback(behaviours.len()), behaviours)
    }

    /// The same, whose certificate is this one.
    pub(crate) fn start_with(identity: Identity, behaviours: &[Behaviour]) -> Self {
        let addresses = loopback(behaviours.len());
        Self::start_as(identity, &addresses, behaviours)
    }

    fn start_at(addresses: &[IpAddr], behaviours: &[Behaviour]) -> Self {
        Self::start_as(Identity::of("mx.example.test"), addresses, behaviours)
    }

    fn start_as(identity: Identity, addresses: &[IpAddr], behaviours: &[Behaviour]) -> Self {
        let servers = listen(addresses).into_iter().zip(behaviours);
        let list: Vec<_> = servers
            .map(|(listener, behaviour)| Server::start(listener, behaviour.clone(), &identity))
            .collect();
        let port = list[0].address.port();
        Self { identity, list, port }
    }

    /// The zone, with the record of the servers' key, or another one.
    pub(crate) fn zone(&self, record: Option<&str>) -> String {
        let hosts = self.list.iter().enumerate().map(|(number, server)| {
            let (preference, address) = (10 + number, server.address.ip());
            let name = format!("mx{number}.example.test.");
            let tlsa = record.map(|record| format!("_{}._tcp.{name} TLSA {record}\n", self.port));
            let tlsa = tlsa.unwrap_or_default();
            format!("example.test. MX {preference} {name}\n{name} A {address}\n{tlsa}")
        });
        hosts.collect()
    }

    pub(crate) fn send(&self, zone: &str, options: &str, arguments: &[&str]) -> Sent {
        let port = self.port.to_string();
        let fixed = ["--port", &port, "--json", "--timeout", "12", "ann@example.test"];
        send(zone, options, &[&fixed[..], arguments].concat())
    }

    /// The commands of one kind that a server was told in clear.
    pub(crate) fn in_clear(&self, number: usize, verb: &str) -> usize {
        let told = self.list[number].told();
        told.clear.iter().filter(|line| line.starts_with(verb)).count()
    }

    pub(crate) fn messages(&self) -> Vec<usize> {
        self.list.iter().map(|server| server.told().messages).collect()
    }
}

/// The first addresses of loopback that no other server uses.
fn loopback(count: usize) -> Vec<IpAddr> {
    (2..).take(count).map(|last| IpAddr::from([127, 0, 0, last])).collect()
}

/// Listens at these addresses of loopback, on one port.
fn listen(addresses: &[IpAddr]) -> Vec<TcpListener> {
    let bind = || {
        let mut port = 0;
        let listeners = addresses.iter().map(|address| {
            let listener = TcpListener::bind((*address, port))?;
            port = listener.local_addr()?.port();
            Ok(listener)
        });
        listeners.collect::<io::Result<Vec<_>>>()
    };
    // A port that is free at the first address may be in use at another one.
    iter::repeat_with(bind).take(100).find_map(Result::ok).unwrap()
}

fn with(tls: Tls) -> Behaviour {
    Behaviour { tls, ..Behaviour::default() }
}

#[test]
fn with_dane_no_fault_leads_to_clear_text() {
    for tls in Tls::FAULTS {
        let servers = Servers::start(&[with(tls)]);
        let zone = servers.zone(Some(&tlsa(&servers.identity)));
        let sent = servers.send(&zone, "", &[]);
        let outcome = sent.outcome();
        assert_eq!(outcome["result"], "deferred", "{tls:?}: {outcome}");
        assert_eq!(sent.status, 75, "{tls:?}");
        assert_eq!(servers.in_clear(0, "MAIL"), 0, "{tls:?}");
        assert_eq!(servers.messages(), [0]);
    }
}

#[test]
fn with_dane_the_next_host_is_tried() {
    for tls in Tls::FAULTS {
        let servers = Servers::start(&[with(tls), with(Tls::Good)]);
        let zone = servers.zone(Some(&tlsa(&servers.identity)));
        let sent = servers.send(&zone, "", &[]);
        let outcome = sent.outcome();
        assert_eq!(outcome["result"], "delivered", "{tls:?}: {outcome}");
        assert_eq!(outcome["host"], "mx1.example.test");
        assert_eq!(outcome["tls"]["verified"], "dane");
        assert_eq!((sent.status, servers.in_clear(0, "MAIL")), (0, 0), "{tls:?}");
        assert_eq!(servers.messages(), [0, 1]);
    }
}

#[test]
fn a_record_of_another_key_gets_no_mail() {
    let servers = Servers::start(&[with(Tls::Good)]);
    let zone = servers.zone(Some(&tlsa(&Identity::of("mx.example.test"))));
    let outcome = servers.send(&zone, "", &[]).outcome();
    assert_eq!(outcome["result"], "deferred", "{outcome}");
    let told = servers.list[0].told();
    let mails = told.clear.iter().chain(&told.secret).filter(|line| line.starts_with("MAIL"));
    assert_eq!(mails.count(), 0);
    let report = &outcome["tls_reports"][0];
    assert_eq!(report["policy-type"], "tlsa");
    assert_eq!(report["result-type"], "validation-failure");
    assert_eq!(report["policy-domain"], "mx0.example.test");
    assert_eq!(report["receiving-mx-hostname"], "mx0.example.test");
}

/// The connections, and whether the message goes in clear, without TLSA records.
#[test]
fn without_dane_a_fault_of_tls_leads_to_clear_text_if_nothing_forbids_it() {
    for (tls, connections) in
        [(Tls::No, 1), (Tls::Refused, 1), (Tls::Broken, 2), (Tls::UnrecognizedName, 2)]
    {
        let servers = Servers::start(&[with(tls)]);
        let outcome = servers.send(&servers.zone(None), "", &[]).outcome();
        assert_eq!(outcome["result"], "delivered", "{tls:?}: {outcome}");
        assert!(outcome["tls"].is_null(), "{tls:?}");
        assert_eq!(servers.list[0].told().connections, connections, "{tls:?}");
    }
    // Octets behind the reply to STARTTLS are somebody else's.
    let servers = Servers::start(&[with(Tls::Injected)]);
    assert_eq!(servers.send(&servers.zone(None), "", &[]).outcome()["result"], "deferred");
    assert_eq!(servers.in_clear(0, "MAIL"), 0);
}

#[test]
fn each_option_that_requires_tls_forbids_clear_text() {
    for (options, faults) in [
        ("hosts_require_tls = \"*\"", &Tls::FAULTS[..]),
        ("tls_verify_hosts = \"*\"\nhosts_require_tls = \"*\"", &Tls::FAULTS),
        ("hosts_require_ocsp = \"*\"", &Tls::FAULTS),
        // A server without STARTTLS is not its affair.
        ("tls_tempfail_tryclear = false", &Tls::FAULTS[1..]),
    ] {
        for &tls in faults {
            let servers = Servers::start(&[with(tls)]);
            let outcome = servers.send(&servers.zone(None), options, &[]).outcome();
            assert_eq!(outcome["result"], "deferred", "{options} {tls:?}: {outcome}");
            assert_eq!(servers.in_clear(0, "MAIL"), 0, "{options} {tls:?}");
        }
    }
    // The certificate is nobody's, and there is no staple.
    for options in [
        "tls_verify_hosts = \"*\"\nhosts_require_tls = \"*\"",
        "tls_verify_hosts = \"*\"\ntls_tempfail_tryclear = false",
        "tls_try_verify_hosts = \"\"\nhosts_require_tls = \"*\"",
        "hosts_require_ocsp = \"*\"",
    ] {
        let servers = Servers::start(&[with(Tls::Good)]);
        let outcome = servers.send(&servers.zone(None), options, &[]).outcome();
        assert_eq!(outcome["result"], "deferred", "{options}: {outcome}");
        assert_eq!(servers.messages(), [0]);
    }
}

/// Exim's manual: "Including a host in `tls_verify_hosts` does not require that connections use TLS", and with both lists
/// unset each host is in it.
#[test]
fn a_host_of_tls_verify_hosts_that_is_not_verified_gets_mail_in_clear() {
    for options in ["tls_verify_hosts = \"*\"", "tls_try_verify_hosts = \"\""] {
        for (tls, connections) in [
            (Tls::No, 1),
            (Tls::Refused, 1),
            (Tls::Broken, 2),
            (Tls::UnrecognizedName, 2),
            // The certificate is nobody's.
            (Tls::Good, 2),
        ] {
            let servers = Servers::start(&[with(tls)]);
            let outcome = servers.send(&servers.zone(None), options, &[]).outcome();
            assert_eq!(outcome["result"], "delivered", "{options} {tls:?}: {outcome}");
            assert!(outcome["tls"].is_null(), "{options} {tls:?}: {outcome}");
            assert_eq!(servers.in_clear(0, "MAIL"), 1, "{options} {tls:?}");
            assert_eq!(servers.list[0].told().connections, connections, "{options} {tls:?}");
        }
    }
    for options in
        ["tls_try_verify_hosts = \":\"", "tls_verify_hosts = \":\"\ntls_try_verify_hosts = \"\""]
    {
        let servers = Servers::start(&[with(Tls::Good)]);
        let outcome = servers.send(&servers.zone(None), options, &[]).outcome();
        assert_eq!(outcome["tls"]["verified"], "no", "{options}: {outcome}");
        assert_eq!(servers.in_clear(0, "MAIL"), 0, "{options}");
    }
}

/// No server is verified by public authorities then: one that must be verified gets nothing.
#[test]
fn a_system_without_authorities_verifies_no_server() {
    for (options, result, cause) in [
        ("", "delivered", ""),
        (
            "tls_verify_hosts = \"*\"\nhosts_require_tls = \"*\"",
            "deferred",
            "the server must be verified, and tls_verify_certificates gives no authority",
        ),
    ] {
        let (servers, folder) = (Servers::start(&[with(Tls::Good)]), folder());
        fs::write(folder.join("authorities.pem"), "").unwrap();
        let port = servers.port.to_string();
        let arguments = ["--port", &port, "--json", "ann@example.test"];
        let sent = send_in(&folder, &servers.zone(None), options, &arguments, "body\n");
        let (outcome, told) = (sent.outcome(), &sent.told);
        assert_eq!(outcome["result"], result, "{options}: {outcome}");
        assert!(outcome.to_string().contains(cause), "{options}: {outcome}");
        assert!(told.contains("this system has no certificates of authorities"), "{told}");
        assert_eq!(servers.messages(), [usize::from(cause.is_empty())]);
        assert_eq!(servers.in_clear(0, "MAIL"), 0);
        let _ = fs::remove_dir_all(&folder);
    }
}

#[test]
fn tls_without_verification_is_not_called_verified() {
    let servers = Servers::start(&[with(Tls::Good)]);
    let sent = servers.send(&servers.zone(None), "", &[]);
    let outcome = sent.outcome();
    assert_eq!(outcome["result"], "delivered", "{outcome}");
    assert_eq!(outcome["tls"]["verified"], "no");
    assert_eq!(servers.in_clear(0, "MAIL"), 0);
    let report = &outcome["tls_reports"][0];
    assert_eq!(report["policy-type"], "no-policy-found");
    assert!(report["result-type"].is_null());
}

#[test]
fn hosts_avoid_tls_says_no_starttls_but_dane_goes_before_it() {
    let servers = Servers::start(&[with(Tls::Good)]);
    let options = "hosts_avoid_tls = \"*\"";
    let outcome = servers.send(&servers.zone(None), options, &[]).outcome();
    assert_eq!(outcome["result"], "delivered", "{outcome}");
    assert_eq!(servers.in_clear(0, "STARTTLS"), 0);
    let zone = servers.zone(Some(&tlsa(&servers.identity)));
    let outcome = servers.send(&zone, options, &[]).outcome();
    assert_eq!(outcome["tls"]["verified"], "dane", "{outcome}");
}

#[test]
fn a_silent_host_leaves_time_for_the_next_one() {
    let silent = Behaviour { greets: false, ..Behaviour::default() };
    let addresses = ["127.0.0.2", "127.0.0.3", "::1"].map(|address| address.parse().unwrap());
    let mut servers = Servers::start_at(&addresses, &[silent.clone(), with(Tls::Good), silent]);
    // The first host has an address in the other family too, which is silent as well.
    let six = servers.list.pop().unwrap();
    let zone = servers.zone(None) + "mx0.example.test. AAAA ::1\n";
    let outcome = servers.send(&zone, "", &[]).outcome();
    assert_eq!(outcome["result"], "delivered", "{outcome}");
    assert_eq!(outcome["host"], "mx1.example.test");
    assert_eq!(six.told().connections, 1);
    assert_eq!(servers.messages(), [0, 1]);
}

/// Its names are those of one domain: a connection is shared with no other.
#[test]
fn two_domains_with_one_host_get_a_connection_each() {
    let servers = Servers::start(&[with(Tls::Good)]);
    let zone =
        servers.zone(Some(&tlsa(&servers.identity))) + "other.test. MX 10 mx0.example.test.\n";
    let sent = servers.send(&zone, "", &["bob@other.test", "carl@example.test"]);
    let outcomes = sent.outcomes();
    assert_eq!(outcomes.len(), 3);
    for outcome in outcomes {
        assert_eq!(outcome["result"], "delivered", "{outcome}");
        assert_eq!(outcome["tls"]["verified"], "dane", "{outcome}");
    }
    let told = servers.list[0].told();
    assert_eq!((told.connections, told.messages), (2, 2));
}

#[test]
fn hosts_report_dane_tells_what_would_fail_and_mail_goes_on() {
    let servers = Servers::start(&[with(Tls::Good)]);
    let zone = servers.zone(Some(&tlsa(&Identity::of("mx.example.test"))));
    let options = "hosts_report_dane = \"*\"\nhosts_try_dane = \"\"";
    let outcome = servers.send(&zone, options, &[]).outcome();
    assert_eq!(outcome["result"], "delivered", "{outcome}");
    assert_eq!(outcome["tls"]["verified"], "no");
    let reports = outcome["tls_reports"].as_array().unwrap();
    let failure = reports.iter().find(|report| report["policy-type"] == "tlsa").unwrap();
    assert_eq!(failure["result-type"], "validation-failure", "{failure}");
}
