//! The name under which the names of an address are: RFC 1035 section 3.5, RFC 3596 section 2.5.

use std::net::IpAddr;

use mail_types::Name;

/// The name; it always fits.
pub(crate) fn name(address: IpAddr) -> Option<Name> {
    match address {
        IpAddr::V4(address) => {
            let octets = address.octets().map(|octet| octet.to_string());
            let labels = octets.iter().rev().map(String::as_bytes);
            Name::from_labels(labels.chain([&b"in-addr"[..], b"arpa"])).ok()
        }
        IpAddr::V6(address) => {
            let digit = |digit: u8| if digit < 10 { [b'0' + digit] } else { [b'a' + digit - 10] };
            let digits = address.octets().map(|octet| [digit(octet & 15), digit(octet >> 4)]);
            let labels = digits.iter().rev().flatten().map(<[u8; 1]>::as_slice);
            Name::from_labels(labels.chain([&b"ip6"[..], b"arpa"])).ok()
        }
    }
}
