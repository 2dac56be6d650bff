//! Addresses that a stranger's DNS may not send this host to: those of this host and of the networks around it.
//!
//! Source: the registries of special-purpose addresses of IANA (RFC 6890), 2025.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use mail_types::exim::{HostSet, List};

/// Tells whether an address is one of the public internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    let is_special = |address| SPECIAL.as_ref().is_none_or(|set| set.contains(address, None));
    match address.to_canonical() {
        address @ IpAddr::V4(_) => !is_special(address),
        IpAddr::V6(address) => match address.segments() {
            // A translator (RFC 6052) and a 6to4 router (RFC 3056) go on to the address of version 4 within.
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
                let [a, b] = high.to_be_bytes();
                let [c, d] = low.to_be_bytes();
                is_public(Ipv4Addr::new(a, b, c, d).into())
            }
            // Only 2000::/3 is assigned to the public internet.
            [first, ..] => first >> 13 == 1 && !is_special(address.into()),
        },
    }
}

/// With `None`, for a list that cannot be read, no address would be public.
static SPECIAL: LazyLock<Option<HostSet>> =
    LazyLock::new(|| HostSet::new(List::new(NETWORKS)).ok());

/// This host and network, private and shared networks, those of links, protocols, benchmarks and documents,
/// multicast, and what is reserved.
const NETWORKS: &str = "<; 0.0.0.0/8 ; 10.0.0.0/8 ; 100.64.0.0/10 ; 127.0.0.0/8 ; 169.254.0.0/16 ; 172.16.0.0/12 ; \
    192.0.0.0/24 ; 192.0.2.0/24 ; 192.168.0.0/16 ; 198.18.0.0/15 ; 198.51.100.0/24 ; 203.0.113.0/24 ; 224.0.0.0/4 ; \
    240.0.0.0/4 ; 2001::/23 ; 2001:db8::/32 ; 3fff::/20";

#[cfg(test)]
mod tests {
    use super::is_public;

    /// Addresses of the registries: the ends of a network.
    const SPECIAL: &str = "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.127.255.255 127.0.0.0 \
        127.255.255.255 169.254.169.254 172.16.0.0 172.31.255.255 192.0.0.8 192.0.2.1 192.168.0.0 192.168.255.255 \
        198.18.0.0 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 :: \
        ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 \
        2001::1 2001:0:7f00:1:: 2001:db8::1 2002:7f00:1:: 2002:a00:1::1 3fff::1 5f00::1 fc00::1 fdff::1 fe80::1 \
        fec0::1 ff02::1";
    /// Those beside them.
    const PUBLIC: &str = "1.1.1.1 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 \
        169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0 \
        198.17.255.255 198.20.0.0 223.255.255.255 ::ffff:1.1.1.1 64:ff9b::101:101 2001:200::1 2001:db7::1 \
        2001:db9::1 2002:101:101::1 2606:4700::1111 3ffe::1";

    #[test]
    fn special_addresses_are_not_public() {
        for address in SPECIAL.split_whitespace() {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in PUBLIC.split_whitespace() {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
