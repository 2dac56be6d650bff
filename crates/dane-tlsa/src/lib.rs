//! DANE for SMTP, [RFC 7672](https://www.rfc-editor.org/rfc/rfc7672).
