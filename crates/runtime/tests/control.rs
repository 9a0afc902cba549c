//! The control plane's executors: timers, sockets, tasks, mailboxes, files.

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use runtime::control::*;
use runtime::mailbox::{mailbox, Notify, Refused};
use runtime::{clock, thread as threads};
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc};
use std::time::Duration;

/// Runs a task on an executor of its own and returns what it makes.
fn run<T, F, Fut>(main: F) -> T
where
    T: Send + 'static,
    F: FnOnce(Ctx) -> Fut + Send + 'static,
    Fut: Future<Output = T> + 'static,
{
    let (send, receive) = mpsc::channel();
    let executor =
        spawn_executor("test", &[], |ctx| async move { send.send(main(ctx).await).unwrap() }).unwrap();
    executor.join().unwrap();
    receive.recv().unwrap()
}

/// A directory of this test's own, removed at the end.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("ringslot-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Directory(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn timers_are_never_early_and_intervals_keep_their_pace() {
    let (slept, ticks, late, quick) = run(|ctx| async move {
        let start = clock::mono_us();
        ctx.sleep_until(start + 5_000).await;
        let slept = clock::mono_us() - start;
        ctx.sleep_until(start).await;
        let mut interval = ctx.interval(Duration::from_millis(4));
        let mut ticks = vec![interval.tick(&ctx).await, interval.tick(&ctx).await];
        // Ticks that were missed are left out.
        ctx.sleep(Duration::from_millis(20)).await;
        ticks.push(interval.tick(&ctx).await);
        ticks.push(interval.tick(&ctx).await);
        let late = ctx.timeout(Duration::from_millis(3), std::future::pending::<()>()).await;
        let quick = ctx.timeout(Duration::from_secs(20), async { 7 }).await;
        (slept, ticks, late, quick)
    });
    assert!(slept >= 5_000);
    // On a busy machine any tick may come late: they keep to the grid, and those missed while the task slept
    // are left out.
    assert!(ticks.windows(2).all(|two| two[1] > two[0] && (two[1] - two[0]) % 4_000 == 0), "{ticks:?}");
    assert!(ticks[3] - ticks[1] >= 20_000, "{ticks:?}");
    assert_eq!((late, quick), (None, Some(7)));
}

#[test]
fn a_connection_carries_both_ways_at_once() {
    let bytes: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
    let expected = bytes.clone();
    let back = run(|ctx| async move {
        let listener = ctx.listen("127.0.0.1:0".parse().unwrap(), ListenOptions::default()).unwrap();
        let addr = listener.local_addr();
        let server = ctx.spawn(async move {
            let stream = listener.accept().await.unwrap();
            stream.set_keepalive(60).unwrap();
            let (mut reader, mut writer) = stream.split();
            futures_lite::io::copy(&mut reader, &mut writer).await.unwrap();
            writer.close().await.unwrap();
        });
        let stream = ctx.connect(addr, Duration::from_secs(20)).await.unwrap();
        assert_eq!(stream.peer_addr(), addr);
        let (mut reader, mut writer) = stream.split();
        let sender = ctx.spawn(async move {
            writer.write_all(&bytes).await.unwrap();
            writer.close().await.unwrap();
        });
        let mut back = Vec::new();
        reader.read_to_end(&mut back).await.unwrap();
        sender.await.unwrap();
        server.await.unwrap();
        back
    });
    assert!(back == expected);
}

