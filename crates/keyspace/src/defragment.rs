//! Giving memory back: what deletions left sparse is moved together, and emptied pages go to the system.
//!
//!     idle --too much in no use--> survey --> choose pages --> walk all tables, move what is in them
//!      ^                                                                       |
//!      '------------------- trim: unmap what is empty <------ settle <---------'
//!
//! A record has one pointer to it and a segment one reference, so each can be moved when it is met. The
//! walk looks at every record once; what it moves goes to the fullest pages. Records that lie in pages of
//! other cores are pulled home on the way (rule R11).
//!
//! 1. A step is bounded: one segment, or one chunk, at a time.
//! 2. A round that gained little is not repeated before the waste has grown.

use crate::memory::{Memory, MAX_SLAB};
use crate::table::Table;
use crate::value::Progress;
use slot::{Slot, SLOT_COUNT};

/// Memory in no use below which nobody cares, bytes.
const CARE_FROM: usize = 4 << 20;
/// Chunks looked at by one call while surveying and settling.
const CHUNKS: usize = 64;
/// What giving a page of 64 KB back costs, in steps: the kernel takes some 5 microseconds.
const TRIM_COST: usize = 100;
/// Occupations of a page that are told apart.
const LEVELS: usize = 64;

/// The state of a round.
#[derive(Default)]
pub(crate) struct Defragmenter {
    stage: Stage,
    /// Bytes in no use that the last round left behind.
    left: usize,
    /// For each class and level of occupation: how many records and how much room its pages have; then,
    /// for each class, what is to be kept.
    survey: Vec<[Occupied; LEVELS]>,
    limits: Vec<Limit>,
    heap: Vec<usize>,
}

#[derive(Default, Clone, Copy)]
struct Occupied {
    live: usize,
    room: usize,
}

/// Pages below a level are evacuated, those above it are not, and of the level itself as many are kept as
/// this room takes.
struct Limit {
    level: usize,
    room: usize,
}

impl Limit {
    /// Whether a page is to be evacuated.
    fn chooses(&mut self, live: u16, capacity: u16) -> bool {
        let level = level(live, capacity);
        if level == self.level && self.room > 0 {
            self.room = self.room.saturating_sub(capacity.into());
            return false;
        }
        level <= self.level
    }
}

/// The level of occupation of a page.
fn level(live: u16, capacity: u16) -> usize {
    usize::from(live) * (LEVELS - 1) / usize::from(capacity)
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Idle,
    Survey(usize),
    Choose(usize),
    ChooseHeap,
    Walk {
        db: usize,
        slot: usize,
        /// Hash prefix.
        at: u64,
    },
    Settle(usize),
    Trim,
}

/// The tables of all databases, where there are any.
type Tables<'a, 'b> = &'a mut [Option<&'b mut [Table]>];

impl Defragmenter {
    /// See [`crate::Keyspace::defragment`].
    pub fn step(
        &mut self,
        memory: &mut Memory,
        tables: Tables<'_, '_>,
        budget: usize,
        home: impl Fn(Slot) -> bool,
    ) -> Progress {
        let mut progress = Progress::default();
        while progress.steps < budget && !progress.done {
            self.go_on(memory, tables, budget, &home, &mut progress);
        }
        progress
    }

    fn go_on(
        &mut self,
        memory: &mut Memory,
        tables: Tables<'_, '_>,
        budget: usize,
        home: impl Fn(Slot) -> bool,
        progress: &mut Progress,
    ) {
        // What a chunk costs, in steps: its page heads, or its blocks, are looked at.
        progress.steps += match self.stage {
            Stage::Survey(_) | Stage::Choose(_) | Stage::Settle(_) => CHUNKS * 32,
            Stage::ChooseHeap => 1000,
            _ => 0,
        };
        match self.stage {
            Stage::Idle => progress.done = !self.begin(memory),
            Stage::Walk { db, slot, at } => self.walk(memory, tables, (db, slot, at), budget, home, progress),
            Stage::Survey(from) => self.survey(memory, from),
            Stage::Choose(from) => self.choose(memory, from),
            Stage::ChooseHeap => match self.heap.pop() {
                Some(index) => memory.set_heap_evacuation(index, true),
                None => self.stage = Stage::Walk { db: 0, slot: 0, at: 0 },
            },
            Stage::Settle(from) => self.settle(memory, from),
            Stage::Trim => match memory.trim_step() {
                Some(pages) => progress.steps += 1 + pages * TRIM_COST,
                None => {
                    self.left = memory.fragmentation().1;
                    self.stage = Stage::Idle;
                    progress.done = true;
                }
            },
        }
    }

