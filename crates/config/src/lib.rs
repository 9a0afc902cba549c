//! Configuration directives.