#[test]
fn ipv6_listens_and_a_refused_connection_is_an_error() {
    run(|ctx| async move {
        let listener = ctx.listen("[::1]:0".parse().unwrap(), ListenOptions::default()).unwrap();
        let addr = listener.local_addr();
        let client = ctx.spawn({
            let ctx = ctx.clone();
            async move { ctx.connect(addr, Duration::from_secs(20)).await.map(|stream| stream.local_addr()) }
        });
        let accepted = listener.accept().await.unwrap().peer_addr();
        assert_eq!(client.await.unwrap().unwrap(), accepted);
        drop(listener);
        let refused = ctx.connect(addr, Duration::from_secs(20)).await;
        assert_eq!(refused.err().unwrap().kind(), std::io::ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_panic_ends_its_task_alone() {
    run(|ctx| async move {
        let task: Task<()> = ctx.spawn(async { panic!("in a task") });
        assert_eq!(task.await, Err(TaskPanic("in a task".into())));
        ctx.spawn_kept(async { panic!("in a kept task") });
        ctx.yield_now().await;
        let blocked = ctx.spawn_blocking(|| -> u8 { panic!("while blocking") }).await;
        assert_eq!(blocked, Err(TaskPanic("while blocking".into())));
        assert_eq!(ctx.spawn_blocking(|| 5).await, Ok(5));
    });
    let executor = spawn_executor("test", &[], |_| async { panic!("in main") }).unwrap();
    assert_eq!(executor.join(), Err(TaskPanic("in main".into())));
}

#[test]
fn tasks_end_with_their_handle_or_with_main() {
    struct Count(Arc<AtomicUsize>);
    impl Drop for Count {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let ended = Arc::new(AtomicUsize::new(0));
    let counter = ended.clone();
    run(|ctx| async move {
        let forever = |count: Count| async move {
            std::future::pending::<()>().await;
            drop(count);
        };
        let task = ctx.spawn(forever(Count(counter.clone())));
        ctx.yield_now().await;
        assert_eq!(task.cancel().await, None);
        assert_eq!(counter.load(Ordering::SeqCst), 1);
        ctx.spawn_kept(forever(Count(counter.clone())));
        // One that ends by itself, and one that is still at it when main ends.
        let done = Count(counter.clone());
        ctx.spawn_kept(async move { drop(done) });
        ctx.sleep(Duration::from_millis(1)).await;
        assert_eq!(counter.load(Ordering::SeqCst), 2);
    });
    assert_eq!(ended.load(Ordering::SeqCst), 3);
}

#[test]
fn a_mailbox_wakes_its_task_and_holds_its_senders_back() {
    const MANY: u32 = 20_000;
    let (send, mut receive) = mailbox::<u32>(16, Notify::Task);
    let foreign = send.clone();
    let sender = std::thread::spawn(move || {
        for n in 0..MANY {
            while let Err(refused) = foreign.try_push(n) {
                assert_eq!(refused, Refused::Full(n));
                std::thread::yield_now();
            }
        }
    });
    let total = run(move |ctx| async move {
        let own = ctx.spawn(async move {
            for n in 0..MANY {
                send.push(n).await.unwrap();
            }
        });
        let mut total = 0u64;
        while let Some(n) = receive.recv().await {
            total += u64::from(n);
        }
        own.await.unwrap();
        total
    });
    sender.join().unwrap();
    assert_eq!(total, u64::from(MANY) * u64::from(MANY - 1));
}

#[test]
fn a_mailbox_without_receiver_says_so() {
    let (send, receive) = mailbox(1, Notify::Task);
    send.try_push(1).unwrap();
    assert_eq!(send.try_push(2), Err(Refused::Full(2)));
    drop(receive);
    assert_eq!(send.try_push(3), Err(Refused::Closed(3)));
    assert_eq!(run(move |_| async move { send.push(4).await }), Err(4));
}

#[test]
fn a_file_is_replaced_whole() {
    let directory = Directory::new("replace");
    let path = directory.0.join("nodes.conf");
    for (contents, durability) in [("first", Durability::Process), ("second one", Durability::PowerLoss)] {
        replace_file(&path, contents.as_bytes(), durability).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), contents);
    }
    assert_eq!(std::fs::read_dir(&directory.0).unwrap().count(), 1, "no temporary file stays");
    // What cannot be renamed leaves what was there.
    let inside = directory.0.join("a-directory");
    std::fs::create_dir_all(inside.join("not-empty")).unwrap();
    replace_file(&inside, b"x", Durability::Process).unwrap_err();
    assert!(inside.join("not-empty").is_dir());
    assert_eq!(std::fs::read_dir(&directory.0).unwrap().count(), 2);
}

#[test]
fn a_lock_keeps_others_out_until_it_is_dropped() {
    let directory = Directory::new("lock");
    let path = directory.0.join("lock");
    let held = lock_file(&path).unwrap();
    assert!(held.is_some());
    assert!(lock_file(&path).unwrap().is_none());
    drop(held);
    assert!(lock_file(&path).unwrap().is_some());
}

#[test]
fn an_append_file_goes_on_where_it_ended() {
    let directory = Directory::new("append");
    let path = directory.0.join("journal");
    let mut file = append_file(&path).unwrap();
    file.append(b"one ").unwrap();
    file.sync().unwrap();
    drop(file);
    let mut file = append_file(&path).unwrap();
    assert_eq!(file.length(), 4);
    file.append(b"two").unwrap();
    assert_eq!(file.length(), 7);
    assert_eq!(std::fs::read(&path).unwrap(), b"one two");
}

#[test]
fn control_threads_keep_off_the_data_cores() {
    let allowed = threads::allowed_cpus().unwrap();
    let (send, receive) = mpsc::channel();
    let report = send.clone();
    let avoid = [allowed[0]];
    let main = |report: mpsc::Sender<Vec<usize>>| {
        |ctx: Ctx| async move {
            report.send(threads::allowed_cpus().unwrap()).unwrap();
            let blocking = ctx.spawn_blocking(|| threads::allowed_cpus().unwrap()).await.unwrap();
            report.send(blocking).unwrap();
        }
    };
    spawn_executor("bus", &avoid, main(report)).unwrap().join().unwrap();
    let rest = if allowed.len() > 1 { &allowed[1..] } else { &allowed[..] };
    assert_eq!(receive.recv().unwrap(), rest);
    assert_eq!(receive.recv().unwrap(), rest, "its helper threads too");
    // Where every processor has a data core, it shares.
    spawn_executor("bus", &allowed, main(send)).unwrap().join().unwrap();
    assert_eq!(receive.recv().unwrap(), allowed);
}

#[test]
fn usage_and_limits_are_told() {
    let usage = threads::usage();
    assert!(usage.rss_bytes > 100_000 && usage.peak_rss_bytes >= usage.rss_bytes / 2);
    assert!(usage.user_us + usage.system_us > 0);
    assert!(threads::kernel_version() >= (6, 1));
    assert!(threads::raise_nofile(64).unwrap() >= 64);
}
