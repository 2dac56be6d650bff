//! Options that would do nothing as others are: an administrator who sets one expects something of it. What
//! has its default is as if it were not given.

use std::net::SocketAddr;

use mail_types::exim::{HostSet, List};

use super::dmarc::InvalidFromOption;
use super::event_sources::EventSources;
use super::remote::{NextHopKind, RemoteUse};
use super::{ConfigError, ConfigOptions, RemoteOptions, events, idle_rules};
use crate::gateway::config::events::EventOptions;
use crate::gateway::config::options::StoreKind;
use crate::gateway::delivery::next_hop::RouteTo;
use crate::gateway::lookups::language::{Language, Source};
use crate::gateway::policy::conditions::dmarc::ENABLE_FORENSIC;
use crate::gateway::server::settings::{FileList, LiveSettings, StartupSettings, TlsSettings};
use crate::gateway::telemetry::log_selector::LogWord;

/// Refuses the first that is found.
pub(super) fn check(
    (options, event_options, remote): (&ConfigOptions, &EventOptions, &RemoteOptions),
    startup: &StartupSettings,
    live: &LiveSettings,
    language: &Language,
) -> Result<(), ConfigError> {
    let standard = &ConfigOptions::unwritten();
    let found = proxies(options, standard)
        .or_else(|| storage(options, live))
        .or_else(|| log_selector(options, live))
        .or_else(|| relay(options, live))
        .or_else(|| hosts(options, standard))
        .or_else(|| sizes(options, standard))
        .or_else(|| body(options, standard, live))
        .or_else(|| tls(live))
        .or_else(|| client_certificates(options))
        .or_else(|| authentication(options, standard, live))
        .or_else(|| lookups(options, standard, language))
        .map(|(option, cause)| (option.to_owned(), cause));
    let relays = live.routing.relays();
    let known = live.routing.known_route().and_then(Result::ok);
    let next_hop = match known.as_ref().map(|route| &route.to) {
        Some(RouteTo::Address(_)) => NextHopKind::Address,
        Some(RouteTo::Host(_)) => NextHopKind::Host,
        Some(RouteTo::Domain(_)) | None => NextHopKind::Domain,
    };
    let use_of = RemoteUse { relays, prdr: options.prdr_enable, next_hop };
    let found = found.or_else(|| remote.without_effect(use_of));
    if let Some((option, cause)) = found {
        return Err(ConfigError::NoEffect { option, cause });
    }
    if let Some(RouteTo::Address(address)) = known.as_ref().map(|route| &route.to)
        && let Some((option, cause)) = live.remote.lists.hindrance(*address)
    {
        return Err(ConfigError::Undeliverable { option, cause });
    }
    let next_hop_names = known.is_none_or(|route| route.name().is_some());
    let sources = EventSources {
        relays,
        next_hop_names,
        no_dane: remote.without_dane(next_hop_names),
        client_names: !is_nobody(&options.host_lookup),
        tls: !has_no_tls(options),
        client_certificates: !options.tls_verify_certificates.is_empty(),
    };
    events::check(event_options, &startup.events, sources)?;
    idle_rules::check(options, live, language)
}

/// An option, and why it does nothing.
type Ineffective = Option<(&'static str, &'static str)>;

