//! The executor behind `Ctx`. The only file that names glommio.

use crate::control::{ExecutorError, Interval, ListenOptions, TaskPanic};
use crate::data::panic_message;
use crate::{clock, doctor, sys, thread};
use futures_lite::io::{AsyncRead, AsyncWrite};
use futures_lite::{future, FutureExt};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::time::Duration;

/// What the backend may lock for its own buffers. We give it no disk work that needs more.
const IO_MEMORY: usize = 64 << 10;

/// A running executor.
pub struct Executor {
    name: String,
    thread: std::thread::JoinHandle<Result<(), TaskPanic>>,
}

/// Starts an executor on a thread of its own, which runs `main` to its end. The thread keeps off the
/// processors in `cpu_avoid` where there are others.
pub fn spawn_executor<F, Fut>(name: &str, cpu_avoid: &[usize], main: F) -> Result<Executor, ExecutorError>
where
    F: FnOnce(Ctx) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + 'static,
{
    doctor::try_io_uring()?;
    let failed = |error| ExecutorError::Start { name: name.to_string(), error };
    let allowed = thread::allowed_cpus().map_err(failed)?;
    let avoid = cpu_avoid.to_vec();
    let (report, reported) = mpsc::channel();
    let run = move || {
        let made = thread::keep_off(&avoid, &allowed).and_then(|()| Ok(builder().make()?));
        let executor = match made {
            Ok(executor) => executor,
            Err(error) => {
                let _ = report.send(Err(error));
                return Ok(());
            }
        };
        let _ = report.send(Ok(()));
        executor.run(async move {
            let ctx = Ctx { kept: Rc::default(), next_kept: Rc::default() };
            let main = std::panic::catch_unwind(AssertUnwindSafe(|| main(ctx.clone())));
            let result = match main {
                Ok(main) => caught(main).await,
                Err(panic) => Err(TaskPanic(panic_message(&*panic))),
            };
            ctx.cancel_kept().await;
            result
        })
    };
    let thread = std::thread::Builder::new().name(name.to_string()).spawn(run).map_err(failed)?;
    reported.recv().expect("the thread reports before anything else").map_err(failed)?;
    Ok(Executor { name: name.to_string(), thread })
}

fn builder() -> glommio::LocalExecutorBuilder {
    // Unbound: its own pinning would undo what `keep_off` has set.
    glommio::LocalExecutorBuilder::new(glommio::Placement::Unbound).io_memory(IO_MEMORY).ring_depth(128)
}

impl Executor {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether `main` has ended.
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for the end of `main`.
    pub fn join(self) -> Result<(), TaskPanic> {
        self.thread.join().unwrap_or_else(|panic| Err(TaskPanic(panic_message(&*panic))))
    }
}

/// What tasks of an executor can ask for. Cheap to clone; stays on its thread.
#[derive(Clone)]
pub struct Ctx {
    /// Tasks that nobody holds a handle of: cancelled when `main` ends, because the backend would forget them.
    kept: Rc<RefCell<BTreeMap<u64, Task<()>>>>,
    next_kept: Rc<Cell<u64>>,
}

