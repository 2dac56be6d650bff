//! Records, good and bad, in both of their forms.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic")]

use dane_tlsa::rustls_pki_types::CertificateDer;
use dane_tlsa::{
    Certificate, KeyRecordError, Limits, MatchingType, RecordError, RecordSet, Selector, Standing,
    TlsaRecord, TooManyRecords, Unusable, Usage,
};
use proptest::prelude::*;
use rcgen::{CertificateParams, KeyPair};

fn certificate() -> CertificateDer<'static> {
    let key = KeyPair::generate().unwrap();
    CertificateParams::default().self_signed(&key).unwrap().der().clone()
}

/// The examples of RFC 6698 section 2.3; of the third, which the RFC cuts, what is there.
#[test]
fn the_examples_of_the_standard() {
    let rows = [
        (
            "0 0 1 d2abde240d7cd3ee6b4b28c54df034b9\n      7983a1d16e8a410e4561cb106618e971",
            [0, 0, 1],
            32,
        ),
        (
            "( 1 1 2 92003ba34942dc74152e2f2c408d29ec\n a5a520e7f2e06bb944f4dca346baf63c\n \
             1b177615d466f6c4b71c216a50292bd5\n 8c9ebdd2f74e38fe51ffd48c43326cbc )",
            [1, 1, 2],
            64,
        ),
        ("3 0 0 30820307308201efa003020102020", [3, 0, 0], 0),
        ("3 0 0 30820307308201efa0030201020200", [3, 0, 0], 15),
    ];
    for (text, numbers, octets) in rows {
        match text.parse::<TlsaRecord>() {
            Ok(record) => assert_eq!((record.numbers(), record.data.len()), (numbers, octets)),
            Err(error) => assert_eq!((error, octets), (RecordError::OddDigits { at: 35 }, 0)),
        }
    }
}

#[test]
fn the_generic_form() {
    let record: TlsaRecord = r"\# 5 03010 1ABCD".parse().unwrap();
    assert_eq!(record.to_string(), "3 1 1 abcd");
    let error = RecordError::Length { at: 4, found: 5 };
    assert_eq!(r"\# 6 030101ABCD".parse::<TlsaRecord>(), Err(error));
}

#[test]
fn bad() {
    for (text, error) in [
        ("", RecordError::Missing { at: 0 }),
        ("3 1", RecordError::Missing { at: 3 }),
        ("3 1 ", RecordError::Missing { at: 4 }),
        ("256 1 1 00", RecordError::Number { at: 0, most: 255 }),
        ("3 -1 1 00", RecordError::Number { at: 2, most: 255 }),
        ("3 1 +1 00", RecordError::Number { at: 4, most: 255 }),
        ("3 1 1 0g", RecordError::Digit { at: 7, found: b'g' }),
        ("3 1 1 \u{661}", RecordError::Digit { at: 6, found: 0xd9 }),
        ("3 1 1 00 ; comment", RecordError::Digit { at: 9, found: b';' }),
        ("3 1 1 000", RecordError::OddDigits { at: 9 }),
        ("(3 1 1 00", RecordError::Parenthesis { at: 0 }),
        ("3 1 1 00)", RecordError::Parenthesis { at: 8 }),
        ("((3 1 1 00))", RecordError::Parenthesis { at: 1 }),
        (r"\# 65536 00", RecordError::Number { at: 3, most: 65_535 }),
        (r"\# 2 0301", RecordError::Missing { at: 9 }),
    ] {
        assert_eq!(text.parse::<TlsaRecord>(), Err(error), "{text:?}");
    }
    for (text, shown) in [("3 1 1 0g", "'g', at byte 7"), ("3 1 1 \u{fc}", r"'\xc3', at byte 6")] {
        let error = text.parse::<TlsaRecord>().unwrap_err().to_string();
        assert_eq!(error, format!("not a hexadecimal digit: {shown}"));
    }
    let long = format!("3 1 0 {}", "00".repeat(TlsaRecord::MAX_DATA + 1));
    assert_eq!(long.parse::<TlsaRecord>(), Err(RecordError::TooLong));
    assert!(long[..long.len() - 2].parse::<TlsaRecord>().is_ok());
}

#[test]
fn every_prefix_of_the_wire_form_is_a_record_or_too_short() {
    let wire = [3, 1, 1, 0xab, 0xcd];
    for end in 0..=wire.len() {
        match TlsaRecord::from_wire(&wire[..end]) {
            Ok(record) => assert_eq!(*record.to_wire(), wire[..end]),
            Err(error) => {
                assert_eq!(error, RecordError::Missing { at: end });
                assert!(end < 3);
            }
        }
    }
}

/// RFC 6698 section 4.1, RFC 7672 section 3.1.3.
#[test]
fn points_26_and_27_what_cannot_be_used_and_why() {
    let of = |numbers: &str, octets: usize| {
        let record: TlsaRecord = format!("{numbers} {}", "ab".repeat(octets)).parse().unwrap();
        record.check_usable()
    };
    let length = |matching_type, expected, found| {
        Err(Unusable::DigestLength { matching_type, expected, found })
    };
    assert_eq!(of("3 1 1", 32), Ok(()));
    assert_eq!(of("2 0 2", 64), Ok(()));
    assert_eq!(of("0 0 1", 32), Err(Unusable::PkixUsage(Usage::PKIX_TA)));
    assert_eq!(of("1 1 1", 32), Err(Unusable::PkixUsage(Usage::PKIX_EE)));
    assert_eq!(of("4 1 1", 32), Err(Unusable::Usage(Usage::new(4))));
    assert_eq!(of("255 1 1", 32), Err(Unusable::Usage(Usage::new(255))));
    assert_eq!(of("3 2 1", 32), Err(Unusable::Selector(Selector::new(2))));
    assert_eq!(of("3 1 3", 32), Err(Unusable::MatchingType(MatchingType::new(3))));
    for octets in [0, 31, 33, 64] {
        assert_eq!(of("3 1 1", octets), length(MatchingType::SHA2_256, 32, octets));
    }
    for octets in [0, 32, 63, 65] {
        assert_eq!(of("2 0 2", octets), length(MatchingType::SHA2_512, 64, octets));
    }
}

