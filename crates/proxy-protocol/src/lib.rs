//! Reads and writes the header in which a load balancer tells a server the address of its client:
//! the [PROXY protocol], versions 1 and 2.
//!
//! A server on the standard library that reads the header of a connection, with a deadline. On
//! tokio, [`Listener`](#features) does the same for many connections at once:
//!
//! ```
//! use std::io::Write as _;
//! use std::net::{TcpListener, TcpStream};
//! use std::time::Duration;
//!
//! use proxy_protocol::{Limits, Options, ProxyInfo, blocking};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let mut balancer = TcpStream::connect(listener.local_addr()?)?;
//! balancer.write_all(b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 25\r\nEHLO")?;
//!
//! let (mut stream, peer) = listener.accept()?;
//! // The whole header must come within five seconds; no byte after it is read.
//! let limits = Limits::default().with_time(Duration::from_secs(5));
//! let outcome = blocking::read_header(&mut stream, &Options::default().with_limits(limits))?;
//! assert_eq!(outcome.failure(), None);
//! assert_eq!(ProxyInfo::proxied(peer, outcome).client(), "192.0.2.1:56324".parse()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The parser works on bytes. It returns the header, or the number of bytes that it needs:
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
//! // A header cut short is not a fault of the peer: wait for the rest.
//! let error = Header::parse(&arrived[..20]).unwrap_err();
//! assert!(matches!(error, HeaderError::Incomplete { needed } if needed.get() == 8));
//!
//! // Every other error is final, and names the first byte that cannot belong to a header.
//! assert_eq!(Header::parse(b"EHLO"), Err(HeaderError::Signature { at: 0, found: b'E' }));
//! # Ok::<(), HeaderError>(())
//! ```
//!
//! A program with its own event loop feeds a [`Receiver`]: a state machine with a deadline, without
//! I/O.
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
//! | Amazon's, Azure's, Google's vectors   | [`Tlvs::aws_vpce_id`], [`Tlvs::azure_link_id`], [`Tlvs::gcp_psc_connection_id`] |
//!
//! # Choices
//!
//! Where the specification leaves a choice, or contradicts itself:
//!
//! | Input                                           | Result                                       |
//! |-------------------------------------------------|----------------------------------------------|
//! | `UNKNOWN`; PROXY with an unspecified family or transport | accepted, as [`Endpoints::Unknown`]; [`Options::unknown`] |
//! | LOCAL with an unassigned family                 | accepted: the family must be ignored         |
//! | LOCAL, or family and transport 0, with a block after the fixed part | accepted; [`Header::tlvs`] if it consists of vectors only |
//! | a wrong checksum among those vectors            | refused: the sender computed it on purpose   |
//! | CR, LF or octets above 127 in an `UNKNOWN` line | ignored, up to the first CRLF                |
//! | an IPv4-mapped address with its last 32 bits as dotted decimals, in a `TCP6` line | accepted: `inet_ntop` writes it so |
//! | an IPv4 address in a `TCP6` line, on one side or on both | refused, as [`HeaderError::Ipv4InTcp6`]; accepted as IPv4, not mapped, with [`Options::ipv4_in_tcp6`] |
//! | vectors that do not fill the header exactly, or exceed it, also within [`Ssl`] | refused: they have a meaning |
//! | a second checksum                               | refused: neither can be right                |
//! | a checksum in little-endian order               | refused: all numbers are in network order    |
//! | a vector twice                                  | accepted; the accessors give the first       |
//! | text that is not UTF-8                          | accepted; its accessor fails                 |
//!
//! # Features
//!
//! | Feature | Default | Adds                                                                     |
//! |---------|---------|--------------------------------------------------------------------------|
//! | `mail`  | no      | for mail servers: `RequiredHosts`, Exim's list of proxies; `Refusal`, an SMTP dialogue for a header that failed; `ProxyInfo::variable`, Exim's variables |
//! | `serde` | no      | `Serialize` of the crate `serde` for headers and outcomes: see [Stored values](#stored-values) |
//! | `tokio` | no      | `Listener`, which accepts many connections at once; `tokio_net::read_header` and two variants of it, which read one header from a stream |
//!
//! A feature only adds items.
//!
//! # Stored values
//!
//! With the feature `serde` a [`Header`], a [`HeaderOutcome`] and a [`ProxyInfo`] are written, as structures with the
//! names of their fields; an outcome is the word of [`HeaderOutcome::as_str`]. An [`Address`] (`inet` with a text, or
//! `unix` with the octets of a name that a header can have), a [`Transport`] and a [`Version`] are read back too. These forms are stable, and may get more
//! fields. The reason of a failure is a text for people, which may change.
//!
//! # Limits
//!
//! [`Limits`] lists all of them. Parsing allocates nothing, and its time is proportional to the
//! header's length; a [`Receiver`] keeps the bytes received so far, up to [`Limits::header`].
//!
//! # Trust
//!
//! The header is not authenticated. Accept it only from proxies that you know (section 2 of the
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
#[cfg(feature = "serde")]
mod serde;
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
pub use outcome::{Failure, HeaderOutcome};
pub use proxy_info::ProxyInfo;
pub use receiver::Receiver;
#[cfg(feature = "mail")]
pub use refusal::{Refusal, RefusalMode};
#[cfg(feature = "mail")]
pub use required_hosts::RequiredHosts;
pub use ssl::Ssl;
pub use tlv::{Tlv, TlvIter, TlvKind, TlvRange, Tlvs};
pub use writer::{SslWriter, WriteError, Writer};
