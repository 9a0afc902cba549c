use super::CommandError::{self, *};
use resp::{OwnedBatch, Protocol, Reply};
use slot::Slot;

/// Every line that a refused command can answer.
#[test]
fn every_line_is_redis_s() {
    let slot = Slot::new(3999).expect("a slot");
    let (endpoint, port) = (String::from("127.0.0.1"), 6381);
    let moved = |endpoint: &str| Moved { slot, endpoint: endpoint.into(), port };
    let lines: &[(CommandError, &str)] = &[
        // Values.
        (Syntax, "ERR syntax error"),
        (NotInteger, "ERR value is not an integer or out of range"),
        (NotFloat, "ERR value is not a valid float"),
        (WrongType, "WRONGTYPE Operation against a key holding the wrong kind of value"),
        (NoSuchKey, "ERR no such key"),
        (SameObject, "ERR source and destination objects are the same"),
        (NoSuchDb, "ERR DB index is out of range"),
        (IncrementOverflow, "ERR increment or decrement would overflow"),
        (DecrementOverflow, "ERR decrement would overflow"),
        (NotFinite, "ERR increment would produce NaN or Infinity"),
        (OffsetOutOfRange, "ERR offset is out of range"),
        (StringTooLong, "ERR string exceeds maximum allowed size (proto-max-bulk-len)"),
        (InvalidExpireTime("set"), "ERR invalid expire time in 'set' command"),
        (ExpireNxAndOther, "ERR NX and XX, GT or LT options at the same time are not compatible"),
        (ExpireGtAndLt, "ERR GT and LT options at the same time are not compatible"),
        (InvalidCursor, "ERR invalid cursor"),
        (MoveInCluster, "ERR MOVE is not allowed in cluster mode"),
        (CopyInCluster, "ERR Copying to another database is not allowed in cluster mode"),
        (SwapdbInCluster, "ERR SWAPDB is not allowed in cluster mode"),
        (InvalidFirstDb, "ERR invalid first DB index"),
        (InvalidSecondDb, "ERR invalid second DB index"),
        (LcsNotStrings, "ERR The specified keys must contain string values"),
        (LcsLenAndIdx, "ERR If you want both the length and indexes, please just use IDX."),
        (LcsTooLong, "ERR String too long for LCS"),
        (LcsTooMuchMemory, "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"),
        (
            IdleTimeUnderLfu,
            "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching \
             between policies at runtime LRU and LFU data will take some time to adjust.",
        ),
        (
            FreqWithoutLfu,
            "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when \
             switching between policies at runtime LRU and LFU data will take some time to adjust.",
        ),
        (CommandError::unsupported_option(b"FOO"), "ERR Unsupported option FOO"),
        (
            CommandError::not_between(0, 15),
            "ERR value is out of range, value must between 0 and 15", // sic
        ),
        // Gates.
        (WrongArity("config|get"), "ERR wrong number of arguments for 'config|get' command"),
        (
            CommandError::unknown_subcommand("config", b"foo"),
            "ERR unknown subcommand 'foo'. Try CONFIG HELP.",
        ),
        (
            CommandError::unknown_or_arity("DEBUG", b"foo"),
            "ERR unknown subcommand or wrong number of arguments for 'foo'. Try DEBUG HELP.",
        ),
        (NoAuth, "NOAUTH Authentication required."),
        (moved("127.0.0.1"), "MOVED 3999 127.0.0.1:6381"),
        (moved(""), "MOVED 3999 :6381"),
        (moved("?"), "MOVED 3999 ?:6381"),
        (Ask { slot, endpoint, port }, "ASK 3999 127.0.0.1:6381"),
        (CrossSlot, "CROSSSLOT Keys in request don't hash to the same slot"),
        (TryAgain, "TRYAGAIN Multiple keys request during rehashing of slot"),
        (ClusterDown, "CLUSTERDOWN The cluster is down"),
        (ClusterDownReadsOnly, "CLUSTERDOWN The cluster is down and only accepts read commands"),
        (SlotNotServed, "CLUSTERDOWN Hash slot not served"),
        (OutOfMemory, "OOM command not allowed when used memory > 'maxmemory'."),
        (ReadOnly, "READONLY You can't write against a read only replica."),
        (Loading, "LOADING Redis is loading the dataset in memory"),
        // Connections.
        (MaxClients, "ERR max number of clients reached"),
        (MaxClientsAndLinks, "ERR max number of clients + cluster connections reached"),
        (
            ProtectedMode,
            "DENIED Redis is running in protected mode because protected mode is enabled and no password is \
             set for the default user. In this mode connections are only accepted from the loopback \
             interface. If you want to connect from external computers to Redis you may adopt one of the \
             following solutions: 1) Just disable protected mode sending the command 'CONFIG SET \
             protected-mode no' from the loopback interface by connecting to Redis from the same host the \
             server is running, however MAKE SURE Redis is not publicly accessible from internet if you do \
             so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the \
             protected mode by editing the Redis configuration file, and setting the protected mode option \
             to 'no', and then restarting the server. 3) If you started the server manually just for \
             testing, restart it with the '--protected-mode no' option. 4) Set up an authentication password \
             for the default user. NOTE: You only need to do one of the above things in order for the server \
             to start accepting connections from the outside.",
        ),
        (
            CommandError::no_password_is_set(),
            "ERR AUTH <password> called without any password configured for the default user. Are you sure \
             your configuration is correct?",
        ),
        (
            CommandError::wrong_password(),
            "WRONGPASS invalid username-password pair or user is disabled.",
        ),
        (CommandError::protocol_not_integer(), "ERR Protocol version is not an integer or out of range"),
        (CommandError::unknown_protocol(), "NOPROTO unsupported protocol version"),
        (CommandError::hello_option(b"FOO"), "ERR Syntax error in HELLO option 'FOO'"),
        (
            CommandError::hello_before_auth(),
            "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> \
             AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol \
             version at the same time",
        ),
        (CommandError::select_in_cluster(), "ERR SELECT is not allowed in cluster mode"),
        (
            CommandError::bad_client_name(),
            "ERR Client names cannot contain spaces, newlines or special characters.",
        ),
        (
            CommandError::bad_client_info(b"lib-name"),
            "ERR lib-name cannot contain spaces, newlines or special characters.",
        ),
        (CommandError::unknown_client_info(b"foo"), "ERR Unrecognized option 'foo'"),
        (CommandError::bad_client_id(), "ERR Invalid client ID"),
        (CommandError::client_id_not_positive(), "ERR client-id should be greater than 0"),
        (CommandError::maxage_not_integer(), "ERR maxage is not an integer or out of range"),
        (CommandError::maxage_not_positive(), "ERR maxage should be greater than 0"),
        (CommandError::unknown_client_type(b"foo"), "ERR Unknown client type 'foo'"),
        (CommandError::no_such_user(b"foo"), "ERR No such user 'foo'"),
        (CommandError::no_such_client(), "ERR No such client"),
        (CommandError::bad_pause_mode(), "ERR CLIENT PAUSE mode must be WRITE or ALL"),
        (CommandError::bad_unblock_reason(), "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR"),
        (CommandError::timeout_not_integer(), "ERR timeout is not an integer or out of range"),
        (CommandError::timeout_negative(), "ERR timeout is negative"),
        (CommandError::timeout_out_of_range(), "ERR timeout is out of range"),
        // The server.
        (CommandError::no_shutdown(), "ERR No shutdown in progress."),
        (CommandError::no_config_file(), "ERR The server is running without a config file"),
        (
            CommandError::config_set(&config::SetError::Unknown("foo".into())),
            "ERR Unknown option or number of arguments for CONFIG SET - 'foo'",
        ),
        (
            CommandError::config_set(&config::SetError::Failed { name: "port".into(), why: "why".into() }),
            "ERR CONFIG SET failed (possibly related to argument 'port') - why",
        ),
        (
            CommandError::config_set(&config::SetError::Loading),
            "LOADING Redis is loading the dataset in memory",
        ),
        (
            CommandError::debug_not_allowed(),
            "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can \
             run it from a local connection, otherwise you need to set this option in the configuration file, \
             and then restart the server.",
        ),
        (CommandError::getkeys_unknown(), "ERR Invalid command specified"),
        (CommandError::getkeys_without_keys(), "ERR The command has no key arguments"),
        (CommandError::getkeys_arity(), "ERR Invalid number of arguments specified for command"),
        (CommandError::getkeys_arguments(), "ERR Invalid arguments specified for command"),
        // The cluster. What `cluster` refuses is worded and listed there.
        (CommandError::not_a_cluster(), "ERR This instance has cluster support disabled"),
        (CommandError::bad_slot(), "ERR Invalid or out of range slot"),
        (CommandError::bad_slot_to_count(), "ERR Invalid slot"),
        (CommandError::bad_slot_or_count(), "ERR Invalid slot or number of keys"),
        (CommandError::bad_base_port(b"x"), "ERR Invalid base port specified: x"),
        (CommandError::bad_bus_port(b"x"), "ERR Invalid bus port specified: x"),
    ];
    for (error, line) in lines {
        assert_eq!(error.to_string(), *line);
        let mut reply = Reply::new(Protocol::Resp2);
        error.write(&mut reply);
        assert_eq!(reply.to_vec(), format!("-{line}\r\n").as_bytes());
        assert_eq!(error.code(), line[..line.find(' ').expect("a code and a text")]);
    }
}

