//! What does a key cost, in time? Beside `hashbrown::HashTable`, one a slot and a box a record, with the same hash.
//!
//!     cargo run --release -p ringslot-keyspace --example table_bench -- 1000000 [one-slot]
//!
//! Keys and values are of 16 bytes. Batches of 16 are prefetched in two stages, as the data core does.
//! Times are ns an operation, the least of three rounds where a round can be repeated; the longest
//! inserts are the element-wise least of the sorted longest times of three fills, without those in which
//! the kernel gave the processor to somebody else: a single fill shows how busy the machine was.

#![allow(unsafe_code)]

use keyspace::{AccessClock, Form, Key, Keyspace, NewValue, Setup, ValueRef};
use std::hint::black_box;
use std::time::Instant;

const BATCH: usize = 16;
const LONGEST: usize = 2000;
/// Inserts slower than this are asked whether they were interrupted.
const SLOW_NS: u32 = 10_000;

struct Shape {
    count: u64,
    one_slot: bool,
}

impl Shape {
    /// The nth name; those past `count` are in nobody's table.
    fn name(&self, n: u64) -> [u8; 16] {
        let mut name = *b"{tag}00000000000";
        if !self.one_slot {
            name = *b"key:000000000000";
        }
        let mut rest = n;
        for digit in name[5..].iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        name
    }

    /// All numbers once, in an order that no cache foresees.
    fn shuffled(&self) -> impl Iterator<Item = u64> + '_ {
        // A step that has no factor in common with the count visits every number once.
        let gcd = |mut a: u64, mut b: u64| {
            while b != 0 {
                (a, b) = (b, a % b);
            }
            a
        };
        let mut step = (self.count as f64 * 0.618_033_988) as u64 | 1;
        while gcd(step, self.count) != 1 {
            step += 2;
        }
        (0..self.count).map(move |i| (u128::from(i) * u128::from(step) % u128::from(self.count)) as u64)
    }
}

/// What is measured.
trait Table {
    fn new() -> Self;
    fn insert(&mut self, key: &[u8; 16]);
    fn batch(&mut self, keys: &[[u8; 16]], work: Work) -> usize;
}

#[derive(Clone, Copy, PartialEq)]
enum Work {
    Get,
    Overwrite,
    Delete,
}

struct Ours(Keyspace);

impl Table for Ours {
    fn new() -> Ours {
        Ours(Keyspace::new(Setup { core: 0, cores: 1, databases: 1, hash_seed: 0x1234_5678_9abc_def1 }))
    }

    fn insert(&mut self, key: &[u8; 16]) {
        let at = self.0.locate(key);
        self.0.insert(0, at, key, NewValue::Copy(key, Form::Auto), None, AccessClock::new(1));
    }

    fn batch(&mut self, keys: &[[u8; 16]], work: Work) -> usize {
        let mut places = [None; BATCH];
        for (key, place) in keys.iter().zip(&mut places) {
            let at = self.0.locate(key);
            self.0.prefetch_entry(0, at);
            *place = Some(Key { bytes: key, place: at });
        }
        let places = places[..keys.len()].iter().flatten();
        places.clone().for_each(|key| self.0.prefetch_record(0, key.place));
        let mut found = 0;
        for key in places {
            found += usize::from(match work {
                Work::Get => self.0.find(0, key.place, key.bytes).is_some_and(|entry| {
                    let ValueRef::Str(string) = entry.value() else {
                        unreachable!("only strings are stored")
                    };
                    black_box(string.bytes()[0]) != 0
                }),
                Work::Overwrite => {
                    let value = NewValue::Copy(b"another 16 bytes", Form::Auto);
                    let clock = AccessClock::new(2);
                    self.0.insert(0, key.place, key.bytes, value, None, clock) == keyspace::Replaced::Old
                }
                Work::Delete => self.0.remove(0, key.place, key.bytes),
            });
        }
        found
    }
}

/// Key, value, and what stands for the head of a record.
type Boxed = Box<([u8; 16], [u8; 16], u64)>;

struct Maps(Vec<hashbrown::HashTable<Boxed>>);

impl Table for Maps {
    fn new() -> Maps {
        Maps((0..slot::SLOT_COUNT).map(|_| hashbrown::HashTable::new()).collect())
    }

    fn insert(&mut self, key: &[u8; 16]) {
        let at = keyspace::locate_in(1, key);
        let record = Box::new((*key, *key, 0));
        self.0[at.slot.index()].insert_unique(at.hash, record, |record| keyspace::hash(1, &record.0));
    }

