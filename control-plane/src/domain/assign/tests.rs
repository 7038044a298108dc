//! Assignment, step by step; the model test is in `model`.
