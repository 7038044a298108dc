//! What can go wrong for a caller, free of any transport.
//!
//! The text of a variant goes to the client; what it wraps is for the log only. `http::problem` maps
//! these to status codes.

use crate::bus::BusError;
use crate::objects::ObjectStoreError;
use crate::store::StoreError;

/// Why a use case did not do what was asked. Codes are stable: programs match on them.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request itself is wrong; asking again is useless.
    #[error("{title}")]
    Invalid {
        /// Stable code.
        code: &'static str,
        /// A sentence for the caller.
        title: String,
        /// The offending field.
        field: Option<&'static str>,
    },
    /// The request is as it should be, and does not do for what it is about.
    #[error("{title}")]
    Unprocessable {
        /// Stable code.
        code: &'static str,
        /// A sentence for the caller.
        title: String,
        /// The offending field.
        field: &'static str,
    },
    /// The body is longer than any valid one.
    #[error("the body is too large")]
    TooLarge,
    /// Nobody signed in, or the session is over.
    #[error("{title}")]
    Unauthorized {
        /// Stable code.
        code: &'static str,
        /// A sentence for the caller.
        title: &'static str,
    },
    /// Signed in, but not allowed; also for signatures that do not cover the request.
    #[error("{title}")]
    Forbidden {
        /// Stable code.
        code: &'static str,
        /// A sentence for the caller.
        title: &'static str,
    },
    /// Not there, or another tenant's.
    #[error("there is no such {what}")]
    NotFound {
        /// The noun: `camera`, `object`, `page`.
        what: &'static str,
    },
    /// It is in a state that does not allow this.
    #[error("{title}")]
    Conflict {
        /// Stable code.
        code: &'static str,
        /// A sentence for the caller.
        title: String,
    },
    /// Somebody changed it since the revision that the caller has seen.
    #[error("somebody changed it meanwhile: read it again, then repeat the change")]
    Stale,
    /// Too many attempts.
    #[error("too many attempts, wait {retry_after_s} s")]
    TooMany {
        /// Seconds until another attempt is let through.
        retry_after_s: u64,
    },
    /// Signing in with this login failed too often, whether there is such a user or not.
    #[error(
        "signing in failed too often: wait {retry_after_s} s, or ask an administrator to unlock the account"
    )]
    Locked {
        /// Seconds until the next attempt is let through.
        retry_after_s: u64,
    },
    /// Something that this depends on said no, and said why: a camera, a node.
    #[error("{title}")]
    Upstream {
        /// Stable code.
        code: &'static str,
        /// A sentence for the caller.
        title: String,
    },
    /// Something that this depends on is away: try again.
    #[error("{title}")]
    Unavailable {
        /// Stable code.
        code: &'static str,
        /// A sentence for the caller.
        title: String,
        /// For the log.
        #[source]
        source: Option<anyhow::Error>,
    },
    /// A fault of ours.
    #[error("internal error")]
    Internal(#[source] anyhow::Error),
}

impl Error {
    /// A wrong value of a field.
    #[must_use]
    pub fn field(field: &'static str, title: impl Into<String>) -> Self {
        Self::Invalid {
            code: "invalid_field",
            title: title.into(),
            field: Some(field),
        }
    }

    /// A request that is wrong as a whole.
    #[must_use]
    pub fn invalid(code: &'static str, title: impl Into<String>) -> Self {
        Self::Invalid {
            code,
            title: title.into(),
            field: None,
        }
    }

    /// Refuses a change of what the caller has not seen.
    ///
    /// # Errors
    /// [`Error::Stale`] when `seen` is given and is not `revision`.
    pub fn unless_seen(seen: Option<u64>, revision: u64) -> Result<(), Self> {
        if seen.is_none_or(|seen| seen == revision) {
            Ok(())
        } else {
            Err(Self::Stale)
        }
    }

    /// No such thing, or not the caller's.
    #[must_use]
    pub const fn not_found(what: &'static str) -> Self {
        Self::NotFound { what }
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) | StoreError::Fenced(_) => Self::Unavailable {
                code: "database_unavailable",
                title: "the database is not available, try again".to_owned(),
                source: Some(error.into()),
            },
            StoreError::Conflict(_) => Self::Conflict {
                code: "already_exists",
                title: "it is already there".to_owned(),
            },
            StoreError::Broken(_) => Self::Internal(error.into()),
        }
    }
}

impl From<BusError> for Error {
    fn from(error: BusError) -> Self {
        let (code, title) = match &error {
            BusError::Unavailable(_) => ("bus_unavailable", "the message bus is not available, try again"),
            BusError::NodeOffline => (
                "node_offline",
                "the recorder node is not reachable, try again later",
            ),
            BusError::Timeout => ("node_timeout", "the recorder node did not answer in time"),
            BusError::Refused(reply) => {
                return Self::Upstream {
                    code: "node_refused",
                    title: reply.detail.clone(),
                };
            }
            BusError::Garbled(_) => return Self::Internal(error.into()),
        };
        Self::Unavailable {
            code,
            title: title.to_owned(),
            source: Some(error.into()),
        }
    }
}

impl From<ObjectStoreError> for Error {
    fn from(error: ObjectStoreError) -> Self {
        Self::Unavailable {
            code: "object_store_unavailable",
            title: "the object store is not available, try again".to_owned(),
            source: Some(error.into()),
        }
    }
}
