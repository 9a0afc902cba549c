//! One node, sans I/O.
