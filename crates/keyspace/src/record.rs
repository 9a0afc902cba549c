//! One key with all that belongs to it, in one block.
//!
//! ```text
//!     inline   | head | clock 3 | [expiry 8] | key length | value length | key | value |
//!     boxed    | head | clock 3 | 4 unused   | pointer 8  | [expiry 8]   | key length | key |
//!     head     type 3 bits | volatile | has an expiry | form 2 bits | boxed     lengths are LEB128
//! ```
//!
//! The boxed value of a string is an `Arc<Vec<u8>>`, that of a collection the `Box` that its type's
//! [`Large`] has. The pointer is aligned, so that a reference to it can be given out.
//!
//! 1. A [`Record`] is a pointer: it is valid until its key is next changed, moved or removed. The table
//!    holds the only lasting one.
//! 2. Only [`Record::free`], [`Record::replace`] and [`Record::take_value`] let go of a boxed value, and
//!    [`Record::lend_large`] leaves a null pointer, which all of them take for nothing.
//! 3. Volatile is a record whose key its table counts as one that will expire, whole or in part. The keyspace sets it
//!    by [`Record::due`]; it stays readable while a value is lent.
//!
//! Not here: where blocks come from (`memory.rs`), and how records are found (`table.rs`).

#![allow(unsafe_code)]

use crate::memory::{Memory, MAX_SLAB};
use crate::value::{AccessClock, Form, NewValue, OwnedValue, StrRef, ValueRef, INLINE_MAX};
use datatypes::collection::{Large, Parts, ValueType};
use datatypes::hash::HashRef;
use datatypes::list::ListRef;
use datatypes::set::SetRef;
use datatypes::sorted_set::SortedSetRef;
use datatypes::stream::StreamRef;
use std::ptr::{null_mut, NonNull};
use std::sync::Arc;

/// A pointer to a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Record(NonNull<u8>);

// SAFETY: a record is plain memory that one core at a time refers to (rule R11).
unsafe impl Send for Record {}

const TYPE: u8 = 0x07;
const VOLATILE: u8 = 1 << 3;
const EXPIRES: u8 = 1 << 4;
const FORM: u32 = 5;
const BOXED: u8 = 1 << 7;
const INLINE_FRONT: usize = 4;
const BOXED_FRONT: usize = 16;
const EXPIRY: usize = 8;

/// Where the parts of a record are.
struct Offsets {
    key: usize,
    key_len: usize,
    /// Of an inline value; 0 for a boxed one.
    value_len: usize,
}

fn varint_len(number: usize) -> usize {
    (usize::BITS - (number | 1).leading_zeros()).div_ceil(7) as usize
}

fn form_bits(form: Form) -> u8 {
    (match form {
        Form::Auto => 0,
        Form::Raw => 1,
        Form::Embstr => 2,
    }) << FORM
}

/// What lies in a box beside a record.
#[derive(Debug)]
pub(crate) enum Boxed {
    /// The buffer of a large string.
    Buffer(Arc<Vec<u8>>),
    /// A large collection.
    Large(Large),
}

impl Boxed {
    /// Bytes that it holds.
    fn memory(&self) -> i64 {
        match self {
            Boxed::Buffer(buffer) => buffer.capacity() as i64,
            Boxed::Large(large) => large.memory() as i64,
        }
    }
}

/// What a new record is made of.
pub(crate) struct Draft<'a> {
    pub key: &'a [u8],
    pub value: NewValue<'a>,
    pub expiry: Option<u64>,
    pub clock: AccessClock,
}

impl Draft<'_> {
    fn is_boxed(&self) -> bool {
        match &self.value {
            NewValue::Copy(bytes, _) => bytes.len() > INLINE_MAX,
            NewValue::Shared(buffer, _) => buffer.len() > INLINE_MAX,
            NewValue::Compact(..) => false,
            NewValue::Large(_) => true,
        }
    }

    /// The bytes of a value that is to lie in the record.
    fn inline(&self) -> &[u8] {
        match &self.value {
            NewValue::Copy(bytes, _) | NewValue::Compact(_, _, bytes) => bytes,
            NewValue::Shared(buffer, _) => buffer,
            NewValue::Large(_) => &[],
        }
    }

    fn head(&self) -> u8 {
        let (value_type, form) = match &self.value {
            NewValue::Copy(_, form) | NewValue::Shared(_, form) => (ValueType::String, form_bits(*form)),
            NewValue::Compact(value_type, form, _) => (*value_type, form << FORM),
            NewValue::Large(large) => (large.value_type(), 0),
        };
        value_type as u8
            | form
            | if self.expiry.is_some() { EXPIRES } else { 0 }
            | if self.is_boxed() { BOXED } else { 0 }
    }

    /// Bytes of the record.
    pub(crate) fn size(&self) -> usize {
        let expiry = if self.expiry.is_some() { EXPIRY } else { 0 };
        let key = varint_len(self.key.len()) + self.key.len();
        if self.is_boxed() {
            return BOXED_FRONT + expiry + key;
        }
        let value = self.inline().len();
        INLINE_FRONT + expiry + key + varint_len(value) + value
    }
}

