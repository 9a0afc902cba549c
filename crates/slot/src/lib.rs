//! Hash slots.
