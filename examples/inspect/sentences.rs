//! The sentences of the standards that defects break.

use dane_tlsa::{FindingKind, Severity};
use dmarc_policy::{DefectKind, ReviewDefect};

/// A sentence, and its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sentence {
    pub(crate) section: &'static str,
    pub(crate) text: &'static str,
}

/// The sentence of the section that a review names, and how bad it is to break it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Judged {
    pub(crate) severity: Severity,
    pub(crate) sentence: &'static str,
}

const fn judged(severity: Severity, sentence: &'static str) -> Judged {
    Judged { severity, sentence }
}

/// Returns the sentence for a defect of SPF records.
pub(crate) fn of_spf(defect: &spf_result::Defect) -> Judged {
    use spf_result::Defect;

    match defect {
        Defect::NoRecord | Defect::SeveralRecords | Defect::Version => SELECTION,
        Defect::Dns(_) => SPF_NO_ANSWER,
        Defect::TooManyLookups(_) | Defect::Loop => LOOKUPS,
        Defect::TooManyVoidLookups(_) => VOID_LOOKUPS,
        Defect::Void => Judged { severity: Severity::Warning, ..VOID_LOOKUPS },
        Defect::TooManyMxHosts(_) => MX_HOSTS,
        Defect::Ptr => PTR,
        Defect::PassesAll => PASSES_ALL,
        Defect::Unreachable => UNREACHABLE,
        Defect::NoEnd => NO_END,
        Defect::Long => LONG,
        _ => SPF_SYNTAX,
    }
}

/// Returns the sentence for a defect of DMARC records.
pub(crate) fn of_dmarc(defect: &ReviewDefect) -> Judged {
    match defect {
        ReviewDefect::NoRecord => NO_POLICY,
        ReviewDefect::SeveralRecords => SEVERAL_POLICIES,
        ReviewDefect::Dns(_) => DMARC_NO_ANSWER,
        ReviewDefect::Destination(..) => DESTINATION,
        ReviewDefect::Tag(defect) => of_tag(&defect.kind),
        _ => DMARC_SYNTAX,
    }
}

/// Returns the sentence for a tag of a DMARC record.
fn of_tag(kind: &DefectKind) -> Judged {
    match kind {
        DefectKind::Unknown | DefectKind::Removed => TAGS,
        DefectKind::PolicyValue | DefectKind::NoPolicy | DefectKind::PolicyOff => INVALID_POLICY,
        DefectKind::ReportsOnly => REPORTS_ONLY,
        DefectKind::NoReports => NO_REPORTS,
        DefectKind::NotMail | DefectKind::Uri(_) | DefectKind::ManyUris => DESTINATIONS,
        DefectKind::Unused => UNUSED,
        DefectKind::WeakerBelow => WEAKER_BELOW,
        DefectKind::TestMode => TEST_MODE,
        DefectKind::PublicSuffix => PUBLIC_SUFFIX,
        _ => TAG_SYNTAX,
    }
}

/// Returns the sentence for a finding about TLSA records.
pub(crate) fn of_tlsa(kind: &FindingKind) -> Sentence {
    match kind {
        FindingKind::Unusable(_) => UNUSABLE,
        FindingKind::LeftOver | FindingKind::Duplicate => LEFT_OVER,
        FindingKind::ChangesAtRenewal { .. } | FindingKind::MoreThanOwn { .. } => RECOMMENDED,
        FindingKind::Full => FULL,
        FindingKind::AnchorKey => ANCHOR_KEY,
        FindingKind::Expired { .. } => EXPIRED,
        _ => EACH_COMBINATION,
    }
}

const SELECTION: Judged = judged(
    Severity::Problem,
    "If the resultant record set includes no records, check_host() produces the \"none\" result. If the resultant record set includes more than one record, check_host() produces the \"permerror\" result.",
);
const SPF_SYNTAX: Judged = judged(
    Severity::Problem,
    "The syntax of the record is validated first, and if there are any syntax errors anywhere in the record, check_host() returns immediately with the result \"permerror\", without further interpretation or evaluation.",
);
const SPF_NO_ANSWER: Judged = judged(
    Severity::Problem,
    "If the DNS lookup returns a server failure (RCODE 2) or some other error (RCODE other than 0 or 3), or if the lookup times out, then check_host() terminates immediately with the result \"temperror\".",
);
const LOOKUPS: Judged = judged(
    Severity::Problem,
    "SPF implementations MUST limit the total number of those terms to 10 during SPF evaluation, to avoid unreasonable load on the DNS.",
);
const VOID_LOOKUPS: Judged =
    judged(Severity::Problem, "SPF implementations SHOULD limit \"void lookups\" to two.");
