//! A client's verifier that trusts one authority.

use std::sync::Arc;

use ocsp_staple::Requirement;
use ocsp_staple::rustls::StapleVerifier;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::CertificateDer;

pub(crate) fn trusting(
    root_der: &[u8],
    provider: &Arc<CryptoProvider>,
    requirement: Requirement,
) -> Arc<StapleVerifier> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(root_der.to_vec())).unwrap();
    let anchors = roots.roots.as_slice().into();
    let algorithms = provider.signature_verification_algorithms;
    let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    let verifier = StapleVerifier::new(inner.build().unwrap(), anchors, algorithms);
    Arc::new(verifier.with_requirement(requirement))
}
