//! Log lines, in the form that Redis gives them.
//!
//!     1234:M 23 Nov 2026 20:11:12.123 * Ready to accept connections tcp
//!     pid  role       local time      level   message
//!
//!     tracing event --> bounded queue --> one thread --> file or standard output
//!
//! 1. Whoever logs never waits for a disk or a terminal: a data core would stop serving meanwhile. A line that
//!    finds the queue full is dropped and counted, and the count is logged as soon as there is room.
//! 2. The file is opened anew for each bunch of lines, as Redis does it, so that moving it away rotates it.
//! 3. A line is a line: control characters that came in from outside are escaped.
//!
//! `loglevel` and the sign in a line go by these steps:
//!
//!     tracing   error  warn   info   debug    trace
//!     loglevel  warning       notice verbose  debug
//!     sign      #      #      *      -        .
//!
//! There is one log a process, as there is one subscriber of `tracing`: hence the static.

use config::{Config, LogLevel};
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender, TrySendError};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{reload, Layer, Registry};

/// Lines that may wait for the writer: a burst at start or when a cluster falls apart, not more.
const WAITING_LINES: usize = 4096;
/// How long the end of the process waits for its last lines.
const LAST_LINES: Duration = Duration::from_secs(5);

static LOG: OnceLock<Log> = OnceLock::new();

struct Log {
    queue: SyncSender<Job>,
    level: reload::Handle<LevelFilter, Registry>,
    tells_stdout: bool,
}

/// Begins to log where and as much as the configuration says.
pub fn start(config: &Config) -> std::io::Result<()> {
    let target = match config.logfile() {
        None => Target::Stdout,
        Some(name) => Target::File(std::path::absolute(std::ffi::OsStr::from_bytes(name))?),
    };
    let tells_stdout = matches!(target, Target::Stdout);
    target
        .open()
        .map_err(|error| std::io::Error::new(error.kind(), format!("Can't open the log file: {error}")))?;

    let (queue, jobs) = sync_channel(WAITING_LINES);
    let dropped = Arc::new(AtomicU64::new(0));
    let lines = Lines { queue: queue.clone(), dropped: Arc::clone(&dropped) };
    std::thread::Builder::new().name("log".into()).spawn(move || write_lines(&jobs, &dropped, &target))?;

    let (filter, level) = reload::Layer::new(filter(config.loglevel()));
    tracing::subscriber::set_global_default(Registry::default().with(filter).with(lines))
        .map_err(std::io::Error::other)?;
    let _ = LOG.set(Log { queue, level, tells_stdout });
    Ok(())
}

/// Follows a new `loglevel`.
pub fn configure(config: &Config) {
    if let Some(log) = LOG.get() {
        // Fails only when the subscriber is gone, and a global one stays.
        let _ = log.level.reload(filter(config.loglevel()));
    }
}

/// Waits until everything logged so far is written.
pub fn finish() {
    if let Some(log) = LOG.get() {
        let (done, is_done) = sync_channel(1);
        if log.queue.send(Job::Flush(done)).is_ok() {
            let _ = is_done.recv_timeout(LAST_LINES);
        }
    }
}

/// Whether whoever reads standard output has been told what was logged.
pub fn tells_stdout() -> bool {
    LOG.get().is_some_and(|log| log.tells_stdout)
}

fn filter(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Debug => LevelFilter::TRACE,
        LogLevel::Verbose => LevelFilter::DEBUG,
        LogLevel::Notice => LevelFilter::INFO,
        LogLevel::Warning => LevelFilter::WARN,
        LogLevel::Nothing => LevelFilter::OFF,
    }
}

fn sign(level: Level) -> char {
    match level {
        Level::ERROR | Level::WARN => '#',
        Level::INFO => '*',
        Level::DEBUG => '-',
        Level::TRACE => '.',
    }
}

enum Job {
    Line(Line),
    /// Everything before it is to be written; then tell so.
    Flush(SyncSender<()>),
}

struct Line {
    at: SystemTime,
    sign: char,
    text: String,
}

