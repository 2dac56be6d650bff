//! Offering the extension, and asking for it.

use prdr::{ParameterError, is_offered, is_requested, pays};

#[test]
fn it_counts_only_beside_its_companions() {
    for (lines, offered) in [
        (&["mx", "PIPELINING", "PRDR", "ENHANCEDSTATUSCODES"][..], true),
        (&["mx", "enhancedstatuscodes", "prdr ", "pipelining"], true),
        (&["mx", "PIPELINING", "PRDR"], false),
        (&["mx", "PRDR", "ENHANCEDSTATUSCODES"], false),
        (&["mx", "PIPELINING", "ENHANCEDSTATUSCODES"], false),
        (&["mx", "PIPELINING", "PRDR x", "ENHANCEDSTATUSCODES"], false),
        (&["PRDR", "PIPELINING", "ENHANCEDSTATUSCODES"], false), // The greeting.
        (&[], false),
    ] {
        assert_eq!(is_offered(lines.iter().copied()), offered, "{lines:?}");
    }
    assert!(!pays(1) && pays(2));
}

#[test]
fn the_parameter_is_strict() {
    for (parameters, offered, expected) in [
        (&[][..], true, Ok(false)),
        (&[("SIZE", Some("1")), ("BODY", Some("8BITMIME"))], true, Ok(false)),
        (&[("PRDR", None)], true, Ok(true)),
        (&[("prdr", None), ("SIZE", Some("1"))], true, Ok(true)),
        (&[("PRDR", Some("yes"))], true, Err(ParameterError::Value)),
        (&[("PRDR", Some(""))], true, Err(ParameterError::Value)),
        (&[("PRDR", None), ("PRDR", None)], true, Err(ParameterError::Repeated)),
        (&[("PRDR", None)], false, Err(ParameterError::NotOffered)),
        (&[], false, Ok(false)),
    ] {
        assert_eq!(is_requested(parameters.iter().copied(), offered), expected, "{parameters:?}");
    }
}

#[test]
fn a_wrong_parameter_has_a_reply() {
    for (error, reply) in [
        (ParameterError::NotOffered, "555 5.5.4 parameter PRDR was not offered"),
        (ParameterError::Value, "501 5.5.4 parameter PRDR takes no value"),
        (ParameterError::Repeated, "501 5.5.4 parameter PRDR is repeated"),
    ] {
        assert_eq!(error.reply().to_string(), reply);
    }
}
