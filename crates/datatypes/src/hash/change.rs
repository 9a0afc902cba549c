//! Writing to a hash.
//!
//! Every method takes the time, for an expired field is absent to it, and the limits where it may add something. The
//! order of triples in a listpackex is that of Redis 7.4: a field whose expiry changes moves, one whose value changes
//! stays where it is.

use super::expiry::Expiries;
use super::packed::{self, Packed};
use super::{is_expired, Hash, HashRef, LargeHash, Limits};
use crate::dict::keyed_hash;
use crate::integer::Decimal;
use crate::listpack::{self, Pos};
use crate::long_double;

/// What becomes of the expiry of a field whose value is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetExpiry {
    /// The field stays.
    End,
    /// What it was.
    Keep,
    /// This time, in Unix ms.
    At(u64),
}

/// When an expiry is to be set, in regard to the one that the field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Always.
    Always,
    /// NX: if it has none.
    IfNone,
    /// XX: if it has one.
    IfSome,
    /// GT: if the new one is later; none is the latest.
    IfLater,
    /// LT: if the new one is earlier; none is the latest.
    IfEarlier,
}

impl Condition {
    /// Whether it lets this expiry take the place of the one that the field has.
    pub fn holds(self, old: Option<u64>, new: u64) -> bool {
        match (self, old) {
            (Condition::Always, _) => true,
            (Condition::IfNone, old) => old.is_none(),
            (Condition::IfSome, old) => old.is_some(),
            (Condition::IfLater, old) => old.is_some_and(|old| new > old),
            (Condition::IfEarlier, old) => old.is_none_or(|old| new < old),
        }
    }
}

/// What came of setting an expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpirySet {
    /// There is no such field.
    NoField,
    /// The condition does not hold.
    NotMet,
    /// The field will go.
    Set,
    /// The time has passed: the field is gone.
    Deleted,
}

/// What came of ending an expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persisted {
    /// There is no such field.
    NoField,
    /// It has no expiry.
    NoExpiry,
    /// It stays.
    Done,
}

/// Why a number was not increased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncrementError {
    /// The value is no integer.
    NotAnInteger,
    /// The sum is beyond 64 bits.
    Overflow,
}

impl Default for Hash {
    fn default() -> Hash {
        Hash::new()
    }
}

impl Hash {
    /// A hash without fields.
    pub fn new() -> Hash {
        Hash::Listpack(listpack::create())
    }

