//! The refusals of the connection, server and cluster commands, in Redis's words.

use super::{first_bytes, CommandError};
use std::borrow::Cow;

fn fixed(text: &'static str) -> CommandError {
    CommandError::Text(Cow::Borrowed(text))
}

fn made(text: String) -> CommandError {
    CommandError::Text(Cow::Owned(text))
}

/// A text that quotes what a client sent, as C prints it.
fn quoting(before: &str, quoted: &[u8], after: &str) -> CommandError {
    CommandError::Bytes([before.as_bytes(), first_bytes(quoted, usize::MAX), after.as_bytes()].concat())
}

impl CommandError {
    /// As [`CommandError::NotInteger`], for integers that also have bounds.
    pub fn not_between(low: i64, high: i64) -> CommandError {
        made(format!("ERR value is out of range, value must between {low} and {high}"))
    }

    /// A command that takes its subcommands apart itself does not know this one in this form.
    pub fn unknown_or_arity(container: &str, sub: &[u8]) -> CommandError {
        let after = format!("'. Try {container} HELP.");
        let sub = first_bytes(sub, super::QUOTED);
        quoting("ERR unknown subcommand or wrong number of arguments for '", sub, &after)
    }

    /// FUNCTION FLUSH with a third word that is no option.
    pub fn function_flush_option() -> CommandError {
        fixed("ERR FUNCTION FLUSH only supports SYNC|ASYNC option")
    }

    /// SCRIPT FLUSH with words that are no option.
    pub fn script_flush_option() -> CommandError {
        fixed("ERR SCRIPT FLUSH only support SYNC|ASYNC option")
    }

    // Connections.

    /// AUTH with a password alone, and nobody has set one.
    pub fn no_password_is_set() -> CommandError {
        fixed(
            "ERR AUTH <password> called without any password configured for the default user. \
             Are you sure your configuration is correct?",
        )
    }

    /// AUTH and HELLO AUTH.
    pub fn wrong_password() -> CommandError {
        fixed("WRONGPASS invalid username-password pair or user is disabled.")
    }

    /// HELLO with a version that is no number.
    pub fn protocol_not_integer() -> CommandError {
        fixed("ERR Protocol version is not an integer or out of range")
    }

    /// HELLO with a version that does not exist.
    pub fn unknown_protocol() -> CommandError {
        fixed("NOPROTO unsupported protocol version")
    }

    /// HELLO with an unknown option, or one that lacks its value.
    pub fn hello_option(option: &[u8]) -> CommandError {
        quoting("ERR Syntax error in HELLO option '", option, "'")
    }

    /// HELLO before AUTH.
    pub fn hello_before_auth() -> CommandError {
        fixed(
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> \
             AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol \
             version at the same time",
        )
    }

    /// SELECT of another database than 0 in a cluster.
    pub fn select_in_cluster() -> CommandError {
        fixed("ERR SELECT is not allowed in cluster mode")
    }

    /// A cluster command on a node that is in none.
    pub fn not_a_cluster() -> CommandError {
        fixed("ERR This instance has cluster support disabled")
    }

    // CLIENT.

    /// CLIENT SETNAME and HELLO SETNAME.
    pub fn bad_client_name() -> CommandError {
        fixed("ERR Client names cannot contain spaces, newlines or special characters.")
    }

    /// CLIENT SETINFO with a value that would break CLIENT LIST.
    pub fn bad_client_info(option: &[u8]) -> CommandError {
        quoting("ERR ", option, " cannot contain spaces, newlines or special characters.")
    }

    /// CLIENT SETINFO with an unknown option.
    pub fn unknown_client_info(option: &[u8]) -> CommandError {
        quoting("ERR Unrecognized option '", option, "'")
    }

    /// CLIENT LIST ID.
    pub fn bad_client_id() -> CommandError {
        fixed("ERR Invalid client ID")
    }

    /// CLIENT KILL ID.
    pub fn client_id_not_positive() -> CommandError {
        fixed("ERR client-id should be greater than 0")
    }

    /// CLIENT KILL MAXAGE with what is no number.
    pub fn maxage_not_integer() -> CommandError {
        fixed("ERR maxage is not an integer or out of range")
    }

    /// CLIENT KILL MAXAGE with zero or less.
    pub fn maxage_not_positive() -> CommandError {
        fixed("ERR maxage should be greater than 0")
    }

