//! The cluster, sans I/O.
