//! What a client is told when a command is refused. Every text stands here and nowhere else.
//!
//! The texts are those of Redis 7.2.4, byte for byte, because clients compare them: their first word
//! (the code) decides what a client does, and some look for whole sentences. Where 7.0.15 says
//! something else, the variant says so.
//!
//! A variant carries facts; [`CommandError::text`] makes the words. What a client sent is quoted as
//! bytes, since it need not be UTF-8; `Reply::error_bytes` turns line ends in it into blanks, as Redis
//! does, so that it cannot forge a reply.
//!
//! Here are the gates and the key commands; `error/server.rs` has those of connections, the server and
//! the cluster; protocol errors are `resp`'s.

mod bitmap;
mod blocking;
mod dump;
mod geo;
mod hash;
mod list;
mod server;
mod set;
mod sort;
mod sorted_set;
mod stream;

use resp::{Args, Reply};
use std::borrow::Cow;
use std::fmt;

/// Why a command was refused. `Display` gives the reply without its leading `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandError {
    // Of values.
    /// An option that does not exist, is misplaced, or contradicts another.
    Syntax,
    /// An argument or a value is no integer, or does not fit in 64 bits.
    NotInteger,
    /// An argument or a value is no float.
    NotFloat,
    /// The key holds another type.
    WrongType,
    /// There is no such key.
    NoSuchKey,
    /// COPY or MOVE onto itself.
    SameObject,
    /// The database does not exist.
    NoSuchDb,
    /// INCR and its like leave the 64 bits.
    IncrementOverflow,
    /// DECRBY by the smallest integer.
    DecrementOverflow,
    /// INCRBYFLOAT leaves the floats.
    NotFinite,
    /// SETRANGE below zero.
    OffsetOutOfRange,
    /// APPEND or SETRANGE above `proto-max-bulk-len`.
    StringTooLong,
    /// An expiry that is not positive, or too far away, for this command.
    InvalidExpireTime(&'static str),
    /// EXPIRE NX together with another.
    ExpireNxAndOther,
    /// EXPIRE GT LT.
    ExpireGtAndLt,
    /// SCAN with a cursor that is no number.
    InvalidCursor,
    /// MOVE in a cluster.
    MoveInCluster,
    /// COPY DB in a cluster.
    CopyInCluster,
    /// SWAPDB in a cluster.
    SwapdbInCluster,
    /// SWAPDB, first argument.
    InvalidFirstDb,
    /// SWAPDB, second argument.
    InvalidSecondDb,
    /// LCS of what are not strings.
    LcsNotStrings,
    /// LCS LEN IDX.
    LcsLenAndIdx,
    /// LCS of 4 GiB and more.
    LcsTooLong,
    /// LCS that needs more than `proto-max-bulk-len`.
    LcsTooMuchMemory,
    /// OBJECT IDLETIME under an LFU policy.
    IdleTimeUnderLfu,
    /// OBJECT FREQ without an LFU policy.
    FreqWithoutLfu,

    // Of gates, in the order in which they are asked.
    /// The command does not take so many arguments; its name, `container|sub` for subcommands.
    WrongArity(&'static str),
    /// The client must authenticate first.
    NoAuth,
    /// Another node has the slot.
    Moved {
        /// The slot.
        slot: slot::Slot,
        /// The address of the node that has it; may be empty or `?`.
        endpoint: String,
        /// Its port.
        port: u16,
    },
    /// Another node has the slot, for this command only.
    Ask {
        /// The slot.
        slot: slot::Slot,
        /// The address of the node that imports it.
        endpoint: String,
        /// Its port.
        port: u16,
    },
    /// Keys of several slots.
    CrossSlot,
    /// Some of the keys have moved to another node, others have not.
    TryAgain,
    /// The cluster is down.
    ClusterDown,
    /// The cluster is down, and this command writes.
    ClusterDownReadsOnly,
    /// No node has the slot.
    SlotNotServed,
    /// No memory is left, and the command may need some.
    OutOfMemory,
    /// A replica takes no writes.
    ReadOnly,
    /// The data is not loaded yet.
    Loading,

    // Of connections.
    /// All places are taken.
    MaxClients,
    /// All places are taken; said in a cluster, whose links take places, too.
    MaxClientsAndLinks,
    /// Protected mode turns a foreign client away.
    ProtectedMode,

    /// Any other text, whole, with its code.
    Text(Cow<'static, str>),
    /// As `Text`, with bytes of a client in it.
    Bytes(Vec<u8>),
}

/// Redis quotes this many bytes of what it does not know.
const QUOTED: usize = 128;

impl From<keyspace::WrongType> for CommandError {
    fn from(_: keyspace::WrongType) -> CommandError {
        CommandError::WrongType
    }
}

impl CommandError {
    /// No command has this name.
    #[cold]
    pub fn unknown_command(args: Args<'_>) -> CommandError {
        let mut quoted = Vec::new();
        for arg in args.iter().skip(1) {
            if quoted.len() >= QUOTED {
                break;
            }
            let room = QUOTED - quoted.len();
            quoted.push(b'\'');
            quoted.extend_from_slice(first_bytes(arg, room));
            quoted.extend_from_slice(b"' ");
        }
        let name = first_bytes(args.get(0), QUOTED);
        CommandError::Bytes(
            [b"ERR unknown command '", name, b"', with args beginning with: ", &quoted].concat(),
        )
    }

    /// The container has no subcommand of this name.
    #[cold]
    pub fn unknown_subcommand(container: &str, sub: &[u8]) -> CommandError {
        let container = container.to_ascii_uppercase();
        let sub = first_bytes(sub, QUOTED);
        CommandError::Bytes(
            [b"ERR unknown subcommand '", sub, b"'. Try ", container.as_bytes(), b" HELP."].concat(),
        )
    }

    /// EXPIRE does not know this option.
    pub fn unsupported_option(option: &[u8]) -> CommandError {
        CommandError::Bytes([b"ERR Unsupported option ", first_bytes(option, usize::MAX)].concat())
    }

    /// Says it.
    #[cold]
    pub fn write(&self, reply: &mut Reply) {
        reply.error_bytes(&self.text());
    }

    /// The code: the first word, by which INFO errorstats counts.
    pub fn code(&self) -> String {
        let text = self.text();
        let code = text.split(|&byte| byte == b' ').next().unwrap_or_default();
        String::from_utf8_lossy(code).into_owned()
    }

    /// The reply without its leading `-`.
    pub fn text(&self) -> Cow<'_, [u8]> {
        use CommandError::*;
        let fixed = match self {
            Syntax => "ERR syntax error",
            NotInteger => "ERR value is not an integer or out of range",
            NotFloat => "ERR value is not a valid float",
            WrongType => "WRONGTYPE Operation against a key holding the wrong kind of value",
            NoSuchKey => "ERR no such key",
            SameObject => "ERR source and destination objects are the same",
            NoSuchDb => "ERR DB index is out of range",
            IncrementOverflow => "ERR increment or decrement would overflow",
            DecrementOverflow => "ERR decrement would overflow",
            NotFinite => "ERR increment would produce NaN or Infinity",
            OffsetOutOfRange => "ERR offset is out of range",
            StringTooLong => "ERR string exceeds maximum allowed size (proto-max-bulk-len)",
            InvalidExpireTime(name) => return made(format!("ERR invalid expire time in '{name}' command")),
            ExpireNxAndOther => "ERR NX and XX, GT or LT options at the same time are not compatible",
            ExpireGtAndLt => "ERR GT and LT options at the same time are not compatible",
            InvalidCursor => "ERR invalid cursor",
            MoveInCluster => "ERR MOVE is not allowed in cluster mode",
            CopyInCluster => "ERR Copying to another database is not allowed in cluster mode",
            SwapdbInCluster => "ERR SWAPDB is not allowed in cluster mode",
            InvalidFirstDb => "ERR invalid first DB index",
            InvalidSecondDb => "ERR invalid second DB index",
            LcsNotStrings => "ERR The specified keys must contain string values",
            LcsLenAndIdx => "ERR If you want both the length and indexes, please just use IDX.",
            LcsTooLong => "ERR String too long for LCS",
            LcsTooMuchMemory => {
                "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
            }
            IdleTimeUnderLfu => {
                "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when \
                 switching between policies at runtime LRU and LFU data will take some time to adjust."
            }
            FreqWithoutLfu => {
                "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note \
                 that when switching between policies at runtime LRU and LFU data will take some time to \
                 adjust."
            }
            WrongArity(name) => return made(format!("ERR wrong number of arguments for '{name}' command")),
            NoAuth => "NOAUTH Authentication required.",
            Moved { slot, endpoint, port } => return made(format!("MOVED {slot} {endpoint}:{port}")),
            Ask { slot, endpoint, port } => return made(format!("ASK {slot} {endpoint}:{port}")),
            CrossSlot => "CROSSSLOT Keys in request don't hash to the same slot",
            TryAgain => "TRYAGAIN Multiple keys request during rehashing of slot",
            ClusterDown => "CLUSTERDOWN The cluster is down",
            ClusterDownReadsOnly => "CLUSTERDOWN The cluster is down and only accepts read commands",
            SlotNotServed => "CLUSTERDOWN Hash slot not served",
            OutOfMemory => "OOM command not allowed when used memory > 'maxmemory'.",
            ReadOnly => "READONLY You can't write against a read only replica.",
            Loading => "LOADING Redis is loading the dataset in memory",
            MaxClients => "ERR max number of clients reached",
            MaxClientsAndLinks => "ERR max number of clients + cluster connections reached",
            ProtectedMode => {
                "DENIED Redis is running in protected mode because protected mode is enabled and no \
                 password is set for the default user. In this mode connections are only accepted from \
                 the loopback interface. If you want to connect from external computers to Redis you may \
                 adopt one of the following solutions: 1) Just disable protected mode sending the command \
                 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from \
                 the same host the server is running, however MAKE SURE Redis is not publicly accessible \
                 from internet if you do so. Use CONFIG REWRITE to make this change permanent. 2) \
                 Alternatively you can just disable the protected mode by editing the Redis configuration \
                 file, and setting the protected mode option to 'no', and then restarting the server. 3) \
                 If you started the server manually just for testing, restart it with the \
                 '--protected-mode no' option. 4) Set up an authentication password for the default user. \
                 NOTE: You only need to do one of the above things in order for the server to start \
                 accepting connections from the outside."
            }
            Text(text) => return Cow::Borrowed(text.as_bytes()),
            Bytes(text) => return Cow::Borrowed(text),
        };
        Cow::Borrowed(fixed.as_bytes())
    }
}

fn made(text: String) -> Cow<'static, [u8]> {
    Cow::Owned(text.into_bytes())
}

/// What C's `%.*s` prints: no more than so many bytes, and none from the first zero byte on.
fn first_bytes(bytes: &[u8], most: usize) -> &[u8] {
    let end = bytes.iter().take(most).position(|&byte| byte == 0);
    &bytes[..end.unwrap_or(bytes.len().min(most))]
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.text()))
    }
}

impl std::error::Error for CommandError {}

#[cfg(test)]
mod tests;
