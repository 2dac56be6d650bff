//! The texts of `route_data`.

use crate::gateway::delivery::next_hop::{RouteData, RouteError, RouteTo};

#[test]
fn a_route_is_a_host_an_address_or_the_mx_hosts_of_a_domain() {
    let relay = |name: &str| RouteTo::Host(name.parse().unwrap());
    let domain = |name: &str| RouteTo::Domain(name.parse().unwrap());
    let address = |text: &str| RouteTo::Address(text.parse().unwrap());
    for (text, to, port) in [
        ("mx.example.com", relay("mx.example.com"), 25),
        ("mx.example.com:2525", relay("mx.example.com"), 2525),
        ("example.com/MX", domain("example.com"), 25),
        ("example.com/mx:26", domain("example.com"), 26),
        ("192.0.2.1:25", address("192.0.2.1"), 25),
        ("192.0.2.1", address("192.0.2.1"), 25),
        ("[192.0.2.1]:26", address("192.0.2.1"), 26),
        ("[2001:db8::1]:2525", address("2001:db8::1"), 2525),
        ("[2001:db8::1]", address("2001:db8::1"), 25),
        ("bücher.example/MX", domain("xn--bcher-kva.example"), 25),
    ] {
        assert_eq!(text.parse(), Ok(RouteData { to, port }), "{text}");
    }
    // A name with a number at its end is an address with a fault, mostly a port behind a dot.
    let other = "is not an IPv4 address, and the name of a host does not end in a number";
    for (text, meant) in [
        ("127.0.0.1.2600", "; did you mean 127.0.0.1:2600?"),
        ("mx.example.com.25", "; did you mean mx.example.com:25?"),
        ("127.0.0.256", ""),
        ("127.0.1", ""),
        ("127.0.0.1.0", ""),
        ("127.0.0.1.2.3", ""),
        ("2600", ""),
    ] {
        let error = text.parse::<RouteData>().unwrap_err().to_string();
        assert_eq!(error, format!("{text} {other}{meant}"));
        let error = format!("{text}/MX").parse::<RouteData>().unwrap_err().to_string();
        assert_eq!(error, format!("{text} {other}{meant}"));
    }
    for (text, error) in [
        ("", RouteError::Name),
        (".", RouteError::Name),
        ("a/b", RouteError::Name),
        ("/MX", RouteError::Name),
        ("example.com/MX/MX", RouteError::Name),
        ("[mx.example.com]", RouteError::Address),
        ("[]", RouteError::Address),
        ("mx.example.com:", RouteError::Port),
        ("mx.example.com:0", RouteError::Port),
        ("mx.example.com:65536", RouteError::Port),
        ("mx.example.com:smtp", RouteError::Port),
        ("[2001:db8::1]:x", RouteError::Port),
        // An address of IPv6 needs its brackets: its end would be a port.
        ("2001:db8::g", RouteError::Port),
        ("2001:db8::1:25", RouteError::Port),
    ] {
        assert_eq!(text.parse::<RouteData>(), Err(error), "{text}");
    }
}

#[test]
fn an_address_has_no_mx_records() {
    for (text, address) in [
        ("10.0.0.1/MX", "10.0.0.1"),
        ("10.0.0.1/mx:26", "10.0.0.1"),
        ("[10.0.0.1]/MX", "10.0.0.1"),
        ("[2001:db8::1]/MX:25", "2001:db8::1"),
    ] {
        let error = text.parse::<RouteData>().unwrap_err().to_string();
        let expected =
            format!("{address} is an address, which has no MX records; write it without /MX");
        assert_eq!(error, expected);
    }
}
