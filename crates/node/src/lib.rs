//! One node put together, without a socket: cores, their locks and messages, and the control state.
//!
//!     bytes -> core::input -> plan -> execute -> settle -> seal -> bytes
//!                               |-- another core: travel (R8)
//!                               |-- several cores: lease (R5)
//!                               |-- every core: tour (R4)
//!                               '-- the control plane: ask, wait
//!
//! `server` drives it with real rings and clocks, `sim` with simulated ones; neither decides anything.
//! The rules R1..R14 named in comments are those of docs/architecture.md.

pub mod connection;
pub mod core;
pub mod locks;
pub mod log;
pub mod message;
pub mod plan;
mod random;
pub mod waiters;

pub use crate::core::{ControlRequest, Core, FromControl, Output, Setup, ToControl};
pub use commands::Now;
pub use log::Sealed;
pub use message::{ConnId, Message};
pub use random::Random;