    /// To read.
    pub fn as_ref(&self) -> HashRef<'_> {
        match self {
            Hash::Listpack(bytes) => HashRef::Listpack(bytes),
            Hash::ListpackEx(bytes) => HashRef::ListpackEx(bytes),
            Hash::Large(large) => HashRef::Large(large),
        }
    }

    /// How many fields it has, those included that are expired and still there.
    pub fn len(&self) -> usize {
        self.as_ref().len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.as_ref().is_empty()
    }

    /// These fields and values, in turn, are about to be set: converts a hash that would not hold them. A command
    /// that sets several fields asks once for all.
    pub fn expect<'b>(&mut self, arguments: impl Iterator<Item = &'b [u8]> + Clone, limits: &Limits) {
        let (Hash::Listpack(bytes) | Hash::ListpackEx(bytes)) = &*self else { return };
        let (mut count, mut total, mut longest) = (0, 0, 0);
        for argument in arguments.clone() {
            count += 1;
            total += argument.len();
            longest = longest.max(argument.len());
        }
        let fits = count / 2 <= limits.listpack_entries
            && longest <= limits.listpack_value
            && listpack::safe_to_add(bytes, total);
        if !fits {
            let mixed = arguments.fold(0, keyed_hash);
            self.enlarge(&mixed.to_le_bytes(), limits);
        }
    }

    /// Gives a field this value; whether the field is new.
    pub fn set(
        &mut self,
        field: &[u8],
        value: &[u8],
        expiry: SetExpiry,
        now_ms: u64,
        limits: &Limits,
    ) -> bool {
        if field.len().max(value.len()) > limits.listpack_value {
            self.enlarge(field, limits);
        }
        if let SetExpiry::At(_) = expiry {
            self.take_expiries();
        }
        let new = match self {
            Hash::Large(large) => large.set(field, value, expiry, now_ms),
            Hash::Listpack(bytes) => match Packed::pairs(bytes).find(field) {
                Some(pos) => {
                    let at = Packed::pairs(bytes).value_pos(pos);
                    listpack::replace(bytes, at, value);
                    false
                }
                None => {
                    listpack::push_back(bytes, field);
                    listpack::push_back(bytes, value);
                    true
                }
            },
            Hash::ListpackEx(bytes) => set_in_triples(bytes, field, value, expiry, now_ms),
        };
        if !matches!(self, Hash::Large(_)) && self.len() > limits.listpack_entries {
            self.enlarge(field, limits);
        }
        new
    }

    /// Takes a field out; whether it was there.
    pub fn remove(&mut self, field: &[u8], now_ms: u64) -> bool {
        if let Hash::Large(large) = self {
            return large.remove(field, now_ms);
        }
        let Some(pos) = self.find(field) else { return false };
        let was = self.as_ref().contains(field, now_ms);
        self.remove_at(pos);
        was
    }

    /// Adds to the integer that a field holds, or to zero, and gives the sum. The field keeps its expiry.
    pub fn increment(
        &mut self,
        field: &[u8],
        by: i64,
        now_ms: u64,
        limits: &Limits,
    ) -> Result<i64, IncrementError> {
        let old = match self.as_ref().get(field, now_ms) {
            Some(value) => value.as_i64().ok_or(IncrementError::NotAnInteger)?,
            None => 0,
        };
        let sum = old.checked_add(by).ok_or(IncrementError::Overflow)?;
        self.set(field, Decimal::new(sum).as_bytes(), SetExpiry::Keep, now_ms, limits);
        Ok(sum)
    }

    /// Adds to the float that a field holds, or to zero, and gives the sum as text. The field keeps its expiry.
    pub fn increment_float(
        &mut self,
        field: &[u8],
        by: &[u8],
        now_ms: u64,
        limits: &Limits,
    ) -> Result<Vec<u8>, long_double::IncrementError> {
        let sum = match self.as_ref().get(field, now_ms) {
            Some(value) => value.with_bytes(|value| long_double::increment_float(value, by))?,
            None => long_double::increment_float(b"0", by)?,
        };
        self.set(field, &sum, SetExpiry::Keep, now_ms, limits);
        Ok(sum)
    }

    /// Sets when a field goes.
    pub fn set_expiry(&mut self, field: &[u8], at_ms: u64, condition: Condition, now_ms: u64) -> ExpirySet {
        let Some(old) = self.as_ref().expiry(field, now_ms) else { return ExpirySet::NoField };
        if !condition.holds(old, at_ms) {
            return ExpirySet::NotMet;
        }
        if at_ms <= now_ms {
            self.remove(field, now_ms);
            return ExpirySet::Deleted;
        }
        self.take_expiries();
        self.move_expiry(field, Some(at_ms));
        ExpirySet::Set
    }

    /// Lets a field stay.
    pub fn persist(&mut self, field: &[u8], now_ms: u64) -> Persisted {
        match self.as_ref().expiry(field, now_ms) {
            None => Persisted::NoField,
            Some(None) => Persisted::NoExpiry,
            Some(Some(_)) => {
                self.move_expiry(field, None);
                Persisted::Done
            }
        }
    }

    /// Removes up to `limit` expired fields and tells them; how many they were.
    pub fn expire_fields(&mut self, now_ms: u64, limit: usize, f: &mut dyn FnMut(&[u8])) -> usize {
        for removed in 0..limit {
            if self.as_ref().next_expiry().is_none_or(|at| !is_expired(at, now_ms)) {
                return removed;
            }
            match self {
                Hash::Listpack(_) => unreachable!("fields of a listpack do not expire"),
                Hash::ListpackEx(bytes) => {
                    let packed = Packed::triples(bytes);
                    let first = packed.first().expect("a field expires");
                    packed.entry(first).field.with_bytes(&mut *f);
                    self.remove_at(first);
                }
                Hash::Large(large) => {
                    let expiries = large.expiries.as_ref().expect("a field expires");
                    let (_, field) = expiries.first_field().expect("a field expires");
                    let field = field.to_vec();
                    f(&field);
                    large.remove(&field, now_ms);
                }
            }
        }
        limit
    }

    /// Where a field of a small hash is.
    fn find(&self, field: &[u8]) -> Option<Pos> {
        self.as_ref().packed().ok()?.find(field)
    }

    /// Takes a field of a small hash out.
    fn remove_at(&mut self, pos: Pos) {
        match self {
            Hash::Listpack(bytes) => packed::remove(bytes, pos, 2),
            Hash::ListpackEx(bytes) => packed::remove(bytes, pos, 3),
            Hash::Large(_) => unreachable!("a large hash has no places"),
        }
    }

    /// Makes an encoding of it in which fields can expire.
    fn take_expiries(&mut self) {
        if let Hash::Listpack(bytes) = self {
            *self = Hash::ListpackEx(packed::with_expiries(bytes));
        }
    }

    /// Changes the expiry of a field that is there.
    fn move_expiry(&mut self, field: &[u8], expiry: Option<u64>) {
        match self {
            Hash::Listpack(_) => unreachable!("fields of a listpack do not expire"),
            Hash::ListpackEx(bytes) => {
                let packed = Packed::triples(bytes);
                let pos = packed.find(field).expect("the field is there");
                let value = packed.entry(pos).value.to_bytes().into_owned();
                packed::remove(bytes, pos, 3);
                packed::insert_triple(bytes, field, &value, expiry);
            }
            Hash::Large(large) => large.set_expiry(field, expiry),
        }
    }

    /// Turns it into a large hash. What is in it, and what comes, makes its hashes differ from those of others.
    fn enlarge(&mut self, coming: &[u8], limits: &Limits) {
        let (Hash::Listpack(bytes) | Hash::ListpackEx(bytes)) = &*self else { return };
        let seed = keyed_hash(keyed_hash(limits.hash_seed, bytes), coming);
        let mut large = Box::new(LargeHash::new(seed));
        for entry in self.as_ref().entries() {
            entry.field.with_bytes(|field| {
                entry.value.with_bytes(|value| large.fields.insert(field, value));
                large.set_expiry(field, entry.expiry);
            });
        }
        *self = Hash::Large(large);
    }
}