impl Ctx {
    /// Runs a task beside this one. Dropping the handle cancels it.
    pub fn spawn<T: 'static>(&self, task: impl Future<Output = T> + 'static) -> Task<T> {
        Task(glommio::spawn_local(caught(task)))
    }

    /// Runs a task until it or the executor's `main` ends; nobody waits for it.
    pub fn spawn_kept(&self, task: impl Future<Output = ()> + 'static) {
        let id = self.next_kept.replace(self.next_kept.get() + 1);
        let kept = Rc::downgrade(&self.kept);
        let task = self.spawn(async move {
            let result = caught(task).await;
            // Its own handle, which is dropped when this poll is over: a task cannot cancel its ending.
            let own = kept.upgrade().and_then(|kept| kept.borrow_mut().remove(&id));
            if let Some(own) = own {
                own.0.detach();
            }
            if let Err(panic) = result {
                // The panic hook has told of it already; the awaiter of a kept task is nobody.
                drop(panic);
            }
        });
        self.kept.borrow_mut().insert(id, task);
    }

    async fn cancel_kept(&self) {
        loop {
            // A statement of its own: a task that ends may look at the list, so it is not borrowed meanwhile.
            let first = self.kept.borrow_mut().pop_first();
            let Some((_, task)) = first else { return };
            task.cancel().await;
        }
    }

    /// Waits until a time on the monotonic clock, in microseconds.
    pub async fn sleep_until(&self, mono_us: u64) {
        let wait = mono_us.saturating_sub(clock::mono_us());
        if wait > 0 {
            self.sleep(Duration::from_micros(wait)).await;
        }
    }

    /// Waits for a while.
    pub async fn sleep(&self, duration: Duration) {
        glommio::timer::Timer::new(duration).await;
    }

    /// Ticks every `period`, the first time one period from now.
    pub fn interval(&self, period: Duration) -> Interval {
        Interval::new(period)
    }

    /// Awaits a future for so long; none where that was not enough.
    pub async fn timeout<T>(&self, duration: Duration, what: impl Future<Output = T>) -> Option<T> {
        let late = async {
            self.sleep(duration).await;
            None
        };
        async { Some(what.await) }.or(late).await
    }

    /// Lets the other tasks run.
    pub async fn yield_now(&self) {
        future::yield_now().await;
    }

    /// Runs what computes or blocks on another thread.
    pub async fn spawn_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, TaskPanic> {
        // A panic there would leave the backend waiting for ever.
        let work = move || std::panic::catch_unwind(AssertUnwindSafe(work));
        let result = glommio::executor().spawn_blocking(work).await;
        result.map_err(|panic| TaskPanic(panic_message(&*panic)))
    }

    /// Connects, giving up after `timeout`.
    pub async fn connect(&self, addr: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
        let stream = glommio::net::TcpStream::connect_timeout(addr, timeout).await?;
        TcpStream::new(stream)
    }

    /// Listens.
    pub fn listen(&self, addr: SocketAddr, options: ListenOptions) -> io::Result<TcpListener> {
        let fd = sys::listen_tcp(addr, options.backlog.min(i32::MAX as u32) as i32, |fd| {
            sys::set_option(fd, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)
        })?;
        let local = std::net::TcpListener::from(fd.try_clone()?).local_addr()?;
        Ok(TcpListener { listener: adopt(fd), local })
    }
}

#[allow(unsafe_code)]
fn adopt(fd: OwnedFd) -> glommio::net::TcpListener {
    // SAFETY: the descriptor is a listening socket that we own and give away here.
    unsafe { glommio::net::TcpListener::from_raw_fd(fd.into_raw_fd()) }
}

/// Runs a future; a panic becomes its result.
async fn caught<T>(what: impl Future<Output = T>) -> Result<T, TaskPanic> {
    let result = AssertUnwindSafe(what).catch_unwind().await;
    result.map_err(|panic| TaskPanic(panic_message(&*panic)))
}

/// A task's handle: awaits its result. Dropped, it cancels the task.
#[must_use = "a task is cancelled when its handle is dropped"]
pub struct Task<T>(glommio::Task<Result<T, TaskPanic>>);

impl<T> Task<T> {
    /// Cancels the task and waits until it is gone; its result, if it was quicker.
    pub async fn cancel(self) -> Option<Result<T, TaskPanic>> {
        self.0.cancel().await
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, TaskPanic>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

/// A listening socket.
pub struct TcpListener {
    listener: glommio::net::TcpListener,
    local: SocketAddr,
}

impl TcpListener {
    /// Waits for a connection.
    pub async fn accept(&self) -> io::Result<TcpStream> {
        TcpStream::new(self.listener.accept().await?)
    }

    /// Where it listens, with the port that the kernel chose if 0 was asked for.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }
}

/// A connection. Reads and writes by futures' traits; `split` for two tasks.
pub struct TcpStream {
    stream: glommio::net::TcpStream,
    local: SocketAddr,
    peer: SocketAddr,
}

/// The reading half of a connection.
pub type ReadHalf = futures_lite::io::ReadHalf<TcpStream>;
/// The writing half of a connection.
pub type WriteHalf = futures_lite::io::WriteHalf<TcpStream>;

impl TcpStream {
    fn new(stream: glommio::net::TcpStream) -> io::Result<TcpStream> {
        stream.set_nodelay(true)?;
        let (local, peer) = (stream.local_addr()?, stream.peer_addr()?);
        Ok(TcpStream { stream, local, peer })
    }

    /// Our address.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// The other side's address.
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// Lets the kernel ask after so many seconds of silence whether the peer lives.
    pub fn set_keepalive(&self, seconds: u32) -> io::Result<()> {
        sys::keepalive(&Fd(self.stream.as_raw_fd(), PhantomData::<&TcpStream>), seconds)
    }

    /// Halves for two tasks of the same executor.
    pub fn split(self) -> (ReadHalf, WriteHalf) {
        futures_lite::io::split(self)
    }
}

/// A descriptor for as long as its owner is borrowed.
struct Fd<T>(RawFd, PhantomData<T>);

impl<T> AsRawFd for Fd<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.0
    }
}

impl AsyncRead for TcpStream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
