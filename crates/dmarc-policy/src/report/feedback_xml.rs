//! Writes an aggregate report as XML: section 3.1.1 and appendix A of RFC 9990.

use mail_types::results::{AuthResult, SpfIdentity};

use crate::report::xml::Xml;
use crate::{
    AlignmentMode, DiscoveryMethod, Feedback, FeedbackRow, Override, OverrideKind, PublishedPolicy,
    ReportMetadata, RowDisposition,
};

impl Feedback {
    /// The namespace of a written report.
    pub const NAMESPACE: &'static str = "urn:ietf:params:xml:ns:dmarc-2.0";

    /// Writes the report in the form of RFC 9990.
    ///
    /// Line ends and other control characters in a text become blanks. Elements that only RFC 7489
    /// has are omitted, or become the nearest of RFC 9990. Elements that a received report lacks
    /// are not written.
    /// not written.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut xml = Xml::new();
        xml.open_with("feedback", &format!(" xmlns=\"{}\"", Self::NAMESPACE));
        xml.leaf("version", "1.0");
        metadata(&mut xml, &self.metadata);
        policy(&mut xml, &self.policy);
        self.rows.iter().for_each(|row| record(&mut xml, row));
        xml.close();
        xml.finish()
    }
}

fn metadata(xml: &mut Xml, metadata: &ReportMetadata) {
    xml.open("report_metadata");
    xml.leaf("org_name", &metadata.org_name);
    xml.leaf("email", &metadata.email);
    xml.leaf_if("extra_contact_info", metadata.extra_contact_info.as_ref());
    xml.leaf("report_id", &metadata.report_id);
    xml.open("date_range");
    xml.leaf("begin", metadata.begin);
    xml.leaf("end", metadata.end);
    xml.close();
    xml.leaf_if("error", metadata.error.as_ref());
    xml.leaf_if("generator", metadata.generator.as_ref());
    xml.close();
}

fn policy(xml: &mut Xml, policy: &PublishedPolicy) {
    let mode = |mode| if mode == AlignmentMode::Strict { "s" } else { "r" };
    xml.open("policy_published");
    xml.leaf("domain", &policy.domain);
    xml.leaf_if("discovery_method", policy.discovery.map(DiscoveryMethod::as_str));
    xml.leaf_if("p", policy.p);
    xml.leaf_if("sp", policy.sp);
    xml.leaf_if("np", policy.np);
    xml.leaf_if("fo", policy.fo);
    xml.leaf_if("adkim", policy.adkim.map(mode));
    xml.leaf_if("aspf", policy.aspf.map(mode));
    xml.leaf_if("testing", policy.testing.map(|testing| if testing { "y" } else { "n" }));
    xml.close();
}

fn record(xml: &mut Xml, row: &FeedbackRow) {
    xml.open("record");
    xml.open("row");
    xml.leaf("source_ip", row.source);
    xml.leaf("count", row.count);
    evaluated(xml, row);
    xml.close();
    xml.open("identifiers");
    xml.leaf("header_from", &row.header_from);
    if let Some(domain) = &row.envelope_from {
        xml.leaf("envelope_from", domain);
    }
    xml.leaf_if("envelope_to", row.envelope_to.as_ref());
    xml.close();
    results(xml, row);
    xml.close();
}

fn evaluated(xml: &mut Xml, row: &FeedbackRow) {
    let word = |pass| if pass { "pass" } else { "fail" };
    xml.open("policy_evaluated");
    xml.leaf_if("disposition", row.disposition.map(RowDisposition::as_str));
    xml.leaf_if("dkim", row.dkim.map(word));
    xml.leaf_if("spf", row.spf.map(word));
    for Override { kind, comment } in &row.reasons {
        xml.open("reason");
        xml.leaf(
            "type",
            match kind {
                OverrideKind::Forwarded => OverrideKind::TrustedForwarder.as_str(),
                OverrideKind::SampledOut => OverrideKind::Other.as_str(),
                kind => kind.as_str(),
            },
        );
        xml.leaf_if("comment", comment.as_ref());
        xml.close();
    }
    xml.close();
}

fn results(xml: &mut Xml, row: &FeedbackRow) {
    xml.open("auth_results");
    for signature in &row.signatures {
        xml.open("dkim");
        xml.leaf("domain", &signature.domain);
        xml.leaf("selector", &signature.selector);
        // The word softfail belongs to SPF alone (RFC 8601 section 2.7.1).
        let soft = signature.result == Some(AuthResult::SoftFail);
        xml.leaf_if("result", if soft { Some(AuthResult::Fail) } else { signature.result });
        xml.leaf_if("human_result", signature.human_result.as_ref());
        xml.close();
    }
    let spf = row.spf_result.as_ref();
    if let Some(spf) = spf.filter(|spf| spf.scope != Some(SpfIdentity::Helo)) {
        xml.open("spf");
        xml.leaf("domain", &spf.domain);
        xml.leaf_if("scope", spf.scope.map(|_| "mfrom"));
        xml.leaf_if("result", spf.result);
        xml.leaf_if("human_result", spf.human_result.as_ref());
        xml.close();
    }
    xml.close();
}
