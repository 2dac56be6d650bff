//! Authenticates mail servers by the TLSA records of their host, DANE for SMTP ([RFC 7672]): how mail to a next
//! hop is secured, the records, their verification, and the replacement of keys.
//!
//! It opens no connection and reads no clock. A [`Policy`] asks the DNS through a session of mail-types, and
//! its decision names the hosts and what each needs:
//!
//! ```
//! use dane_tlsa::mail_types::dns::{DnssecStatus, Zone};
//! use dane_tlsa::{Action, NextHop, Policy};
//!
//! let zone = Zone::parse("
//! example.com.                MX   10 mx.example.net.
//! mx.example.net.             A    192.0.2.1
//! _25._tcp.mx.example.net.    TLSA 3 1 1 8a9a70596e869bed72c69d97a8895dfad86f300a343feceff19e89c27c896bc9
//! ")?.with_security(DnssecStatus::Secure);
//! let policy = Policy::new(NextHop::Domain("example.com".parse()?), 25);
//! let decision = policy.session().run(|question| zone.answer(question));
//! assert_eq!(decision.to_string(), "mx.example.net: dane, names mx.example.net example.com");
//! let Action::Dane(dane) = &decision.hosts()[0].action else { unreachable!() };
//! assert_eq!(dane.base_domain().map(ToString::to_string).as_deref(), Some("mx.example.net"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The certificates that a server sends in the handshake are verified by those records; the verdict names the
//! record that matches, or says why none does:
//!
//! ```
//! use std::time::Duration;
//!
//! use dane_tlsa::rustls_pki_types::{CertificateDer, UnixTime};
//! use dane_tlsa::{Check, Limits, RecordSet, Verdict};
//!
//! # let chain = include_str!("../tests/data/example-chain.pem");
//! # let chain: Vec<_> = dane_tlsa::rustls_pki_types::pem::PemObject::pem_slice_iter(chain.as_bytes())
//! #     .collect::<Result<Vec<CertificateDer<'_>>, _>>()?;
//! # let algorithms = webpki::ALL_VERIFICATION_ALGS;
//! // In a program: `provider.signature_verification_algorithms.all`, and `UnixTime::now()`.
//! let now = UnixTime::since_unix_epoch(Duration::from_secs(1_796_083_200));
//! // The TLSA base domain, and then the domain of the mail, if its MX records are secure.
//! let names = ["mx.example.com".parse()?, "example.com".parse()?];
//! let published = ["2 0 1 8fdfdee6050d780fb0560d6d4373b65a50f39e9d176d691df3b996c47aff9a7b".parse()?];
//! let records = RecordSet::new(published, &Limits::default())?;
//!
//! let verdict = Check::new(&records, &names, algorithms).verify(&chain, now);
//! assert!(verdict.is_match());
//! assert_eq!(verdict.to_string(), "TLSA 2 0 1 matches at depth 1");
//!
//! // The commonest failure: the server does not send its trust anchor.
//! let verdict = Check::new(&records, &names, algorithms).verify(&chain[..1], now);
//! assert_eq!(
//!     verdict.to_string(),
//!     "none of the TLSA records matches: 2 0 1: the server sent no trust anchor that matches"
//! );
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A client on rustls has `rustls::DaneVerifier`, which verifies within the handshake. A
//! client with another TLS library verifies the signature of the handshake itself, with the key of the first
//! certificate, and calls [`Check`]: a chain can be copied, a key cannot.
//!
//! # When mail falls back, and when a host is not used
//!
//! | The DNS says                                              | [`Action`] of the host                   |
//! |-----------------------------------------------------------|------------------------------------------|
//! | secure addresses and TLSA records, at least one of which can be used | `Dane`: authenticated TLS, else the next host; never in clear |
//! | secure TLSA records, none of which can be used             | `Encrypt`: TLS without authentication, else the next host |
//! | no TLSA records, or none that are secure                   | `Opportunistic`: TLS if offered, in clear if not; `MtaSts` where that is enforced |
//! | MX records that are not secure                             | the same, without a question for TLSA records ([`InsecureMx`]) |
//! | addresses that are not secure                              | the same; the alias of a host may be secure by itself, though |
//! | a lookup of addresses or TLSA records fails                | `Skip`: the next host, or the message is deferred |
//! | no address                                                 | `Skip`; the message is returned if no host has one |
//! | the lookup of MX records fails                             | the message is deferred: [`Decision::Defer`] |
//! | the domain does not exist, or accepts no mail              | the message is returned: [`Decision::Bounce`] |
//!
//! A failed lookup is never taken for absence, and an answer of a resolver that is not trusted is never secure.
//! Where DANE is required ([`PolicyOptions::required`] by domain, [`PolicyOptions::hosts_require_dane`] by
//! host) every row but the first skips the host, or defers the message. The preference of MX records goes
//! before DANE: a better host without records is tried first (RFC 7672 section 2.2.1).
//!
//! # What it covers
//!
//! | Part of the standards                          | Here                                              |
//! |------------------------------------------------|---------------------------------------------------|
//! | RFC 7672 2.1, 2.2, next hops and base domains  | [`Policy`], [`NextHop`], [`Decision`], [`HostPolicy`] |
//! | RFC 7672 6, mandatory DANE                     | [`PolicyOptions`]                                 |
//! | RFC 8461 2 and 5, beside MTA-STS               | [`MtaSts`]; its policies are fetched by the caller |
//! | RFC 8460 4.3, failures in reports              | [`Failure`], [`ResultType`]                       |
//! | RFC 8689 2, REQUIRETLS                         | [`Action::authenticates_next_hop`]                |
//! | Exim's `hosts_try_dane`, `hosts_require_dane`, `tls_out_dane`, `tls_out_tlsa_usage`, `dane:fail` | [`PolicyOptions`], [`Dane::variable`], [`ResultType::event_word`] |
//! | RFC 6698 2, the record in both its forms       | [`TlsaRecord`]                                    |
//! | RFC 6698 4.1, RFC 7672 3.1.3, usable records   | [`TlsaRecord::check_usable`], [`Unusable`]        |
//! | RFC 7671 9, the strongest digest               | [`RecordSet`], [`Standing`]                       |
//! | RFC 7672 3.1.1, DANE-EE(3)                     | [`Check::verify`], [`Check::verify_raw_key`]      |
//! | RFC 7672 3.1.2, RFC 7671 5.2, DANE-TA(2)       | [`Check::verify`], [`PathFault`]                  |
//! | RFC 7672 3.2, names                            | [`Check::new`], [`MismatchReason::Name`]                  |
//! | RFC 7671 8, the replacement of keys            | [`Rollover`], [`Check::review`]                   |
//! | RFC 7672 8.1, SNI                              | `rustls::DaneVerifier::server_name`               |
//! | RFC 7250, raw public keys                      | [`Check::verify_raw_key`]; rustls 0.23 has none beside certificates |
//! | PKIX-TA(0), PKIX-EE(1)                         | never used: SMTP has no use for them              |
//! | RFC 4035 5.3.4, RFC 5155 8.8, RFC 6672 5.3.1   | `hickory::ValidatingResolver`: wildcards, and aliases by DNAME |
//!
//! # Choices
//!
//! Where the standards leave a choice, or recommend something:
//!
//! | What comes                                             | Is                                                |
//! |--------------------------------------------------------|---------------------------------------------------|
//! | insecure MX records                                    | no DANE, unless [`PolicyOptions::insecure_mx`] says so; then the host is its only name |
//! | no MX records, in an insecure answer                   | the domain is its own host, and its addresses tell whether DANE applies |
//! | no MX records, in an indeterminate answer              | no DANE; deferred where DANE is required          |
//! | one family of addresses secure, the other not          | DANE, for all addresses                           |
//! | one family of addresses not secure, the other failed   | no DANE: the zone is not signed                   |
//! | an address in an MX record                             | the host is skipped                               |
//! | secure but unusable records at the end of an alias     | they decide: the alias itself is not asked about  |
//! | DANE required, and a domain that does not exist by an answer that is not secure | deferred                  |
//! | DANE required, and an address literal                  | deferred: a later message may go by a name        |
//! | more hosts than [`Limits::hosts`]                      | those of the worst preferences are left out       |
//! | a usage 2 record of the server's own certificate       | no match: that is usage 3                         |
//! | a key (2 1 0) whose certificate is not sent            | tried for the topmost certificates, as RFC 7671 5.2.3 recommends |
//! | a trust anchor whose certificate has expired           | taken, sent or in the DNS: the DNS says how long it counts |
//! | a trust anchor of version 3 that is no authority's     | no match: `basicConstraints`, `keyUsage`, `extKeyUsage` and unknown critical extensions hold for anchors |
//! | a path length or names that a trust anchor does not allow | no match, with selector SPKI(1) too            |
//! | a server's certificate that is an authority's          | taken: only issuers must be one                   |
//! | a wildcard with one label behind it                    | taken: RFC 7672 3.2.3 sets no least number        |
//! | a wildcard for several labels                          | no match                                          |
//! | a common name, without a DNS name beside it            | counts, within the name constraints of the path   |
//! | several records that match                             | the first of usage 3; else the anchor nearest to the server |
//! | SHA2-256(1) beside SHA2-512(2)                         | SHA2-512(2) only, the stronger (RFC 7671 9). That the order be configurable, as it recommends, has no use while neither is weak: a sound set matches by each (RFC 7671 8) |
//! | more records than the limit                            | [`TooManyRecords`]: do not use the host           |
//!
//! # Features
//!
//! | Feature       | Default | Adds                                                                           |
//! |---------------|---------|--------------------------------------------------------------------------------|
//! | `dnssec-ring` | no      | `hickory::ValidatingResolver`, which validates by DNSSEC itself, with hickory and ring |
//! | `hickory`     | no      | `Stub`, a resolver without I/O, and `hickory::StubResolver`, which asks for it on tokio |
//! | `rustls`      | no      | `rustls::DaneVerifier`, for each connection of a client, and `rustls::UnauthenticatedVerifier` |
//! | `serde`       | no      | `Serialize` and `Deserialize` of the crate `serde`: see [Stored values](#stored-values) |
//!
//! A feature adds items; none changes what the other items do.
//!
//! # Stored values
//!
//! With the feature `serde` a [`TlsaRecord`] is its presentation form, a [`RecordSet`] a list of them, within the
//! default of [`Limits`]; a [`Usage`], a [`Selector`] and a [`MatchingType`] are numbers, a [`ResultType`] and a
//! [`PolicyType`] the words of RFC 8460, and a [`Failure`] is a structure with the names of its fields. All of them are
//! read back; a failure only if its fields fit each other. A [`Verdict`], a [`HostPolicy`] and a [`Decision`] are written only; a verdict is `match`, `no_match` or
//! `unusable`, an action the word of [`Action::as_str`]. These forms are stable, and may get more fields. Reasons are
//! texts for people, which may change.
//!
//! # Limits
//!
//! [`Limits`] has them. A match of usage 3 allocates nothing. Paths are webpki's: at most 100 signatures for
//! all anchors together, and six authorities between. It counts authorities that have issued to themselves
//! among them, and takes no path with constraints of directory names, no authority between of version 1, and
//! no key of RSA below 2048 bits. Certificates whose names allow more than 1,000 steps from one to its issuer are
//! refused before a path is tried.
//!
//! So whatever a hostile server and its zone send takes a tenth of a second at most: 89 ms for a hundred anchors that
//! have the issuer's name and other keys, of P-384, and 6 ms for five authorities that may have issued each other,
//! beside a hundred keys (`cargo bench -p benches --bench dane`: "anchors that fail", "paths that lead nowhere").
//!
//! # Whose word for DNSSEC counts
//!
//! With the feature `hickory` the answers come from validating resolvers, as unbound on this host:
//!
//! | The resolver                                          | Its answers                                     |
//! |-------------------------------------------------------|-------------------------------------------------|
//! | is on loopback, or trusted by `StubOptions::trusted`, and has given AD for the root | secure with the bit AD, else insecure |
//! | the same, and its probe had no answer yet             | secure with AD, else indeterminate              |
//! | the same, and it gave no AD for the root, or an answer for a bogus name | indeterminate: DNSSEC is not available |
//! | is any other                                          | indeterminate, and never asked beside a trusted one |
//! | fails                                                 | failures, which are never kept, nor taken for absence |
//!
//! An indeterminate answer never leads to DANE: mail goes on as without it, and is deferred where DANE is
//! required. `StubResolver::servers` says why DNSSEC is not available; a program logs it loudly. The probe comes before the
//! first question, each hour, and each minute after a failure (`StubOptions`).
//!
//! A `Stub` asks at most 8 servers, follows at most 16 aliases in and between responses, takes 1232 octets by UDP and
//! more by TCP, and keeps 10,000 answers, 8 MiB and one hour at most. Neither `options trust-ad` nor `search` of
//! resolv.conf has an effect.
//!
//! `hickory::ValidatingResolver` needs no trusted resolver, but asks and computes more; it keeps as many answers. A
//! denial counts only with a proof for the name that was asked for, and a record of a wildcard only without a nearer
//! name, which hickory 0.26 alone does not demand.
//!
//! # Trust
//!
//! Records authenticate only if the DNS answer is secure, by DNSSEC; only the resolver can see that. A revoked
//! certificate is not noticed: its record is withdrawn instead (RFC 7672 section 4). Certificates of servers
//! for other protocols than SMTP may need their names checked under usage 3 too: this crate never does.
//!
//! [RFC 7672]: https://www.rfc-editor.org/rfc/rfc7672

