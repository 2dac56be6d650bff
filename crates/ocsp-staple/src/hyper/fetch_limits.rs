//! How long a fetch takes, and how much it reads.

use std::time::Duration;

/// How long a fetch takes, and how much it reads.
///
/// ```
/// use std::time::Duration;
///
/// use ocsp_staple::hyper::FetchLimits;
///
/// let limits = FetchLimits::default()
///     .with_response(10_000)
///     .with_time(Duration::from_secs(20))
///     .with_connect(Duration::from_secs(5))
///     .with_redirects(0)
///     .with_fetches(2);
/// assert_eq!((limits.response, limits.redirects, limits.fetches), (10_000, 0, 2));
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub struct FetchLimits {
    /// The most octets of a response. By default 65,535.
    pub response: usize,
    /// For how long a fetch goes on, with all addresses and redirects. By default 15 seconds.
    pub time: Duration,
    /// How long an address may take to accept the connection. By default three seconds; then the
    /// next one is tried.
    pub connect: Duration,
    /// The most redirects, all of them to the same host. By default two.
    pub redirects: usize,
    /// The most fetches at a time, at least one. By default 16. Others wait.
    pub fetches: usize,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            response: 65_535,
            time: Duration::from_secs(15),
            connect: Duration::from_secs(3),
            redirects: 2,
            fetches: 16,
        }
    }
}

impl FetchLimits {
    /// Sets [`Self::response`].
    #[must_use]
    pub fn with_response(self, response: usize) -> Self {
        Self { response, ..self }
    }

    /// Sets [`Self::time`].
    #[must_use]
    pub fn with_time(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// Sets [`Self::connect`].
    #[must_use]
    pub fn with_connect(self, connect: Duration) -> Self {
        Self { connect, ..self }
    }

    /// Sets [`Self::redirects`].
    #[must_use]
    pub fn with_redirects(self, redirects: usize) -> Self {
        Self { redirects, ..self }
    }

    /// Sets [`Self::fetches`].
    #[must_use]
    pub fn with_fetches(self, fetches: usize) -> Self {
        Self { fetches, ..self }
    }
}
