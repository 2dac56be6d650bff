//! The traits of the public types of the libraries: values can be kept, compared and hashed, errors are errors, and
//! whatever has an order has it.

use std::collections::BTreeSet;
use std::error::Error;
use std::fmt::{Debug, Write as _};
use std::hash::Hash;

use super::files;

const fn value<T: Clone + Debug + Eq + Hash + Send + Sync>() {}

const fn ordered<T: Clone + Debug + Eq + Hash + Ord + Send + Sync>() {}

const fn error<T: Debug + Error + Send + Sync + 'static>() {}

/// Asserts it of types while this file is compiled.
macro_rules! holds {
    ($assertion:ident: $($type:ty),+ $(,)?) => {
        const _: () = {
            $($assertion::<$type>();)+
        };
    };
}

// The order is that of names, of standards, or of how bad it is.
holds!(ordered:
    dane_tlsa::MatchingType, dane_tlsa::Selector, dane_tlsa::Severity, dane_tlsa::TlsaRecord,
    dane_tlsa::Usage,
);
holds!(ordered: dmarc_policy::Policy);
holds!(ordered: event_expand::EventName, event_expand::ListKind);
holds!(ordered:
    mail_types::dns::DnssecStatus, mail_types::dns::Mx, mail_types::dns::Name,
    mail_types::dns::Question, mail_types::dns::RecordType, mail_types::exim::Trust,
    mail_types::smtp::Domain, mail_types::smtp::EnhancedCode, mail_types::smtp::MailHost,
    mail_types::smtp::Mailbox, mail_types::smtp::ReplyCode, mail_types::smtp::ReversePath,
    mail_types::smtp::Severity,
);
holds!(ordered: proxy_protocol::TlvKind, proxy_protocol::Version);
holds!(ordered: redis_lookup::Address, redis_lookup::Link, redis_lookup::Part);

