//! Entries too long for a bucket: each in a block of its own, found by a number that never changes.
//!
//! ```text
//!     page   256 slots: a block, or the number of the next free slot
//!     block  | hash 8 | length of the key 8 | key | value |
//! ```
//!
//! The hash stands beside the key so that splitting a bucket need not read keys of megabytes. Pages are not
//! given back before the last entry goes; the numbers in buckets would have to change.

use std::mem;

const PAGE: usize = 256;
const FRONT: usize = 16;
/// No slot.
const NONE: u32 = u32::MAX;

#[derive(Clone, Debug)]
enum Slot {
    Used(Box<[u8]>),
    Free(u32),
}

/// The long entries of a dict.
#[derive(Clone, Debug)]
pub(super) struct Longs {
    pages: Vec<Vec<Slot>>,
    free: u32,
    used: usize,
    /// Bytes of all blocks.
    bytes: usize,
}

fn pack(hash: u64, key: &[u8], value: &[u8]) -> Box<[u8]> {
    let mut block = Vec::with_capacity(FRONT + key.len() + value.len());
    block.extend_from_slice(&hash.to_le_bytes());
    block.extend_from_slice(&(key.len() as u64).to_le_bytes());
    block.extend_from_slice(key);
    block.extend_from_slice(value);
    block.into_boxed_slice()
}

fn number_at(block: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(block[at..at + 8].try_into().expect("a slice of eight bytes"))
}

impl Longs {
    pub(super) fn new() -> Longs {
        Longs { pages: Vec::new(), free: NONE, used: 0, bytes: 0 }
    }

    fn block(&self, number: u32) -> &[u8] {
        match &self.pages[number as usize / PAGE][number as usize % PAGE] {
            Slot::Used(block) => block,
            Slot::Free(_) => panic!("bucket points at a free slot"),
        }
    }

    fn slot_mut(&mut self, number: u32) -> &mut Slot {
        &mut self.pages[number as usize / PAGE][number as usize % PAGE]
    }

    /// The key and the value.
    pub(super) fn get(&self, number: u32) -> (&[u8], &[u8]) {
        let block = self.block(number);
        block[FRONT..].split_at(number_at(block, 8) as usize)
    }

    /// The hash of the key.
    pub(super) fn hash(&self, number: u32) -> u64 {
        number_at(self.block(number), 0)
    }

    pub(super) fn value_mut(&mut self, number: u32) -> &mut [u8] {
        match self.slot_mut(number) {
            Slot::Used(block) => {
                let key = number_at(block, 8) as usize;
                &mut block[FRONT + key..]
            }
            Slot::Free(_) => panic!("bucket points at a free slot"),
        }
    }

    pub(super) fn insert(&mut self, hash: u64, key: &[u8], value: &[u8]) -> u32 {
        let block = pack(hash, key, value);
        self.bytes += block.len();
        self.used += 1;
        if self.free != NONE {
            let number = self.free;
            let slot = self.slot_mut(number);
            let Slot::Free(next) = mem::replace(slot, Slot::Used(block)) else {
                panic!("the list of free slots holds a used one");
            };
            self.free = next;
            return number;
        }
        if self.pages.last().is_none_or(|page| page.len() == PAGE) {
            self.pages.push(Vec::new());
        }
        let last = self.pages.len() - 1;
        let page = &mut self.pages[last];
        if page.len() == page.capacity() {
            // 4, 8, ... 256: a dict of a few long entries has no page of 4 KB.
            page.reserve_exact(page.len().max(4));
        }
        page.push(Slot::Used(block));
        u32::try_from(last * PAGE + page.len() - 1).expect("a dict holds less than 2^32 long entries")
    }

    pub(super) fn replace(&mut self, number: u32, hash: u64, key: &[u8], value: &[u8]) {
        let old = self.block(number).len();
        if old == FRONT + key.len() + value.len() {
            self.value_mut(number).copy_from_slice(value);
            return;
        }
        let block = pack(hash, key, value);
        self.bytes = self.bytes - old + block.len();
        *self.slot_mut(number) = Slot::Used(block);
    }

    pub(super) fn remove(&mut self, number: u32) {
        let next = self.free;
        let Slot::Used(block) = mem::replace(self.slot_mut(number), Slot::Free(next)) else {
            panic!("a long entry is removed once");
        };
        self.free = number;
        self.bytes -= block.len();
        self.used -= 1;
        if self.used == 0 {
            *self = Longs::new();
        }
    }

    /// Bytes of heap.
    pub(super) fn memory(&self) -> usize {
        let slots = match self.pages.last() {
            Some(last) => (self.pages.len() - 1) * PAGE + last.capacity(),
            None => 0,
        };
        self.bytes + slots * mem::size_of::<Slot>() + self.pages.capacity() * mem::size_of::<Vec<Slot>>()
    }

    /// Frees up to so many entries; how many of them are left over.
    pub(super) fn dismantle(&mut self, mut steps: usize) -> usize {
        while steps > 0 {
            let Some(page) = self.pages.last_mut() else { break };
            match page.pop() {
                Some(Slot::Used(block)) => {
                    self.bytes -= block.len();
                    steps -= 1;
                }
                Some(Slot::Free(_)) => {}
                None => {
                    self.pages.pop();
                    steps -= 1;
                }
            }
        }
        steps
    }

    /// Whether no page is left.
    pub(super) fn is_dismantled(&self) -> bool {
        self.pages.is_empty()
    }
}
