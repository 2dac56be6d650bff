//! The hosts for each recipient's domain, and how mail to them would be secured.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write;

use examples::cases::host_outcome::HostOutcome;
use examples::cases::trace::{self, TraceLine};
use examples::gateway::delivery::sender::{Plan, Sender};
use serde::Serialize;

use crate::arguments::Arguments;

/// The plan for one domain.
#[derive(Debug, Serialize)]
struct Shown {
    next_hop: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    hosts: Vec<ShownHost>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trace: Vec<TraceLine>,
}

#[derive(Debug, Serialize)]
struct ShownHost {
    #[serde(flatten)]
    policy: HostOutcome,
    /// Why it is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    unused: Option<String>,
}

/// Writes the plan of each domain.
pub(crate) async fn show(
    sender: &Sender,
    arguments: &Arguments,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    for plan in sender.plan(&arguments.envelope()).await {
        let shown = Shown::new(plan, arguments.trace);
        if arguments.json {
            serde_json::to_writer(&mut *out, &shown)?;
            writeln!(out)?;
        } else {
            out.write_all(shown.text().as_bytes())?;
        }
    }
    Ok(())
}

impl Shown {
    fn new(plan: Plan, traced: bool) -> Self {
        let hosts = plan.hosts.iter().map(|host| ShownHost {
            policy: HostOutcome::new(&host.policy),
            unused: host.unused.clone(),
        });
        let trace =
            if traced { plan.trace.iter().map(TraceLine::new).collect() } else { Vec::new() };
        Self { next_hop: plan.next_hop, reason: plan.reason, hosts: hosts.collect(), trace }
    }

    fn text(&self) -> String {
        let mut text = match &self.reason {
            Some(reason) => format!("{}: {reason}\n", self.next_hop),
            None => format!("{}:\n", self.next_hop),
        };
        for host in &self.hosts {
            host.policy.write(&mut text);
            if let Some(unused) = &host.unused {
                let _ = writeln!(text, "  {:<10} {unused}", "not used");
            }
        }
        text + &trace::text(&self.trace)
    }
}
