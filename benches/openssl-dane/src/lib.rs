//! OpenSSL's verification by TLSA records, as `test/danetest.c` of OpenSSL does it: without a connection.
//!
//! Neither `openssl` nor `openssl-sys` has these functions.

use std::ffi::{CString, NulError, c_char, c_int, c_long, c_uchar, c_ulong, c_void};
use std::ptr;

use openssl_sys as ffi;

/// A TLSA record: usage, selector, matching type and data.
pub type Record<'a> = ([u8; 3], &'a [u8]);

/// A host with its names and records.
#[derive(Debug)]
pub struct Host {
    context: *mut ffi::SSL_CTX,
    ssl: *mut ffi::SSL,
    purpose: CString,
    loaded: Vec<bool>,
}

/// The result of a verification.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Outcome {
    /// `X509_V_OK`, 0, or another `X509_V_ERR_`.
    pub error: i32,
    /// The depth at which a record matches, if the verification succeeded.
    pub depth: i32,
    /// The depth of the certificate that the error is about.
    pub error_depth: i32,
}

impl Host {
    /// Makes a host of its names, the TLSA base domain first, its records, and a time in seconds since
    /// 1970. Wildcards are whole labels, and DANE-EE(3) needs no name.
    ///
    /// # Errors
    ///
    /// [`NulError`] if a name has an octet of 0.
    ///
    /// # Panics
    ///
    /// If OpenSSL has no memory.
    pub fn new(names: &[&str], records: &[Record<'_>], now: i64) -> Result<Self, NulError> {
        let names: Vec<_> =
            names.iter().map(|name| CString::new(*name)).collect::<Result<_, _>>()?;
        let purpose = CString::new("ssl_server")?;
        // SAFETY: the context and the connection are made here, checked, and freed by `drop` only; the
        // texts outlive the calls, and OpenSSL copies them and the records' data.
        unsafe {
            let context = ffi::SSL_CTX_new(ffi::TLS_method());
            assert!(!context.is_null() && SSL_CTX_dane_enable(context) == 1);
            let ssl = ffi::SSL_new(context);
            assert!(!ssl.is_null());
            let base = names.first().map_or(ptr::null(), |name| name.as_ptr());
            assert!(SSL_dane_enable(ssl, base) == 1, "the base domain");
            for name in names.iter().skip(1) {
                assert!(SSL_add1_host(ssl, name.as_ptr()) == 1, "a name");
            }
            SSL_dane_set_flags(ssl, NO_DANE_EE_NAMECHECKS);
            let parameters = ffi::SSL_get0_param(ssl);
            ffi::X509_VERIFY_PARAM_set_hostflags(
                parameters,
                ffi::X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS,
            );
            ffi::X509_VERIFY_PARAM_set_time(parameters, now);
            let mut add = |&([usage, selector, matching_type], data): &Record<'_>| {
                SSL_dane_tlsa_add(ssl, usage, selector, matching_type, data.as_ptr(), data.len())
                    == 1
            };
            let loaded = records.iter().map(&mut add).collect();
            ffi::ERR_clear_error();
            Ok(Self { context, ssl, purpose, loaded })
        }
    }

    /// Tells, for each record, whether OpenSSL uses it.
    #[must_use]
    pub fn loaded(&self) -> &[bool] {
        &self.loaded
    }

    /// Reads certificates, the server's own first, and verifies them; `None` if one is malformed.
    ///
    /// # Panics
    ///
    /// If OpenSSL has no memory.
    #[must_use]
    pub fn verify(&self, chain: &[&[u8]]) -> Option<Outcome> {
        // SAFETY: everything is made here, checked, and freed before the end; the connection lives as long
        // as `self`.
        unsafe {
            let stack = ffi::OPENSSL_sk_new_null();
            assert!(!stack.is_null());
            let mut is_sound = !chain.is_empty();
            for der in chain {
                let mut octets = der.as_ptr();
                let length = c_long::try_from(der.len()).ok()?;
                let certificate = ffi::d2i_X509(ptr::null_mut(), &raw mut octets, length);
                is_sound &= !certificate.is_null();
                if !certificate.is_null() {
                    ffi::OPENSSL_sk_push(stack, certificate.cast::<c_void>());
                }
            }
            let outcome = is_sound.then(|| self.verify_stack(stack));
            while let certificate = ffi::OPENSSL_sk_pop(stack)
                && !certificate.is_null()
            {
                ffi::X509_free(certificate.cast());
            }
            ffi::OPENSSL_sk_free(stack);
            ffi::ERR_clear_error();
            outcome
        }
    }

