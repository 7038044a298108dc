//! Bits of a parameter set.
