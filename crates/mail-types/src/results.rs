//! Results of authentication: RFC 8601.

mod authentication;
mod spf_input;

pub use authentication::{
    AuthResult, AuthResultError, AuthenticationResults, MethodResult, SpfIdentity,
};
pub use spf_input::SpfInput;
