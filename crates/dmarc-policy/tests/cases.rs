//! The cases of `data/cases.json`: messages with a zone and the expected results.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use dmarc_policy::{Author, Destination, Destinations, DkimInput, Dmarc, Record, Verdict};
use mail_types::dns::{
    Answer, DnsFailure, DnssecStatus, Inquiry, InquiryStep, Name, Question, RecordType, Session,
    Zone,
};
use mail_types::results::{SpfIdentity, SpfInput};
use mail_types::smtp::Domain;
use serde_json::Value;

#[test]
fn every_case_ends_as_expected() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("data/cases.json")).unwrap();
    assert_eq!(cases.len(), 75);
    let mut wrong = Vec::new();
    for case in &cases {
        let (expected, found) = (expected(case), found(&evaluate(case)));
        if expected != found {
            wrong.push(format!("{}: {expected:?} but {found:?}", case["id"]));
        }
    }
    assert!(wrong.is_empty(), "{} of 75:\n{}", wrong.len(), wrong.join("\n"));
}

/// RFC 9989 section 8: the reply names the author domain.
#[test]
fn a_reply_refuses_those_messages_that_the_owner_wants_rejected() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("data/cases.json")).unwrap();
    let mut refused = 0;
    for case in &cases {
        let verdict = evaluate(case);
        let (result, disposition) = (&case["expect"]["result"], &case["expect"]["disposition"]);
        let reply = verdict.reply().map(|reply| reply.to_string());
        if result == "fail" && disposition == "reject" {
            let author = verdict.author.unwrap();
            let text = format!("550 5.7.1 rejected by the DMARC policy of {author}");
            assert_eq!(reply, Some(text), "{}", case["id"]);
            refused += 1;
        } else {
            assert_eq!(reply, None, "{}", case["id"]);
        }
    }
    assert_eq!(refused, 37);
}

#[test]
fn reports_go_where_every_case_expects_them() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("data/cases.json")).unwrap();
    let mut asked = 0;
    for case in &cases {
        let verdict = evaluate(case);
        for (field, make) in
            [("rua", Destinations::aggregate as Ask), ("ruf", Destinations::failure)]
        {
            let Some(expected) = case["expect"].get(field) else { continue };
            let policy_domain = Domain::try_from(verdict.policy_domain.as_ref().unwrap()).unwrap();
            let inquiry = make(policy_domain, verdict.record().unwrap());
            let destinations = verdict_of(inquiry.session(), case);
            let found: Vec<_> = destinations.iter().flat_map(Destination::targets).collect();
            let found: Vec<_> = found.iter().map(ToString::to_string).collect();
            let expected: Vec<_> = list(expected).iter().map(text).collect();
            assert_eq!(found, expected, "{}", case["id"]);
            asked += 1;
        }
    }
    assert_eq!(asked, 13);
}

type Ask = fn(Domain, &Record) -> Destinations;

/// Where more than one answer is right, `data/cases.json` has ours.
fn expected(case: &Value) -> Vec<String> {
    let expect = &case["expect"];
    FIELDS.iter().map(|field| text(&expect[*field])).collect()
}

fn found(verdict: &Verdict) -> Vec<String> {
    let domain = |domain: &Option<Name>| domain.as_ref().map_or("null".into(), Name::to_string);
    vec![
        domain(&verdict.org_domain),
        domain(&verdict.policy_domain),
        verdict.policy.map_or("null".into(), |policy| policy.to_string()),
        verdict.spf.is_aligned().to_string(),
        verdict.dkim.is_aligned().to_string(),
        verdict.result.to_string(),
        verdict.disposition.to_string(),
    ]
}

fn evaluate(case: &Value) -> Verdict {
    verdict_of(inquiry(case).session(), case)
}

fn verdict_of<I: Inquiry>(mut session: Session<I>, case: &Value) -> I::Verdict {
    let zone = zone(&case["zone"]);
    loop {
        match session.poll() {
            InquiryStep::Ask(question) => {
                let answer = zone.answer(&question);
                session.handle_answer(&question, answer);
            }
            InquiryStep::Wait => panic!("{}: waits for nothing", case["id"]),
            InquiryStep::Done(verdict) => return verdict,
        }
    }
}

fn inquiry(case: &Value) -> Dmarc {
    let fields: Vec<_> = list(&case["from_fields"]).iter().map(text).collect();
    let author = Author::from_fields(fields.iter().map(String::as_bytes));
    let spf = &case["spf"];
    let identity = match spf["identity"].as_str().unwrap() {
        "helo" => SpfIdentity::Helo,
        _ => SpfIdentity::MailFrom,
    };
    let spf = SpfInput {
        result: text(&spf["result"]).parse().unwrap(),
        identity,
        domain: domain(&spf["domain"]),
    };
    let dkim = list(&case["dkim"]).iter().map(|signature| DkimInput {
        result: text(&signature["result"]).parse().unwrap(),
        domain: domain(&signature["d"]),
        selector: text(&signature["s"]),
    });
    // Of more than one author domain nothing is expected (section 5.3.1).
    let dkim: Vec<_> = dkim.collect();
    Dmarc::new(author).with_spf(&spf).with_dkim(&dkim).with_several_authors(0)
}

fn zone(entries: &Value) -> Zone {
    let mut zone = Zone::default();
    for (name, records) in entries.as_object().unwrap() {
        let name: Name = name.parse().unwrap();
        for record in list(records) {
            match text(&record[0]).as_str() {
                "TIMEOUT" => {
                    for kind in RecordType::ALL {
                        let question = Question::new(name.clone(), kind);
                        zone.set(question, Answer::Failed(DnsFailure::Timeout));
                    }
                }
                "TXT" => {
                    let joined: String = list(&record[1]).iter().map(text).collect();
                    zone.add(name.clone(), RecordType::Txt, &joined, DnssecStatus::default())
                        .unwrap();
                }
                kind => {
                    let kind = kind.parse().unwrap();
                    zone.add(name.clone(), kind, &text(&record[1]), DnssecStatus::default())
                        .unwrap();
                }
            }
        }
    }
    zone
}

/// Programs hand in names as the DNS has them: without a dot at the end.
fn domain(value: &Value) -> Name {
    text(value).trim_end_matches('.').parse().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

const FIELDS: [&str; 7] = [
    "org_domain",
    "policy_domain",
    "policy",
    "spf_aligned",
    "dkim_aligned",
    "result",
    "disposition",
];
