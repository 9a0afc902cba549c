//! The request parser against Redis's behaviour, against a naive parser, and against itself with the
//! same bytes cut in every way.

mod support;

use proptest::prelude::*;
use resp::{parse, Args, Batch, Limits, Partial, Progress, ProtocolError, Reply, State};
use std::sync::Arc;
use support::{feed, naive, Outcome};

fn whole(input: &[u8]) -> Outcome {
    feed([input], &Limits::default(), 64)
}

fn commands(input: &[u8]) -> Vec<Vec<String>> {
    let outcome = whole(input);
    assert_eq!(outcome.error, None, "{}", String::from_utf8_lossy(input));
    let text = |arg: Vec<u8>| String::from_utf8_lossy(&arg).into_owned();
    outcome.commands.into_iter().map(|args| args.into_iter().map(text).collect()).collect()
}

#[track_caller]
fn refused(input: &[u8], text: &str) {
    let error = whole(input).error.expect("refused");
    let mut reply = Reply::default();
    error.write(&mut reply);
    assert_eq!(String::from_utf8_lossy(&reply.to_vec()), format!("-ERR Protocol error: {text}\r\n"));
}

#[test]
fn commands_of_both_kinds_share_a_pipeline() {
    let input = b"*2\r\n$3\r\nGET\r\n$1\r\na\r\nPING\r\n*1\r\n$4\r\nPING\r\n  SET  a\t1 \r\nQUIT\n";
    assert_eq!(
        commands(input),
        [vec!["GET", "a"], vec!["PING"], vec!["PING"], vec!["SET", "a", "1"], vec!["QUIT"]]
    );
}

#[test]
fn what_holds_no_command_is_passed_over() {
    assert_eq!(commands(b"\r\n\n   \r\n*0\r\n*-1\r\n*-9223372036854775808\r\nPING\r\n"), [["PING"]]);
}

#[test]
fn line_ends_are_as_little_checked_as_in_redis() {
    assert_eq!(commands(b"*2\rX$3\rXGETXX$1\r\naXX"), [["GET", "a"]]);
    assert_eq!(commands(b"PING\r\r\n"), [["PING"]]);
    assert_eq!(commands(b"*1\r\n$0\r\n\r\n"), [[""]]);
}