fn unknown(words: &[&[u8]]) -> String {
    CommandError::unknown_command(OwnedBatch::of(words).args(0)).to_string()
}

/// What a client sent is quoted, but not all of it, and never so that it could be taken for a reply.
#[test]
fn unknown_commands_are_quoted_in_part() {
    let begin = "ERR unknown command ";
    assert_eq!(unknown(&[b"foo"]), format!("{begin}'foo', with args beginning with: "));
    assert_eq!(unknown(&[b"foo", b"a", b""]), format!("{begin}'foo', with args beginning with: 'a' '' "));
    assert_eq!(unknown(&[b"foo\0bar", b"a\0b"]), format!("{begin}'foo', with args beginning with: 'a' "));
    let (long, cut) = ("x".repeat(300), "x".repeat(128));
    assert_eq!(
        unknown(&[long.as_bytes(), long.as_bytes(), b"y"]),
        format!("{begin}'{cut}', with args beginning with: '{cut}' ")
    );
    // 100 bytes and their quotes leave 25.
    let hundred = "x".repeat(100);
    assert_eq!(
        unknown(&[b"foo", hundred.as_bytes(), long.as_bytes(), b"y"]),
        format!("{begin}'foo', with args beginning with: '{hundred}' '{}' ", "x".repeat(25))
    );
    let long = CommandError::unknown_subcommand("client", long.as_bytes()).to_string();
    assert_eq!(long, format!("ERR unknown subcommand '{cut}'. Try CLIENT HELP."));
    let mut reply = Reply::new(Protocol::Resp2);
    let words: &[&[u8]] = &[b"a\r\nb", b"\xff\n+OK\r\n"];
    CommandError::unknown_command(OwnedBatch::of(words).args(0)).write(&mut reply);
    assert_eq!(reply.to_vec(), b"-ERR unknown command 'a  b', with args beginning with: '\xff +OK  ' \r\n");
}
