//! Names: their octets, their order, and invalid texts.

use mail_types::dns::{Name, NameError};
use mail_types::smtp::Domain;
use proptest::prelude::*;

#[test]
fn text_comes_back() {
    for text in [".", "example.com", "_25._tcp.mx.Example", r"a\.b.example", r"\000\255.x", r"\\.y"]
    {
        assert_eq!(text.parse::<Name>().unwrap().to_string(), text);
    }
}

#[test]
fn a_dot_at_the_end_changes_nothing() {
    assert_eq!("example.com.".parse::<Name>(), "example.com".parse());
    assert_eq!(".".parse::<Name>().unwrap(), Name::root());
}

#[test]
fn case_does_not_matter_and_is_kept() {
    let (a, b): (Name, Name) = ("WWW.example".parse().unwrap(), "www.EXAMPLE".parse().unwrap());
    assert_eq!(a, b);
    assert_eq!(std::collections::HashSet::from([a.clone(), b]).len(), 1);
    assert_eq!(a.to_string(), "WWW.example");
}

#[test]
fn the_limits_are_255_octets_and_63_a_label() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(longest.parse::<Name>().unwrap().octets(), Name::MAX_OCTETS);
    assert_eq!(format!("{longest}a").parse::<Name>(), Err(NameError::TooLong { at: 254 }));
    assert_eq!(format!("{label}a").parse::<Name>(), Err(NameError::LabelTooLong { at: 63 }));
}

#[test]
fn bad() {
    for (text, error) in [
        ("", NameError::EmptyLabel { at: 0 }), // RFC 1035 section 3.1: only the root's is empty
        ("a..b", NameError::EmptyLabel { at: 2 }),
        (".a", NameError::EmptyLabel { at: 0 }),
        ("a..", NameError::EmptyLabel { at: 2 }),
        (r"a\", NameError::Escape { at: 1 }), // RFC 1035 section 5.1
        (r"\12", NameError::Escape { at: 0 }),
        (r"\256", NameError::Escape { at: 0 }),
        (r"\1x3", NameError::Escape { at: 0 }),
    ] {
        assert_eq!(text.parse::<Name>(), Err(error), "{text}");
    }
}

#[test]
fn a_name_is_within_itself_and_its_parents() {
    let name: Name = "a.b.Example".parse().unwrap();
    for (other, within) in [
        ("a.b.example", true),
        ("B.example", true),
        (".", true),
        ("x.b.example", false),
        (r"a\.b.example", false),
        ("z.a.b.example", false),
    ] {
        assert_eq!(name.is_within(&other.parse().unwrap()), within, "{other}");
    }
    assert_eq!(name.parent().unwrap().parent().unwrap().to_string(), "Example");
    assert_eq!(Name::root().parent(), None);
}

/// The example of RFC 4034 section 6.1.
#[test]
fn names_order_as_dnssec_has_it() {
    let order = [
        "example",
        "a.example",
        "yljkjljk.a.example",
        "Z.a.example",
        "zABC.a.EXAMPLE",
        "z.example",
        r"\001.z.example",
        "*.z.example",
        r"\200.z.example",
    ];
    let mut names: Vec<Name> = order.iter().rev().map(|n| n.parse().unwrap()).collect();
    names.sort();
    assert_eq!(names, order.map(|n| n.parse().unwrap()));
}

#[test]
fn a_domain_is_a_name() {
    let domain: Domain = "mx.example".parse().unwrap();
    assert_eq!(Name::from(&domain), "mx.example".parse().unwrap());
    let longest: Domain = [&*"a".repeat(63); 3].join(".").parse().unwrap();
    assert_eq!(Name::from(&longest).octets(), 193);
}

proptest! {
    #[test]
    fn any_labels_come_back_from_text(
        labels in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..64), 0..4)
    ) {
        if let Ok(name) = Name::from_labels(labels.iter().map(Vec::as_slice)) {
            let again: Name = name.to_string().parse().unwrap();
            prop_assert!(again.labels().eq(labels.iter().map(Vec::as_slice)));
        }
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        if let Ok(name) = text.parse::<Name>() {
            prop_assert_eq!(name.to_string().parse::<Name>().unwrap(), name);
        }
    }
}

