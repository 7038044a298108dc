//! Signing in and out.

/// Lets few sign-in attempts through.
#[derive(Debug, Default)]
pub struct Limiter;
