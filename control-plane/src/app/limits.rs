//! How often strangers and callers may ask, counted in memory: a restart forgets, and that is well.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock, QuantaInstant};
use governor::{DefaultKeyedRateLimiter, NotUntil, Quota, RateLimiter};

use crate::Error;

/// Attempts at once, for one login from one address; then one every six seconds.
const PER_LOGIN: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Attempts at once from one address, whatever the login; then one a second.
const PER_ADDRESS: NonZeroU32 = NonZeroU32::new(60).unwrap();
/// Refreshes at once from one address; then two a second.
const REFRESHES: NonZeroU32 = NonZeroU32::new(120).unwrap();
/// Requests with a bad token at once from one address; then ten a second. Many people may share an
/// address, and each one's token ends every quarter of an hour.
const STRANGERS: NonZeroU32 = NonZeroU32::new(600).unwrap();
const TEN: NonZeroU32 = NonZeroU32::new(10).unwrap();
/// Addresses remembered before those that are quiet again are forgotten.
const REMEMBERED: usize = 10_000;

/// Lets a limited number of attempts and requests through.
#[derive(Debug)]
pub struct Limiter {
    logins: DefaultKeyedRateLimiter<(IpAddr, String)>,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    refreshes: DefaultKeyedRateLimiter<IpAddr>,
    requests: DefaultKeyedRateLimiter<[u8; 16]>,
    strangers: DefaultKeyedRateLimiter<IpAddr>,
    nodes: DefaultKeyedRateLimiter<IpAddr>,
}

impl Limiter {
    /// With so many requests a second for each user or service key; ten times as many at once.
    #[must_use]
    pub fn new(requests_per_s: NonZeroU32) -> Self {
        let burst = requests_per_s.saturating_mul(TEN);
        Self {
            requests: RateLimiter::keyed(Quota::per_second(requests_per_s).allow_burst(burst)),
            logins: RateLimiter::keyed(Quota::per_minute(PER_LOGIN)),
            addresses: RateLimiter::keyed(Quota::per_minute(PER_ADDRESS)),
            refreshes: RateLimiter::keyed(Quota::per_minute(REFRESHES)),
            strangers: RateLimiter::keyed(Quota::per_minute(STRANGERS)),
            nodes: RateLimiter::keyed(Quota::per_second(requests_per_s).allow_burst(burst)),
        }
    }

    /// Counts a request whose token works not or no more.
    ///
    /// # Errors
    /// [`Error::TooMany`], with the time to wait.
    pub fn stranger(&self, address: IpAddr) -> Result<(), Error> {
        if self.strangers.len() > REMEMBERED {
            self.strangers.retain_recent();
        }
        self.strangers.check_key(&address).map_err(|until| wait(&until))
    }

    /// Counts a request of what says that it is a node: as many as one user may make.
    ///
    /// # Errors
    /// [`Error::TooMany`], with the time to wait.
    pub fn node(&self, address: IpAddr) -> Result<(), Error> {
        if self.nodes.len() > REMEMBERED {
            self.nodes.retain_recent();
        }
        self.nodes.check_key(&address).map_err(|until| wait(&until))
    }

    /// Counts a request of a user or service key.
    ///
    /// # Errors
    /// [`Error::TooMany`], with the time to wait.
    pub fn request(&self, actor: [u8; 16]) -> Result<(), Error> {
        if self.requests.len() > REMEMBERED {
            self.requests.retain_recent();
        }
        self.requests.check_key(&actor).map_err(|until| wait(&until))
    }

    /// Counts an attempt to sign in from an address, whatever the login.
    ///
    /// # Errors
    /// [`Error::TooMany`], with the time to wait.
    pub fn address(&self, address: IpAddr) -> Result<(), Error> {
        if self.addresses.len() > REMEMBERED {
            self.addresses.retain_recent();
        }
        self.addresses.check_key(&address).map_err(|until| wait(&until))
    }

    /// Counts an attempt with one login or link from one address.
    ///
    /// # Errors
    /// [`Error::TooMany`], with the time to wait.
    pub fn attempt(&self, address: IpAddr, login: &str) -> Result<(), Error> {
        self.address(address)?;
        self.login(address, login)
    }

    /// Like [`Limiter::attempt`], where the address was counted already.
    ///
    /// # Errors
    /// [`Error::TooMany`], with the time to wait.
    pub fn login(&self, address: IpAddr, login: &str) -> Result<(), Error> {
        if self.logins.len() > REMEMBERED {
            self.logins.retain_recent();
        }
        self.logins
            .check_key(&(address, login.to_owned()))
            .map_err(|until| wait(&until))
    }

    /// Counts a refresh.
    ///
    /// # Errors
    /// [`Error::TooMany`], with the time to wait.
    pub fn refresh(&self, address: IpAddr) -> Result<(), Error> {
        if self.refreshes.len() > REMEMBERED {
            self.refreshes.retain_recent();
        }
        self.refreshes.check_key(&address).map_err(|until| wait(&until))
    }
}

fn wait(until: &NotUntil<QuantaInstant>) -> Error {
    Error::TooMany {
        retry_after_s: until.wait_time_from(DefaultClock::default().now()).as_secs() + 1,
    }
}
