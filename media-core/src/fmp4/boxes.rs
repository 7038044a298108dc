//! Boxes of ISO/IEC 14496-12.
