//! Verifies OCSP responses, [RFC 6960], so that a TLS server staples proofs that clients accept, and a
//! client knows what a staple is worth.
//!
//! A response is the status of one certificate, signed by its issuer or by a signer that the issuer has
//! certified for this purpose:
//!
//! ```
//! use std::time::Duration;
//!
//! use ocsp_staple::rustls_pki_types::UnixTime;
//! use ocsp_staple::{Certificate, CertificateStatus, Check, Issuer, ProofError};
//!
//! # let leaf = include_bytes!("../tests/data/certificates/leaf.der");
//! # let issuer = include_bytes!("../tests/data/certificates/ca.der");
//! # let response = include_bytes!("../tests/data/responses/good_delegated.der");
//! # let now = UnixTime::since_unix_epoch(Duration::from_secs(1_781_524_800));
//! # let algorithms = webpki::ALL_VERIFICATION_ALGS;
//! // In a program: `provider.signature_verification_algorithms.all`, and `UnixTime::now()`.
//! let (leaf, issuer) = (Certificate::parse(leaf)?, Certificate::parse(issuer)?);
//! let check = Check::new(&leaf, [Issuer::from(&issuer)], algorithms)?;
//! let proof = check.verify(response, now)?;
//! assert_eq!(proof.status, CertificateStatus::Good);
//! assert_eq!(proof.to_string(), "good, until 2026-06-21T12:00:00Z");
//!
//! // The commonest failure: the proof was not replaced in time.
//! let week = Duration::from_secs(7 * 24 * 3600);
//! let later = UnixTime::since_unix_epoch(Duration::from_secs(now.as_secs()) + week);
//! let error = check.verify(response, later).unwrap_err();
//! assert_eq!(error.to_string(), "the OCSP response ended at 2026-06-21T12:00:00Z");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A server keeps its proof with a [`Schedule`], a machine that says when to fetch, what to save and what
//! to staple now; the features `hyper` and `rustls` have the rest. A proof that somebody else fetches is a
//! [`ProofFile`]. A client's policy is a [`Requirement`].
//!
//! # What it covers
//!
//! | Part of the standards                 | Here                                                   |
//! |---------------------------------------|--------------------------------------------------------|
//! | RFC 6960 4.1, requests                | [`Request`], unsigned, for one certificate             |
//! | RFC 6960 4.2.1, responses             | [`Response`]                                           |
//! | RFC 6960 3.2, 4.2.2, acceptance       | [`Check`], [`Proof`], [`ProofError`]                   |
//! | RFC 6960 4.4, extensions              | nonces; those that are unknown and critical are refused |
//! | RFC 5019, the lightweight profile     | GET and POST; `nextUpdate`; times                      |
//! | RFC 8954, nonces                      | [`Request::with_nonce`], [`Check::with_nonce`]         |
//! | RFC 6066 section 8, RFC 8446 4.4.2.1  | `rustls::StapledKeys`, `rustls::StapleVerifier`        |
//! | RFC 7633, must-staple                 | [`Certificate::requires_staple`], [`Requirement`]      |
//! | Exim's `tls_ocsp_file`                | [`ProofFile`]                                          |
//! | Exim's `hosts_request_ocsp`, `hosts_require_ocsp`, `tls_out_ocsp` | [`Requirement`], [`Stapled::variable`] |
//!
//! Not covered: responders that the client trusts by itself, signed requests, staples for more than the
//! server's own certificate (TLS 1.3 knows them, rustls does not).
//!
//! # Choices
//!
//! Where the standards leave a choice:
//!
//! | Case                                              | Result                                   |
//! |---------------------------------------------------|------------------------------------------|
//! | several answers about the certificate             | the strictest of those that count now    |
//! | several certificates with the signer's name       | each is tried                            |
//! | octets among them that are not a certificate      | left out                                 |
//! | no `nextUpdate`                                   | refused; [`Options::missing_next_update`] |
//! | `producedAt` in the future, or before the certificate | refused; [`Options::check_produced_at`] |
//! | version 1 written, though it is the default       | taken (RFC 5019 appendix A.2)            |
//! | an extension twice                                | refused                                  |
//! | a revocation for a reason that is not assigned    | revoked all the same                     |
//! | a signer's certificate without `ocsp-nocheck`     | taken; [`Signer::Delegated`] says so     |
//! | a clock that is up to five minutes wrong          | taken; [`Options::skew`]; certificates have no skew |
//! | a nonce without one in the request                | ignored                                  |
//! | a staple whose issuer is missing, at a client     | counts as none; [`Stapled::NotVerified`] |
//! | a staple whose issuer cannot be read, at a client | refused; [`IssuerError::Malformed`]      |
//!
//! # Features
//!
//! | Feature  | Default | Adds                                                                   |
//! |----------|---------|------------------------------------------------------------------------|
//! | `hyper`  | no      | `hyper::Fetcher`, which asks responders over HTTP, on tokio            |
//! | `https`  | no      | `hyper::Fetcher::with_tls`: responders that have only an `https` address; the program makes the TLS configuration |
//! | `proxy`  | no      | `hyper::Proxy`, an HTTP proxy that responders are asked by             |
//! | `rustls` | no      | `rustls::StapledKeys` for servers; `rustls::StapleVerifier` and `rustls::Sessions` for clients |
//! | `serde`  | no      | `Serialize` and `Deserialize` of the crate `serde` for [`Proof`] and its parts: see [Stored values](#stored-values) |
//!
//! A feature adds items; none changes what the other items do. Responders are asked over `http` as a rule:
//! what they sign needs no TLS. With rustls 0.23, whose clients always ask for a staple,
//! [`Requirement::Off`] means that it is not looked at.
//!
//! # Stored values
//!
//! With the feature `serde` a [`Proof`] is a structure with the names of its fields, whose times are written as
//! `2026-06-15T12:00:00Z`, and is read back if they fit each other. A [`CertificateStatus`] is `good`, `unknown`, or `revoked` with its time
//! and the name of the reason in RFC 5280. The form is stable, and may get more fields. A proof that is read back is
//! only worth as much as the place where it was kept: keep the response, and verify that.
//!
//! # Limits
//!
//! [`Limits`] has them. Reading a response allocates nothing. Verifying a response with n
//! certificates verifies at most 2n + 1 signatures. At most 16 certificates with the name of an issuer
//! are tried, with one signature each. A certificate has at most 256 extensions. [`Pace`] says how often a responder is asked,
//! `hyper::FetchLimits` how much it may answer.
//!
//! # Trust
//!
//! **What a staple is worth.** It is about the server's own certificate only, and protects only where the
//! client insists on it: a thief of the key leaves the staple out. Most public certificates name no
//! responder any more (Let's Encrypt's have not since 2025): then nothing is fetched, which is not an
//! error. A certificate that lives for less than ten days needs none. Staples are for private and
//! regulated authorities (AD CS, EJBCA, Vault, Dogtag), for those public ones that still answer, and for
//! certificates that demand one.
//!
//! The algorithms are handed in, as of rustls' provider: those of SHA-1 are not among them. The error of a
//! responder is not signed, and says nothing of the certificate.
//!
//! [RFC 6960]: https://www.rfc-editor.org/rfc/rfc6960

