//! Whole clusters in memory: many machines, a network of queues, one virtual clock, everything from seeds.

mod chaos;
mod failures;
mod joining;
mod messages;
mod ownership;
mod puppet;
mod views;
mod voting;
mod world;