holds!(value:
    dane_tlsa::Action, dane_tlsa::CacheLimits, dane_tlsa::Certificate<'_>,
    dane_tlsa::ConnectionFault<'_>, dane_tlsa::Dane, dane_tlsa::Decision, dane_tlsa::Disposition,
    dane_tlsa::DnssecState, dane_tlsa::Encrypt, dane_tlsa::Failure, dane_tlsa::Finding,
    dane_tlsa::FindingKind, dane_tlsa::Host, dane_tlsa::HostPolicy, dane_tlsa::InsecureMx,
    dane_tlsa::Limits, dane_tlsa::Match, dane_tlsa::Mismatch, dane_tlsa::MtaSts, dane_tlsa::NextHop,
    dane_tlsa::NoDnssec, dane_tlsa::PolicyOptions, dane_tlsa::PolicyType, dane_tlsa::Query,
    dane_tlsa::QueryType, dane_tlsa::RecordSet, dane_tlsa::ResultType, dane_tlsa::Review,
    dane_tlsa::Rollover, dane_tlsa::RolloverAction, dane_tlsa::RolloverStep, dane_tlsa::Standing,
    dane_tlsa::StubOptions, dane_tlsa::Transport, dane_tlsa::Verdict,
);
holds!(value:
    dmarc_policy::Alignment, dmarc_policy::AlignmentMode, dmarc_policy::AuthFailure,
    dmarc_policy::Author, dmarc_policy::AuthorFault, dmarc_policy::Defect, dmarc_policy::DefectKind,
    dmarc_policy::DeliveryResult, dmarc_policy::Destination, dmarc_policy::Deviation,
    dmarc_policy::DiscoveryMethod, dmarc_policy::DkimInput, dmarc_policy::FailureCause,
    dmarc_policy::FailureEnvelope, dmarc_policy::FailureOptions, dmarc_policy::FailureRateLimits,
    dmarc_policy::FailureReportLimits, dmarc_policy::Feedback, dmarc_policy::FeedbackLimits,
    dmarc_policy::FeedbackReading, dmarc_policy::FeedbackRow, dmarc_policy::Finding,
    dmarc_policy::InvalidText, dmarc_policy::Override, dmarc_policy::OverrideKind, dmarc_policy::Pace,
    dmarc_policy::Permission, dmarc_policy::Psd, dmarc_policy::PublishedPolicy,
    dmarc_policy::Record, dmarc_policy::ReportId, dmarc_policy::ReportMail,
    dmarc_policy::ReportMetadata, dmarc_policy::ReportUri, dmarc_policy::ReviewDefect,
    dmarc_policy::Reviewed, dmarc_policy::ReviewedName, dmarc_policy::RowDisposition,
    dmarc_policy::SignatureRow, dmarc_policy::SpfRow, dmarc_policy::Status, dmarc_policy::Verdict,
    dmarc_policy::Withheld,
);
holds!(value:
    event_expand::AclVerdict, event_expand::ActionOutcome, event_expand::ActionStep,
    event_expand::Answered, event_expand::Ask, event_expand::Capabilities, event_expand::Capability,
    event_expand::Dialect, event_expand::Effect, event_expand::Event, event_expand::Fallback,
    event_expand::HeaderForm, event_expand::HostCall, event_expand::Journal, event_expand::Limits,
    event_expand::ListSubject<'_>, event_expand::Lookup, event_expand::Membership,
    event_expand::Need<'_>, event_expand::OnFailure, event_expand::Options, event_expand::Parameter,
    event_expand::Profile, event_expand::ProgramState, event_expand::Progress,
    event_expand::Request, event_expand::SearchStep, event_expand::Section, event_expand::Selection,
    event_expand::Statement,
);
holds!(value:
    mail_types::dns::Answer, mail_types::dns::DnsFailure, mail_types::dns::Note,
    mail_types::dns::Noted, mail_types::dns::Records, mail_types::dns::Texts,
    mail_types::exim::ByteList<'_>, mail_types::exim::HostPattern, mail_types::exim::HostSet,
    mail_types::exim::List<'_>, mail_types::exim::LookupResult, mail_types::exim::Query,
    mail_types::exim::Segment, mail_types::exim::Semantics, mail_types::exim::SeparatorHint,
    mail_types::exim::Value<'_>,
    mail_types::exim::Variable<'_>, mail_types::exim::Word, mail_types::exim::WordList,
    mail_types::hickory::Walk, mail_types::results::AuthResult,
    mail_types::results::AuthenticationResults, mail_types::results::MethodResult,
    mail_types::results::SpfIdentity, mail_types::results::SpfInput, mail_types::smtp::Field<'_>,
    mail_types::smtp::Header<'_>, mail_types::smtp::Helo, mail_types::smtp::Reply,
);
holds!(value:
    ocsp_staple::BasicResponse<'_>, ocsp_staple::Certificate<'_>, ocsp_staple::CertificateStatus,
    ocsp_staple::Event, ocsp_staple::Fetch, ocsp_staple::FileStamp, ocsp_staple::Issuer<'_>,
    ocsp_staple::IssuerHash, ocsp_staple::Limits, ocsp_staple::Look, ocsp_staple::Method,
    ocsp_staple::Name<'_>, ocsp_staple::Oid, ocsp_staple::Options, ocsp_staple::Pace,
    ocsp_staple::Proof, ocsp_staple::Request, ocsp_staple::Requirement, ocsp_staple::Responder<'_>,
    ocsp_staple::Response<'_>, ocsp_staple::Revocation, ocsp_staple::RevocationReason,
    ocsp_staple::Saved, ocsp_staple::ScheduleState, ocsp_staple::Signer,
    ocsp_staple::SingleResponse<'_>, ocsp_staple::Staple, ocsp_staple::Stapled,
    ocsp_staple::hyper::FetchFailure, ocsp_staple::hyper::FetchLimits, ocsp_staple::hyper::Fetched,
    ocsp_staple::hyper::Proxy,
);
holds!(value: prdr::DataStep, prdr::RecipientOutcome);
holds!(value:
    proxy_protocol::Address, proxy_protocol::Endpoints<'_>, proxy_protocol::Header<'_>,
    proxy_protocol::HeaderOutcome, proxy_protocol::Limits, proxy_protocol::Options,
    proxy_protocol::ProxyInfo, proxy_protocol::RefusalMode, proxy_protocol::RequiredHosts,
    proxy_protocol::Ssl<'_>, proxy_protocol::Tlv<'_>, proxy_protocol::TlvRange,
    proxy_protocol::Tlvs<'_>, proxy_protocol::Transport, proxy_protocol::UnixAddress<'_>,
);
holds!(value:
    redis_lookup::Command, redis_lookup::DeferReason, redis_lookup::Effect, redis_lookup::Failure,
    redis_lookup::Limits, redis_lookup::LookupOutcome, redis_lookup::Meaning, redis_lookup::Mode,
    redis_lookup::Next, redis_lookup::Options, redis_lookup::Redirect, redis_lookup::Refusal,
    redis_lookup::SlotRange,
);
holds!(value:
    spf_result::Cause, spf_result::Defect, spf_result::Directive, spf_result::DomainSpec,
    spf_result::Explanation, spf_result::Finding, spf_result::Limits, spf_result::MacroString,
    spf_result::Matched, spf_result::Mechanism, spf_result::Options, spf_result::Prefixes,
    spf_result::Problem, spf_result::Qualifier, spf_result::Record, spf_result::Report,
    spf_result::Reviewed, spf_result::ReviewedRecord, spf_result::SpfOutcome, spf_result::SpfResult,
    spf_result::Term,
);

