//! Files of the control plane. Plain blocking calls: from a task they go through `Ctx::spawn_blocking`,
//! which the backend's own files would do for most calls anyway, and at start-up there is no executor yet.

use crate::sys;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// What must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process: the kernel holds it.
    Process,
    /// A power cut: it is on the disk.
    PowerLoss,
}

/// Replaces a file by new contents: readers see all of the old or all of the new, and so does who starts
/// after a crash. What fails leaves the old file as it was.
pub fn replace_file(path: &Path, contents: &[u8], durability: Durability) -> io::Result<()> {
    // In the same directory, since a rename does not cross file systems.
    let mut name = OsString::from(path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
    name.push(format!(".tmp-{}", std::process::id()));
    let temporary = path.with_file_name(name);
    let result = write_then_rename(path, &temporary, contents, durability);
    if result.is_err() {
        // The error to tell of is the first one.
        let _ = std::fs::remove_file(&temporary);
    }
    result
}

fn write_then_rename(
    path: &Path,
    temporary: &Path,
    contents: &[u8],
    durability: Durability,
) -> io::Result<()> {
    let mut file = File::create(temporary)?;
    file.write_all(contents)?;
    if durability == Durability::PowerLoss {
        file.sync_all()?;
    }
    std::fs::rename(temporary, path)?;
    if durability == Durability::PowerLoss {
        directory_of(path).and_then(File::open)?.sync_all()?;
    }
    Ok(())
}

fn directory_of(path: &Path) -> io::Result<PathBuf> {
    let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    Ok(if parent.as_os_str().is_empty() { PathBuf::from(".") } else { parent.to_path_buf() })
}

/// A file held for this process alone, as long as the value lives.
#[derive(Debug)]
pub struct FileLock(#[allow(dead_code, reason = "held, not used: closing it gives the lock up")] File);

/// Locks a file, making it if need be. None where another process (or another lock of this one) holds it.
pub fn lock_file(path: &Path) -> io::Result<Option<FileLock>> {
    let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path)?;
    match sys::lock_exclusive(&file) {
        Ok(()) => Ok(Some(FileLock(file))),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

/// A file that only grows: a journal.
#[derive(Debug)]
pub struct AppendFile {
    file: File,
    length: u64,
}

/// Opens a file to append to, making it if need be.
pub fn append_file(path: &Path) -> io::Result<AppendFile> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    Ok(AppendFile { file, length })
}

impl AppendFile {
    /// How long the file is.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Appends. Where that fails half-way, the half is cut off again, so that the file stays a row of whole
    /// writes; where even that fails, the error says so and the file must be given up.
    pub fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(bytes) {
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Brings what was appended to the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}
