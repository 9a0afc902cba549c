use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

struct NoFiles;

impl Sources for NoFiles {
    fn read_file(&mut self, _: &[u8]) -> Result<Vec<u8>, String> {
        Err("No such file or directory".to_string())
    }
    fn read_stdin(&mut self) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }
}

#[derive(Default)]
struct Files(BTreeMap<&'static str, &'static str>);

impl Sources for Files {
    fn read_file(&mut self, name: &[u8]) -> Result<Vec<u8>, String> {
        let text = std::str::from_utf8(name).ok().and_then(|name| self.0.get(name));
        text.map(|text| text.as_bytes().to_vec()).ok_or("No such file or directory".to_string())
    }
    fn read_stdin(&mut self) -> Result<Vec<u8>, String> {
        self.read_file(b"-")
    }
}

fn load(text: &str) -> Result<Config, String> {
    let mut loader = Loader::default();
    loader.load(text.as_bytes(), &mut NoFiles).map_err(|error| error.to_string())?;
    loader.finish().map(|(config, _)| config).map_err(|error| error.to_string())
}

fn launch(args: &[&str]) -> Config {
    from_command_line(args, &mut NoFiles).expect("a good command line").config
}

fn show(config: &Config, name: &str) -> String {
    let id = Id::find(name.as_bytes()).expect("a known name");
    String::from_utf8(config.show(id)).expect("UTF-8")
}

fn set(config: &mut Config, pairs: &[(&str, &str)]) -> Result<Changed, String> {
    config.set(pairs, SetContext::default()).map_err(|error| error.to_string())
}

/// The text after "possibly related to argument '...') - ", or what else came of it.
fn refusal(name: &str, value: &str) -> String {
    let refused = set(&mut Config::default(), &[(name, value)]);
    let prefix = format!("CONFIG SET failed (possibly related to argument '{name}') - ");
    match refused {
        Ok(_) => "accepted".to_string(),
        Err(error) => error.strip_prefix(&prefix).unwrap_or(&error).to_string(),
    }
}

#[test]
fn numbers_stay_within_their_types() {
    Config::assert_numbers_fit();
}

#[test]
fn names_are_found_once_and_in_lower_case() {
    let mut names = std::collections::HashSet::new();
    for directive in TABLE {
        for name in [Some(directive.name), directive.alias].into_iter().flatten() {
            assert!(names.insert(name), "{name} twice");
            assert_eq!(name, name.to_ascii_lowercase());
            assert!(Id::find(name.to_ascii_uppercase().as_bytes()).is_some(), "{name}");
        }
    }
}

#[test]
fn names_and_defaults_are_those_of_redis() {
    // What 7.2 or Ringslot has and 7.0 has not.
    const NEW: [&str; 7] = [
        "cluster-allow-cross-slot",
        "cluster-announce-human-nodename",
        "cluster-core-ports",
        "cores",
        "locale-collate",
        "set-max-listpack-entries",
        "set-max-listpack-value",
    ];
    // Shown there, hidden since.
    const HIDDEN_SINCE: [&str; 1] = ["aof-disable-auto-gc"];
    // Given on that server's command line, or told by the shell.
    const OTHER_VALUE: [&str; 2] = ["dir", "port"];
    let expected: BTreeMap<String, String> = include_str!("../tests/data/redis-7.0.15-config-get")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once(' ').unwrap_or((line, "")))
        .map(|(name, value)| (name.to_string(), value.to_string()))
        .collect();
    let mut ours: BTreeMap<String, String> = Config::default()
        .get(&["*"])
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8(value).expect("UTF-8")))
        .collect();
    for name in NEW {
        assert!(ours.remove(name).is_some(), "{name}");
    }
    for (name, value) in expected.iter().filter(|(name, _)| !HIDDEN_SINCE.contains(&name.as_str())) {
        let our_value = ours.remove(name).unwrap_or_else(|| panic!("{name} is missing"));
        assert!(our_value == *value || OTHER_VALUE.contains(&name.as_str()), "{name}: {our_value} {value}");
    }
    assert!(ours.is_empty(), "not in Redis: {ours:?}");
}

