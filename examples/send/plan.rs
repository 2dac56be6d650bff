//! The hosts for each recipient's domain, and how mail to them would be secured.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write;
use std::net::SocketAddr;

use dane_tlsa::{Action, NoDane};
use examples::cases::host_outcome::HostOutcome;
use examples::cases::trace::{self, TraceLine};
use examples::gateway::delivery::outcome::DeliveryResult;
use examples::gateway::delivery::sender::{
    Plan, PlannedAddress, PlannedHost, PlannedSecurity, Sender,
};
use serde::Serialize;

use crate::arguments::Arguments;

/// The plan for one domain.
#[derive(Debug, Serialize)]
struct Shown {
    next_hop: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The result for each recipient, if no host can be tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<DeliveryResult>,
    hosts: Vec<ShownHost>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trace: Vec<TraceLine>,
}

#[derive(Debug, Serialize)]
struct ShownHost {
    #[serde(flatten)]
    policy: HostOutcome,
    /// The decision with DANE, where it is reported only.
    #[serde(skip_serializing_if = "Option::is_none")]
    reported: Option<HostOutcome>,
    /// Why it is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    unused: Option<String>,
    connections: Vec<ShownConnection>,
}

/// The connection to one address.
#[derive(Debug, Serialize)]
struct ShownConnection {
    address: SocketAddr,
    #[serde(flatten)]
    security: Option<PlannedSecurity>,
    /// Why there can be none.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Writes the plan of each domain; returns the worst result that is certain already.
pub(crate) async fn show(
    sender: &Sender,
    arguments: &Arguments,
    message: &[u8],
    out: &mut impl Write,
) -> Result<Option<DeliveryResult>, Box<dyn Error>> {
    let mut worst = None;
    for plan in sender.plan(&arguments.envelope(), message).await {
        worst = worst.max(plan.failed);
        let shown = Shown::new(plan, arguments.trace);
        if arguments.json {
            serde_json::to_writer(&mut *out, &shown)?;
            writeln!(out)?;
        } else {
            out.write_all(shown.text().as_bytes())?;
        }
    }
    Ok(worst)
}

impl Shown {
    fn new(plan: Plan, traced: bool) -> Self {
        let trace =
            if traced { plan.trace.iter().map(TraceLine::new).collect() } else { Vec::new() };
        Self {
            next_hop: plan.next_hop,
            reason: plan.reason,
            result: plan.failed,
            hosts: plan
                .hosts
                .into_iter()
                .map(|host| ShownHost::new(host, plan.waives_tls))
                .collect(),
            trace,
        }
    }

    fn text(&self) -> String {
        let mut text = match &self.reason {
            Some(reason) => format!("{}: {reason}\n", self.next_hop),
            None => format!("{}:\n", self.next_hop),
        };
        for host in &self.hosts {
            host.write(&mut text);
        }
        text + &trace::text(&self.trace)
    }
}

impl ShownHost {
    fn new(host: PlannedHost, waives_tls: bool) -> Self {
        let policy = HostOutcome::new(&host.policy);
        let is_waived = waives_tls && host.policy.action == Action::Opportunistic(NoDane::NotTried);
        Self {
            policy: if is_waived { policy.because(WAIVED) } else { policy },
            reported: host.reported.as_ref().map(HostOutcome::new),
            unused: host.unused,
            connections: host.addresses.into_iter().map(ShownConnection::new).collect(),
        }
    }

    fn write(&self, text: &mut String) {
        self.policy.write_dane(text);
        if let Some(unused) = &self.unused {
            let _ = writeln!(text, "  {:<10} {unused}", "not used");
        }
        for connection in &self.connections {
            let (address, name) = (connection.address, "connection");
            let _ = match (&connection.security, &connection.error) {
                (Some(security), _) => writeln!(text, "  {name} {address}: {security}"),
                (None, error) => {
                    let error = error.as_deref().unwrap_or_default();
                    writeln!(text, "  {name} {address}: no, {error}")
                }
            };
        }
        if let Some(reported) = &self.reported {
            let _ = writeln!(text, "  for a report only (hosts_report_dane), DANE says of");
            reported.write(text);
        }
    }
}

impl ShownConnection {
    fn new(planned: PlannedAddress) -> Self {
        let (security, error) = match planned.security {
            Ok(security) => (Some(security), None),
            Err(error) => (None, Some(error)),
        };
        Self { address: planned.address, security, error }
    }
}

/// Why DANE is not used, though the options have it.
const WAIVED: &str =
    "the header field TLS-Required: No of the message waives DANE (RFC 8689 section 4.1)";