/// Whether records of these sizes lie in blocks of the same size.
pub(crate) fn same_block(a: usize, b: usize) -> bool {
    a == b || (a <= MAX_SLAB && b <= MAX_SLAB && a.div_ceil(8) == b.div_ceil(8))
}

impl Record {
    /// Makes a record in a block of its own.
    #[inline]
    pub(crate) fn create(memory: &mut Memory, draft: Draft<'_>) -> Record {
        let size = draft.size();
        let record = Record(memory.alloc_record(size));
        // SAFETY: the block is new and holds `size` bytes.
        unsafe { record.write(memory, draft) };
        record
    }

    /// Overwrites a record of the same key, in place if the new one fits into its block. The record
    /// that holds it now, and the boxed value that it held; nothing of `draft` may lie in the old one.
    #[inline]
    pub(crate) fn replace(self, memory: &mut Memory, draft: Draft<'_>) -> (Record, Option<Boxed>) {
        let old = self.size();
        let new = draft.size();
        let boxed = self.take_box(memory);
        if same_block(old, new) {
            // SAFETY: the block has room for `new` bytes, and the caller saw to it that it does not overlap.
            unsafe { self.write(memory, draft) };
            return (self, boxed);
        }
        // SAFETY: the old block is not referred to any more once the caller has the new record.
        unsafe { memory.free_record(self.0, old) };
        (Record::create(memory, draft), boxed)
    }

    /// # Safety
    /// The block has room for `draft.size()` bytes, of which none belongs to the draft.
    #[inline]
    unsafe fn write(self, memory: &mut Memory, draft: Draft<'_>) {
        let boxed = draft.is_boxed();
        let head = draft.head();
        // SAFETY: all offsets are below the size computed in `Draft::size`.
        unsafe {
            let base = self.0.as_ptr();
            base.write(head);
            self.set_clock(draft.clock);
            let mut at = if boxed { BOXED_FRONT } else { INLINE_FRONT };
            if let Some(expiry) = draft.expiry {
                std::ptr::copy_nonoverlapping(expiry.to_le_bytes().as_ptr(), base.add(at), EXPIRY);
                at += EXPIRY;
            }
            at = self.write_varint(at, draft.key.len());
            if !boxed {
                at = self.write_varint(at, draft.inline().len());
            }
            std::ptr::copy_nonoverlapping(draft.key.as_ptr(), base.add(at), draft.key.len());
            at += draft.key.len();
            if !boxed {
                let value = draft.inline();
                std::ptr::copy_nonoverlapping(value.as_ptr(), base.add(at), value.len());
                return;
            }
            let value = match draft.value {
                NewValue::Copy(bytes, _) | NewValue::Compact(_, _, bytes) => {
                    Boxed::Buffer(Arc::new(bytes.to_vec()))
                }
                NewValue::Shared(buffer, _) => Boxed::Buffer(buffer),
                NewValue::Large(large) => Boxed::Large(large),
            };
            memory.large += value.memory();
            match value {
                Boxed::Buffer(buffer) => base.add(8).cast::<Arc<Vec<u8>>>().write(buffer),
                Boxed::Large(large) => self.put_large(large),
            }
        }
    }

    /// Writes the pointer of a large collection over whatever stands there.
    ///
    /// # Safety
    /// The record has a box field, and its head names the type of `large`.
    unsafe fn put_large(self, large: Large) {
        let pointer = match large {
            Large::List(list) => Box::into_raw(list).cast::<u8>(),
            Large::Set(set) => Box::into_raw(set).cast(),
            Large::SortedSet(set) => Box::into_raw(set).cast(),
            Large::Hash(hash) => Box::into_raw(hash).cast(),
            Large::Stream(stream) => Box::into_raw(stream).cast(),
        };
        // SAFETY: the field is there and aligned.
        unsafe { self.0.as_ptr().add(8).cast::<*mut u8>().write(pointer) };
    }

    /// # Safety
    /// There is room at `at`.
    #[inline]
    unsafe fn write_varint(self, mut at: usize, mut number: usize) -> usize {
        // SAFETY: the caller's promise.
        unsafe {
            while number >= 0x80 {
                self.0.add(at).write(number as u8 | 0x80);
                number >>= 7;
                at += 1;
            }
            self.0.add(at).write(number as u8);
        }
        at + 1
    }