mod asking;
mod cert_id;
mod certificate;
mod check;
mod escaped;
mod event;
mod extension;
mod fetch;
mod fields;
mod file_stamp;
#[cfg(feature = "hyper")]
pub mod hyper;
mod issuer;
mod name;
mod options;
mod pace;
mod proof;
mod proof_file;
mod request;
mod requirement;
mod response;
#[cfg(feature = "rustls")]
pub mod rustls;
mod saved;
mod schedule;
#[cfg(feature = "serde")]
mod serde;
mod signature;
mod status;
mod store;
mod time;

pub use cert_id::IssuerHash;
pub use certificate::Certificate;
pub use check::Check;
pub use event::{Event, ScheduleState};
pub use extension::Oid;
pub use fetch::{Fetch, FetchError, Method};
pub use fields::{DerError, DerFault};
pub use file_stamp::FileStamp;
pub use issuer::{Issuer, IssuerError};
pub use name::Name;
pub use options::{Limits, Options};
pub use pace::Pace;
pub use proof::{Proof, ProofError, Signer, Staple};
pub use proof_file::{Look, ProofFile, ProofFileError, decode_response};
pub use request::Request;
pub use requirement::{Requirement, StapleError, Stapled};
pub use response::{BasicResponse, Responder, Response, SingleResponse};
pub use rustls_pki_types;
pub use saved::{Saved, SavedError};
pub use schedule::Schedule;
pub use signature::Algorithms;
pub use status::{CertificateStatus, ResponderError, Revocation, RevocationReason};
pub use store::{Store, StoreError, replace_file};
