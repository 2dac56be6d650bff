//! `hosts = LIST`: whether the client is one of these hosts.

use mail_types::{HostSet, List};

use super::Problem;
use super::condition::{Condition, Test};
use super::scene::Scene;
use super::source::Entry;

#[derive(Debug)]
pub(super) struct HostTest(HostSet);

impl HostTest {
    pub(super) fn read(entry: &Entry) -> Result<Self, Problem> {
        HostSet::new(List::new(&entry.text)).map(Self).map_err(Problem::Hosts)
    }
}

impl Condition for HostTest {
    fn test<'a>(&'a self, scene: &'a mut Scene<'_>) -> Test<'a> {
        let client = scene.client;
        Test::Known(self.0.contains(client.address.ip(), client.host_name.as_ref()).into())
    }
}
