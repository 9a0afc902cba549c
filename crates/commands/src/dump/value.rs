//! Values of the keyspace as `persistence` writes them, and what it read as the keyspace stores it.

use crate::TypeLimits;
use config::Config;
use keyspace::{Form, OwnedValue, INLINE_MAX};
use persistence::{Limits, Value, ValueRef};
use std::sync::Arc;

/// A stored value, to be written.
pub(crate) fn to_write(value: keyspace::ValueRef<'_>) -> ValueRef<'_> {
    match value {
        keyspace::ValueRef::Str(string) => ValueRef::String(string.bytes()),
        keyspace::ValueRef::List(list) => ValueRef::List(list),
        keyspace::ValueRef::Set(set) => ValueRef::Set(set),
        keyspace::ValueRef::SortedSet(set) => ValueRef::SortedSet(set),
        keyspace::ValueRef::Hash(hash) => ValueRef::Hash(hash),
        keyspace::ValueRef::Stream(stream) => ValueRef::Stream(stream),
    }
}

/// A value that was read, to be stored.
pub(crate) fn to_store(value: Value) -> OwnedValue {
    match value {
        Value::String(text) if text.len() > INLINE_MAX => OwnedValue::Shared(Arc::new(text), Form::Auto),
        Value::String(text) => OwnedValue::Inline(text, Form::Auto),
        Value::List(list) => OwnedValue::of(list),
        Value::Set(set) => OwnedValue::of(set),
        Value::SortedSet(set) => OwnedValue::of(set),
        Value::Hash(hash) => OwnedValue::of(hash),
        Value::Stream(stream) => OwnedValue::of(stream),
    }
}

/// Which encodings are chosen for what is read, and what is refused.
pub(crate) fn limits(types: &TypeLimits, config: &Config) -> Limits {
    Limits {
        list: types.list,
        set: types.set,
        hash: types.hash,
        sorted_set: types.sorted_set,
        string_bytes: usize::try_from(config.proto_max_bulk_len()).unwrap_or(usize::MAX),
    }
}
