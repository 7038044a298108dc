//! What holds of every plan.

use super::*;
