//! mail-auth on the same zone, with its record parsed in its cache.

#![expect(clippy::panic, reason = "a bench without its peer is of no use")]

use std::future::Future;
use std::net::Ipv4Addr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use mail_auth::dkim::Signature;
use mail_auth::dmarc::DmarcRecord;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::dns::{DnssecStatus, Negative, TxtRecordParser};
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DkimResult, DmarcResult, Error, MessageAuthenticator,
    Parameters, RecordSet, SpfOutput, SpfResult, TxtRecord,
};
use mail_types::results::AuthResult;

use super::dmarc_shapes::{EXISTING, RECORD, SILENT, Shape};
use super::mail_auth_cache::Cache;

pub(crate) struct Peer {
    authenticator: MessageAuthenticator,
    cache: Cache,
    message: AuthenticatedMessage<'static>,
    signature: Signature,
    spf: SpfOutput,
    mail_from: &'static str,
}

impl Peer {
    pub(crate) fn new(shape: &Shape) -> Self {
        let made =
            MessageAuthenticator::new(ResolverConfig::default(), ResolverOpts::default()).ok();
        let Some(authenticator) = made else { panic!("a resolver without servers can be made") };
        let mut cache = Cache::default();
        let Ok(record) = DmarcRecord::parse(RECORD.as_bytes()) else { panic!("{RECORD}") };
        let record = TxtRecord::Dmarc(Arc::new(record));
        cache.txt.0.insert("_dmarc.example.com.".into(), record);
        for name in SILENT {
            let none = TxtRecord::Error(Error::from(Negative { code: ResponseCode::NXDomain }));
            cache.txt.0.insert(format!("_dmarc.{name}.").into(), none);
        }
        for name in EXISTING {
            let (address, dnssec_status) =
                (Ipv4Addr::new(192, 0, 2, 1), DnssecStatus::Indeterminate);
            let set = RecordSet { records: Arc::new([address]), dnssec_status };
            cache.ipv4.0.insert(format!("{name}.").into(), Ok(set));
        }
        // It is there as long as the program.
        let text = format!("From: Joe <joe@{}>\r\n\r\nhi\r\n", shape.author).leak();
        let message = AuthenticatedMessage::parse(text.as_bytes());
        let Some(message) = message else { panic!("{text}") };
        let signature = Signature { d: shape.dkim.into(), s: "s".into(), ..Signature::default() };
        let spf = SpfOutput::new(shape.spf.into()).with_result(SpfResult::Pass);
        Self { authenticator, cache, message, signature, spf, mail_from: shape.spf }
    }

    pub(crate) fn evaluate(&self) -> Option<AuthResult> {
        let dkim = [DkimOutput::from(DkimResult::Pass).with_signature(&self.signature)];
        let parameters = DmarcParameters::new(&self.message, &dkim, self.mail_from, &self.spf);
        let parameters = Parameters::new(parameters).with_cache(&self.cache);
        let verified = pin!(self.authenticator.verify_dmarc(parameters));
        // All is cached: it never waits.
        match verified.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(output) => match output.result() {
                DmarcResult::Pass => Some(AuthResult::Pass),
                DmarcResult::Fail(_) => Some(AuthResult::Fail),
                _ => None,
            },
            Poll::Pending => None,
        }
    }
}

pub(crate) fn parse(record: &str) -> bool {
    DmarcRecord::parse(record.as_bytes()).is_ok()
}