/// Turns events into lines and queues them.
struct Lines {
    queue: SyncSender<Job>,
    dropped: Arc<AtomicU64>,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text::default();
        event.record(&mut text);
        let line = Line {
            at: SystemTime::now(),
            sign: sign(*event.metadata().level()),
            text: text.message + &text.fields,
        };
        if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) =
            self.queue.try_send(Job::Line(line))
        {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The message of an event, and what else it carries as ` name=value`.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

enum Target {
    Stdout,
    File(PathBuf),
}

impl Target {
    fn open(&self) -> std::io::Result<Option<File>> {
        match self {
            Target::Stdout => Ok(None),
            Target::File(path) => OpenOptions::new().append(true).create(true).open(path).map(Some),
        }
    }

    fn write(&self, bytes: &[u8]) -> std::io::Result<()> {
        match self.open()? {
            Some(mut file) => file.write_all(bytes),
            None => std::io::stdout().lock().write_all(bytes).and_then(|()| std::io::stdout().flush()),
        }
    }
}

/// The writer's thread: takes what is waiting, writes it in one go, and tells what was lost.
fn write_lines(jobs: &Receiver<Job>, dropped: &AtomicU64, target: &Target) {
    let mut bytes = Vec::new();
    let mut flushed = Vec::new();
    while let Ok(first) = jobs.recv() {
        let mut written = 0;
        for job in std::iter::once(first).chain(jobs.try_iter().take(WAITING_LINES)) {
            match job {
                Job::Line(line) => {
                    format_line(&mut bytes, &line);
                    written += 1;
                }
                Job::Flush(done) => flushed.push(done),
            }
        }
        let lost = dropped.swap(0, Ordering::Relaxed);
        if lost > 0 {
            let text = format!("{lost} log lines were lost: they came faster than the log takes them");
            format_line(&mut bytes, &Line { at: SystemTime::now(), sign: '#', text });
        }
        if target.write(&bytes).is_err() {
            // A full disk or a closed pipe: to be told once lines can be written again.
            dropped.fetch_add(lost + written, Ordering::Relaxed);
        }
        bytes.clear();
        for done in flushed.drain(..) {
            let _ = done.try_send(());
        }
    }
}

fn format_line(bytes: &mut Vec<u8>, line: &Line) {
    let at: chrono::DateTime<chrono::Local> = line.at.into();
    let _ = write!(bytes, "{}:M {} {} ", std::process::id(), at.format("%d %b %Y %H:%M:%S%.3f"), line.sign);
    for character in line.text.chars() {
        let _ = match character.is_control() {
            true => write!(bytes, "{}", character.escape_default()),
            false => write!(bytes, "{character}"),
        };
    }
    bytes.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Line {
        Line { at: SystemTime::now(), sign: '*', text: text.into() }
    }

    #[test]
    fn a_line_has_the_form_of_redis() {
        let mut bytes = Vec::new();
        format_line(&mut bytes, &line("from outside:\r\nfake"));
        let text = String::from_utf8(bytes).expect("UTF-8");
        let words: Vec<&str> = text.trim_end().split(' ').collect();
        assert_eq!(words[0], format!("{}:M", std::process::id()));
        assert_eq!(words[1].len(), 2);
        assert!(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
            .contains(&words[2]));
        assert_eq!((words[4].len(), &words[4][2..3], &words[4][8..9]), (12, ":", "."));
        assert_eq!(words[5..], ["*", "from", "outside:\\r\\nfake"]);
        assert_eq!(text.matches('\n').count(), 1);
    }

    #[test]
    fn levels_are_those_of_redis() {
        for (loglevel, signs) in [
            (LogLevel::Debug, "##*-."),
            (LogLevel::Verbose, "##*-"),
            (LogLevel::Notice, "##*"),
            (LogLevel::Warning, "##"),
            (LogLevel::Nothing, ""),
        ] {
            let levels = [Level::ERROR, Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE];
            let shown: String =
                levels.into_iter().filter(|level| filter(loglevel) >= *level).map(sign).collect();
            assert_eq!(shown, signs, "{loglevel:?}");
        }
    }

    #[test]
    fn a_full_queue_drops_lines_and_tells_how_many() {
        let file = std::env::temp_dir().join(format!("ringslot-log-{}", std::process::id()));
        let target = Target::File(file.clone());
        let (queue, jobs) = sync_channel(2);
        let dropped = Arc::new(AtomicU64::new(0));
        let lines = Lines { queue: queue.clone(), dropped: Arc::clone(&dropped) };
        tracing::subscriber::with_default(Registry::default().with(lines), || {
            (1..=5).for_each(|number| tracing::info!(number, "line"));
        });
        drop(queue);
        write_lines(&jobs, &dropped, &target);
        let text = std::fs::read_to_string(&file).expect("the log");
        std::fs::remove_file(&file).expect("removed");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[0].ends_with(" * line number=1") && lines[1].ends_with(" * line number=2"), "{text}");
        assert!(lines[2].contains(" # 3 log lines were lost"), "{text}");
    }

    #[test]
    fn what_could_not_be_written_is_told_later() {
        let (queue, jobs) = sync_channel(8);
        let dropped = AtomicU64::new(2);
        queue.send(Job::Line(line("lost"))).expect("room");
        drop(queue);
        write_lines(&jobs, &dropped, &Target::File("/proc/no such directory/log".into()));
        assert_eq!(dropped.load(Ordering::Relaxed), 3);
    }
}