    /// # Safety
    ///
    /// The stack is one of certificates, and not empty.
    unsafe fn verify_stack(&self, chain: *mut ffi::OPENSSL_STACK) -> Outcome {
        // SAFETY: the context of the verification is made and freed here; what it refers to outlives it.
        unsafe {
            let verification = ffi::X509_STORE_CTX_new();
            assert!(!verification.is_null());
            let store = ffi::SSL_CTX_get_cert_store(self.context);
            let begun =
                ffi::X509_STORE_CTX_init(verification, store, ptr::null_mut(), chain.cast());
            assert_eq!(begun, 1);
            X509_STORE_CTX_set_default(verification, self.purpose.as_ptr());
            let parameters = X509_STORE_CTX_get0_param(verification);
            X509_VERIFY_PARAM_set1(parameters, ffi::SSL_get0_param(self.ssl));
            X509_STORE_CTX_set0_dane(verification, SSL_get0_dane(self.ssl));
            let verified = X509_STORE_CTX_verify(verification);
            let mut error = ffi::X509_STORE_CTX_get_error(verification);
            if verified <= 0 && error == 0 {
                error = -1;
            }
            let error_depth = ffi::X509_STORE_CTX_get_error_depth(verification);
            SSL_set_verify_result(self.ssl, c_long::from(error));
            let depth = SSL_get0_dane_authority(self.ssl, ptr::null_mut(), ptr::null_mut());
            ffi::X509_STORE_CTX_free(verification);
            Outcome { error, depth, error_depth }
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // SAFETY: both were made by `new`, and are freed once.
        unsafe {
            ffi::SSL_free(self.ssl);
            ffi::SSL_CTX_free(self.context);
        }
    }
}

/// `DANE_FLAG_NO_DANE_EE_NAMECHECKS`.
const NO_DANE_EE_NAMECHECKS: c_ulong = 1;

unsafe extern "C" {
    fn SSL_CTX_dane_enable(context: *mut ffi::SSL_CTX) -> c_int;
    fn SSL_dane_enable(ssl: *mut ffi::SSL, base: *const c_char) -> c_int;
    fn SSL_dane_set_flags(ssl: *mut ffi::SSL, flags: c_ulong) -> c_ulong;
    fn SSL_dane_tlsa_add(
        ssl: *mut ffi::SSL,
        usage: u8,
        selector: u8,
        matching_type: u8,
        data: *const c_uchar,
        length: usize,
    ) -> c_int;
    fn SSL_add1_host(ssl: *mut ffi::SSL, name: *const c_char) -> c_int;
    fn SSL_get0_dane(ssl: *mut ffi::SSL) -> *mut c_void;
    fn SSL_get0_dane_authority(
        ssl: *mut ffi::SSL,
        certificate: *mut *mut ffi::X509,
        key: *mut *mut ffi::EVP_PKEY,
    ) -> c_int;
    fn SSL_set_verify_result(ssl: *mut ffi::SSL, result: c_long);
    fn X509_STORE_CTX_get0_param(
        verification: *mut ffi::X509_STORE_CTX,
    ) -> *mut ffi::X509_VERIFY_PARAM;
    fn X509_STORE_CTX_set_default(
        verification: *mut ffi::X509_STORE_CTX,
        name: *const c_char,
    ) -> c_int;
    fn X509_STORE_CTX_set0_dane(verification: *mut ffi::X509_STORE_CTX, dane: *mut c_void);
    fn X509_STORE_CTX_verify(verification: *mut ffi::X509_STORE_CTX) -> c_int;
    fn X509_VERIFY_PARAM_set1(
        to: *mut ffi::X509_VERIFY_PARAM,
        from: *const ffi::X509_VERIFY_PARAM,
    ) -> c_int;
}
