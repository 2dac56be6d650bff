//! The families of metrics: their names and words, their text, and the table of the manual.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use mail_types::dns::{Name, Question, RecordType, Resolve as _, Zone};

use super::exposition::{Parsed, faults, parse, value};
use crate::gateway::config::manual::rows;
use crate::gateway::telemetry::metrics::counts::{Key, Word};
use crate::gateway::telemetry::metrics::page::{Form, write};
use crate::gateway::telemetry::metrics::readings::{
    CertificateReading, EventsReading, JournalReading,
};
use crate::gateway::telemetry::metrics::resolver::CountedResolver;
use crate::gateway::telemetry::metrics::words::{
    ConnectionResult, DeliveryWord, MessageResult, StapleState, Transport,
};
use crate::gateway::telemetry::metrics::{Metrics, Readings, families};

const FORMS: [Form; 2] = [Form::OpenMetrics, Form::Prometheus];

fn time(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn readings() -> Readings {
    let certificate = |until, staple_until| CertificateReading { until: Some(until), staple_until };
    Readings {
        now: time(1_800_000_000),
        open_connections: 3,
        message_memory: (70_000, 512 << 20),
        journal: JournalReading { accepts: true, segments: 2, octets: 33_554_432, undelivered: 5 },
        events: EventsReading { waiting: 7, in_file: 4096, overflowed: 9, lost: 1 },
        certificates: vec![
            certificate(1_900_000_000, Some(1_800_000_000)),
            certificate(1_850_000_000, Some(1_799_999_999)),
            certificate(1_950_000_000, None),
        ],
        configured: time(1_790_000_000),
    }
}

fn parsed(metrics: &Metrics, form: Form) -> Vec<Parsed> {
    let page = write(families::all(metrics, &readings()), form).unwrap();
    parse(&page, form).unwrap_or_else(|error| panic!("{error}\n{page}"))
}

#[test]
fn both_texts_are_sound_and_keep_the_rules_for_names() {
    for form in FORMS {
        let families = parsed(&Metrics::default(), form);
        assert!(families.len() > 35, "{}", families.len());
        for family in &families {
            assert_eq!(faults(family, form), [""; 0], "{form:?}: {}", family.name);
            assert!(!family.samples.is_empty(), "{}", family.name);
        }
        let total: usize = families.iter().map(|family| family.samples.len()).sum();
        assert!(total < 500, "{total} numbers are many to ask for every few seconds");
    }
}

/// Rows: a page that is not sound, and what is wrong.
#[test]
fn the_reader_refuses_wrong_pages() {
    let head = "# HELP gateway_a The help.\n# TYPE gateway_a counter\n";
    for (page, wrong) in [
        (format!("{head}gateway_a_total 1\n"), "no # EOF"),
        (format!("{head}gateway_a_total 1\n# EOF"), "no # EOF"),
        (format!("{head}gateway_a_total 1\n\n# EOF\n"), "no value"),
        (format!("{head}gateway_a 1\n# EOF\n"), "a name of another family"),
        (format!("{head}gateway_a_total x\n# EOF\n"), "no number"),
        (format!("{head}gateway_a_total  1\n# EOF\n"), "no number"),
        (format!("{head}gateway_a_total -1\n# EOF\n"), "not a number of things"),
        (format!("{head}gateway_a_total{{}} 1\n# EOF\n"), "no labels"),
        (format!("{head}gateway_a_total{{b=\"c\",}} 1\n# EOF\n"), "no comma"),
        (format!("{head}gateway_a_total{{b=\"c}} 1\n# EOF\n"), "no closing quote"),
        (format!("{head}gateway_a_total{{b=\"\\c\"}} 1\n# EOF\n"), "invalid escape"),
        (format!("{head}gateway_a_total{{1=\"c\"}} 1\n# EOF\n"), "invalid label"),
        (format!("{head}gateway_a_total 1\ngateway_a_total 2\n# EOF\n"), "a duplicate"),
        (format!("{head}gateway_a_total 1\n{head}# EOF\n"), "a second HELP"),
        (format!("{head}gateway_a_total 1\n# TYPE gateway_a gauge\n# EOF\n"), "out of place"),
        ("# HELP gateway_a Help.\n# TYPE gateway_a meter\n# EOF\n".into(), "invalid metadata"),
        (
            "# HELP gateway_a Help.\n# TYPE gateway_a histogram\ngateway_a_bucket 1\n# EOF\n".into(),
            "le is for buckets",
        ),
        (
            "# HELP gateway_a Help.\n# TYPE gateway_a histogram\ngateway_a_sum 1\ngateway_a_count 2\n\
             gateway_a_bucket{le=\"1\"} 1\ngateway_a_bucket{le=\"+Inf\"} 1\n# EOF\n"
                .into(),
            "invalid histogram",
        ),
    ] {
        let error = parse(&page, Form::OpenMetrics).err().unwrap_or_default();
        assert!(error.contains(wrong), "{page}: {error}");
    }
}

/// Rows: a head of a family, and the rule that it breaks.
#[test]
fn the_rules_find_wrong_families() {
    for (name, help, kind, unit, fault) in [
        ("gateway_a", "", "gauge", "", "no help"),
        ("other_a", "Help.", "gauge", "", "another prefix"),
        ("gateway_aB", "Help.", "gauge", "", "not in snake case"),
        ("gateway_a_total", "Help.", "gauge", "", "_total is for counters"),
        ("gateway_a_ms", "Help.", "gauge", "", "a unit that is no base unit"),
        ("gateway_bytes_a", "Help.", "gauge", "", "a unit that is not at the end"),
        ("gateway_a_bytes", "Help.", "gauge", "", "a unit that is not declared"),
        ("gateway_a_count", "Help.", "gauge", "", "a type in the name"),
        ("gateway_a", "Help.", "gauge", "{quantile=\"1\"}", "le or quantile"),
        ("gateway_a", "Help.", "gauge", "{A=\"1\"}", "a label not in snake case"),
        ("gateway_a", "Help.", "gauge", "{a_b=\"1\"}", ""),
    ] {
        let page = format!("# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{unit} 1\n# EOF\n");
        let families = parse(&page, Form::OpenMetrics).unwrap();
        assert_eq!(faults(&families[0], Form::OpenMetrics).join(", "), fault, "{page}");
    }
}

/// The first cells of the manual's rows: the name, the type, the labels.
fn described() -> BTreeSet<(String, String, String)> {
    let cells = |cells: Vec<&str>| {
        let [name, kind, labels] = [0, 1, 2].map(|at: usize| cells[at].to_owned());
        (name, kind, labels)
    };
    rows("family").map(cells).collect()
}

#[test]
fn the_manual_has_every_family_with_its_labels_and_words() {
    let families = parsed(&Metrics::default(), Form::Prometheus);
    let found = families.iter().map(|family| {
        let mut labels: Vec<(String, Vec<String>)> = Vec::new();
        for (label, word) in family.samples.iter().flat_map(|sample| &sample.labels) {
            if label == "le" {
                continue;
            }
            match labels.iter_mut().find(|(known, _)| known == label) {
                Some((_, words)) if words.contains(word) => {}
                Some((_, words)) => words.push(word.clone()),
                None => labels.push((label.clone(), vec![word.clone()])),
            }
        }
        let text = labels.iter().map(|(label, words)| match label.as_str() {
            "version" => "`version`".to_owned(),
            label => format!("`{label}`: {}", words.join(", ")),
        });
        let text = text.collect::<Vec<_>>().join("; ");
        (family.name.clone(), family.kind.clone(), text)
    });
    let (found, known): (BTreeSet<_>, _) = (found.collect(), described());
    let (missing, wrong) = (&found - &known, &known - &found);
    assert!(missing.is_empty() && wrong.is_empty(), "missing: {missing:#?}\nwrong: {wrong:#?}");
}

#[test]
fn a_number_has_the_labels_of_its_key() {
    let metrics = Metrics::default();
    metrics.messages.count(MessageResult::Quarantined);
    metrics.messages.add(MessageResult::Quarantined, 2);
    metrics.deliveries.add((Transport::Remote, DeliveryWord::Deferred), 4);
    metrics.spf.count_named("softfail");
    metrics.dkim.count_named("permerror");
    metrics.dane_failures.count_named("validation-failure");
    metrics.proxy_headers.count_named("failed");
    for form in FORMS {
        let families = parsed(&metrics, form);
        for (series, expected) in [
            ("gateway_messages_total{result=\"quarantined\"}", 3.0),
            ("gateway_messages_total{result=\"accepted\"}", 0.0),
            ("gateway_deliveries_total{result=\"deferred\",transport=\"remote_smtp\"}", 4.0),
            ("gateway_deliveries_total{result=\"deferred\",transport=\"local_delivery\"}", 0.0),
            ("gateway_spf_results_total{result=\"softfail\"}", 1.0),
            ("gateway_dkim_results_total{result=\"permerror\"}", 1.0),
            ("gateway_dane_failures_total{reason=\"validation-failure\"}", 1.0),
            ("gateway_proxy_headers_total{outcome=\"failed\"}", 1.0),
            ("gateway_open_connections", 3.0),
            ("gateway_message_memory_bytes", 70_000.0),
            ("gateway_message_memory_limit_bytes", 536_870_912.0),
            ("gateway_store_accepts", 1.0),
            ("gateway_journal_segments", 2.0),
            ("gateway_journal_size_bytes", 33_554_432.0),
            ("gateway_journal_undelivered_messages", 5.0),
            ("gateway_events_waiting", 7.0),
            ("gateway_events_overflow_bytes", 4096.0),
            ("gateway_events_overflowed_total", 9.0),
            ("gateway_events_lost_total", 1.0),
            ("gateway_certificates{staple=\"good\"}", 1.0),
            ("gateway_certificates{staple=\"expired\"}", 1.0),
            ("gateway_certificates{staple=\"none\"}", 1.0),
            ("gateway_certificate_expiry_timestamp_seconds", 1_850_000_000.0),
            ("gateway_staple_expiry_timestamp_seconds", 1_799_999_999.0),
            ("gateway_config_timestamp_seconds", 1_790_000_000.0),
        ] {
            assert_eq!(value(&families, series), Some(expected), "{series}");
        }
    }
}

/// Each key has a place of its own below the number of all, and each word its text.
#[test]
fn places_of_keys_are_theirs_alone() {
    let mut places = BTreeSet::new();
    for transport in Transport::ALL {
        for result in DeliveryWord::ALL {
            let key = (*transport, *result);
            let place = key.place();
            assert!(place < <(Transport, DeliveryWord)>::COUNT && places.insert(place));
            let labels = [("transport", transport.as_str()), ("result", result.as_str())];
            assert_eq!(<(Transport, DeliveryWord)>::labels(place), labels);
        }
    }
    for word in ConnectionResult::ALL {
        assert_eq!(ConnectionResult::named(word.as_str()), Some(*word));
    }
    assert_eq!(ConnectionResult::named("Accepted"), None);
    assert_eq!(StapleState::of(Some(9), time(9)), StapleState::Good, "its last second");
}

/// A value at a bound is below it: `le`.
#[test]
fn a_distribution_counts_each_value_once() {
    let metrics = Metrics::default();
    for micros in [0, 1_000, 1_001, 60_000_000, 60_000_001] {
        metrics.dns_times.time((), Duration::from_micros(micros));
    }
    metrics.message_sizes.observe((), 1024);
    metrics.message_sizes.observe((), 1 << 40);
    for form in FORMS {
        let families = parsed(&metrics, form);
        let buckets = |family: &str, bound: &str| {
            let samples = families.iter().flat_map(|family| &family.samples);
            let mut of_bound = samples.filter(|sample| {
                let Some(le) = sample.labels.get("le") else { return false };
                let bounds = [le, bound].map(|text| text.parse::<f64>().unwrap());
                bounds[0].total_cmp(&bounds[1]).is_eq()
            });
            let found = of_bound.find(|sample| sample.name == format!("{family}_bucket"));
            Some(found.unwrap_or_else(|| panic!("{family} {bound}")).value)
        };
        for (bound, expected) in
            [("0.001", 2.0), ("0.005", 3.0), ("30", 3.0), ("60", 4.0), ("+Inf", 5.0)]
        {
            let found = buckets("gateway_dns_duration_seconds", bound);
            assert_eq!(found, Some(expected), "{bound}");
        }
        assert_eq!(buckets("gateway_message_size_bytes", "1024"), Some(1.0));
        assert_eq!(value(&families, "gateway_dns_duration_seconds_count"), Some(5.0));
        let sum = value(&families, "gateway_dns_duration_seconds_sum").unwrap();
        assert!((sum - 120.002_002).abs() < 1e-9, "{sum}");
        let sum = value(&families, "gateway_message_size_bytes_sum");
        assert_eq!(sum, Some(1_099_511_628_800.0));
    }
}

#[tokio::test]
async fn answers_of_the_dns_are_counted_by_their_outcome() {
    let metrics = Arc::<Metrics>::default();
    let zone = Zone::parse("a.example. A 192.0.2.1\n").unwrap();
    let resolver = CountedResolver::new(zone, &metrics);
    for (name, kind) in [
        ("a.example", RecordType::A),
        ("a.example", RecordType::Aaaa),
        ("b.example", RecordType::A),
        ("c.example", RecordType::A),
    ] {
        let question = Question::new(name.parse::<Name>().unwrap(), kind);
        let (asked, _) = resolver.answer(question.clone(), Duration::from_secs(1)).await;
        assert_eq!(asked, question);
    }
    let families = parsed(&metrics, Form::OpenMetrics);
    for (outcome, expected) in
        [("records", 1.0), ("nodata", 1.0), ("nxdomain", 2.0), ("timeout", 0.0)]
    {
        let series = format!("gateway_dns_questions_total{{outcome=\"{outcome}\"}}");
        assert_eq!(value(&families, &series), Some(expected), "{outcome}");
    }
    assert_eq!(value(&families, "gateway_dns_duration_seconds_count"), Some(4.0));
}

/// Rows: the field of a client, and whether it takes the other form.
#[test]
fn a_client_that_takes_openmetrics_gets_it() {
    for (accept, form) in [
        (None, Form::Prometheus),
        (Some(""), Form::Prometheus),
        (Some("*/*"), Form::Prometheus),
        (Some("text/plain;version=0.0.4"), Form::Prometheus),
        (Some("application/openmetrics-text"), Form::OpenMetrics),
        (
            Some("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3"),
            Form::OpenMetrics,
        ),
        (Some("text/html, Application/OpenMetrics-Text ; version=1.0.0"), Form::OpenMetrics),
        (Some("application/openmetrics-text-x"), Form::Prometheus),
    ] {
        assert_eq!(Form::of(accept), form, "{accept:?}");
    }
}
