//! What the arguments ask for.
//!
//! A node takes what `redis-server` takes, so that scripts, units and containers need only another name:
//!
//!     ringslot [file] [--directive value ...] [-]
//!     ringslot -v | -h | --check-system
//!
//! Two words as the first argument are our own, and read by clap: `cluster` and `doctor`. (A configuration
//! file of such a name is still read as `./cluster`.)
//!
//! Not here: what directives mean (`config`), and reading anything else than the configuration's files.

use crate::{doctor_report, local_cluster, logging, start};
use clap::{Parser, Subcommand};
use config::{glob, Launch, Sources};
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Ringslot: a Redis-compatible cluster node.

Usage: ringslot [/path/to/ringslot.conf] [--directive value ...] [-]
       ringslot -                    (read the configuration from standard input)
       ringslot cluster [options]    (a cluster on this machine, for trying things out; see cluster --help)
       ringslot doctor [options]     (what this machine lacks for a node, and how to mend it)
       ringslot --check-system       (the same as doctor)
       ringslot -v or --version
       ringslot -h or --help

Examples:
       ringslot                      (default configuration)
       ringslot /etc/ringslot/ringslot.conf
       ringslot --port 7777 --loglevel verbose
       ringslot /etc/ringslot/ringslot.conf --cluster-enabled yes
       echo 'maxclients 100' | ringslot -
";

