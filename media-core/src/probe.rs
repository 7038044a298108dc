//! The probe: what a camera sends, seen from a few seconds of it.