mod anchor;
#[cfg(feature = "hickory")]
mod answer_cache;
mod certificate;
mod check;
mod decision;
mod der;
mod failure;
#[cfg(feature = "hickory")]
pub mod hickory;
mod host_addresses;
mod host_policy;
mod leaf;
mod limits;
mod matching_type;
mod next_hop;
mod numbers;
mod path;
mod path_fault;
mod path_steps;
mod policy;
mod policy_options;
mod record;
mod record_set;
mod review;
mod rollover;
#[cfg(feature = "rustls")]
pub mod rustls;
mod selected;
mod selector;
#[cfg(feature = "serde")]
mod serde;
mod server_names;
#[cfg(feature = "hickory")]
mod stub;
mod time;
mod usable;
mod usage;
mod uses;
mod verdict;

#[cfg(feature = "hickory")]
pub use answer_cache::CacheLimits;
pub use certificate::Certificate;
pub use check::Check;
pub use decision::{Bounce, Decision, Deferral, Disposition};
pub use der::DerError;
pub use failure::{ConnectionFault, Failure, PolicyType, ResultType};
pub use host_policy::{Action, Dane, Encrypt, Host, HostPolicy, NoDane, Skip};
pub use limits::Limits;
pub use mail_types;
pub use matching_type::MatchingType;
pub use next_hop::NextHop;
pub use path::Algorithms;
pub use path_fault::PathFault;
pub use policy::Policy;
pub use policy_options::{InsecureMx, MtaSts, PolicyOptions};
pub use record::{KeyRecordError, NotAssigned, RecordError, TlsaRecord};
pub use record_set::{RecordSet, Standing, TooManyRecords};
pub use review::{Finding, FindingKind, Review, Severity};
pub use rollover::{Rollover, RolloverAction, RolloverError, RolloverStep};
pub use rustls_pki_types;
pub use selector::Selector;
#[cfg(feature = "hickory")]
pub use stub::{
    DnssecState, Lookup, LookupStep, NoDnssec, Query, QueryType, Reply, Response, Stub,
    StubOptions, Transport,
};
pub use usable::Unusable;
pub use usage::Usage;
pub use verdict::{Match, Mismatch, MismatchReason, Mismatches, Verdict};
