//! The hosts of a next hop, by a zone.

use std::sync::Arc;
use std::time::Duration;

use dane_tlsa::{Action, Host, InsecureMx, PolicyOptions};
use mail_types::dns::{Answer, DnssecStatus, Name, Question, RecordType, Zone};

use crate::gateway::delivery::hosts::{Dnssec, HostSearch, Hosts, NoHosts, mode, set_of};
use crate::gateway::delivery::mta_sts::StsPolicy;
use crate::gateway::delivery::next_hop::RouteData;

const ZONE: &str = "
example.com.       MX 10 mx.example.com.
example.com.       MX 20 b.example.com.
example.com.       MX 20 c.example.com.
mx.example.com.    A 192.0.2.1
mx.example.com.    AAAA 2001:db8::1
b.example.com.     A 192.0.2.2
c.example.com.     A 192.0.2.3
_25._tcp.b.example.com. TLSA 3 1 1 8a9a70596e869bed72c69d97a8895dfad86f300a343feceff19e89c27c896bc9
own.example.       MX 10 a.own.example.
own.example.       MX 20 this.example.
own.example.       MX 30 z.own.example.
a.own.example.     A 192.0.2.4
z.own.example.     A 192.0.2.5
loop.example.      MX 10 this.example.
this.example.      A 192.0.2.9
no-address.example. MX 10 nobody.example.
null.example.      MX 0 .
odd.example.       MX 10 mx.example.com.
odd.example.       MX 20 x.7.
odd.example.       MX 20 a_b.example.
x.7.               A 192.0.2.77
a_b.example.       A 192.0.2.78
";

/// A search, with what differs in a test.
struct Search {
    route: &'static str,
    security: DnssecStatus,
    dnssec: Dnssec,
    sts: Option<StsPolicy>,
    zone: &'static str,
    insecure_mx: InsecureMx,
    known: Vec<(Question, Arc<Answer>)>,
}

impl Search {
    fn of(route: &'static str) -> Self {
        let (security, dnssec) = (DnssecStatus::Secure, Dnssec::Requested);
        let insecure_mx = InsecureMx::Off;
        Self { route, security, dnssec, sts: None, zone: ZONE, insecure_mx, known: Vec::new() }
    }

    async fn run(&self) -> Result<Hosts, NoHosts> {
        let route: RouteData = self.route.parse().unwrap();
        let own: Name = "this.example".parse().unwrap();
        let resolver = Zone::parse(self.zone).unwrap().with_security(self.security);
        let options = PolicyOptions::default()
            .with_mta_sts(mode(self.sts.as_ref()))
            .with_insecure_mx(self.insecure_mx);
        let search = HostSearch {
            route: &route,
            own: &own,
            dnssec: self.dnssec,
            options,
            sts: self.sts.as_ref(),
            known: &self.known,
            resolver: &resolver,
            time: Duration::from_secs(5),
        };
        search.run().await
    }

    async fn told(&self) -> String {
        match self.run().await {
            Ok(hosts) => {
                let told = |host: &crate::gateway::delivery::hosts::RemoteHost| {
                    let name = host.policy.host.to_string();
                    match &host.unused {
                        Some(unused) => format!("{name} unused: {unused}"),
                        None => format!("{name} {}", host.policy.action.as_str()),
                    }
                };
                let mut told: Vec<_> = hosts.list.iter().map(told).collect();
                // Hosts of one preference come in random order.
                told.sort();
                told.join(", ")
            }
            Err(error) => error.to_string(),
        }
    }
}

#[tokio::test]
async fn a_search_says_what_becomes_of_each_host() {
    let wanted = "b.example.com dane, c.example.com opportunistic, mx.example.com opportunistic";
    assert_eq!(Search::of("example.com/MX").told().await, wanted);
    assert_eq!(Search::of("b.example.com").told().await, "b.example.com dane");
    assert_eq!(Search::of("192.0.2.7:26").told().await, "192.0.2.7 opportunistic");
    assert_eq!(Search::of("null.example/MX").told().await, "the domain accepts no mail (null MX)");
    assert_eq!(Search::of("nowhere.example/MX").told().await, "the domain does not exist");
    let no_address = "no host of the domain has an address";
    assert_eq!(Search::of("no-address.example/MX").told().await, no_address);
}

#[tokio::test]
async fn hosts_come_by_preference_and_those_of_one_preference_in_random_order() {
    let (mut orders, search) = (std::collections::BTreeSet::new(), Search::of("example.com/MX"));
    for _ in 0..100 {
        let hosts = search.run().await.unwrap().list;
        let names: Vec<_> = hosts.iter().map(|host| host.policy.host.to_string()).collect();
        assert_eq!(names[0], "mx.example.com");
        orders.insert(names);
    }
    assert_eq!(orders.len(), 2);
}

#[tokio::test]
async fn known_answers_are_not_asked_for_again() {
    let known = Search::of("example.com/MX").run().await.unwrap().answers;
    assert_eq!(known.len(), 1 + 3 * 3, "MX, and AAAA, A and TLSA of each host: {known:?}");
    let search = Search { zone: "", known, ..Search::of("example.com/MX") };
    assert_eq!(search.told().await, Search::of("example.com/MX").told().await);
}