fn set_in_triples(bytes: &mut Vec<u8>, field: &[u8], value: &[u8], expiry: SetExpiry, now_ms: u64) -> bool {
    let packed = Packed::triples(bytes);
    let found = packed.find(field).map(|pos| (pos, packed.entry(pos)));
    let old = found.and_then(|(_, entry)| entry.expiry);
    let live = found.is_some_and(|(_, entry)| entry.is_live(now_ms));
    let new = match expiry {
        SetExpiry::End => None,
        SetExpiry::Keep => old.filter(|_| live),
        SetExpiry::At(at) => Some(at),
    };
    match found {
        Some((pos, _)) if old == new => {
            let at = packed.value_pos(pos);
            listpack::replace(bytes, at, value);
        }
        found => {
            if let Some((pos, _)) = found {
                packed::remove(bytes, pos, 3);
            }
            packed::insert_triple(bytes, field, value, new);
        }
    }
    !live
}

impl LargeHash {
    /// Whether a field that may be there is expired.
    fn is_overdue(&self, field: &[u8], now_ms: u64) -> bool {
        let expiries = self.overdue(now_ms);
        expiries.and_then(|expiries| expiries.get(field)).is_some_and(|at| is_expired(at, now_ms))
    }

    fn set(&mut self, field: &[u8], value: &[u8], expiry: SetExpiry, now_ms: u64) -> bool {
        let overdue = self.is_overdue(field, now_ms);
        let new = self.fields.insert(field, value) || overdue;
        match expiry {
            SetExpiry::At(at) => self.set_expiry(field, Some(at)),
            SetExpiry::Keep if !overdue => {}
            SetExpiry::Keep | SetExpiry::End => self.set_expiry(field, None),
        }
        new
    }

    pub(super) fn set_expiry(&mut self, field: &[u8], expiry: Option<u64>) {
        match (expiry, &mut self.expiries) {
            (Some(at), expiries) => {
                let seed = self.fields.seed();
                expiries.get_or_insert_with(|| Box::new(Expiries::new(seed))).set(field, at);
            }
            (None, Some(expiries)) => {
                expiries.remove(field);
                if expiries.is_empty() {
                    self.expiries = None;
                }
            }
            (None, None) => {}
        }
    }

    fn remove(&mut self, field: &[u8], now_ms: u64) -> bool {
        let overdue = self.is_overdue(field, now_ms);
        let was = self.fields.remove(field);
        self.set_expiry(field, None);
        was && !overdue
    }
}