#[test]
fn point_27_full_data_is_exactly_one_certificate_or_key() {
    let der = certificate();
    let certificate = Certificate::parse(&der).unwrap();
    let full = |selector| {
        TlsaRecord::of_certificate(&certificate, Usage::DANE_TA, selector, MatchingType::FULL)
    };
    for selector in [Selector::CERT, Selector::SPKI] {
        let record = full(selector).unwrap();
        assert_eq!(record.check_usable(), Ok(()));
        let changed = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut data = record.data.to_vec();
            change(&mut data);
            TlsaRecord { data: data.into(), ..record.clone() }.check_usable()
        };
        let is_refused = |usable: Result<(), Unusable>| match selector {
            Selector::CERT => matches!(usable, Err(Unusable::Certificate(_))),
            _ => matches!(usable, Err(Unusable::Key(_))),
        };
        assert!(is_refused(changed(&|data| data.push(0))));
        assert!(is_refused(changed(&|data| data.extend_from_within(..))));
        assert!(is_refused(changed(&|data| data[0] = 0x31)));
        for end in 0..record.data.len() {
            assert!(is_refused(changed(&|data| data.truncate(end))), "{end} octets");
        }
    }
    // A key is no certificate, nor the other way round.
    let swapped = |data: &[u8], selector| {
        TlsaRecord { selector, data: data.into(), ..full(Selector::CERT).unwrap() }.check_usable()
    };
    assert!(swapped(certificate.key(), Selector::CERT).is_err());
    assert!(swapped(certificate.as_der(), Selector::SPKI).is_err());
}

#[test]
fn records_of_a_certificate_and_of_its_key_are_the_same() {
    let der = certificate();
    let certificate = Certificate::parse(&der).unwrap();
    for matching_type in [MatchingType::FULL, MatchingType::SHA2_256, MatchingType::SHA2_512] {
        let of_certificate =
            TlsaRecord::of_certificate(&certificate, Usage::DANE_EE, Selector::SPKI, matching_type);
        let of_key = TlsaRecord::of_key(certificate.key(), Usage::DANE_EE, matching_type);
        assert_eq!(of_certificate.unwrap(), of_key.unwrap());
    }
    let unassigned = MatchingType::new(3);
    let of_key = TlsaRecord::of_key(certificate.key(), Usage::DANE_EE, unassigned);
    assert!(matches!(of_key, Err(KeyRecordError::NotAssigned(_))));
    let of_certificate = |selector, matching_type| {
        TlsaRecord::of_certificate(&certificate, Usage::DANE_EE, selector, matching_type)
    };
    let error = of_certificate(Selector::CERT, unassigned).unwrap_err();
    assert_eq!(error.to_string(), "the selector or the matching type is not assigned");
    assert_eq!(of_certificate(Selector::new(2), MatchingType::FULL), Err(error));
}

/// `openssl rsa -pubin` writes nothing for a key that is not RSA's: its digest is that of the empty string.
#[test]
fn no_record_is_made_of_nothing() {
    let error = TlsaRecord::of_key(b"", Usage::DANE_EE, MatchingType::SHA2_256).unwrap_err();
    assert_eq!(
        error.to_string(),
        "not a public key: subjectPublicKeyInfo: not valid DER at byte 0"
    );
}

#[test]
fn a_hundred_records_are_taken_and_one_more_is_not() {
    let record: TlsaRecord = format!("3 1 1 {}", "ab".repeat(32)).parse().unwrap();
    let set = |count: usize, limits: &Limits| {
        RecordSet::new(vec![record.clone(); count], limits).map(|set| set.len())
    };
    assert_eq!(set(100, &Limits::default()), Ok(100));
    let error = set(101, &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "more than 100 TLSA records");
    let mut limits = Limits::default();
    limits.records = 2;
    assert_eq!(set(2, &limits), Ok(2));
    assert!(matches!(set(3, &limits), Err(TooManyRecords { limit: 2, .. })));
}

#[test]
fn one_malformed_record_harms_no_other() {
    let wires = [vec![], vec![3], vec![3, 1, 2, 0xab], [vec![3, 1, 1], vec![0xab; 32]].concat()];
    let set = RecordSet::from_wire(&wires, &Limits::default()).unwrap();
    let used: Vec<_> = set.standings().map(|standing| standing == Standing::Used).collect();
    assert_eq!(used, [false, false, false, true]);
    assert!(set.is_usable());
    assert_eq!(set.usage_bits(), 0b1000);
}

proptest! {
    #[test]
    fn both_forms_are_read_as_they_are_written(
        wire in proptest::collection::vec(any::<u8>(), 3..100)
    ) {
        let record = TlsaRecord::from_wire(&wire).unwrap();
        prop_assert_eq!(&*record.to_wire(), wire.as_slice());
        let text = record.to_string();
        prop_assert_eq!(text.to_uppercase().parse(), Ok(record));
    }

    #[test]
    fn no_text_is_read_with_a_panic(text in r"[\\# ()0-9a-f\t]{0,40}") {
        if let Ok(record) = text.parse::<TlsaRecord>() {
            prop_assert_eq!(record.to_string().parse(), Ok(record));
        }
    }
}