    fn batch(&mut self, keys: &[[u8; 16]], work: Work) -> usize {
        let mut places = [None; BATCH];
        for (key, place) in keys.iter().zip(&mut places) {
            let at = keyspace::locate_in(1, key);
            // What stands in for a prefetch, for there is none: a load that nothing waits for.
            black_box(self.0[at.slot.index()].find(at.hash, |_| true).is_some());
            *place = Some((at, key));
        }
        let mut found = 0;
        for (at, key) in places.iter().flatten() {
            let map = &mut self.0[at.slot.index()];
            found += usize::from(match work {
                Work::Get => map.find(at.hash, |r| r.0 == **key).is_some_and(|r| black_box(r.1[0]) != 0),
                Work::Overwrite => match map.find_mut(at.hash, |r| r.0 == **key) {
                    Some(record) => {
                        record.1 = *b"another 16 bytes";
                        true
                    }
                    None => false,
                },
                Work::Delete => match map.find_entry(at.hash, |r| r.0 == **key) {
                    Ok(entry) => {
                        drop(entry.remove());
                        true
                    }
                    Err(_) => false,
                },
            });
        }
        found
    }
}

/// How often this thread had to leave its processor.
fn involuntary_switches() -> i64 {
    // SAFETY: the structure is plain numbers, and the call fills it in.
    unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &mut usage);
        usage.ru_nivcsw
    }
}

fn work<T: Table>(table: &mut T, shape: &Shape, work: Work, from: u64) -> f64 {
    // Names are made before the clock runs.
    let names: Vec<[u8; 16]> = shape.shuffled().map(|n| shape.name(n + from)).collect();
    let start = Instant::now();
    let found: usize = names.chunks(BATCH).map(|batch| table.batch(batch, work)).sum();
    let ns = start.elapsed().as_nanos() as f64 / names.len() as f64;
    assert_eq!(found, if from == 0 { names.len() } else { 0 });
    ns
}

fn measure<T: Table>(name: &str, shape: &Shape) {
    let least = |mut f: Box<dyn FnMut() -> f64 + '_>| (0..3).map(|_| f()).fold(f64::MAX, f64::min);
    let mut longest = vec![u64::MAX; LONGEST];
    let (mut insert, mut table) = (f64::MAX, T::new());
    for _ in 0..3 {
        table = T::new();
        let names: Vec<[u8; 16]> = shape.shuffled().map(|n| shape.name(n)).collect();
        let mut times = vec![0u32; names.len()];
        let mut switched = involuntary_switches();
        let start = Instant::now();
        let mut before = start;
        for (name, time) in names.iter().zip(&mut times) {
            table.insert(name);
            let mut now = Instant::now();
            *time = (now - before).as_nanos() as u32;
            if *time > SLOW_NS {
                // Was it the insertion, or was somebody else given the processor?
                let switches = involuntary_switches();
                if switches != switched {
                    (switched, *time) = (switches, 0);
                }
                now = Instant::now();
            }
            before = now;
        }
        insert = insert.min(start.elapsed().as_nanos() as f64 / names.len() as f64);
        times.sort_unstable_by(|a, b| b.cmp(a));
        for (least, time) in longest.iter_mut().zip(times) {
            *least = (*least).min(time.into());
        }
    }
    let get = least(Box::new(|| work(&mut table, shape, Work::Get, 0)));
    let over = least(Box::new(|| work(&mut table, shape, Work::Overwrite, 0)));
    let miss = least(Box::new(|| work(&mut table, shape, Work::Get, shape.count)));
    let delete = work(&mut table, shape, Work::Delete, 0);
    let us = |i: usize| longest[i.min(LONGEST - 1)] as f64 / 1000.0;
    println!(
        "{name:10} get16 {get:6.1}  over16 {over:6.1}  miss16 {miss:6.1}  insert {insert:6.1}  delete16 {delete:6.1} \
         ns;  longest inserts {:.1} {:.1} {:.1} 10th {:.1} 100th {:.1} us",
        us(0),
        us(1),
        us(2),
        us(9),
        us(99)
    );
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().map_or(1_000_000, |text| text.parse().expect("a number of keys"));
    let shape = Shape { count, one_slot: arguments.next().is_some() };
    println!("{count} keys, {}", if shape.one_slot { "one slot" } else { "spread" });
    measure::<Ours>("keyspace", &shape);
    measure::<Maps>("hashbrown", &shape);
}
