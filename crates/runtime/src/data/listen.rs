//! Listening sockets, made by the starting thread so that what is wrong with an address is told at once.

use crate::sys;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::Path;

/// How TCP connections are taken.
#[derive(Debug, Clone, Copy)]
pub struct TcpOptions {
    /// How many connections may wait to be accepted (`tcp-backlog`).
    pub backlog: u32,
    /// Seconds of silence before the kernel asks whether the peer is alive; 0 never asks (`tcp-keepalive`).
    pub keepalive_s: u32,
}

impl Default for TcpOptions {
    fn default() -> TcpOptions {
        TcpOptions { backlog: 511, keepalive_s: 300 }
    }
}

/// A listening socket for one core.
#[derive(Debug)]
pub struct Listener {
    pub(super) fd: OwnedFd,
    pub(super) unix: bool,
}

impl Listener {
    /// Listens on an address together with the other cores (SO_REUSEPORT): the kernel deals connections
    /// out. Connections inherit TCP_NODELAY and keepalive.
    pub fn tcp(addr: SocketAddr, options: TcpOptions) -> io::Result<Listener> {
        let fd = sys::listen_tcp(addr, options.backlog.min(i32::MAX as u32) as i32, |fd| {
            sys::set_option(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
            sys::set_option(fd, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)?;
            sys::set_option(fd, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1)?;
            sys::keepalive(fd, options.keepalive_s)
        })?;
        Ok(Listener { fd, unix: false })
    }

    /// Listens on a path, replacing a socket that an earlier run left there.
    pub fn unix(path: &Path, permissions: Option<u32>, backlog: u32) -> io::Result<Listener> {
        if std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket()) {
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        if let Some(mode) = permissions {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
        }
        sys::set_backlog(&listener, backlog.min(i32::MAX as u32) as i32)?;
        Ok(Listener { fd: listener.into(), unix: true })
    }

    /// The address, with the port that the kernel chose where 0 was asked for.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        TcpListener::from(self.fd.try_clone()?).local_addr()
    }
}
