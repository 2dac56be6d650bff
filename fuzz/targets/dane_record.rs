//! A record is read as it is written, in both of its forms, and is used only if its data is sound.

#![no_main]

use dane_tlsa::{
    Certificate, Limits, MatchingType, RecordSet, Selector, Standing, TlsaRecord, Usage,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    match TlsaRecord::from_wire(input) {
        Ok(record) => {
            assert_eq!(*record.to_wire(), *input);
            written(&record);
        }
        Err(_) => assert!(input.len() < 3 || input.len() > TlsaRecord::MAX_DATA),
    }
    if let Some(record) = std::str::from_utf8(input).ok().and_then(|text| text.parse().ok()) {
        written(&record);
    }
    // Lines are records of one set.
    let records: Vec<_> = input
        .split(|octet| *octet == b'\n')
        .filter_map(|line| std::str::from_utf8(line).ok()?.parse().ok())
        .collect();
    let count = records.len();
    let Ok(set) = RecordSet::new(records, &Limits::default()) else { return assert!(count > 100) };
    let strongest = |usage, selector| {
        let used = set.records().filter(|record| record.check_usable().is_ok());
        let same = used.filter(|record| (record.usage, record.selector) == (usage, selector));
        same.map(|record| record.matching_type).max()
    };
    for (record, standing) in set.records().zip(set.standings()) {
        let is_usable = record.check_usable().is_ok();
        assert_eq!(is_usable, !matches!(standing, Standing::Unusable(_)));
        if standing == Standing::Used && record.matching_type != MatchingType::FULL {
            assert_eq!(strongest(record.usage, record.selector), Some(record.matching_type));
        }
    }
});

fn written(record: &TlsaRecord) {
    let text = record.to_string();
    assert_eq!(text.parse().as_ref(), Ok(record), "{text}");
    let wire = record.to_wire();
    let generic = record.to_wire().iter().map(|octet| format!("{octet:02X} ")).collect::<String>();
    assert_eq!(format!(r"\# {} ({generic})", wire.len()).parse().as_ref(), Ok(record));
    let usable = record.check_usable();
    if let Err(error) = &usable {
        let _ = error.to_string();
        return;
    }
    assert!(matches!(record.usage, Usage::DANE_TA | Usage::DANE_EE));
    match (record.matching_type.digest_octets(), record.selector) {
        (Some(octets), _) => assert_eq!(octets, record.data.len()),
        (None, Selector::CERT) => {
            let certificate = Certificate::parse(&record.data).expect("a usable record");
            assert_eq!(certificate.as_der(), &*record.data);
        }
        (None, _) => {
            let again = TlsaRecord::of_key(&record.data, record.usage, record.matching_type);
            assert_eq!(again.as_ref(), Ok(record));
        }
    }
}
