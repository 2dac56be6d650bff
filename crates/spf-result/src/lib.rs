//! Sender Policy Framework (RFC 7208): a verdict, its cause and its trace, without I/O.