    /// Starts a round if it is worth it.
    fn begin(&mut self, memory: &mut Memory) -> bool {
        let (resident, unused) = memory.fragmentation();
        let grown = unused > self.left + self.left / 4 + CARE_FROM;
        // A round that ran while keys were being deleted left more behind than it had to: what it left is
        // forgotten little by little, so that another one comes within seconds.
        self.left = unused.min(self.left - self.left / 512);
        if !grown || unused * 8 < resident {
            return false;
        }
        self.survey = vec![[Occupied::default(); LEVELS]; MAX_SLAB / 8 + 1];
        self.stage = Stage::Survey(0);
        true
    }

    /// Learns how full the pages of each class are.
    fn survey(&mut self, memory: &Memory, from: usize) {
        for index in from..from + CHUNKS {
            memory.survey_chunk(index, |_, class, live, capacity| {
                let occupied = &mut self.survey[class][level(live, capacity)];
                occupied.live += usize::from(live);
                occupied.room += usize::from(capacity);
            });
        }
        self.stage = Stage::Survey(from + CHUNKS);
        if from + CHUNKS >= memory.slab_chunks() {
            self.limits = self.survey.drain(..).map(|levels| limit(&levels)).collect();
            self.stage = Stage::Choose(0);
        }
    }

    /// Marks the sparsest pages of each class, as many as the fullest ones can take the records of.
    fn choose(&mut self, memory: &mut Memory, from: usize) {
        let mut chosen = Vec::new();
        for index in from..from + CHUNKS {
            memory.survey_chunk(index, |page, class, live, capacity| {
                if self.limits[class].chooses(live, capacity) {
                    chosen.push((page, class));
                }
            });
        }
        chosen.into_iter().for_each(|(page, class)| memory.evacuate_page(page, class));
        self.stage = Stage::Choose(from + CHUNKS);
        if from + CHUNKS >= memory.slab_chunks() {
            self.heap = memory.sparse_heap_chunks();
            self.stage = Stage::ChooseHeap;
        }
    }

    /// Uses again what could not be emptied.
    fn settle(&mut self, memory: &mut Memory, from: usize) {
        let slab = memory.slab_chunks();
        let end = if from < slab { (from + CHUNKS).min(slab) } else { from + 1 };
        for index in from..end {
            match index.checked_sub(slab) {
                None => memory.settle_chunk(index),
                Some(index) => memory.set_heap_evacuation(index, false),
            }
        }
        // Chunks that come meanwhile move the numbers on, and are not being evacuated; none goes.
        self.stage = match end >= slab + memory.heap_chunks() {
            true => Stage::Trim,
            false => Stage::Settle(end),
        };
    }

    fn walk(
        &mut self,
        memory: &mut Memory,
        tables: Tables<'_, '_>,
        (mut db, mut slot, mut at): (usize, usize, u64),
        budget: usize,
        home: impl Fn(Slot) -> bool,
        progress: &mut Progress,
    ) {
        while progress.steps < budget {
            let Some(database) = tables.get_mut(db) else {
                self.stage = Stage::Settle(0);
                return;
            };
            let Some(database) = database else {
                (db, slot, at) = (db + 1, 0, 0);
                continue;
            };
            let table = &mut database[slot];
            let number = Slot::new(slot as u16).expect("the walk stays below the number of slots");
            if table.keys > 0 && home(number) {
                let (next, looked_at) = table.relocate(memory, at, || progress.changed += 1);
                progress.steps += looked_at;
                at = next;
                if next >> crate::cursor::PREFIX_BITS == 0 {
                    continue;
                }
            }
            progress.steps += 1;
            (slot, at) = (slot + 1, 0);
            if slot == SLOT_COUNT {
                (db, slot) = (db + 1, 0);
            }
        }
        self.stage = Stage::Walk { db, slot, at };
    }
}

/// What of a class is evacuated: the fullest pages that have room for all records stay.
fn limit(levels: &[Occupied; LEVELS]) -> Limit {
    let live: usize = levels.iter().map(|level| level.live).sum();
    // A little more room than records, for those that come meanwhile.
    let mut wanted = live + live / 32;
    for (level, occupied) in levels.iter().enumerate().rev() {
        // Pages that are nearly full are not worth it.
        if level < LEVELS * 9 / 10 && occupied.room >= wanted {
            return Limit { level, room: wanted };
        }
        wanted = wanted.saturating_sub(occupied.room);
    }
    Limit { level: 0, room: usize::MAX }
}