const MX_HOSTS: Judged = judged(
    Severity::Problem,
    "In addition to that limit, the evaluation of each \"MX\" record MUST NOT result in querying more than 10 address records -- either \"A\" or \"AAAA\" resource records.",
);
const PTR: Judged = judged(Severity::Warning, "This mechanism SHOULD NOT be published.");
const PASSES_ALL: Judged = judged(
    Severity::Problem,
    "A \"pass\" result is an explicit statement that the client is authorized to inject mail with the given identity.",
);
const UNREACHABLE: Judged =
    judged(Severity::Warning, "Mechanisms after \"all\" will never be tested.");
const NO_END: Judged = judged(
    Severity::Warning,
    "It is better to use either a \"redirect\" modifier or an \"all\" mechanism to explicitly terminate processing.",
);
const LONG: Judged = judged(
    Severity::Warning,
    "The published SPF record for a given domain name SHOULD remain small enough that the results of a query for it will fit within 512 octets.",
);

const NO_POLICY: Judged = judged(
    Severity::Problem,
    "If the set produced by the DNS Tree Walk contains no DMARC Policy Record (i.e., any indication that there is no such record as opposed to a transient DNS error), Mail Receivers MUST NOT apply the DMARC mechanism to the message.",
);
const SEVERAL_POLICIES: Judged = judged(
    Severity::Problem,
    "If multiple DMARC Policy Records are returned for a single target, they are all discarded.",
);
const DMARC_NO_ANSWER: Judged = judged(
    Severity::Problem,
    "Handling of DNS errors when querying for the DMARC Policy Record is left to the discretion of the Mail Receiver.",
);
const DMARC_SYNTAX: Judged = judged(
    Severity::Problem,
    "A DMARC Policy Record MUST comply with the formal definition of same found in this section.",
);
const TAGS: Judged = judged(
    Severity::Warning,
    "Only tags defined in that registry are to be processed; unknown tags MUST be ignored.",
);
const TAG_SYNTAX: Judged = judged(
    Severity::Warning,
    "Syntax errors in the remainder of the record MUST be discarded in favor of default values (if any) or ignored outright.",
);
const INVALID_POLICY: Judged = judged(
    Severity::Problem,
    "If a retrieved DMARC Policy Record does not contain a valid \"p\" tag, or contains an \"sp\" or \"np\" tag that is not valid, then: If a \"rua\" tag is present and contains at least one syntactically valid reporting URI, the Mail Receiver MUST act as if a record containing \"p=none\" was retrieved and continue processing; Otherwise, the Mail Receiver applies no DMARC processing to this message.",
);
const REPORTS_ONLY: Judged = judged(
    Severity::Notice,
    "If this tag is not present in an otherwise syntactically valid DMARC Policy Record, then the record is treated as if it included \"p=none\".",
);
const NO_REPORTS: Judged = judged(
    Severity::Warning,
    "If the tag is not provided, Mail Receivers MUST NOT generate aggregate feedback reports for the domain.",
);
const DESTINATIONS: Judged = judged(
    Severity::Warning,
    "URIs involving schemes not supported by Mail Receivers MUST be ignored.",
);
const UNUSED: Judged = judged(
    Severity::Warning,
    "This tag's content MUST be ignored if a \"ruf\" tag (below) is not also specified.",
);
const WEAKER_BELOW: Judged = judged(
    Severity::Notice,
    "Indicates the message handling preference of the Domain Owner or PSO for mail using an existing subdomain of the prevailing Organizational Domain for and not passing DMARC validation.",
);
const TEST_MODE: Judged = judged(
    Severity::Notice,
    "The Domain Owner is currently testing its specified DMARC assessment policy, and has an expectation that the policy applied to any failing messages will be one level below the specified policy.",
);
const PUBLIC_SUFFIX: Judged = judged(
    Severity::Notice,
    "PSOs include this tag with a value of \"y\" to indicate that the domain is a PSD.",
);
const DESTINATION: Judged = judged(
    Severity::Warning,
    "Where the above algorithm fails to confirm that the external reporting was authorized by the Report Consumer, the URI MUST be ignored by the Mail Receiver generating the report.",
);