holds!(error:
    dane_tlsa::Bounce, dane_tlsa::Deferral, dane_tlsa::DerError, dane_tlsa::KeyRecordError,
    dane_tlsa::MismatchReason, dane_tlsa::Mismatches, dane_tlsa::NoDane, dane_tlsa::NotAssigned,
    dane_tlsa::PathFault, dane_tlsa::RecordError, dane_tlsa::RolloverError, dane_tlsa::Skip,
    dane_tlsa::TooManyRecords, dane_tlsa::Unusable, dane_tlsa::rustls::BaseDomainError,
);
holds!(error:
    dmarc_policy::DeviationKind, dmarc_policy::FeedbackError, dmarc_policy::PolicyError,
    dmarc_policy::RecordError, dmarc_policy::ReportIdError, dmarc_policy::ReportMailError,
    dmarc_policy::ReportUriError, dmarc_policy::SuffixFileError, dmarc_policy::TallyFull,
);
holds!(error:
    event_expand::EventNameError, event_expand::ExpandError, event_expand::ExpandFailure,
    event_expand::ItemProblem, event_expand::MatchListError, event_expand::SelectionError,
    event_expand::StatementError, event_expand::TemplateError,
);
holds!(error:
    mail_types::dns::DnsWordError, mail_types::dns::MasterFileError, mail_types::dns::NameError,
    mail_types::dns::RecordTypeError, mail_types::dns::ZoneError,
    mail_types::exim::HostPatternError, mail_types::exim::HostSetError,
    mail_types::exim::QueryError, mail_types::exim::WordListError,
    mail_types::hickory::ResolverError, mail_types::results::AuthResultError,
    mail_types::smtp::CodeError, mail_types::smtp::DomainError, mail_types::smtp::MailHostError,
    mail_types::smtp::MailboxError, mail_types::smtp::ReplyError,
);
holds!(error:
    ocsp_staple::DerError, ocsp_staple::DerFault, ocsp_staple::FetchError, ocsp_staple::IssuerError,
    ocsp_staple::ProofError, ocsp_staple::ProofFileError, ocsp_staple::ResponderError,
    ocsp_staple::SavedError, ocsp_staple::StapleError, ocsp_staple::StoreError,
    ocsp_staple::hyper::ProxyError,
);
holds!(error: prdr::NoRecipients, prdr::ParameterError);
holds!(error: proxy_protocol::Failure, proxy_protocol::HeaderError, proxy_protocol::WriteError);
holds!(error: redis_lookup::CommandError, redis_lookup::ServerProblem, redis_lookup::ServersError);
holds!(error:
    spf_result::MacroError, spf_result::RecordError, spf_result::SenderError,
    spf_result::SpfResultError,
);
#[cfg(feature = "redis")]
holds!(error: redis_lookup::redis::StartError);

