//! Threads, rings, files and timers.