#[test]
fn what_is_shown_reads_back_as_itself() {
    let default = Config::default();
    for id in Id::ALL.iter().copied() {
        let mut config = Config::default();
        let shown = config.show(id);
        match config.parse_live(id, &shown) {
            Ok(value) => config.values[id as usize] = value,
            // There is no way to say "not replicated" by an empty text.
            Err(_) => assert_eq!(id, Id::Replicaof),
        }
        assert_eq!(config, default, "{}", id.name());
    }
}

#[test]
fn get_takes_patterns_and_names_in_any_case() {
    let config = Config::default();
    let names = |patterns: &[&str]| -> Vec<String> {
        config.get(patterns).into_iter().map(|(name, _)| name).collect()
    };
    assert_eq!(names(&["PORT"]), ["PORT"]);
    assert_eq!(names(&["por[t]"]), ["port"]);
    assert_eq!(names(&["MAXMEMORY*"]).len(), 5);
    assert_eq!(
        names(&["*ziplist-entries", "save", "s?ve"]).as_slice(),
        ["hash-max-ziplist-entries", "save", "zset-max-ziplist-entries"]
    );
    assert_eq!(names(&["replicaof", "slaveof"]), ["replicaof", "slaveof"]);
    assert_eq!(names(&["no-such", "\\port"]), [""; 0]);
    // Hidden ones answer to their full name only.
    assert_eq!(names(&["cluster-ping*"]), [""; 0]);
    assert_eq!(names(&["cluster-ping-interval"]), ["cluster-ping-interval"]);
    let all = config.get(&["*"]);
    assert!(all.is_sorted());
}