/// Machines, adapters, caches and parsed texts, which are compared by nobody, and values with a password or a number
/// that is no integer.
const OTHERS: &str = "
    dane_tlsa::Check dane_tlsa::Lookup dane_tlsa::LookupStep dane_tlsa::Policy dane_tlsa::Reply
    dane_tlsa::Response dane_tlsa::Stub dane_tlsa::hickory::StubResolver
    dane_tlsa::hickory::ValidatingResolver dane_tlsa::rustls::DaneVerifier
    dane_tlsa::rustls::UnauthenticatedVerifier dmarc_policy::Destinations dmarc_policy::Discovery
    dmarc_policy::Dmarc dmarc_policy::EximForensic dmarc_policy::FailureRate dmarc_policy::FailureReport
    dmarc_policy::History dmarc_policy::Review dmarc_policy::SuffixFile dmarc_policy::Tally
    event_expand::Action event_expand::EventVariables event_expand::Expansion event_expand::ListSearch
    event_expand::MatchList event_expand::Outline event_expand::StatementCache event_expand::Template
    mail_types::dns::InquiryStep mail_types::dns::Known mail_types::dns::Labels mail_types::dns::Session mail_types::dns::Unanswered
    mail_types::dns::Zone mail_types::hickory::Link mail_types::hickory::Resolver
    mail_types::hickory::ResolverSettings mail_types::serde::Causes ocsp_staple::Check ocsp_staple::ProofFile
    ocsp_staple::Schedule ocsp_staple::Store ocsp_staple::hyper::Fetcher ocsp_staple::rustls::Sessions
    ocsp_staple::rustls::StapleVerifier ocsp_staple::rustls::StapledKeys prdr::Client prdr::DataPhase
    proxy_protocol::Listener proxy_protocol::Receiver proxy_protocol::Refusal proxy_protocol::SslWriter
    proxy_protocol::TlvIter proxy_protocol::Writer redis_lookup::Attempt redis_lookup::Cache
    redis_lookup::Failover redis_lookup::Reply redis_lookup::Secret redis_lookup::SentinelGroup
    redis_lookup::Server redis_lookup::ServerKind redis_lookup::Servers redis_lookup::Tls
    redis_lookup::redis::Client spf_result::Check spf_result::Review
";

#[test]
fn each_public_type_is_a_value_an_error_or_an_exception() {
    let own = include_str!("values.rs");
    let words = own.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':'));
    let known: BTreeSet<_> = words.filter(|word| word.contains("::")).collect();
    let known: BTreeSet<_> = known
        .iter()
        .filter_map(|path| Some((path.split("::").next()?, path.rsplit("::").next()?)))
        .collect();
    let mut missing = String::new();
    let mut found = BTreeSet::new();
    for (file, text) in files(&["crates/*/src/*.rs"]) {
        let library = file.split('/').nth(1).unwrap().replace('-', "_");
        for line in text.lines() {
            let item = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum "));
            let Some(item) = item else { continue };
            let name = item.split(|c: char| !c.is_alphanumeric()).next().unwrap();
            found.insert((library.clone(), name.to_owned()));
            if !known.contains(&(library.as_str(), name)) {
                writeln!(missing, "{library} {name} in {file}").unwrap();
            }
        }
    }
    assert!(missing.is_empty(), "assert its traits above, or name it as an exception:\n{missing}");
    assert!(found.len() > 300, "{}", found.len());
    for path in OTHERS.split_ascii_whitespace() {
        let (library, name) = (path.split("::").next().unwrap(), path.rsplit("::").next().unwrap());
        assert!(
            found.contains(&(library.to_owned(), name.to_owned())),
            "{path} is not there any more"
        );
    }
}
