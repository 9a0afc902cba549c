//! Giving memory back: what deletions left sparse is moved together, and emptied pages go to the system.
//!
//!     idle --too much in no use--> choose pages --> walk all tables, move what is in chosen pages
//!      ^                                                |
//!      '---- trim: unmap what is empty <---- settle ----'
//!
//! A record has one pointer to it and a segment one reference, so each can be moved when it is met. The
//! walk looks at every record once; what it moves goes to the fullest pages. Records that lie in pages of
//! other cores are pulled home on the way (rule R11).
//!
//! 1. A step is bounded: one segment at a time.
//! 2. A round that gained little is not repeated before the waste has grown.

use crate::memory::{Memory, PageRef};
use crate::table::Table;
use crate::value::Progress;
use slot::{Slot, SLOT_COUNT};

/// Memory in no use below which nobody cares, bytes.
const CARE_FROM: usize = 4 << 20;
/// Chunks looked at by one call while trimming.
const TRIM_CHUNKS: usize = 64;

/// The state of a round.
#[derive(Default)]
pub(crate) struct Defragmenter {
    stage: Stage,
    /// Bytes in no use that the last round left behind.
    left: usize,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Idle,
    Walk {
        db: usize,
        slot: usize,
        /// Hash prefix.
        at: u64,
    },
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
        match self.stage {
            Stage::Idle => progress.done = !self.begin(memory),
            Stage::Walk { db, slot, at } => {
                self.walk(memory, tables, (db, slot, at), budget, home, &mut progress)
            }
            Stage::Trim => {
                let more = (0..TRIM_CHUNKS).all(|_| memory.trim_step());
                if !more {
                    self.left = memory.fragmentation().1;
                    self.stage = Stage::Idle;
                    progress.done = true;
                }
            }
        }
        progress
    }

    /// Starts a round if it is worth it.
    fn begin(&mut self, memory: &mut Memory) -> bool {
        let (resident, unused) = memory.fragmentation();
        let grown = unused > self.left + self.left / 4 + CARE_FROM;
        if unused < self.left {
            self.left = unused;
        }
        if !grown || unused * 8 < resident {
            return false;
        }
        choose_pages(memory);
        memory.evacuate_heap();
        self.stage = Stage::Walk { db: 0, slot: 0, at: 0 };
        true
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
                (0..memory.slab_chunks()).for_each(|index| memory.settle_chunk(index));
                memory.settle_heap();
                self.stage = Stage::Trim;
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

/// Marks the sparsest pages of each class, as many as the fullest ones can take the records of.
fn choose_pages(memory: &mut Memory) {
    let mut pages: Vec<(usize, u16, u16, PageRef)> = Vec::new();
    for index in 0..memory.slab_chunks() {
        memory.survey_chunk(index, |page, class, live, capacity| pages.push((class, live, capacity, page)));
    }
    pages.sort_unstable_by_key(|&(class, live, ..)| (class, std::cmp::Reverse(live)));
    for of_class in pages.chunk_by(|a, b| a.0 == b.0) {
        let live: usize = of_class.iter().map(|page| usize::from(page.1)).sum();
        let mut room = 0;
        let kept = of_class.iter().take_while(|page| {
            // A little more room than records, for those that come meanwhile.
            let enough = room >= live + live / 32;
            room += usize::from(page.2);
            !enough
        });
        for &(class, live, capacity, page) in &of_class[kept.count()..] {
            if u32::from(live) * 10 < u32::from(capacity) * 9 {
                memory.evacuate_page(page, class);
            }
        }
    }
}
