//! Part of the clock.
