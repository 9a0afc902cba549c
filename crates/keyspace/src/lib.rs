//! The keys of one core.