#[test]
fn set_words_its_refusals_as_redis_does() {
    let integer = "argument couldn't be parsed into an integer";
    let cases = [
        ("appendonly", "maybe", "argument must be 'yes' or 'no'"),
        ("port", "65536", "argument must be between 0 and 65535 inclusive"),
        ("port", "-1", "argument must be between 0 and 65535 inclusive"),
        ("maxclients", "0", "argument must be between 1 and 4294967295 inclusive"),
        ("timeout", "1x", integer),
        ("timeout", "", integer),
        ("timeout", "+1", integer),
        ("timeout", "01", integer),
        ("timeout", "99999999999999999999", integer),
        ("maxmemory", "1tb", "argument must be a memory value"),
        ("maxmemory", "-1", "argument must be a memory value"),
        ("maxmemory-clients", "x%", "argument must be a memory or percent value"),
        ("maxmemory-clients", "101%", "percentage argument must be less or equal to 100"),
        ("proto-max-bulk-len", "1000", "argument must be between 1048576 and 9223372036854775807 inclusive"),
        (
            "loglevel",
            "loud",
            "argument(s) must be one of the following: debug, verbose, notice, warning, nothing",
        ),
        (
            "shutdown-on-sigterm",
            "save now please",
            "argument(s) must be one of the following: default, save, nosave, now, force",
        ),
        (
            "shutdown-on-sigterm",
            "save nosave",
            "shutdown options SAVE and NOSAVE can't be used simultaneously",
        ),
        ("databases", "4", "can't set immutable config"),
        ("daemonize", "nonsense", "can't set immutable config"),
        ("dir", "/", "can't set protected config"),
        ("save", "900", "Invalid save parameters"),
        ("save", "0 1", "Invalid save parameters"),
        ("save", "1 -1", "Invalid save parameters"),
        ("save", "900 1 ", "Invalid save parameters"),
        ("oom-score-adj-values", "1 2", "wrong number of arguments"),
        (
            "oom-score-adj-values",
            "1 2 3000",
            "Invalid oom-score-adj-values, elements must be between -2000 and 2000.",
        ),
        ("notify-keyspace-events", "KEq", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."),
        (
            "client-output-buffer-limit",
            "normal 0 0",
            "Wrong number of arguments in buffer limit configuration.",
        ),
        (
            "client-output-buffer-limit",
            "master 0 0 0",
            "Invalid client class specified in buffer limit configuration.",
        ),
        (
            "client-output-buffer-limit",
            "normal 1tb 0 0",
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
        ),
        ("bind", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "Too many bind addresses specified."),
        (
            "latency-tracking-info-percentiles",
            "50 101",
            "latency-tracking-info-percentiles parameters should sit between [0.0,100.0]",
        ),
        (
            "latency-tracking-info-percentiles",
            "50 nan",
            "Invalid latency-tracking-info-percentiles parameters",
        ),
        (
            "cluster-announce-hostname",
            "a_b",
            "Hostnames may only contain alphanumeric characters, hyphens or dots",
        ),
        ("cluster-announce-human-nodename", "a b!", "Announced human node name contained invalid character"),
        ("proc-title-template", "{nothing}", "template format is invalid or contains unknown variables"),
        ("proc-title-template", " {title} ", "template format is invalid or contains unknown variables"),
        ("no-such", "1", "Unknown option or number of arguments for CONFIG SET - 'no-such'"),
    ];
    for (name, value, expected) in cases {
        assert_eq!(refusal(name, value), expected, "{name} {value}");
    }
}

#[test]
fn an_octal_number_is_judged_in_octal() {
    let directive = Id::Unixsocketperm.directive();
    let parse = |text: &str| Value::parse(directive, &[text], &Value::Number(0), false);
    assert_eq!(parse("700"), Ok(Value::Number(0o700)));
    assert_eq!(parse("1000"), Err(BadValue("argument must be between 0 and 777 inclusive".into())));
    assert_eq!(parse("8"), Err(BadValue("argument couldn't be parsed as an octal number".into())));
    assert_eq!(show(&load("unixsocketperm 0755").expect("good"), "unixsocketperm"), "755");
}

#[test]
fn set_takes_the_units_and_spellings_of_redis() {
    let cases = [
        ("maxmemory", "1k", "1000"),
        ("maxmemory", "1KB", "1024"),
        ("maxmemory", "2gb", "2147483648"),
        ("maxmemory", "7b", "7"),
        ("maxmemory", "", "0"),
        ("maxmemory-clients", "5%", "5%"),
        ("maxmemory-clients", "10mb", "10485760"),
        ("hz", "0", "1"),
        ("hz", "9999", "500"),
        ("loglevel", "VERBOSE", "verbose"),
        ("oom-score-adj", "relative", "yes"),
        ("shutdown-on-sigint", "now force", "now force"),
        ("shutdown-on-sigint", "force save default", "save force"),
        ("save", "", ""),
        ("save", "900 1 300 10", "900 1 300 10"),
        ("bind", "", ""),
        ("bind", "127.0.0.1 -::1", "127.0.0.1 -::1"),
        ("notify-keyspace-events", "g$lszhxetdKEm", "AKEm"),
        ("notify-keyspace-events", "Eg$", "g$E"),
        (
            "client-output-buffer-limit",
            "replica 1mb 512kb 5",
            "normal 0 0 0 slave 1048576 524288 5 pubsub 33554432 8388608 60",
        ),
        ("latency-tracking-info-percentiles", "0 12.50 100", "0 12.5 100"),
        ("list-max-ziplist-size", "-5", "-5"),
        ("slowlog-log-slower-than", "-1", "-1"),
    ];
    for (name, value, expected) in cases {
        let mut config = Config::default();
        set(&mut config, &[(name, value)]).unwrap_or_else(|error| panic!("{name} {value}: {error}"));
        assert_eq!(show(&config, name), expected, "{name} {value}");
    }
}

#[test]
fn set_changes_all_or_nothing() {
    let mut config = Config::default();
    let error = set(&mut config, &[("timeout", "7"), ("maxclients", "x")]).expect_err("no number");
    assert!(error.starts_with("CONFIG SET failed (possibly related to argument 'maxclients')"), "{error}");
    assert_eq!(config, Config::default());

    let changed = set(&mut config, &[("timeout", "7"), ("port", "6379"), ("hz", "20")]).expect("good");
    assert_eq!(changed.iter().collect::<Vec<_>>(), [Id::Timeout, Id::Hz]);
    assert_eq!((config.timeout(), config.hz()), (7, 20));
}

#[test]
fn set_reports_the_error_that_redis_reports_of_several() {
    let error = |pairs: &[(&str, &str)]| set(&mut Config::default(), pairs).expect_err("refused");
    assert_eq!(
        error(&[("timeout", "1"), ("TIMEOUT", "2")]),
        "CONFIG SET failed (possibly related to argument 'TIMEOUT') - duplicate parameter"
    );
    assert_eq!(
        error(&[("timeout", "x"), ("nope", "2")]),
        "Unknown option or number of arguments for CONFIG SET - 'nope'"
    );
    assert_eq!(
        error(&[("databases", "1"), ("nope", "2")]),
        "CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config"
    );
}

#[test]
fn protected_and_loading_directives_ask_who_and_when() {
    let local = SetContext { client_is_local: true, loading: false };
    let mut config = load("enable-protected-configs local").expect("good");
    assert!(config.set(&[("dbfilename", "x.rdb")], SetContext::default()).is_err());
    assert!(config.set(&[("dbfilename", "x.rdb")], local).is_ok());
    let loading = SetContext { client_is_local: false, loading: true };
    assert_eq!(config.set(&[("appendonly", "yes")], loading), Err(SetError::Loading));
    assert!(config.set(&[("timeout", "9")], loading).is_ok());
}

#[test]
fn what_would_be_dangerous_to_ignore_is_refused() {
    for line in ["tls-port 6380", "tls-cluster yes", "aclfile users.acl", "replicaof 127.0.0.1 6379"] {
        let error = load(line).expect_err(line);
        assert!(error.contains("Ringslot does not have"), "{error}");
    }
    for line in ["user default off", "rename-command CONFIG \"\"", "loadmodule x.so"] {
        let error = load(line).expect_err(line);
        assert!(error.contains("Ringslot does not have"), "{error}");
    }
    for line in ["tls-port 0", "tls-cluster no", "aclfile \"\"", "replicaof no one"] {
        assert_eq!(load(line), Ok(Config::default()), "{line}");
    }
}

#[test]
fn a_file_is_read_as_redis_reads_it() {
    let config = load(
        "# a comment\r\n  \t\nPORT 7000\r\nrequirepass \"a b\\x00\\n\" \nbind 127.0.0.1 ::1\n\
         save 900 1\nsave 300 10\nclient-output-buffer-limit pubsub 1mb 0 0\nslave-lazy-flush yes\n\
         lua-replicate-commands yes\nport 7001\nshutdown-on-sigterm 'now force'",
    )
    .expect("good");
    assert_eq!(config.port(), 7001);
    assert_eq!(config.requirepass(), Some(&b"a b\0\n"[..]));
    assert_eq!(config.bind(), [b"127.0.0.1".to_vec(), b"::1".to_vec()]);
    assert!(!config.bind_is_default());
    assert_eq!(show(&config, "save"), "900 1 300 10");
    assert_eq!(config.client_output_buffer_limit().pubsub.hard_bytes, 1 << 20);
    assert_eq!(show(&config, "replica-lazy-flush"), "yes");
    assert_eq!(show(&config, "shutdown-on-sigterm"), "now force");
    assert_eq!(show(&load("save \"\"\nsave 5 5\nsave 6 6").expect("good"), "save"), "5 5 6 6");
    assert_eq!(show(&load("save 5 5\nsave \"\"").expect("good"), "save"), "");
}

#[test]
fn errors_at_start_name_the_line() {
    let head = "\n*** FATAL CONFIG FILE ERROR (Ringslot 7.2.4) ***\nReading the configuration file, at line ";
    let cases = [
        ("\nport abc\n", "2\n>>> 'port abc'\nargument couldn't be parsed into an integer"),
        ("port 1 2", "1\n>>> 'port 1 2'\nwrong number of arguments"),
        ("  port", "1\n>>> 'port'\nwrong number of arguments"),
        ("requirepass \"abc", "1\n>>> 'requirepass \"abc'\nUnbalanced quotes in configuration line"),
        (
            "maxmemmory 1gb",
            "1\n>>> 'maxmemmory 1gb'\nBad directive or wrong number of arguments\nDid you mean 'maxmemory'?",
        ),
        ("xyzzyplugh 1", "1\n>>> 'xyzzyplugh 1'\nBad directive or wrong number of arguments"),
        ("sentinel monitor", "1\n>>> 'sentinel monitor'\nsentinel directive while not in sentinel mode"),
    ];
    for (text, expected) in cases {
        assert_eq!(load(text), Err(format!("{head}{expected}")), "{text}");
    }
}

#[test]
fn the_command_line_is_read_as_redis_server_reads_it() {
    assert_eq!(launch(&[]), Config::default());
    let config =
        launch(&["--port", "7000", "--cluster-enabled", "yes", "--save", "", "--bind", "::1", "-::2"]);
    assert_eq!((config.port(), config.cluster_enabled(), config.databases()), (7000, true, 1));
    assert!(config.save().is_empty());
    assert_eq!(config.bind(), [b"::1".to_vec(), b"-::2".to_vec()]);
    assert_eq!(launch(&["--port 7001"]).port(), 7001);
    assert_eq!(launch(&["--port", "1", "--port", "2"]).port(), 2);
    assert!(launch(&["--save", "--port", "3"]).save().is_empty());
    assert!(launch(&["--port", "3", "--save"]).save().is_empty());
    assert_eq!(show(&launch(&["--save", "900 1 10 5"]), "save"), "900 1 10 5");
    assert_eq!(show(&launch(&["--save", "900", "1", "--save", "10", "5"]), "save"), "900 1 10 5");
    assert_eq!(launch(&["--requirepass", "--x y"]).requirepass(), Some(&b"--x y"[..]));
    assert!(from_command_line(&["--port=7000"], &mut NoFiles).is_err());
    assert!(from_command_line(&["--port"], &mut NoFiles).is_err());
}

#[test]
fn file_then_stdin_then_options() {
    let mut files = Files(BTreeMap::from([
        ("a.conf", "port 1\ntimeout 1\nhz 11\ninclude b.conf"),
        ("b.conf", "maxclients 77"),
        ("-", "timeout 2\nhz 12"),
        ("loop.conf", "include loop.conf"),
    ]));
    let launched = from_command_line(&["a.conf", "--hz", "13", "-"], &mut files).expect("good");
    let config = &launched.config;
    assert_eq!((config.port(), config.timeout(), config.hz(), config.maxclients()), (1, 2, 13, 77));
    assert_eq!(launched.config_file.as_deref(), Some(&b"a.conf"[..]));
    assert_eq!(from_command_line(&["-"], &mut files).expect("good").config.timeout(), 2);

    let error = from_command_line(&["none.conf"], &mut files).expect_err("missing").to_string();
    assert_eq!(error, "Fatal error, can't open config file 'none.conf': No such file or directory");
    let error = from_command_line(&["loop.conf"], &mut files).expect_err("a loop").to_string();
    assert!(error.ends_with("Files include each other too deeply"), "{error}");
}

#[test]
fn what_is_set_and_unused_is_told() {
    let config =
        load("appendonly yes\nmaxmemory 1gb\nport 7000\nsave \"\"\nrdbcompression yes").expect("good");
    assert_eq!(config.accepted_but_unused(), ["appendonly", "maxmemory"]);
    assert!(Config::default().accepted_but_unused().is_empty());
}

#[test]
fn rewrite_keeps_what_people_wrote() {
    let old = "# mine\nport 1\n\n\n\ntimeout 5\nsave 1 1\nsave 2 2\nsave 3 3\nbind 127.0.0.1\n\
               what is this\ninclude other.conf\nslave-read-only no\n";
    let mut config =
        load("port 7000\nsave 10 20\nhash-max-listpack-entries 7\nrequirepass \"a\\\"b\"").expect("good");
    config.set_working_directory(b"/data");
    let new = String::from_utf8(config.rewrite(old.as_bytes())).expect("UTF-8");
    assert_eq!(
        new,
        "# mine\nport 7000\n\ntimeout 0\nsave 10 20\n\n# ??? what is this\ninclude other.conf\n\
         replica-read-only yes\n# Generated by CONFIG REWRITE\nrequirepass \"a\\\"b\"\n\
         hash-max-listpack-entries 7\ndir \"/data\"\nlatency-tracking-info-percentiles 50 99 99.9\n"
    );
    assert_eq!(config.rewrite(new.as_bytes()), new.as_bytes(), "a second time changes nothing");
}

/// Found by fuzzing: with lines taken by their order, each rewrite moved the classes about.
#[test]
fn rewrite_keeps_the_lines_of_client_classes_apart() {
    let old = "client-output-buffer-limit normal 0 0 0\nclient-output-buffer-limit SLAVE 1mb 0 0\n\
               client-output-buffer-limit pubsub 32mb 8mb 61\nclient-output-buffer-limit normal 1 1 1 pubsub 2 2 2\n";
    let config = load("client-output-buffer-limit pubsub 32mb 8mb 61").expect("good");
    let once = config.rewrite(&old.as_bytes()[..40]);
    assert_eq!(config.rewrite(&once), once);
    let new = String::from_utf8(config.rewrite(old.as_bytes())).expect("UTF-8");
    assert!(
        new.starts_with(
            "client-output-buffer-limit normal 0 0 0\nclient-output-buffer-limit replica 256mb 64mb 60\n\
             client-output-buffer-limit pubsub 32mb 8mb 61\n\n#"
        ),
        "{new}"
    );
}

#[test]
fn the_annotated_file_states_the_defaults() {
    let text = include_str!("../../../config/ringslot.conf");
    assert_eq!(load(text).expect("a good file"), Config::default());
    // Each directive that is obeyed is described there, active or (where the default is "not set" or the
    // like) as a comment of the form `# name value`.
    for id in Id::ALL.iter().filter(|id| id.directive().effect == Effect::Used && !id.directive().hidden) {
        let is_named = |line: &str| {
            let line = line.strip_prefix("# ").unwrap_or(line);
            line.split(' ').next() == Some(id.name())
        };
        assert!(text.lines().any(is_named), "{} is not described", id.name());
    }
}

/// Redis's matcher as it is written there, recursion and all: the twin of ours.
fn slow_glob(mut p: &[u8], mut t: &[u8], nocase: bool, skip: &mut bool) -> bool {
    let fold = |byte: u8| if nocase { byte.to_ascii_lowercase() } else { byte };
    while !p.is_empty() && !t.is_empty() {
        match p[0] {
            b'*' => {
                while p.get(1) == Some(&b'*') {
                    p = &p[1..];
                }
                if p.len() == 1 {
                    return true;
                }
                while !t.is_empty() {
                    if slow_glob(&p[1..], t, nocase, skip) {
                        return true;
                    }
                    if *skip {
                        return false;
                    }
                    t = &t[1..];
                }
                *skip = true;
                return false;
            }
            b'?' => {}
            b'[' => {
                p = &p[1..];
                let negated = p.first() == Some(&b'^');
                p = &p[usize::from(negated)..];
                let mut found = false;
                let closed = loop {
                    match p {
                        [] => break false,
                        [b'\\', byte, ..] => {
                            found |= *byte == t[0];
                            p = &p[1..];
                        }
                        [b']', ..] => break true,
                        [a, b'-', b, ..] => {
                            let (mut a, mut b) = (*a as i8, *b as i8);
                            if a > b {
                                (a, b) = (b, a);
                            }
                            let (a, b, c) = (fold(a as u8) as i8, fold(b as u8) as i8, fold(t[0]) as i8);
                            found |= c >= a && c <= b;
                            p = &p[2..];
                        }
                        [byte, ..] => found |= fold(*byte) == fold(t[0]),
                    }
                    p = &p[1..];
                };
                if found == negated {
                    return false;
                }
                if !closed {
                    t = &t[1..];
                    break;
                }
            }
            literal => {
                let mut literal = literal;
                if literal == b'\\' && p.len() >= 2 {
                    p = &p[1..];
                    literal = p[0];
                }
                if fold(literal) != fold(t[0]) {
                    return false;
                }
            }
        }
        t = &t[1..];
        p = &p[1..];
        if t.is_empty() {
            while p.first() == Some(&b'*') {
                p = &p[1..];
            }
            break;
        }
    }
    p.is_empty() && t.is_empty()
}

#[test]
fn glob_knows_the_corners() {
    let cases = [
        ("*", "", false),
        ("", "", true),
        ("*", "a", true),
        ("a*", "a", true),
        ("a**", "ab", true),
        ("*a*?", "ba", false),
        ("h[^e]llo", "hallo", true),
        ("h[^e]llo", "hello", false),
        ("h[a-b]llo", "hbllo", true),
        ("h[b-a]llo", "hbllo", true),
        ("h[a-", "h-", true),
        ("h[", "h", false),
        ("[^", "x", true),
        ("[]", "x", false),
        ("[\\]]", "]", true),
        ("\\*", "*", true),
        ("\\", "\\", true),
        ("a\\", "a\\", true),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(glob::matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern} {text}");
    }
    assert!(glob::matches_ignoring_case(b"MAX[A-Z]em*", b"maxmemory"));
    assert!(!glob::matches_ignoring_case(b"[\\M]", b"m"));
}

#[test]
fn glob_takes_its_time_from_no_pattern() {
    let pattern = b"a*".repeat(50_000);
    let text = [b"a".repeat(20_000), b"b".to_vec()].concat();
    assert!(!glob::matches(&pattern, &text));
    assert!(!glob::matches(b"a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*c", &b"a".repeat(5_000)));
}

#[test]
fn lines_fall_into_words() {
    let split = |line: &str| words::split(line.as_bytes());
    let words = |list: &[&str]| Some(list.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
    assert_eq!(split("  a  b\t"), words(&["a", "b"]));
    assert_eq!(split("\"a b\" 'c d\\'' e"), words(&["a b", "c d'", "e"]));
    assert_eq!(split(r#""\x41\n\q\\" "#), words(&["A\nq\\"]));
    assert_eq!(split("ab\"c d\""), words(&["abc d"]));
    assert_eq!(split(""), words(&[]));
    for bad in ["\"a", "'a", "\"a\"b", "'a'b", "\"a\\"] {
        assert_eq!(split(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn glob_matches_as_its_twin(
        pattern in proptest::collection::vec(proptest::sample::select(b"*?[]^-\\abAB\xff".to_vec()), 0..12),
        text in proptest::collection::vec(proptest::sample::select(b"abAB]-^\\\xff".to_vec()), 0..10),
        nocase: bool,
    ) {
        let ours = if nocase { glob::matches_ignoring_case(&pattern, &text) } else { glob::matches(&pattern, &text) };
        prop_assert_eq!(ours, slow_glob(&pattern, &text, nocase, &mut false));
    }

    #[test]
    fn quoted_words_read_back(all in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..5)) {
        let line = all.iter().map(|word| words::quote(word)).collect::<Vec<_>>().join(&b' ');
        prop_assert_eq!(words::split(&line), Some(all));
    }

    /// Whatever loads is rewritten to a text that loads to the same.
    #[test]
    fn rewriting_loses_nothing(
        settings in proptest::collection::vec((0..TABLE.len(), "[a-z0-9 \"'\\\\%\\-\t]{0,12}|[0-9]{1,5}(kb|mb|%)?|yes|no|normal 5 6 7|([0-9]{1,2} ){1,3}[0-9]"), 0..6),
        old: Vec<u8>,
    ) {
        let mut config = Config::default();
        let mut loader = Loader::default();
        for (index, value) in &settings {
            let line = [TABLE[*index].name.as_bytes(), b" ", value.as_bytes()].concat();
            let _ = loader.load(&line, &mut NoFiles);
            let _ = config.set(&[(TABLE[*index].name, value)], SetContext::default());
        }
        for config in [config, loader.finish().expect("consistent").0] {
            // Lines that stay as they are may name files that are not there.
            let old: Vec<u8> = old.iter().copied().filter(|byte| byte.is_ascii_digit() || *byte == b'\n').collect();
            let text = config.rewrite(&old);
            let mut again = Loader::default();
            prop_assert!(again.load(&text, &mut NoFiles).is_ok(), "{}", String::from_utf8_lossy(&text));
            prop_assert_eq!(again.finish().expect("consistent").0, config);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text: Vec<u8>, index in 0..TABLE.len(), value: Vec<u8>) {
        let line = [TABLE[index].name.as_bytes(), b" ", &value].concat();
        for text in [text, line] {
            let mut loader = Loader::default();
            let _ = loader.load(&text, &mut NoFiles);
            let mut config = loader.finish().expect("consistent").0;
            let _ = config.set(&[(TABLE[index].name.as_bytes(), &value)], SetContext::default());
            let _ = config.get(&[&text]);
            let rewritten = config.rewrite(&text);
            prop_assert_eq!(config.rewrite(&rewritten), rewritten);
        }
    }
}