pub(crate) const NO_DOMAIN: Sentence = Sentence {
    section: "RFC 5321 section 5.1",
    text: "If a non-existent domain error is returned, this situation MUST be reported as an error.",
};
pub(crate) const NO_ANSWER: Sentence = Sentence {
    section: "RFC 5321 section 5.1",
    text: "If a temporary error is returned, the message MUST be queued and retried later (see Section 4.5.4.1).",
};
pub(crate) const ADDRESS_IN_MX: Sentence = Sentence {
    section: "RFC 5321 section 5.1",
    text: "When a domain name associated with an MX RR is looked up and the associated data field obtained, the data field of that response MUST contain a domain name.",
};
pub(crate) const ALIAS_IN_MX: Sentence = Sentence {
    section: "RFC 2181 section 10.3",
    text: "The domain name used as the value of a NS resource record, or part of the value of a MX resource record must not be an alias.",
};
pub(crate) const NULL_MX: Sentence = Sentence {
    section: "RFC 7505 section 3",
    text: "To indicate that a domain does not accept email, it advertises a single MX RR (see Section 3.3.9 of [RFC1035]) with an RDATA section consisting of preference number 0 and a zero-length label, written in master files as \".\", as the exchange domain, to denote that there exists no mail exchanger for a domain.",
};
pub(crate) const NULL_MX_ALONE: Sentence = Sentence {
    section: "RFC 7505 section 3",
    text: "A domain that advertises a null MX MUST NOT advertise any other MX RR.",
};
pub(crate) const NO_ADDRESS: Sentence = Sentence {
    section: "RFC 5321 section 5.1",
    text: "That domain name, when queried, MUST return at least one address record (e.g., A or AAAA RR) that gives the IP address of the SMTP server to which the message should be directed.",
};
pub(crate) const NO_SESSION: Sentence = Sentence {
    section: "RFC 5321 section 3.1",
    text: "An SMTP session is initiated when a client opens a connection to a server and the server responds with an opening message.",
};
pub(crate) const UNREADABLE: Sentence = Sentence {
    section: "RFC 8446 section 4.4.2.2",
    text: "The certificate type MUST be X.509v3 [RFC5280], unless explicitly negotiated otherwise (e.g., [RFC7250]).",
};
pub(crate) const UNUSABLE: Sentence = Sentence {
    section: "RFC 7672 section 2.2",
    text: "Any connection to the MTA MUST be made via TLS, but authentication is not required.",
};
pub(crate) const UNAUTHENTICATED: Sentence = Sentence {
    section: "RFC 7672 section 2.2",
    text: "Failure to establish an authenticated TLS connection MUST result in falling back to the next SMTP server or delayed delivery.",
};
const EACH_COMBINATION: Sentence = Sentence {
    section: "RFC 7671 section 8",
    text: "the TLSA Publisher MUST ensure that each combination of certificate usage, selector, and matching type in the server's TLSA RRset includes at least one record that matches the server's current certificate chain.",
};
const LEFT_OVER: Sentence = Sentence {
    section: "RFC 7671 section 8.4",
    text: "Remove TLSA records matching any certificate chains that are no longer deployed.",
};
const RECOMMENDED: Sentence = Sentence {
    section: "RFC 7671 section 5.1",
    text: "More specifically, it is RECOMMENDED that at most sites TLSA records published for DANE servers be \"DANE-EE(3) SPKI(1) SHA2-256(1)\" records.",
};
const FULL: Sentence = Sentence {
    section: "RFC 7671 section 5.2.1",
    text: "TLSA records with a matching type of Full(0) are NOT RECOMMENDED.",
};
const ANCHOR_KEY: Sentence = Sentence {
    section: "RFC 7671 section 5.2.1",
    text: "TLSA Publishers employing DANE-TA(2) records SHOULD publish records with a selector of Cert(0).",
};
const EXPIRED: Sentence = Sentence {
    section: "RFC 7671 section 5.1",
    text: "The expiration becomes a reminder to the administrator that it is likely time to rotate the key, but missing the date no longer causes an outage.",
};
pub(crate) const MUST_STAPLE: Sentence = Sentence {
    section: "RFC 7633 section 4.1",
    text: "If these features are requested by the client in its ClientHello message, then the server MUST return a ServerHello message that satisfies this request.",
};
pub(crate) const STAPLE: Sentence = Sentence {
    section: "RFC 6066 section 8",
    text: "Clients requesting an OCSP response and receiving an OCSP response in a \"CertificateStatus\" message MUST check the OCSP response and abort the handshake if the response is not satisfactory with bad_certificate_status_response(113) alert.",
};