/// Does what the arguments (without the program's own name) ask for.
pub fn run(args: Vec<OsString>) -> ExitCode {
    let result = match request(&args) {
        Request::Help => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Request::Version => {
            println!("{}", version_line());
            Ok(ExitCode::SUCCESS)
        }
        Request::Refused(why) => {
            eprintln!("{why}");
            Ok(ExitCode::FAILURE)
        }
        Request::Own => own(args),
        Request::Node => node(&args),
    };
    result.unwrap_or_else(|error| {
        // What a node meets after its log is open is in the log already.
        if !logging::tells_stdout() {
            eprintln!("{error}");
        }
        ExitCode::FAILURE
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Request {
    Help,
    Version,
    /// `cluster` or `doctor`.
    Own,
    Node,
    Refused(&'static str),
}

fn request(args: &[OsString]) -> Request {
    if args.iter().any(|arg| arg == "--sentinel") {
        return Request::Refused(
            "Ringslot has no Sentinel mode: its nodes form a cluster, which fails over by itself \
             (cluster-enabled yes). A Redis Sentinel can run beside it.",
        );
    }
    match args.first().and_then(|first| first.to_str()) {
        Some("-h" | "--help") => Request::Help,
        Some("-v" | "--version") => Request::Version,
        Some("cluster" | "doctor" | "--check-system") => Request::Own,
        Some("--test-memory") => Request::Refused(
            "Ringslot does not test memory. Use memtest86+, or memtester on a running system.",
        ),
        _ => Request::Node,
    }
}

/// Test suites and provisioning scripts look for `v=` here, and compare it with versions of Redis.
fn version_line() -> String {
    format!(
        "Ringslot server v={} ringslot={} sha=00000000 bits={} malloc=mimalloc build={:016x}",
        commands::facts::REDIS_VERSION,
        env!("CARGO_PKG_VERSION"),
        usize::BITS,
        build_id(),
    )
}

/// The same for every build of one version: FNV-1a of what the line tells anyway.
fn build_id() -> u64 {
    concat!("ringslot ", env!("CARGO_PKG_VERSION"))
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Runs a node until it is told to stop.
fn node(args: &[OsString]) -> Result<ExitCode, Box<dyn Error>> {
    let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
    let mut launch: Launch = config::from_command_line(&args, &mut Machine)?;
    if args.is_empty() {
        launch.notes.push(
            "Warning: no config file specified, using the default config. In order to specify a config file \
             use ringslot /path/to/ringslot.conf"
                .into(),
        );
    }
    start::serve(launch)?;
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Parser)]
#[command(name = "ringslot", disable_help_subcommand = true)]
struct OwnCommands {
    #[command(subcommand)]
    command: OwnCommand,
}

#[derive(Debug, Subcommand)]
enum OwnCommand {
    /// Run a cluster on this machine in the foreground, for trying things out
    Cluster(local_cluster::Options),
    /// Tell what this machine lacks for a node, and the line that mends it
    Doctor(doctor_report::Options),
}

fn own(mut args: Vec<OsString>) -> Result<ExitCode, Box<dyn Error>> {
    if args[0] == "--check-system" {
        args[0] = "doctor".into();
    }
    let parsed = match OwnCommands::try_parse_from([OsString::from("ringslot")].into_iter().chain(args)) {
        Ok(parsed) => parsed,
        Err(error) => {
            error.print()?;
            return Ok(if error.use_stderr() { ExitCode::FAILURE } else { ExitCode::SUCCESS });
        }
    };
    match parsed.command {
        OwnCommand::Cluster(options) => local_cluster::run(&options),
        OwnCommand::Doctor(options) => doctor_report::run(&options),
    }
}

/// The files and the standard input of this machine.
struct Machine;

impl Sources for Machine {
    fn read_file(&mut self, name: &[u8]) -> Result<Vec<u8>, String> {
        let name = Path::new(OsStr::from_bytes(name));
        if !is_pattern(name.as_os_str()) {
            return std::fs::read(name).map_err(reason);
        }
        let mut text = Vec::new();
        for file in matching_files(name) {
            text.extend(
                std::fs::read(&file).map_err(|error| format!("{}: {}", file.display(), reason(error)))?,
            );
            // A file that ends without a line feed shall not swallow the next one's first line.
            text.push(b'\n');
        }
        Ok(text)
    }

    fn read_stdin(&mut self) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        std::io::stdin().read_to_end(&mut text).map_err(reason)?;
        Ok(text)
    }
}

/// The operating system's words alone, without Rust's "(os error 2)", as Redis prints them.
fn reason(error: std::io::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" (os error ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

fn is_pattern(name: &OsStr) -> bool {
    name.as_bytes().iter().any(|byte| b"*?[".contains(byte))
}

/// The files that match a pattern, sorted; as in a shell, a name that begins with a dot has to be asked for.
fn matching_files(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let part = part.as_os_str();
        if !is_pattern(part) {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        found = found.iter().flat_map(|directory| matching_entries(directory, part.as_bytes())).collect();
    }
    found.retain(|path| path.exists());
    found
}

fn matching_entries(directory: &Path, pattern: &[u8]) -> Vec<PathBuf> {
    let here = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
    let Ok(entries) = std::fs::read_dir(here) else { return Vec::new() };
    let mut names: Vec<Vec<u8>> = entries
        .flatten()
        .map(|entry| entry.file_name().into_vec())
        .filter(|name| name[0] != b'.' || pattern[0] == b'.')
        .filter(|name| glob::matches(pattern, name))
        .collect();
    names.sort();
    names.into_iter().map(|name| directory.join(OsString::from_vec(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(line: &str) -> Request {
        request(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_are_those_of_redis_server_and_two_words() {
        assert_eq!(ask(""), Request::Node);
        assert_eq!(ask("-"), Request::Node);
        assert_eq!(ask("./cluster --port 7000"), Request::Node);
        assert_eq!(ask("--port 7000"), Request::Node);
        assert_eq!(ask("-v"), Request::Version);
        assert_eq!(ask("--version"), Request::Version);
        assert_eq!(ask("--help"), Request::Help);
        assert_eq!(ask("cluster --nodes 6"), Request::Own);
        assert_eq!(ask("--check-system"), Request::Own);
        assert!(matches!(ask("--test-memory 100"), Request::Refused(_)));
        assert!(matches!(ask("a.conf --sentinel"), Request::Refused(_)));
    }

    #[test]
    fn own_commands_hold_together() {
        use clap::CommandFactory;
        OwnCommands::command().debug_assert();
    }

    #[test]
    fn the_version_line_has_the_words_that_scripts_look_for() {
        let line = version_line();
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[2], "v=7.2.4");
        assert!(words[3].starts_with("ringslot="));
        assert!(line.contains(" bits=64 malloc=mimalloc build="));
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn include_patterns_stand_for_files_in_order() {
        let directory = std::env::temp_dir().join(format!("ringslot-include-{}", std::process::id()));
        for name in ["a", "b"] {
            std::fs::create_dir_all(directory.join(name)).expect("a temporary directory");
        }
        for (name, text) in
            [("b/2.conf", "port 2"), ("a/1.conf", "port 1"), ("a/.no.conf", "port 9"), ("a/x", "port 8")]
        {
            std::fs::write(directory.join(name), text).expect("a temporary file");
        }
        let read = |pattern: &str| {
            let pattern = directory.join(pattern);
            Machine
                .read_file(pattern.as_os_str().as_bytes())
                .map(|text| String::from_utf8(text).expect("text"))
        };
        assert_eq!(read("*/*.conf"), Ok("port 1\nport 2\n".into()));
        assert_eq!(read("a/.*.conf"), Ok("port 9\n".into()));
        assert_eq!(read("c/*.conf"), Ok(String::new()));
        assert_eq!(read("c/1.conf"), Err("No such file or directory".into()));
        std::fs::remove_dir_all(&directory).expect("removed");
    }
}
