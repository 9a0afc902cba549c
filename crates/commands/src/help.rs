//! What HELP of a container answers: a heading, the lines of its subcommands, and HELP itself.

use resp::Reply;

/// Writes the help of `container`, a command in capitals.
pub(crate) fn write(reply: &mut Reply, container: &str, lines: &[&str]) {
    reply.array(lines.len() + 3);
    reply.simple(&format!("{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
    for line in lines {
        reply.simple(line);
    }
    // The first word of the last pair is what clients and tests look for.
    reply.simple("HELP");
    reply.simple("    Print this help.");
}
