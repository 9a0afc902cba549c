//! What a client is told when a command is refused. Every text stands here and nowhere else.

use std::borrow::Cow;

/// Why a command was refused. `Display` gives the reply without its leading `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// `ERR syntax error`
    Syntax,
    /// `ERR value is not an integer or out of range`
    NotInteger,
    /// `WRONGTYPE ...`
    WrongType,
    /// Any other text, whole, with its code.
    Text(Cow<'static, str>),
}