/// RFC 5321 section 5.1.
#[tokio::test]
async fn this_host_gets_no_mail_from_itself_nor_does_a_worse_one() {
    assert_eq!(Search::of("own.example/MX").told().await, "a.own.example opportunistic");
    let told = "the MX records of the domain point to this host";
    assert_eq!(Search::of("loop.example/MX").told().await, told);
}

#[tokio::test]
async fn outside_dnssec_request_domains_nothing_is_secure() {
    let search = Search { dnssec: Dnssec::Off, ..Search::of("example.com/MX") };
    let wanted =
        "b.example.com opportunistic, c.example.com opportunistic, mx.example.com opportunistic";
    assert_eq!(search.told().await, wanted);
    assert!(!search.run().await.unwrap().is_secure);
    assert!(Search::of("example.com/MX").run().await.unwrap().is_secure);
}

#[tokio::test]
async fn dnssec_require_domains_defers_whatever_is_not_secure() {
    let required = Search { dnssec: Dnssec::Required, ..Search::of("example.com/MX") };
    assert!(required.run().await.is_ok());
    let insecure = Search { security: DnssecStatus::Insecure, ..required };
    let told = "the MX records are not secure by DNSSEC, which dnssec_require_domains demands";
    assert_eq!(insecure.told().await, told);
    let relay = Search { route: "b.example.com", ..insecure };
    let told = "b.example.com unused: the addresses of the host are not secure by DNSSEC, which \
                dnssec_require_domains demands";
    assert_eq!(relay.told().await, told);
    let without = Search { dnssec: Dnssec::Requested, ..relay };
    assert_eq!(without.told().await, "b.example.com opportunistic");
}

/// `$lookup_dnssec_authenticated`, as in Exim: empty where it was not asked for.
#[tokio::test]
async fn a_host_was_found_securely_by_all_of_its_answers() {
    let found = async |search: Search| {
        let hosts = search.run().await.unwrap().list;
        hosts.into_iter().map(|host| host.found_securely).collect::<Vec<_>>()
    };
    let search = || Search::of("b.example.com");
    assert_eq!(found(search()).await, [Some(true)]);
    assert_eq!(found(Search { security: DnssecStatus::Insecure, ..search() }).await, [Some(false)]);
    assert_eq!(found(Search { dnssec: Dnssec::Off, ..search() }).await, [None]);
    assert_eq!(found(Search::of("192.0.2.7")).await, [None]);
    assert_eq!(found(Search::of("example.com/MX")).await, [Some(true); 3]);
}

/// RFC 8461 sections 2 and 4.1.
#[tokio::test]
async fn an_enforced_policy_leaves_hosts_out_but_not_those_of_dane() {
    let policy = |mode: &str| {
        let text = format!("version: STSv1\nmode: {mode}\nmx: mx.example.com\nmax_age: 1\n");
        Some(StsPolicy::parse(&text).unwrap())
    };
    let search = Search { sts: policy("enforce"), ..Search::of("example.com/MX") };
    let wanted = "b.example.com dane, c.example.com unused: the MTA-STS policy of the domain does \
                  not name the host, mx.example.com mta-sts";
    assert_eq!(search.told().await, wanted);
    let insecure = Search { security: DnssecStatus::Insecure, ..search };
    // The policy confirms the hosts as DNSSEC does.
    let hosts = insecure.run().await.unwrap();
    assert!(hosts.is_secure);
    assert!(hosts.list.iter().all(|host| !matches!(host.policy.action, Action::Dane(_))));
    let testing = Search { sts: policy("testing"), ..Search::of("example.com/MX") };
    let wanted = "b.example.com dane, c.example.com opportunistic, mx.example.com opportunistic";
    assert_eq!(testing.told().await, wanted);
}

/// A name that no list can have, beside others: none of them is left out.
#[tokio::test]
async fn a_set_of_hosts_has_each_of_them_whatever_its_name() {
    let hosts = Search::of("odd.example/MX").run().await.unwrap().list;
    assert_eq!(hosts.len(), 3);
    let set = set_of(hosts.iter().map(|host| &host.policy)).unwrap();
    for host in &hosts {
        let Host::Name(name) = &host.policy.host else { panic!("{host:?}") };
        for address in &host.policy.addresses {
            assert!(set.contains(*address, Some(name)), "{name} {address}");
        }
    }
    let other = "other.example".parse().unwrap();
    assert!(!set.contains("192.0.2.9".parse().unwrap(), Some(&other)));
}

/// An attacker forges an MX record to a host with TLSA records of its own.
#[tokio::test]
async fn an_enforced_policy_leaves_out_hosts_of_dane_that_an_insecure_mx_names() {
    let text = "version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 1\n";
    let question = Question::new("example.com".parse().unwrap(), RecordType::Mx);
    let answer = Zone::parse(ZONE).unwrap().with_security(DnssecStatus::Insecure).answer(&question);
    let search = Search {
        sts: Some(StsPolicy::parse(text).unwrap()),
        insecure_mx: InsecureMx::Dane,
        known: vec![(question, Arc::new(answer))],
        ..Search::of("example.com/MX")
    };
    let unused = "unused: the MTA-STS policy of the domain does not name the host";
    let wanted = format!("b.example.com {unused}, c.example.com {unused}, mx.example.com mta-sts");
    assert_eq!(search.told().await, wanted);
    let without = Search { sts: None, ..search };
    let wanted = "b.example.com dane, c.example.com opportunistic, mx.example.com opportunistic";
    assert_eq!(without.told().await, wanted);
}
