//! Reads and writes the header that a load balancer puts in front of a connection, to tell the
//! server behind it who the client is: the [PROXY protocol], versions 1 and 2.
//!
//! A server behind a balancer, on the standard library; [`Listener`](#features) does the same on tokio for
//! many connections at once:
//!
//! ```
//! use std::io::Write as _;
//! use std::net::{TcpListener, TcpStream};
//!
//! use proxy_protocol::{Options, ProxyInfo, blocking};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let mut balancer = TcpStream::connect(listener.local_addr()?)?;
//! balancer.write_all(b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\nEHLO")?;
//!
//! let (mut stream, peer) = listener.accept()?;
//! // Within three seconds, and not a byte more than the header.
//! let outcome = blocking::read_header(&mut stream, &Options::default())?;
//! assert_eq!(outcome.failure(), None);
//! assert_eq!(ProxyInfo::proxied(peer, outcome).client(), "192.0.2.1:56324".parse()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The parser works on bytes. It returns the header, or says how many bytes it needs:
//!
//! ```
//! use proxy_protocol::{Endpoints, Header, HeaderError};
//!
//! let arrived = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x02\x04\xd2\0\x19EHLO";
//! let (rest, header) = Header::parse(arrived)?;
//!
//! let Endpoints::Inet { source, .. } = header.endpoints else { unreachable!() };
//! assert_eq!(source.to_string(), "127.0.0.1:1234");
//! assert_eq!(rest, b"EHLO");
//!
//! // A header cut short is no fault of the peer: wait for the rest.
//! let error = Header::parse(&arrived[..20]).unwrap_err();
//! assert!(matches!(error, HeaderError::Incomplete { needed } if needed.get() == 8));
//!
//! // Anything else is final, at the first byte that cannot belong to a header.
//! assert_eq!(Header::parse(b"EHLO"), Err(HeaderError::Signature { at: 0, found: b'E' }));
//! # Ok::<(), HeaderError>(())
//! ```
//!
//! A program with an event loop of its own feeds a [`Receiver`]: a state machine with a deadline, without I/O.
//!
//! # What it covers
//!
//! | Part of the specification, 2026-04-27 | Here                                                   |
//! |---------------------------------------|--------------------------------------------------------|
//! | 2, trusted peers, no guessing         | `Listener`, `RequiredHosts`                            |
//! | 2, time limit                         | [`Receiver`], [`Limits::time`]                         |
//! | 2, datagrams                          | [`Header::parse_datagram`]                             |
//! | 2.1, version 1                        | [`Header::parse_v1`], [`Header::write`]                |
//! | 2.2, version 2, TCP, UDP and UNIX     | [`Header::parse_v2`], [`Endpoints`]                    |
//! | 2.2.1 to 2.2.8, vectors               | [`Tlvs`], [`TlvKind`]; the checksum is verified        |
//! | 2.2.6, TLS                            | [`Ssl`]                                                |
//! | the same, written                     | [`Writer`]                                             |
//! | Amazon's, Azure's, Google's vectors   | [`Tlvs::aws_vpce_id`] and the like                     |
//!
//! # Choices
//!
//! Where the specification leaves a choice, or contradicts itself:
//!
//! | What comes                                      | Is                                           |
//! |-------------------------------------------------|----------------------------------------------|
//! | `UNKNOWN`; PROXY with an unspecified family or transport | taken, as [`Endpoints::Unknown`]; [`Options::unknown`] |
//! | LOCAL with an unassigned family                 | taken: the family is to be ignored           |
//! | LOCAL, or family and transport 0, with a block behind | taken; [`Header::tlvs`] if it is nothing else |
//! | LOCAL with a checksum among those, which is wrong | refused: a sender that sums up means it    |
//! | CR, LF or octets above 127 in an `UNKNOWN` line | ignored, up to the first CRLF                |
//! | an IPv4-mapped address, its end written with dots, in a `TCP6` line | taken: `inet_ntop` writes it so |
//! | an IPv4 address in a `TCP6` line, beside one of IPv6 or not | refused, as [`HeaderError::Ipv4InTcp6`]; taken as it stands, not mapped, with [`Options::ipv4_in_tcp6`] |
//! | vectors that do not fill the header exactly, or overrun it, also within [`Ssl`] | refused: they are interpreted |
//! | a second checksum                               | refused: none of the two can be right        |
//! | a checksum in little-endian order               | refused, as all numbers are in network order |
//! | a vector twice                                  | taken; the first counts for the accessors    |
//! | text that is not UTF-8                          | taken; its accessor fails                    |
//!
//! # Features
//!
//! | Feature | Default | Adds                                                                     |
//! |---------|---------|--------------------------------------------------------------------------|
//! | `mail`  | no      | for mail servers: `RequiredHosts`, Exim's list of proxies; `Refusal`, an SMTP dialogue for a header that failed; `ProxyInfo::variable`, Exim's variables |
//! | `tokio` | no      | `Listener`, which accepts many connections at once; `tokio_net::read_header` and its kin, which read one header from a stream |
//!
//! A feature adds items; none changes what the other items do.
//!
//! # Limits
//!
//! [`Limits`] has them all. Parsing allocates nothing, and takes time in proportion to the header's
//! length; a [`Receiver`] keeps as many bytes as have come, up to [`Limits::header`].
//!
//! # Trust
//!
//! The header is not authenticated. Take it only from proxies you know (section 2 of the
//! specification): anyone else can claim any address. A server that expects a header must refuse a
//! connection without one, and must not guess.
//!
//! [PROXY protocol]: https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt

pub mod blocking;
mod checksum;
mod endpoints;
mod header;
mod line;
#[cfg(feature = "tokio")]
mod listener;
mod options;
mod outcome;
mod proxy_info;
mod receiver;
#[cfg(feature = "mail")]
mod refusal;
#[cfg(feature = "mail")]
mod required_hosts;
mod ssl;
mod tlv;
#[cfg(feature = "tokio")]
pub mod tokio_net;
#[cfg(feature = "mail")]
mod unread;
mod v1;
mod v1_address;
mod v2;
mod writer;

pub use endpoints::{Address, Endpoints, Transport, UnixAddress};
pub use header::{Header, HeaderError, Version};
#[cfg(feature = "tokio")]
pub use listener::Listener;
#[cfg(feature = "mail")]
pub use mail_types;
pub use options::{Limits, Options};
pub use outcome::{Failure, Outcome};
pub use proxy_info::ProxyInfo;
pub use receiver::Receiver;
#[cfg(feature = "mail")]
pub use refusal::{Refusal, RefusalMode};
#[cfg(feature = "mail")]
pub use required_hosts::RequiredHosts;
pub use ssl::Ssl;
pub use tlv::{Tlv, TlvIter, TlvKind, TlvRange, Tlvs};
pub use writer::{SslWriter, WriteError, Writer};