    #[inline]
    fn read_varint(self, at: &mut usize) -> usize {
        let (mut number, mut shift) = (0, 0);
        loop {
            // SAFETY: a live record has a whole number here.
            let byte = unsafe { self.0.add(*at).read() };
            *at += 1;
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return number;
            }
            shift += 7;
        }
    }

    #[inline]
    fn head(self) -> u8 {
        // SAFETY: a live record has at least four bytes.
        unsafe { self.0.read() }
    }

    #[inline]
    pub(crate) fn is_boxed(self) -> bool {
        self.head() & BOXED != 0
    }

    #[inline]
    fn front(self) -> usize {
        if self.is_boxed() {
            BOXED_FRONT
        } else {
            INLINE_FRONT
        }
    }

    #[inline]
    fn parts(self) -> Offsets {
        let mut at = self.front() + if self.head() & EXPIRES != 0 { EXPIRY } else { 0 };
        let key_len = self.read_varint(&mut at);
        let value_len = if self.is_boxed() { 0 } else { self.read_varint(&mut at) };
        Offsets { key: at, key_len, value_len }
    }

    /// Bytes of the record, its boxed value left out.
    #[inline]
    pub(crate) fn size(self) -> usize {
        let parts = self.parts();
        parts.key + parts.key_len + parts.value_len
    }

    #[inline]
    fn bytes<'a>(self, at: usize, len: usize) -> &'a [u8] {
        // SAFETY: inside of a live record; callers give it the lifetime of their borrow of the table.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(at), len) }
    }

    /// Its key.
    #[inline]
    pub(crate) fn key<'a>(self) -> &'a [u8] {
        let parts = self.parts();
        self.bytes(parts.key, parts.key_len)
    }

    /// The type of its value.
    #[inline]
    pub(crate) fn value_type(self) -> ValueType {
        ValueType::ALL[usize::from(self.head() & TYPE)]
    }

    /// Which compact encoding of its type its bytes are in.
    #[inline]
    fn compact_form(self) -> u8 {
        self.head() >> FORM & 3
    }

    /// The bytes of a value that lies in the record.
    #[inline]
    fn inline<'a>(self) -> &'a [u8] {
        let parts = self.parts();
        self.bytes(parts.key + parts.key_len, parts.value_len)
    }

    /// Its value.
    #[inline]
    pub(crate) fn value<'a>(self) -> ValueRef<'a> {
        let value_type = self.value_type();
        if value_type == ValueType::String {
            return ValueRef::Str(self.string());
        }
        if self.is_boxed() {
            // SAFETY: the field holds the pointer of a box of the type that the head names, which the record
            // owns; callers give it the lifetime of their borrow of the table.
            unsafe { self.large_ref(value_type) }
        } else {
            let (form, bytes) = (self.compact_form(), self.inline());
            match value_type {
                ValueType::List => ValueRef::List(ListRef::from_compact(form, bytes)),
                ValueType::Set => ValueRef::Set(SetRef::from_compact(form, bytes)),
                ValueType::SortedSet => ValueRef::SortedSet(SortedSetRef::from_compact(form, bytes)),
                ValueType::Hash => ValueRef::Hash(HashRef::from_compact(form, bytes)),
                ValueType::String | ValueType::Stream => unreachable!("it has no compact form"),
            }
        }
    }

    /// # Safety
    /// The box field holds a box of this type.
    unsafe fn large_ref<'a>(self, value_type: ValueType) -> ValueRef<'a> {
        // SAFETY: the caller's promise.
        unsafe {
            let pointer = self.0.as_ptr().add(8).cast::<*mut u8>().read();
            debug_assert!(!pointer.is_null(), "it is lent");
            match value_type {
                ValueType::List => ValueRef::List(ListRef::Large(&*pointer.cast())),
                ValueType::Set => ValueRef::Set(SetRef::Large(&*pointer.cast())),
                ValueType::SortedSet => ValueRef::SortedSet(SortedSetRef::Large(&*pointer.cast())),
                ValueType::Hash => ValueRef::Hash(HashRef::Large(&*pointer.cast())),
                ValueType::Stream => ValueRef::Stream(StreamRef::Large(&*pointer.cast())),
                ValueType::String => unreachable!("strings are read by `string`"),
            }
        }
    }

    /// The value of a record that holds a string.
    #[inline]
    pub(crate) fn string<'a>(self) -> StrRef<'a> {
        debug_assert!(self.value_type() == ValueType::String);
        let form = match self.head() >> FORM & 3 {
            0 => Form::Auto,
            1 => Form::Raw,
            _ => Form::Embstr,
        };
        if self.is_boxed() {
            // SAFETY: the field holds an Arc that the record owns, aligned, as `&Arc` needs it.
            let buffer: &'a Arc<Vec<u8>> = unsafe { &*self.0.as_ptr().add(8).cast::<Arc<Vec<u8>>>() };
            return StrRef { bytes: buffer, shared: Some(buffer), form };
        }
        StrRef { bytes: self.inline(), shared: None, form }
    }

    /// The parts of a collection that is to be changed: a copy of its bytes in `scratch`, or its large form
    /// itself, which [`Record::return_large`] must bring back unless the record is overwritten or freed.
    pub(crate) fn lend(self, memory: &mut Memory, mut scratch: Vec<u8>) -> Parts {
        match self.take_box(memory) {
            Some(Boxed::Large(large)) => Parts::Large(large),
            Some(Boxed::Buffer(_)) => unreachable!("strings are not lent"),
            None => {
                scratch.clear();
                scratch.extend_from_slice(self.inline());
                Parts::Compact(self.compact_form(), scratch)
            }
        }
    }

    /// Brings back what [`Record::lend`] gave.
    pub(crate) fn return_large(self, memory: &mut Memory, large: Large) {
        assert!(self.is_boxed() && self.value_type() == large.value_type());
        memory.large += large.memory() as i64;
        // SAFETY: by the assertion; `lend` has left a null pointer in the field.
        unsafe { self.put_large(large) };
    }

    /// When it expires, unix ms.
    #[inline]
    pub(crate) fn expiry(self) -> Option<u64> {
        if self.head() & EXPIRES == 0 {
            return None;
        }
        let mut bytes = [0; 8];
        bytes[..EXPIRY].copy_from_slice(self.bytes(self.front(), EXPIRY));
        Some(u64::from_le_bytes(bytes))
    }

    /// When something of it expires next, unix ms: the key, or a field of the hash that it holds.
    #[inline]
    pub(crate) fn due(self) -> Option<u64> {
        let expiry = self.expiry();
        if self.value_type() != ValueType::Hash {
            return expiry;
        }
        let ValueRef::Hash(hash) = self.value() else { unreachable!("by its type") };
        match (expiry, hash.next_expiry()) {
            (Some(key), Some(field)) => Some(key.min(field)),
            (key, field) => key.or(field),
        }
    }

    /// Whether its key is counted as one that will expire.
    #[inline]
    pub(crate) fn is_volatile(self) -> bool {
        self.head() & VOLATILE != 0
    }

    /// Remembers whether its key is counted as one that will expire.
    #[inline]
    pub(crate) fn set_volatile(self, volatile: bool) {
        let head = self.head() & !VOLATILE | if volatile { VOLATILE } else { 0 };
        // SAFETY: the head of a live record.
        unsafe { self.0.as_ptr().write(head) };
    }

    /// Changes the expiry in place. Only for a record that has one.
    pub(crate) fn set_expiry(self, expiry: u64) {
        assert!(self.head() & EXPIRES != 0, "there is no room for an expiry");
        // SAFETY: the field is there.
        unsafe {
            let field = self.0.as_ptr().add(self.front());
            std::ptr::copy_nonoverlapping(expiry.to_le_bytes().as_ptr(), field, EXPIRY);
        }
    }

    /// Its access clock.
    #[inline]
    pub(crate) fn clock(self) -> AccessClock {
        let bytes = self.bytes(1, 3);
        AccessClock::new(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0]))
    }

    /// Sets its access clock.
    #[inline]
    pub(crate) fn set_clock(self, clock: AccessClock) {
        let [a, b, c, _] = clock.get().to_le_bytes();
        // SAFETY: a live record, or a new block, has these bytes.
        unsafe { self.0.as_ptr().add(1).cast::<[u8; 3]>().write([a, b, c]) };
    }

    /// Writes into an inline value that is long enough; the value becomes [`Form::Raw`].
    pub(crate) fn overwrite(self, offset: usize, bytes: &[u8]) {
        let parts = self.parts();
        assert!(!self.is_boxed() && offset + bytes.len() <= parts.value_len);
        // SAFETY: inside of the value, by the assertion; the bytes are the caller's.
        unsafe {
            let value = self.0.as_ptr().add(parts.key + parts.key_len + offset);
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), value, bytes.len());
            self.0.as_ptr().write(self.head() & !(3 << FORM) | form_bits(Form::Raw));
        }
    }

    /// Changes a boxed value in place, after making it the only owner of its buffer; the value becomes
    /// [`Form::Raw`].
    pub(crate) fn edit_box(self, memory: &mut Memory, edit: impl FnOnce(&mut Vec<u8>)) {
        assert!(self.is_boxed());
        // SAFETY: as in `string`; nobody else refers to the field while the caller edits.
        let buffer = unsafe { &mut *self.0.as_ptr().add(8).cast::<Arc<Vec<u8>>>() };
        memory.large -= buffer.capacity() as i64;
        edit(Arc::make_mut(buffer));
        memory.large += buffer.capacity() as i64;
        // SAFETY: the head of a live record.
        unsafe { self.0.as_ptr().write(self.head() & !(3 << FORM) | form_bits(Form::Raw)) };
    }

    /// Takes a boxed value out, and leaves null. A string's record must be freed or overwritten without a look
    /// at its value.
    fn take_box(self, memory: &mut Memory) -> Option<Boxed> {
        if !self.is_boxed() {
            return None;
        }
        // SAFETY: the field holds null, or a pointer of the type that the head names; it is moved out once, and
        // the null that stays says so.
        let boxed = unsafe {
            let field = self.0.as_ptr().add(8).cast::<*mut u8>();
            let pointer = field.read();
            if pointer.is_null() {
                return None;
            }
            let boxed = match self.value_type() {
                ValueType::String => Boxed::Buffer(field.cast::<Arc<Vec<u8>>>().read()),
                ValueType::List => Boxed::Large(Large::List(Box::from_raw(pointer.cast()))),
                ValueType::Set => Boxed::Large(Large::Set(Box::from_raw(pointer.cast()))),
                ValueType::SortedSet => Boxed::Large(Large::SortedSet(Box::from_raw(pointer.cast()))),
                ValueType::Hash => Boxed::Large(Large::Hash(Box::from_raw(pointer.cast()))),
                ValueType::Stream => Boxed::Large(Large::Stream(Box::from_raw(pointer.cast()))),
            };
            field.write(null_mut());
            boxed
        };
        memory.large -= boxed.memory();
        Some(boxed)
    }

    /// Frees the record. A boxed value is handed to the caller, who may free it in his own time.
    pub(crate) fn free(self, memory: &mut Memory) -> Option<Boxed> {
        let (size, boxed) = (self.size(), self.take_box(memory));
        // SAFETY: the block was allocated for a record of this size, and the caller has dropped the
        // table's pointer to it.
        unsafe { memory.free_record(self.0, size) };
        boxed
    }

    /// Takes the value out. The record must be freed or overwritten without a look at its value.
    pub(crate) fn take_value(self, memory: &mut Memory) -> OwnedValue {
        let (value_type, form) = (self.value_type(), self.compact_form());
        let string_form = if value_type == ValueType::String { self.string().form } else { Form::default() };
        match self.take_box(memory) {
            Some(Boxed::Buffer(buffer)) => OwnedValue::Shared(buffer, string_form),
            Some(Boxed::Large(large)) => OwnedValue::Large(large),
            None if value_type == ValueType::String => {
                OwnedValue::Inline(self.inline().to_vec(), string_form)
            }
            None => OwnedValue::Compact(value_type, form, self.inline().to_vec()),
        }
    }

    /// Moves the record to another block, if `memory` wants it moved.
    pub(crate) fn relocate(self, memory: &mut Memory) -> Option<Record> {
        let size = self.size();
        // SAFETY: a record of this size is in the slab; it is copied whole, a boxed value's pointer with
        // it, and the old block is not used afterwards.
        unsafe {
            if size > MAX_SLAB || !memory.should_move_record(self.0) {
                return None;
            }
            let to = memory.alloc_record(size);
            std::ptr::copy_nonoverlapping(self.0.as_ptr(), to.as_ptr(), size);
            memory.free_record(self.0, size);
            Some(Record(to))
        }
    }

    /// The pointer in 48 bits.
    #[inline]
    pub(crate) fn to_bits(self) -> u64 {
        self.0.as_ptr().expose_provenance() as u64
    }

    /// From the pointer's 48 bits, which are not zero.
    #[inline]
    pub(crate) fn from_bits(bits: u64) -> Record {
        Record(
            NonNull::new(std::ptr::with_exposed_provenance_mut(bits as usize))
                .expect("a record is somewhere"),
        )
    }

    /// Asks for its first two cache lines.
    #[inline]
    pub(crate) fn prefetch(self) {
        crate::table::prefetch(self.0.as_ptr());
        crate::table::prefetch(self.0.as_ptr().wrapping_add(40));
    }
}