#[test]
fn inline_words_are_unquoted_as_in_a_shell() {
    for (line, expected) in [
        (r#"a "b c" 'd e'"#, vec!["a", "b c", "d e"]),
        (r#"a "" ''"#, vec!["a", "", ""]),
        (r#"pre"fix in" x"#, vec!["prefix in", "x"]),
        (r#""\x41\x4g\n\r\t\b\a\q\"\\""#, vec!["Ax4g\n\r\t\u{8}\u{7}q\"\\"]),
        (r#"'it\'s \n'"#, vec!["it's \\n"]),
        (r#""it's" '"'"#, vec!["it's", "\""]),
        ("a\\ b", vec!["a\\", "b"]),
        ("a\u{b}b \u{b}c", vec!["a\u{b}b", "c"]),
        ("\"a\"\u{b}b", vec!["a", "b"]),
    ] {
        assert_eq!(commands(format!("{line}\r\n").as_bytes()), [expected], "{line}");
    }
}

#[test]
fn violations_are_answered_in_the_words_of_redis() {
    let long = vec![b'A'; 65537];
    for start in ["", "*", "*1\r\n$"] {
        let text = match start {
            "" => "too big inline request",
            "*" => "too big mbulk count string",
            _ => "too big bulk count string",
        };
        refused(&[start.as_bytes(), &long].concat(), text);
        // A NUL byte hides the end of its line.
        refused(&[start.as_bytes(), b"\0\r\n", &long].concat(), text);
    }
    refused(b"SET a \"b\r\n", "unbalanced quotes in request");
    refused(b"SET a \"b\"c\r\n", "unbalanced quotes in request");
    refused(b"SET a 'b\r\n", "unbalanced quotes in request");
    for count in ["", "x", "01", "+1", "-0", "2147483648", "99999999999999999999", "1 "] {
        refused(format!("*{count}\r\n").as_bytes(), "invalid multibulk length");
    }
    for len in ["", "x", "00", "-1", "-0", "536870913", "99999999999999999999"] {
        refused(format!("*1\r\n${len}\r\n").as_bytes(), "invalid bulk length");
    }
    refused(b"*1\r\nfoo\r\n", "expected '$', got 'f'");
    refused(b"*1\r\n\r\n", "expected '$', got ' '");
    refused(b"*2\r\n$1\r\na\r\n:1\r\n", "expected '$', got ':'");
}

#[test]
fn a_line_is_too_long_wherever_its_end_is() {
    let limit = Limits::default().max_inline;
    let line = |len: usize| [vec![b'a'; len], b"\n".to_vec()].concat();
    assert_eq!(whole(&line(limit)).commands.len(), 1);
    assert_eq!(whole(&line(limit + 1)).error, Some(ProtocolError::TooBigInline));
}

#[test]
fn before_authentication_little_is_taken() {
    let limits = Limits { authenticated: false, ..Limits::default() };
    let error = |input: &[u8]| feed([input], &limits, 64).error;
    assert_eq!(error(b"*11\r\n"), Some(ProtocolError::UnauthenticatedMultibulkLength));
    assert_eq!(error(b"*10\r\n"), None);
    assert_eq!(error(b"*1\r\n$16385\r\n"), Some(ProtocolError::UnauthenticatedBulkLength));
    assert_eq!(error(b"*1\r\n$16384\r\n"), None);
}

#[test]
fn before_authentication_commands_come_one_at_a_time() {
    let input = b"AUTH x\r\n*11\r\n";
    let limits = Limits { authenticated: false, ..Limits::default() };
    let mut batch = Batch::new();
    let progress = parse(input, &mut Partial::default(), &limits, 64, &mut batch);
    assert_eq!(progress, Ok(Progress { consumed: 8, state: State::Complete }));
    assert_eq!(batch.len(), 1);
    let progress = parse(&input[8..], &mut Partial::default(), &Limits::default(), 64, &mut batch);
    assert_eq!(progress, Ok(Progress { consumed: 0, state: State::NeedMore }));
}

#[test]
fn commands_before_a_violation_are_in_the_batch() {
    let input = b"PING\r\n*1\r\n$4\r\nQUIT\r\n*2\r\n$1\r\na\r\n$x\r\n";
    let mut batch = Batch::new();
    let result = parse(input, &mut Partial::default(), &Limits::default(), 64, &mut batch);
    assert_eq!(result, Err(ProtocolError::InvalidBulkLength));
    assert_eq!(batch.len(), 2);
    assert_eq!(batch.args(input, 1).get(0), b"QUIT");
}

#[test]
fn a_full_batch_leaves_the_rest() {
    let input = b"PING\r\n".repeat(5);
    let mut batch = Batch::new();
    let progress = parse(&input, &mut Partial::default(), &Limits::default(), 2, &mut batch).unwrap();
    assert_eq!(progress, Progress { consumed: 12, state: State::Complete });
}

#[test]
fn a_big_argument_is_received_apart_and_shared() {
    let limits = Limits { big_threshold: 8, ..Limits::default() };
    let mut partial = Partial::default();
    let mut batch = Batch::new();
    let mut buffer = b"PING\r\n*3\r\n$3\r\nSET\r\n$10\r\n0123".to_vec();
    let progress = parse(&buffer, &mut partial, &limits, 64, &mut batch).unwrap();
    assert_eq!(progress, Progress { consumed: 6, state: State::Big { len: 10, already: 4 } });
    assert!(partial.in_progress() && batch.len() == 1);

    buffer.drain(..6);
    buffer.truncate(buffer.len() - 4);
    partial.big_received(b"0123456789\r\n".to_vec());
    buffer.extend_from_slice(b"$1\r\nx\r\nPING\r\n");
    let progress = parse(&buffer, &mut partial, &limits, 64, &mut batch).unwrap();
    assert_eq!(progress, Progress { consumed: buffer.len(), state: State::Complete });
    assert!(!partial.in_progress());
    let args = batch.args(&buffer, 0);
    assert_eq!((args.get(0), args.get(1), args.get(2)), (&b"SET"[..], &b"0123456789"[..], &b"x"[..]));
    let kept = args.shared(1).unwrap();
    assert_eq!((args.shared(0), args.shared(2)), (None, None));
    batch.clear();
    assert_eq!(Arc::try_unwrap(kept).unwrap(), b"0123456789", "nobody else holds it");
}

#[test]
fn a_big_argument_that_is_all_there_is_parsed_in_place() {
    let limits = Limits { big_threshold: 8, ..Limits::default() };
    let input = b"*1\r\n$10\r\n0123456789\r\n";
    let mut batch = Batch::new();
    parse(input, &mut Partial::default(), &limits, 64, &mut batch).unwrap();
    assert_eq!(batch.args(input, 0).shared(0), None);
    for cut in 10..input.len() {
        let outcome = feed([&input[..cut], &input[cut..]], &limits, 64);
        assert_eq!(outcome.commands, [[b"0123456789".to_vec()]], "cut at {cut}");
    }
}

#[test]
fn an_unfinished_command_is_bounded() {
    let limits = Limits { max_query: 100_000, ..Limits::default() };
    let mut input = b"*1000000\r\n".to_vec();
    while input.len() < 200_000 {
        input.extend_from_slice(b"$10\r\n0123456789\r\n");
    }
    let mut connection = support::Connection::new(&limits, 64);
    for piece in input.chunks(1000) {
        connection.receive(piece);
    }
    assert_eq!(connection.finish().error, Some(ProtocolError::QueryTooBig));
    let announced = feed([&b"*1\r\n$100000\r\nab"[..]], &limits, 64);
    assert_eq!(announced.error, Some(ProtocolError::QueryTooBig));
    let mut reply = Reply::default();
    ProtocolError::QueryTooBig.write(&mut reply);
    assert!(reply.is_empty(), "the connection is closed without a word");
}

/// Parsing it from its start at each piece would visit 60 million arguments and, at a byte a piece,
/// never end: the test's own patience is the assertion, and the count makes it visible.
#[test]
fn a_huge_command_in_small_pieces_is_parsed_once() {
    let args = 100_000;
    let mut input = format!("*{args}\r\n").into_bytes();
    for i in 0..args {
        let text = i.to_string();
        input.extend_from_slice(format!("${}\r\n{text}\r\n", text.len()).as_bytes());
    }
    let mut connection = support::Connection::new(&Limits::default(), 64);
    for piece in input.chunks(7) {
        connection.receive(piece);
    }
    let outcome = connection.finish();
    assert_eq!(outcome.commands.len(), 1);
    assert_eq!(outcome.commands[0].len(), args);
    assert_eq!(outcome.commands[0][args - 1], b"99999");
}

#[test]
fn an_idle_connection_keeps_one_null_pointer() {
    assert_eq!(size_of::<Partial>(), 8);
    assert_eq!(Partial::default().memory(), 0);
}

/// The seeds of the fuzz target: kinds of requests, and inputs that once found something.
#[test]
fn every_kept_seed_is_cut_everywhere() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fuzz/seeds/resp_request");
    let mut count = 0;
    for entry in std::fs::read_dir(seeds).expect("the seeds lie beside the fuzz target") {
        let input = std::fs::read(entry.unwrap().path()).unwrap();
        support::check_all_ways(&input);
        count += 1;
    }
    assert!(count >= 10, "the seeds are there");
}

fn limits() -> impl Strategy<Value = Limits> {
    (
        any::<bool>(),
        prop_oneof![Just(1usize), Just(4), Just(20), Just(usize::MAX)],
        prop_oneof![Just(5usize), Just(40), Just(65536)],
    )
        .prop_map(|(authenticated, big_threshold, max_inline)| Limits {
            authenticated,
            big_threshold,
            max_inline,
            max_bulk: 2000,
            ..Limits::default()
        })
}

/// Requests as clients send them, and now and then a piece of anything.
fn request() -> impl Strategy<Value = Vec<u8>> {
    let arg = prop_oneof![
        8 => proptest::collection::vec(any::<u8>(), 0..30),
        1 => proptest::collection::vec(any::<u8>(), 90..1200),
    ];
    let multibulk = proptest::collection::vec(arg, 0..14).prop_map(|args| {
        let mut bytes = format!("*{}\r\n", args.len()).into_bytes();
        for arg in args {
            bytes.extend_from_slice(format!("${}\r\n", arg.len()).as_bytes());
            bytes.extend_from_slice(&arg);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes
    });
    prop_oneof![
        10 => multibulk,
        4 => "[a-z \"'\\\\x4\t]{0,30}\r?\n".prop_map(String::into_bytes),
        1 => "[*$][-0-9]{0,4}\r\n".prop_map(String::into_bytes),
        1 => proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'*'), Just(b'$'),
            Just(b'"'), Just(0), any::<u8>()], 0..12),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_cutting_gives_what_the_naive_parser_finds(
        requests in proptest::collection::vec(request(), 0..8),
        limits in limits(),
        max_commands in 1..6usize,
        cuts in proptest::collection::vec(0..4000usize, 0..12),
    ) {
        let input = requests.concat();
        let expected = naive(&input, &limits);
        prop_assert_eq!(&feed([&input[..]], &limits, max_commands), &expected);
        prop_assert_eq!(&feed(input.chunks(1), &limits, max_commands), &expected);

        let mut cuts: Vec<usize> = cuts.into_iter().filter(|&cut| cut < input.len()).collect();
        cuts.sort_unstable();
        let starts = std::iter::once(0).chain(cuts.iter().copied());
        let ends = cuts.iter().copied().chain([input.len()]);
        let pieces: Vec<&[u8]> = starts.zip(ends).map(|(start, end)| &input[start..end]).collect();
        prop_assert_eq!(&feed(pieces, &limits, max_commands), &expected);
    }

    #[test]
    fn every_single_cut_gives_the_same(
        requests in proptest::collection::vec(request(), 1..3),
        limits in limits(),
    ) {
        let input = requests.concat();
        let expected = naive(&input, &limits);
        for cut in 0..input.len() {
            prop_assert_eq!(&feed([&input[..cut], &input[cut..]], &limits, 64), &expected, "cut at {}", cut);
        }
    }
}

#[test]
fn args_are_read_in_every_way() {
    let buffer = b"*3\r\n$3\r\nDEL\r\n$1\r\na\r\n$1\r\nb\r\n";
    let mut batch = Batch::new();
    parse(buffer, &mut Partial::default(), &Limits::default(), 1, &mut batch).unwrap();
    let args: Args<'_> = batch.args(buffer, 0);
    assert_eq!(args.len(), 3);
    assert_eq!(&args[1], b"a");
    assert_eq!(args.from(1).iter().collect::<Vec<_>>(), [b"a", b"b"]);
    assert_eq!(args.try_get(3), None);
}
