//! What this machine lacks, before anything is started, and the line that mends it.
//!
//! The node needs Linux 6.1 with io_uring allowed, memory that may be locked for its rings, and descriptors
//! for its clients; it runs better with some kernel settings. Each probe asks the machine itself and reports
//! what it found beside what is needed. Printing is the server's.

use crate::{sys, thread};
use io_uring::{opcode, IoUring, Probe};
use std::fs;
use std::io;

/// Something that stands in the way, or could be better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// What there is.
    pub found: String,
    /// What there should be.
    pub needed: String,
    /// A command or setting that mends it.
    pub mend: String,
    /// Whether the node cannot run as it is.
    pub fatal: bool,
}

/// What the node is going to ask of the machine.
#[derive(Debug, Clone, Copy)]
pub struct Needs {
    /// Data cores.
    pub cores: usize,
    /// Executors of the control plane.
    pub executors: usize,
    /// Clients of the whole node.
    pub max_clients: u64,
    /// The sizes of each core's ring.
    pub ring: crate::data::RingSizes,
    /// Connections that may wait to be accepted.
    pub backlog: u32,
}

/// Why io_uring cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IoUringRefused {
    /// The system call is refused: the sysctl, or a seccomp profile as containers have it.
    #[error("io_uring is refused by this system (kernel.io_uring_disabled or a seccomp profile)")]
    Forbidden,
    /// The kernel was built without it.
    #[error("this kernel has no io_uring")]
    Absent,
    /// No memory may be locked for it.
    #[error("io_uring may lock no memory (RLIMIT_MEMLOCK)")]
    NoMemory,
    /// Operations are missing.
    #[error("this kernel's io_uring lacks {0}: Linux 6.1 or newer is needed")]
    Lacks(String),
    /// Something else, with its errno.
    #[error("io_uring cannot be set up: {}", io::Error::from_raw_os_error(*.0))]
    Other(i32),
}

/// The operations that the data plane and the executors use.
const OPERATIONS: [(u8, &str); 15] = [
    (opcode::Accept::CODE, "accept"),
    (opcode::AsyncCancel::CODE, "async_cancel"),
    (opcode::Close::CODE, "close"),
    (opcode::Connect::CODE, "connect"),
    (opcode::Fsync::CODE, "fsync"),
    (opcode::MsgRingData::CODE, "msg_ring"),
    (opcode::OpenAt::CODE, "openat"),
    (opcode::PollAdd::CODE, "poll_add"),
    (opcode::Read::CODE, "read"),
    (opcode::Recv::CODE, "recv"),
    (opcode::Send::CODE, "send"),
    (opcode::SendMsg::CODE, "sendmsg"),
    (opcode::Shutdown::CODE, "shutdown"),
    (opcode::Timeout::CODE, "timeout"),
    (opcode::Write::CODE, "write"),
];

/// Sets up a small ring and asks what it can do.
pub fn try_io_uring() -> Result<(), IoUringRefused> {
    let ring = IoUring::new(2).map_err(|error| match error.raw_os_error() {
        Some(libc::EPERM | libc::EACCES) => IoUringRefused::Forbidden,
        Some(libc::ENOSYS) => IoUringRefused::Absent,
        Some(libc::ENOMEM) => IoUringRefused::NoMemory,
        other => IoUringRefused::Other(other.unwrap_or(0)),
    })?;
    let mut probe = Probe::new();
    if ring.submitter().register_probe(&mut probe).is_err() {
        return Err(IoUringRefused::Lacks("a way to ask what it can do".into()));
    }
    let missing: Vec<&str> =
        OPERATIONS.iter().filter(|(code, _)| !probe.is_supported(*code)).map(|(_, name)| *name).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(IoUringRefused::Lacks(missing.join(", "))),
    }
}

/// Descriptors that a node uses beside its clients: listeners, rings, files, the cluster's links.
const OTHER_FILES: u64 = 1024;

/// What one executor of the control plane locks (measured: 215 KiB; it refuses to start below 512).
const EXECUTOR_MEMLOCK: u64 = 512 << 10;

/// Bytes of locked memory that one core's ring is charged with.
pub fn core_memlock(ring: &crate::data::RingSizes) -> u64 {
    let page = |bytes: u64| bytes.next_multiple_of(4096);
    let (submissions, completions) = (u64::from(ring.submissions), u64::from(ring.completions));
    page(submissions * 64)
        + page(completions * 16 + submissions * 4)
        + page(u64::from(ring.receive_buffers) * 16)
}

/// Looks at everything.
pub fn examine(needs: &Needs) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.extend(kernel(thread::kernel_version()));
    findings.extend(io_uring());
    if let Ok((memlock, _)) = sys::limit(libc::RLIMIT_MEMLOCK) {
        findings.extend(locked_memory(needs, memlock, sys::is_root()));
    }
    if let Ok((soft, hard)) = sys::limit(libc::RLIMIT_NOFILE) {
        findings.extend(files(needs, soft, hard));
    }
    findings.extend(setting("/proc/sys/vm/overcommit_memory").and_then(|value| overcommit(&value)));
    findings
        .extend(setting("/sys/kernel/mm/transparent_hugepage/enabled").and_then(|value| huge_pages(&value)));
    findings.extend(setting("/proc/sys/net/core/somaxconn").and_then(|value| backlog(needs, &value)));
    findings
}

