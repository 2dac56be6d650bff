//! One query, and its response.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_net::runtime::TokioRuntimeProvider;
use hickory_net::tcp::TcpClientStream;
use hickory_net::udp::UdpClientStream;
use hickory_net::xfer::{DnsHandle, DnsRequestSender, FirstAnswer};
use hickory_net::{NetError, client::Client};
use hickory_proto::op::{DnsRequest, DnsResponse, Edns, Message, ResponseCode};
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_proto::rr::{DNSClass, RecordType};
use mail_types::dns::{DnsFailure, DnssecStatus, Question};
use mail_types::hickory::{Walk, hickory_name, hickory_type, mail_name};
use tokio::time::timeout;

use crate::{Query, QueryType, Reply, Response, Stub, Transport};

/// Sends a query, and reads its response; `None` if it cannot be sent, or no response comes in time.
pub(super) async fn response(query: &Query) -> Option<Response> {
    let request = DnsRequest::from(message(query)?);
    let response = match query.transport {
        Transport::Udp => by_udp(query.server, request, query.within).await,
        Transport::Tcp => by_tcp(query.server, request, query.within).await,
    };
    response.ok().map(|response| read(query, &response))
}

/// hickory waits for a response with the right id and question, from the right address.
pub(super) async fn by_udp(
    server: SocketAddr,
    request: DnsRequest,
    within: Duration,
) -> Result<DnsResponse, NetError> {
    let mut stream = UdpClientStream::builder(server, TokioRuntimeProvider::default())
        .with_timeout(Some(within))
        .with_max_retries(0)
        .build();
    stream.send_message(request).first_answer().await
}

pub(super) async fn by_tcp(
    server: SocketAddr,
    request: DnsRequest,
    within: Duration,
) -> Result<DnsResponse, NetError> {
    let exchange = async {
        let provider = TokioRuntimeProvider::default();
        let (connecting, sender) = TcpClientStream::new(server, None, Some(within), provider);
        let (client, background) =
            Client::<TokioRuntimeProvider>::with_timeout(connecting.await?, sender, within);
        let background = tokio::spawn(background);
        let response = client.send(request).first_answer().await;
        background.abort();
        response
    };
    timeout(within, exchange).await.unwrap_or(Err(NetError::Timeout))
}

fn message(query: &Query) -> Option<Message> {
    let mut message = Message::query();
    let kind = match query.kind {
        QueryType::Soa => RecordType::SOA,
        QueryType::Records(kind) => hickory_type(kind),
    };
    message.add_query(hickory_proto::op::Query::query(hickory_name(&query.name)?, kind));
    message.metadata.recursion_desired = true;
    message.metadata.authentic_data = true;
    if query.edns {
        let edns = message.edns.get_or_insert_with(Edns::new);
        edns.set_max_payload(Stub::PAYLOAD);
        edns.set_dnssec_ok(true);
    }
    Some(message)
}

fn read(query: &Query, response: &Message) -> Response {
    let echo = match &response.queries[..] {
        [asked] if asked.query_class() == DNSClass::IN => {
            let is_kind = |kind| match kind {
                QueryType::Soa => RecordType::SOA == asked.query_type(),
                QueryType::Records(kind) => hickory_type(kind) == asked.query_type(),
            };
            is_kind(query.kind).then(|| (mail_name(asked.name()), query.kind))
        }
        _ => None,
    };
    let reply = match (response.metadata.response_code, query.kind) {
        _ if response.metadata.truncation => Reply::Truncated,
        (ResponseCode::FormErr | ResponseCode::NotImp | ResponseCode::BADVERS, _) => {
            Reply::NotUnderstood
        }
        (ResponseCode::Refused, _) => Reply::Failed(DnsFailure::Refused),
        (ResponseCode::NoError | ResponseCode::NXDomain, QueryType::Soa) => Reply::Probe,
        (ResponseCode::NoError | ResponseCode::NXDomain, QueryType::Records(kind)) => {
            let question = Question::new(query.name.clone(), kind);
            // The stub sets the status by the AD bit.
            Reply::Answered(Walk::new(&question, response, |_| Ok(DnssecStatus::Indeterminate)))
        }
        _ if is_bogus(response) => Reply::Failed(DnsFailure::Bogus),
        _ => Reply::Failed(DnsFailure::ServFail),
    };
    Response { echo, authentic: response.metadata.authentic_data, reply }
}

/// Whether the server says that validation failed (RFC 8914 sections 4.7 to 4.13).
fn is_bogus(response: &Message) -> bool {
    let option = response.edns.as_ref().and_then(|edns| edns.option(EdnsCode::from(EDE)));
    match option {
        Some(EdnsOption::Unknown(_, data)) => {
            let code = data.first_chunk().map(|code| u16::from_be_bytes(*code));
            code.is_some_and(|code| (6..=12).contains(&code))
        }
        _ => false,
    }
}

/// The option of extended errors.
const EDE: u16 = 15;