#[test]
fn a_dotted_text_is_the_name_of_its_labels() {
    let long = ["x"; 30].join(".");
    for text in ["a", "a.example", r"a\.b (c).Example", &long, &["abc"; 63].join(".")] {
        let labels = Name::from_labels(text.split('.').map(str::as_bytes)).unwrap();
        let dotted = Name::from_dotted(text.as_bytes()).unwrap();
        assert_eq!(dotted, labels);
        // Equal names have equal hashes, in any case.
        let map = std::collections::HashMap::from([(labels, 1)]);
        let upper = Name::from_dotted(text.to_ascii_uppercase().as_bytes()).unwrap();
        assert_eq!(map.get(&upper), Some(&1), "{text}");
    }
    let label = "x".repeat(64);
    for (text, error) in [
        ("", NameError::EmptyLabel { at: 0 }),
        ("a..b", NameError::EmptyLabel { at: 2 }),
        ("a.", NameError::EmptyLabel { at: 2 }),
        (label.as_str(), NameError::LabelTooLong { at: 64 }),
        (&["abc"; 64].join("."), NameError::TooLong { at: 253 }),
    ] {
        assert_eq!(Name::from_dotted(text.as_bytes()), Err(error), "{text}");
    }
}

#[test]
fn names_of_every_length_are_the_same_however_they_are_made() {
    let mut room = [0; Name::MAX_OCTETS];
    for length in 1..=253 {
        // A final dot is not part of the name.
        let text: String = (0..length).map(|at| if at % 7 == 3 { '.' } else { 'x' }).collect();
        let text = text.strip_suffix('.').unwrap_or(&text);
        let dotted = Name::from_dotted(text.as_bytes()).unwrap();
        assert_eq!(dotted, Name::from_labels(text.split('.').map(str::as_bytes)).unwrap());
        assert_eq!(dotted, text.to_ascii_uppercase().parse().unwrap(), "{length}");
        assert_eq!(dotted.octets(), text.len() + 2);
        assert_eq!(dotted.write_dotted(&mut room), text.as_bytes());
        let other = Name::from_dotted(format!("y{}", &text[1..]).as_bytes()).unwrap();
        assert_ne!(dotted, other);
    }
    assert_eq!(Name::root().write_dotted(&mut room), b"");
}

#[test]
fn a_label_stands_in_front_of_a_dotted_text() {
    for length in 1..=253 {
        let text: String = (0..length).map(|at| if at % 9 == 4 { '.' } else { 'x' }).collect();
        let text = text.strip_suffix('.').unwrap_or(&text);
        let made = Name::from_label_and_dotted(b"_dmarc", text.as_bytes());
        let whole = Name::from_dotted(format!("_dmarc.{text}").as_bytes());
        assert_eq!(made.is_ok(), whole.is_ok(), "{length}");
        if let (Ok(made), Ok(whole)) = (made, whole) {
            assert_eq!(made, whole);
        }
    }
    for (label, text, error) in [
        ("", "a", NameError::EmptyLabel { at: 0 }),
        (&*"x".repeat(64), "a", NameError::LabelTooLong { at: 0 }),
        ("_dmarc", "", NameError::EmptyLabel { at: 0 }),
        ("_dmarc", "a..b", NameError::EmptyLabel { at: 2 }),
        ("_dmarc", &["abc"; 63].join("."), NameError::TooLong { at: 251 }),
    ] {
        let made = Name::from_label_and_dotted(label.as_bytes(), text.as_bytes());
        assert_eq!(made, Err(error), "{label} {text}");
    }
}