/// Finds the first of some options that differs from its default.
fn first<const N: usize>(options: [(&'static str, bool); N], cause: &'static str) -> Ineffective {
    let differs = options.into_iter().find(|(_, differs)| *differs);
    differs.map(|(option, _)| (option, cause))
}

fn proxies(options: &ConfigOptions, standard: &ConfigOptions) -> Ineffective {
    if !is_nobody(&options.proxy_required_hosts) {
        return None;
    }
    if !options.proxy_required_hosts.trim().is_empty() {
        return Some(("proxy_required_hosts", "the list matches no host"));
    }
    first(
        [
            (
                "proxy_protocol_timeout",
                options.proxy_protocol_timeout != standard.proxy_protocol_timeout,
            ),
            ("proxy_ipv4_in_tcp6", options.proxy_ipv4_in_tcp6),
            ("proxy_refusal", options.proxy_refusal != standard.proxy_refusal),
        ],
        "proxy_required_hosts names no host",
    )
}

fn storage(options: &ConfigOptions, live: &LiveSettings) -> Ineffective {
    let quarantine = options.quarantine_maildir.is_some();
    if options.store == StoreKind::Discard {
        let given = [
            ("maildir", options.maildir.is_some()),
            ("quarantine_maildir", quarantine),
            ("envelope_to_add", options.envelope_to_add),
        ];
        return first(given, "store = \"discard\" keeps no mail");
    }
    let never = is_nobody(&options.dmarc_verify_hosts) && !live.rules.quarantines();
    let cause = "no rule has verb = \"quarantine\", and dmarc_verify_hosts matches no client";
    first([("quarantine_maildir", quarantine && never)], cause)
}

/// A selection has an effect if one of its words changes a line that can be written.
fn log_selector(options: &ConfigOptions, live: &LiveSettings) -> Ineffective {
    if options.log_selector.trim().is_empty() {
        return None;
    }
    let no_effect = |word| match word {
        LogWord::Proxy if is_nobody(&options.proxy_required_hosts) => {
            Some("proxy_required_hosts names no host")
        }
        LogWord::OutgoingPort | LogWord::SmtpConfirmation if !live.routing.relays() => {
            Some(NO_RELAY)
        }
        LogWord::TlsSni if has_no_tls(options) => Some("tls_advertise_hosts matches no client"),
        LogWord::TlsPeerdn if options.tls_verify_certificates.is_empty() => {
            Some("tls_verify_certificates is not set")
        }
        _ => None,
    };
    let mut causes = live.log_selector.changes().map(no_effect);
    let first = causes.next().unwrap_or(Some("it selects the parts that lines have anyway"));
    let is_idle = first.is_some() && causes.all(|cause| cause.is_some());
    first.filter(|_| is_idle).map(|cause| ("log_selector", cause))
}

fn relay(options: &ConfigOptions, live: &LiveSettings) -> Ineffective {
    let on_this_host = |server: SocketAddr| server.ip().to_canonical().is_loopback();
    if options.dns_trust_ad && options.dns_resolver.is_some_and(on_this_host) {
        return Some(("dns_trust_ad", "dns_resolver is on this host, and is believed anyway"));
    }
    if live.routing.relays() {
        return None;
    }
    let given = options.route_data.is_some();
    let others = [("route_data", given), ("dns_trust_ad", options.dns_trust_ad)];
    first(others, NO_RELAY)
}

/// Tells whether it is known that no client can be in a list.
pub(super) fn is_nobody(hosts: &str) -> bool {
    HostSet::new(List::new(hosts)).is_ok_and(|set| set.is_nobody())
}

fn sizes(options: &ConfigOptions, standard: &ConfigOptions) -> Ineffective {
    let (header, message) = (options.header_maxsize, options.message_size_limit);
    if header != standard.header_maxsize && header.0 > message.0 {
        return Some(("header_maxsize", "it is more than message_size_limit"));
    }
    let verified = options.dkim_verify_header;
    (verified != standard.dkim_verify_header && verified.0 > header.0)
        .then_some(("dkim_verify_header", "it is more than header_maxsize"))
}

fn body(options: &ConfigOptions, standard: &ConfigOptions, live: &LiveSettings) -> Ineffective {
    let differs = options.message_body_visible != standard.message_body_visible;
    (differs && !live.rules.mentions("message_body"))
        .then_some(("message_body_visible", "no rule has $message_body"))
}

fn hosts(options: &ConfigOptions, standard: &ConfigOptions) -> Ineffective {
    let refused = options.smtp_max_refused;
    if refused == 0 && options.smtp_max_refused_hosts.is_some() {
        return Some(("smtp_max_refused_hosts", "smtp_max_refused is 0"));
    }
    let nobody = options.smtp_max_refused_hosts.as_deref().is_some_and(is_nobody);
    if nobody && refused != standard.smtp_max_refused {
        return Some(("smtp_max_refused", "smtp_max_refused_hosts matches no client"));
    }
    let timeout = options.host_lookup_timeout != standard.host_lookup_timeout;
    if is_nobody(&options.host_lookup) && timeout {
        return Some(("host_lookup_timeout", "host_lookup matches no client"));
    }
    if has_no_tls(options) && options.tls_certificate.is_some() {
        return Some(("tls_certificate", "tls_advertise_hosts matches no client"));
    }
    let per_host = options.smtp_accept_max_per_host;
    if per_host != standard.smtp_accept_max_per_host && per_host >= options.smtp_accept_max {
        let cause = "it is not less than smtp_accept_max, which is for all hosts";
        return Some(("smtp_accept_max_per_host", cause));
    }
    None
}

/// Tells whether it is known that no client has TLS.
pub(super) fn has_no_tls(options: &ConfigOptions) -> bool {
    is_nobody(&options.tls_advertise_hosts) && options.tls_on_connect_ports.trim().is_empty()
}

fn tls(live: &LiveSettings) -> Ineffective {
    let TlsSettings { certificate, privatekey, ocsp_file, ocsp_fetch, .. } = &live.tls;
    let of_fetching = [
        ("tls_ocsp_proxy", live.tls.ocsp_proxy.is_some()),
        ("tls_ocsp_verify_certificates", live.tls.ocsp_verify_certificates.is_some()),
    ];
    let Some(certificate) = certificate else {
        let others = [
            ("tls_privatekey", privatekey.is_some()),
            ("tls_ocsp_file", ocsp_file.is_some()),
            ("tls_ocsp_fetch", !ocsp_fetch),
        ];
        let cause = "tls_certificate is not set";
        return first(others, cause).or_else(|| first(of_fetching, cause));
    };
    let idle = match (ocsp_file, ocsp_fetch) {
        (Some(_), false) => Some(("tls_ocsp_fetch", "with tls_ocsp_file nothing is fetched")),
        (Some(_), true) => first(of_fetching, "with tls_ocsp_file nothing is fetched"),
        (None, false) => first(of_fetching, "tls_ocsp_fetch is off"),
        (None, true) => None,
    };
    if idle.is_some() {
        return idle;
    }
    let names_server =
        |list: &Option<FileList>| list.as_ref().is_some_and(|list| list.mentions(SNI));
    if certificate.mentions(SNI) {
        return None;
    }
    let others =
        [("tls_privatekey", names_server(privatekey)), ("tls_ocsp_file", names_server(ocsp_file))];
    first(others, "tls_certificate has no $tls_in_sni, and as in Exim no other file depends on it")
}

/// The verification of clients.
fn client_certificates(options: &ConfigOptions) -> Ineffective {
    let lists = [
        ("tls_verify_hosts", &options.tls_verify_hosts),
        ("tls_try_verify_hosts", &options.tls_try_verify_hosts),
    ];
    let asked = lists.map(|(option, list)| (option, !is_nobody(list)));
    let authorities = !options.tls_verify_certificates.is_empty();
    let files = [("tls_verify_certificates", authorities), ("tls_crl", options.tls_crl.is_some())];
    if !authorities {
        let cause = "tls_verify_certificates is not set";
        return first(asked, cause).or_else(|| first(files, cause));
    }
    if has_no_tls(options) {
        let cause = "tls_advertise_hosts matches no client";
        return first(asked, cause).or_else(|| first(files, cause));
    }
    if asked.iter().all(|(_, asked)| !asked) {
        return first(files, "tls_verify_hosts and tls_try_verify_hosts match no client");
    }
    let all = options.tls_verify_hosts.trim() == "*";
    (all && asked.iter().all(|(_, asked)| *asked))
        .then_some(("tls_try_verify_hosts", "tls_verify_hosts matches every client"))
}

/// The variables that are known only when the client has said which server it wants.
const SNI: &[&str] = &["tls_in_sni", "tls_sni"];

fn authentication(
    options: &ConfigOptions,
    standard: &ConfigOptions,
    live: &LiveSettings,
) -> Ineffective {
    dmarc(options, standard, live).or_else(|| spf(options, standard, live))
}

fn dmarc(options: &ConfigOptions, standard: &ConfigOptions, live: &LiveSettings) -> Ineffective {
    let (rules, sender) = (&live.rules, options.dmarc_forensic_sender.is_some());
    if !is_nobody(&options.dmarc_verify_hosts) {
        let semantics = options.dmarc_status_semantics != standard.dmarc_status_semantics;
        if semantics && rules.line_of("dmarc_status").is_none() {
            return Some(("dmarc_status_semantics", "no rule has the condition dmarc_status"));
        }
        let reports = ENABLE_FORENSIC.iter().any(|control| rules.mentions(control));
        let cause = "no rule has control = \"dmarc_enable_forensic\"";
        return (sender && !reports).then_some(("dmarc_forensic_sender", cause));
    }
    let invalid_from = options.dmarc_invalid_from;
    let others = [
        ("dmarc_reject", options.dmarc_reject),
        // From any client, it refuses a message without a header section.
        (
            "dmarc_invalid_from",
            invalid_from.is_some_and(|option| option != InvalidFromOption::Reject),
        ),
        ("dmarc_temperror", options.dmarc_temperror != standard.dmarc_temperror),
        ("dmarc_timeout", options.dmarc_timeout != standard.dmarc_timeout),
        ("dmarc_tld_file", options.dmarc_tld_file.is_some()),
        ("dmarc_report_keep", options.dmarc_report_keep != standard.dmarc_report_keep),
        ("dmarc_history_file", options.dmarc_history_file.is_some()),
        ("dmarc_forensic_sender", sender),
        (
            "dmarc_status_semantics",
            options.dmarc_status_semantics != standard.dmarc_status_semantics,
        ),
        (
            "dkim_verify_signatures",
            options.dkim_verify_signatures != standard.dkim_verify_signatures,
        ),
        ("dkim_verify_header", options.dkim_verify_header != standard.dkim_verify_header),
    ];
    first(others, "dmarc_verify_hosts matches no client")
}

fn spf(options: &ConfigOptions, standard: &ConfigOptions, live: &LiveSettings) -> Ineffective {
    let has = |name| live.rules.line_of(name).is_some();
    if options.spf_guess.is_some() && !has("spf_guess") {
        return Some(("spf_guess", "no rule has the condition spf_guess"));
    }
    let template = options.spf_smtp_comment_template.is_some();
    if template && !live.rules.mentions("spf_smtp_comment") {
        return Some(("spf_smtp_comment_template", "no rule uses $spf_smtp_comment"));
    }
    if has("spf") || has("spf_guess") {
        return None;
    }
    if is_nobody(&options.dmarc_verify_hosts) {
        let others = [
            ("spf_lookups", options.spf_lookups != standard.spf_lookups),
            ("spf_void_lookups", options.spf_void_lookups != standard.spf_void_lookups),
            ("spf_timeout", options.spf_timeout != standard.spf_timeout),
            ("spf_loopback_passes", options.spf_loopback_passes),
        ];
        return first(others, "no rule tests SPF, and dmarc_verify_hosts matches no client");
    }
    let (spf, dmarc) = (options.spf_timeout, options.dmarc_timeout.0 / 2);
    let cause = "no rule tests SPF, and DMARC gives it half of dmarc_timeout, which is less";
    (spf != standard.spf_timeout && spf.0 > dmarc).then_some(("spf_timeout", cause))
}

fn lookups(options: &ConfigOptions, standard: &ConfigOptions, language: &Language) -> Ineffective {
    let unused = |source| !language.uses(source);
    let no_query = [Source::Pgsql, Source::Redis, Source::Sqlite].into_iter().all(unused);
    let nothing = no_query && unused(Source::File);
    let is_given = |text: &str| !text.trim().is_empty();
    let folders = is_given(&options.lookup_directories);
    let (pgsql, redis) = (is_given(&options.pgsql_servers), is_given(&options.redis_servers));
    let sqlite = options.sqlite_dbfile.is_some();
    let file_size = options.lookup_file_size_limit != standard.lookup_file_size_limit;
    let rows = options.lookup_rows_max != standard.lookup_rows_max;
    let time = options.lookup_timeout != standard.lookup_timeout;
    let octets = options.lookup_size_limit != standard.lookup_size_limit;
    [
        ("lookup_file_size_limit", file_size && !folders, NO_FOLDER),
        ("redis_allow_writes", options.redis_allow_writes && !redis, NO_SERVER),
        ("redis_compatible", options.redis_compatible && !redis, NO_SERVER),
        ("redis_timeout", options.redis_timeout.is_some() && !redis, NO_SERVER),
        (
            "pgsql_servers",
            pgsql && !cfg!(feature = "pgsql"),
            "it is not compiled in; build with --features pgsql",
        ),
        (
            "redis_servers",
            redis && !cfg!(feature = "redis"),
            "it is not compiled in; build with --features redis",
        ),
        (
            "lookup_directories",
            folders && unused(Source::File),
            "no text names a file to look up in",
        ),
        ("pgsql_servers", pgsql && unused(Source::Pgsql), NO_LOOKUP),
        ("redis_servers", redis && unused(Source::Redis), NO_LOOKUP),
        ("sqlite_dbfile", sqlite && unused(Source::Sqlite), NO_LOOKUP),
        ("lookup_rows_max", rows && no_query, "no text has a query of a database"),
        ("lookup_timeout", time && nothing, "no text has a lookup"),
        ("lookup_size_limit", octets && nothing, "no text has a lookup"),
    ]
    .into_iter()
    .find_map(|(option, is_idle, cause)| is_idle.then_some((option, cause)))
}

const NO_FOLDER: &str = "lookup_directories names no folder with files";
const NO_SERVER: &str = "redis_servers names no server";
const NO_LOOKUP: &str = "no text has a lookup of this type";
pub(super) const NO_RELAY: &str = "no mail goes to a next hop, since relay_to_domains is empty";
