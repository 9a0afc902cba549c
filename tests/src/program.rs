//! The programs under test: which binary, and what it calls itself.
//!
//! `RINGSLOT_BIN` names the subject. Without it the subject is `ringslot` in the target directory
//! that this test was built into, profile `fast` before the test's own: `make test` builds that first.
//! Naming a `redis-server` there compares it with itself, which is how the suites are proved.
//! `RINGSLOT_REFERENCE` names another yardstick than the distribution's `redis-server`.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What kind of server a binary is; they differ in the directives that they know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Ours.
    Ringslot,
    /// Redis, or what calls itself so.
    Redis,
}

/// A server binary.
#[derive(Clone, Debug)]
pub struct Program {
    /// The executable.
    pub path: PathBuf,
    /// Which kind it is.
    pub kind: Kind,
    /// The Redis version it speaks, as `-v` says: (7, 2) for 7.2.4.
    pub version: (u32, u32),
}

impl Program {
    /// The server under test; panics with what to do when it is not there.
    pub fn subject() -> Program {
        Program::at(&subject_path())
    }

    /// The yardstick; panics with what to do when it is not there.
    pub fn reference() -> Program {
        Program::at(&reference_path())
    }

    /// Whether both speak the same Redis version, so that every byte should be equal.
    pub fn same_version(&self, other: &Program) -> bool {
        self.version == other.version
    }

    fn at(path: &Path) -> Program {
        let output =
            Command::new(path).arg("-v").output().unwrap_or_else(|e| panic!("{} -v: {e}", path.display()));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version =
            version_in(&text).unwrap_or_else(|| panic!("{} -v tells no v=x.y.z: {text:?}", path.display()));
        let kind = if text.contains("ringslot=") { Kind::Ringslot } else { Kind::Redis };
        Program { path: path.into(), kind, version }
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (v={}.{})", self.path.display(), self.version.0, self.version.1)
    }
}

/// `v=7.2.4` somewhere in the text of `-v`.
fn version_in(text: &str) -> Option<(u32, u32)> {
    let version = text.split_whitespace().find_map(|word| word.strip_prefix("v="))?;
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn subject_path() -> PathBuf {
    if let Some(path) = env::var_os("RINGSLOT_BIN") {
        return existing(PathBuf::from(path), "RINGSLOT_BIN names it");
    }
    // target/<profile>/deps/<this test> or target/<profile>/<this program>
    let own = env::current_exe().expect("a running program has a path");
    let mut profile = own.parent().expect("a file is in a directory");
    if profile.ends_with("deps") {
        profile = profile.parent().expect("deps is in a profile's directory");
    }
    let target = profile.parent().expect("a profile is in the target directory");
    let candidates =
        [target.join("fast/ringslot"), profile.join("ringslot"), target.join("release/ringslot")];
    match candidates.iter().find(|path| path.is_file()) {
        Some(path) => path.clone(),
        None => panic!(
            "no ringslot binary at {}: run `make test`, which builds it first, or `cargo build --profile fast`, \
             or set RINGSLOT_BIN",
            candidates.map(|c| c.display().to_string()).join(", ")
        ),
    }
}

fn reference_path() -> PathBuf {
    match env::var_os("RINGSLOT_REFERENCE") {
        Some(path) => existing(PathBuf::from(path), "RINGSLOT_REFERENCE names it"),
        None => installed("redis-server", "redis-server"),
    }
}

/// A program on the PATH; panics with the package that has it when it is missing.
pub fn installed(name: &str, package: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file()).unwrap_or_else(|| {
        panic!("{name} is not installed: run `make test`, which installs it, or `apt-get install {package}`")
    })
}

fn existing(path: PathBuf, why: &str) -> PathBuf {
    assert!(path.is_file(), "{} is no file, but {why}", path.display());
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_of_both_kinds() {
        assert_eq!(version_in("Redis server v=7.0.15 sha=00000000:0 bits=64"), Some((7, 0)));
        assert_eq!(version_in("Ringslot server v=7.2.4 ringslot=0.1.0 bits=64"), Some((7, 2)));
        assert_eq!(version_in("bash: no such file"), None);
    }
}