    /// CLIENT LIST and KILL TYPE.
    pub fn unknown_client_type(word: &[u8]) -> CommandError {
        quoting("ERR Unknown client type '", word, "'")
    }

    /// CLIENT KILL USER.
    pub fn no_such_user(user: &[u8]) -> CommandError {
        quoting("ERR No such user '", user, "'")
    }

    /// CLIENT KILL with an address alone.
    pub fn no_such_client() -> CommandError {
        fixed("ERR No such client")
    }

    /// CLIENT PAUSE with a third argument that is neither.
    pub fn bad_pause_mode() -> CommandError {
        fixed("ERR CLIENT PAUSE mode must be WRITE or ALL")
    }

    /// CLIENT UNBLOCK with a reason that is neither.
    pub fn bad_unblock_reason() -> CommandError {
        fixed("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
    }

    /// A time to wait that is no number of milliseconds.
    pub fn timeout_not_integer() -> CommandError {
        fixed("ERR timeout is not an integer or out of range")
    }

    /// A time to wait below zero.
    pub fn timeout_negative() -> CommandError {
        fixed("ERR timeout is negative")
    }

    /// A time to wait that would end beyond the end of time.
    pub fn timeout_out_of_range() -> CommandError {
        fixed("ERR timeout is out of range")
    }

    // Server.

    /// SHUTDOWN ABORT when nothing is to be aborted.
    pub fn no_shutdown() -> CommandError {
        fixed("ERR No shutdown in progress.")
    }

    /// CONFIG SET was refused by the configuration.
    pub fn config_set(error: &config::SetError) -> CommandError {
        match error {
            config::SetError::Loading => made(error.to_string()),
            config::SetError::Unknown(name) => {
                let before = "ERR Unknown option or number of arguments for CONFIG SET - '";
                quoting(before, name.as_bytes(), "'")
            }
            _ => made(format!("ERR {error}")),
        }
    }

    /// CONFIG REWRITE without a file.
    pub fn no_config_file() -> CommandError {
        fixed("ERR The server is running without a config file")
    }

    /// DEBUG where `enable-debug-command` does not let this client use it.
    pub fn debug_not_allowed() -> CommandError {
        fixed(
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you \
             can run it from a local connection, otherwise you need to set this option in the \
             configuration file, and then restart the server.",
        )
    }

    /// COMMAND GETKEYS of what is no command.
    pub fn getkeys_unknown() -> CommandError {
        fixed("ERR Invalid command specified")
    }

    /// COMMAND GETKEYS of a command without keys.
    pub fn getkeys_without_keys() -> CommandError {
        fixed("ERR The command has no key arguments")
    }

    /// COMMAND GETKEYS with too few or too many arguments.
    pub fn getkeys_arity() -> CommandError {
        fixed("ERR Invalid number of arguments specified for command")
    }

    /// COMMAND GETKEYS of arguments in which the keys cannot be found.
    pub fn getkeys_arguments() -> CommandError {
        fixed("ERR Invalid arguments specified for command")
    }

    // CLUSTER. What the cluster itself refuses is worded by `cluster::ClusterError`.

    /// A verb of the cluster was refused. What it quotes ends at a zero byte, as in C.
    pub fn cluster(error: &cluster::ClusterError) -> CommandError {
        quoting("ERR ", error.to_string().as_bytes(), "")
    }

    /// A slot argument that is no slot.
    pub fn bad_slot() -> CommandError {
        CommandError::cluster(&cluster::ClusterError::InvalidSlot)
    }

    /// CLUSTER COUNTKEYSINSLOT.
    pub fn bad_slot_to_count() -> CommandError {
        fixed("ERR Invalid slot")
    }

    /// CLUSTER GETKEYSINSLOT.
    pub fn bad_slot_or_count() -> CommandError {
        fixed("ERR Invalid slot or number of keys")
    }

    /// CLUSTER MEET with a port that is no number.
    pub fn bad_base_port(port: &[u8]) -> CommandError {
        quoting("ERR Invalid base port specified: ", port, "")
    }

    /// CLUSTER MEET with a bus port that is no number.
    pub fn bad_bus_port(port: &[u8]) -> CommandError {
        quoting("ERR Invalid bus port specified: ", port, "")
    }
}
