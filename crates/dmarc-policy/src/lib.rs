//! DMARC (RFC 9989): policy discovery, alignment, disposition and reports, without I/O.