fn setting(path: &str) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_string())
}

fn kernel(version: (u32, u32)) -> Option<Finding> {
    (version < (6, 1)).then(|| Finding {
        what: "kernel",
        found: format!("Linux {}.{}", version.0, version.1),
        needed: "Linux 6.1 or newer".into(),
        mend: "install a newer kernel".into(),
        fatal: true,
    })
}

fn io_uring() -> Option<Finding> {
    let refused = try_io_uring().err()?;
    let disabled = setting("/proc/sys/kernel/io_uring_disabled").filter(|value| value != "0");
    let mend = match (&refused, disabled) {
        (IoUringRefused::Forbidden, Some(_)) => "sysctl -w kernel.io_uring_disabled=0",
        (IoUringRefused::Forbidden, None) => {
            "allow io_uring_setup, io_uring_enter and io_uring_register in the container's seccomp profile \
             (docker run --security-opt seccomp=profile.json)"
        }
        (IoUringRefused::NoMemory, _) => "ulimit -l unlimited (systemd: LimitMEMLOCK=infinity)",
        _ => "run a kernel of 6.1 or newer with CONFIG_IO_URING",
    };
    Some(Finding {
        what: "io_uring",
        found: refused.to_string(),
        needed: "io_uring with all operations in use".into(),
        mend: mend.into(),
        fatal: true,
    })
}

fn locked_memory(needs: &Needs, memlock: u64, root: bool) -> Option<Finding> {
    // Root's rings are charged to nobody.
    let needed = needs.cores as u64 * core_memlock(&needs.ring) + needs.executors as u64 * EXECUTOR_MEMLOCK;
    (!root && memlock < needed).then(|| Finding {
        what: "locked memory",
        found: format!("{} KiB", memlock / 1024),
        needed: format!(
            "{} KiB for {} cores; nodes of one user share it",
            needed.div_ceil(1024),
            needs.cores
        ),
        mend: format!("ulimit -l {} (systemd: LimitMEMLOCK=infinity)", needed.div_ceil(1024)),
        fatal: true,
    })
}

fn files(needs: &Needs, soft: u64, hard: u64) -> Option<Finding> {
    let needed = needs.max_clients + OTHER_FILES;
    // A soft limit that is too low is raised at start.
    (hard < needed && !sys::is_root()).then(|| Finding {
        what: "open files",
        found: format!("{soft}, at most {hard}"),
        needed: format!("{needed} for {} clients", needs.max_clients),
        mend: format!("ulimit -n {needed} (systemd: LimitNOFILE={needed}), or lower maxclients"),
        fatal: false,
    })
}

fn overcommit(value: &str) -> Option<Finding> {
    (value == "2").then(|| Finding {
        what: "vm.overcommit_memory",
        found: value.into(),
        needed: "0 or 1: room for huge values is reserved before it is used".into(),
        mend: "sysctl -w vm.overcommit_memory=1".into(),
        fatal: false,
    })
}

fn huge_pages(value: &str) -> Option<Finding> {
    value.contains("[never]").then(|| Finding {
        what: "transparent huge pages",
        found: value.into(),
        needed: "madvise: batched reads of many keys are a fifth faster".into(),
        mend: "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled".into(),
        fatal: false,
    })
}

fn backlog(needs: &Needs, value: &str) -> Option<Finding> {
    let limit: u32 = value.parse().ok()?;
    (limit < needs.backlog).then(|| Finding {
        what: "net.core.somaxconn",
        found: value.into(),
        needed: format!("{} as tcp-backlog has it", needs.backlog),
        mend: format!("sysctl -w net.core.somaxconn={}", needs.backlog),
        fatal: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs() -> Needs {
        let ring = crate::data::RingSizes::default();
        Needs { cores: 4, executors: 2, max_clients: 10_000, ring, backlog: 511 }
    }

    #[test]
    fn this_machine_has_io_uring() {
        assert_eq!(try_io_uring(), Ok(()));
        assert!(examine(&needs()).iter().all(|finding| !finding.fatal));
    }

    #[test]
    fn old_kernels_are_refused() {
        assert_eq!(kernel((6, 1)), None);
        assert_eq!(kernel((7, 0)), None);
        assert!(kernel((5, 19)).unwrap().fatal);
    }

    #[test]
    fn locked_memory_counts_cores_and_executors() {
        // 1024 submissions of 64, 4096 completions of 16 with the index array, 512 buffers of 16 bytes.
        assert_eq!(core_memlock(&needs().ring), 65_536 + 69_632 + 8_192);
        let enough = 4 * core_memlock(&needs().ring) + 2 * (512 << 10);
        assert_eq!(locked_memory(&needs(), enough, false), None);
        assert_eq!(locked_memory(&needs(), 0, true), None);
        let finding = locked_memory(&needs(), enough - 1, false).unwrap();
        assert!(finding.fatal && finding.mend.contains("ulimit -l 1584"), "{finding:?}");
    }

    #[test]
    fn settings_are_judged() {
        assert_eq!(overcommit("0"), None);
        assert!(overcommit("2").is_some());
        assert_eq!(huge_pages("always [madvise] never"), None);
        assert!(huge_pages("always madvise [never]").is_some());
        assert_eq!(backlog(&needs(), "4096"), None);
        assert_eq!(backlog(&needs(), "128").unwrap().mend, "sysctl -w net.core.somaxconn=511");
    }
}
