//! Connection commands, in words. See `docs.rs`.

use super::*;

pub(super) const DOCS: &[Doc] = &[
    doc("auth", "1.0.0", "O(N), N: the passwords of the user", "Identifies the client by a password.")
        .args(&[string("username").since("6.0.0").optional(), string("password")]),
    doc("client", "2.4.0", "By subcommand.", "Groups the commands about client connections."),
    doc("client|getname", "2.6.9", "O(1)", "Tells the name of this connection."),
    doc("client|help", "5.0.0", "O(1)", "Lists the subcommands."),
    doc("client|id", "5.0.0", "O(1)", "Tells the id of this connection."),
    doc("client|info", "6.2.0", "O(1)", "Describes this connection."),
    doc("client|kill", "2.4.0", "O(N), N: connected clients", "Closes connections.").args(&[one_of(
        "filter",
        &[
            string("old-format").shown_as("ip:port").deprecated("2.8.12"),
            one_of(
                "new-format",
                &[
                    integer("client-id").token("ID").since("2.8.12").optional(),
                    one_of(
                        "client-type",
                        &[
                            word("normal", "NORMAL"),
                            word("master", "MASTER").since("3.2.0"),
                            word("slave", "SLAVE"),
                            word("replica", "REPLICA").since("5.0.0"),
                            word("pubsub", "PUBSUB"),
                        ],
                    )
                    .token("TYPE")
                    .since("2.8.12")
                    .optional(),
                    string("username").token("USER").optional(),
                    string("addr").token("ADDR").shown_as("ip:port").optional(),
                    string("laddr").token("LADDR").shown_as("ip:port").since("6.2.0").optional(),
                    one_of("skipme", &[word("yes", "YES"), word("no", "NO")]).token("SKIPME").optional(),
                    integer("maxage").token("MAXAGE").since("8.0.0").optional(),
                ],
            )
            .multiple(),
        ],
    )]),
    doc("client|list", "2.4.0", "O(N), N: connected clients", "Describes connections, a line each.").args(&[
        one_of(
            "client-type",
            &[
                word("normal", "NORMAL"),
                word("master", "MASTER"),
                word("replica", "REPLICA"),
                word("pubsub", "PUBSUB"),
            ],
        )
        .token("TYPE")
        .since("5.0.0")
        .optional(),
        integer("client-id").token("ID").since("6.2.0").optional().multiple(),
    ]),
    doc("client|no-evict", "7.0.0", "O(1)", "Exempts this connection from eviction of clients.")
        .args(&[one_of("enabled", &[word("on", "ON"), word("off", "OFF")])]),
    doc("client|no-touch", "7.2.0", "O(1)", "Lets the commands of this connection leave access times alone.")
        .args(&[one_of("enabled", &[word("on", "ON"), word("off", "OFF")])]),
    doc("client|pause", "3.0.0", "O(1)", "Postpones the commands of all clients for a while.").args(&[
        integer("timeout"),
        one_of("mode", &[word("write", "WRITE"), word("all", "ALL")]).since("6.2.0").optional(),
    ]),
    doc("client|reply", "3.2.0", "O(1)", "Turns the replies of this connection off and on.")
        .args(&[one_of("action", &[word("on", "ON"), word("off", "OFF"), word("skip", "SKIP")])]),
    doc("client|setinfo", "7.2.0", "O(1)", "Tells the server about the library of this client.")
        .args(&[one_of("attr", &[string("libname").token("LIB-NAME"), string("libver").token("LIB-VER")])]),
    doc("client|setname", "2.6.9", "O(1)", "Names this connection.").args(&[string("connection-name")]),
    doc("client|unblock", "5.0.0", "O(log N), N: connected clients", "Ends the wait of a blocked client.")
        .args(&[
            integer("client-id"),
            one_of("unblock-type", &[word("timeout", "TIMEOUT"), word("error", "ERROR")]).optional(),
        ]),
    doc("client|unpause", "6.2.0", "O(N), N: paused clients", "Ends a pause."),
    doc("echo", "1.0.0", "O(1)", "Answers what was sent.").args(&[string("message")]),
    doc("hello", "6.0.0", "O(1)", "Chooses the protocol version and describes the server.").args(&[block(
        "arguments",
        &[
            integer("protover"),
            block("auth", &[string("username"), string("password")]).token("AUTH").optional(),
            string("clientname").token("SETNAME").optional(),
        ],
    )
    .optional()]),
    doc("ping", "1.0.0", "O(1)", "Answers, to show that the server is there.")
        .args(&[string("message").optional()]),
    doc("quit", "1.0.0", "O(1)", "Closes the connection.").deprecated("7.2.0", "just closing the connection"),
    doc("reset", "6.2.0", "O(1)", "Brings the connection back to the state in which it began."),
    doc("select", "1.0.0", "O(1)", "Chooses the database of this connection.").args(&[integer("index")]),
];
