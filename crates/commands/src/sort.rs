//! SORT and SORT_RO: the elements of a list, set or sorted set in order, or in the order of what other keys hold.
//!
//! ```text
//!     elements --BY pattern--> weights --compare--> order --LIMIT--> --GET patterns--> the client
//!                                                                               '--> a list under STORE
//! ```
//!
//! A pattern is a key with a star, for which the element is put in, and maybe `->` and the field of a hash
//! (`sort/pattern.rs`). `sort/partial.rs` sorts as Redis does.
//!
//! 1. Texts are compared by their bytes, as in Redis with the collation of the C locale.
//! 2. A BY without a star does not sort: elements come as they lie in the list or sorted set. Those of a set come in
//!    any order, but are sorted as texts before they are stored.
//! 3. STORE may stand anywhere among the options, and the last of several holds: `keys` finds the keys as the handler
//!    does. The keys of patterns are known only once the elements are read, so no routing can bring the command to
//!    them. On a node of several cores they must be where the command runs; others are refused, not taken for
//!    missing.
//! 4. In a cluster BY with a star and any GET are refused, as in Redis 7.2.

pub(crate) mod partial;
mod pattern;
#[cfg(test)]
mod tests;

use crate::table::{at, Begin, Categories, Command, Find, Flags, KeySpec};
use crate::{CommandError, Exec};
use datatypes::list::{End, List, ListRef};
use datatypes::sorted_set::parse_score;
use keyspace::{ExpiryChange, OwnedValue, ValueRef};
use pattern::{Pattern, Sight};
use resp::{parse_integer, Args, Reply};
use std::cmp::Ordering;
use std::ops::Range;

type Outcome = Result<(), CommandError>;

const ACL: Categories =
    Categories::of(&[Categories::SET, Categories::SORTEDSET, Categories::LIST, Categories::DANGEROUS]);

const PATTERNS: KeySpec = KeySpec {
    flags: &["RO", "access"],
    begin: Begin::Unknown,
    find: Find::Unknown,
    notes: Some(
        "For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the content of \
         the key we sort",
    ),
};
const DESTINATION: KeySpec = KeySpec {
    flags: &["OW", "update"],
    begin: Begin::Unknown,
    find: Find::Unknown,
    notes: Some(
        "For the optional STORE keyword. It is marked 'unknown' because the keyword can appear anywhere in the \
         argument array",
    ),
};

pub const TABLE: &[Command] = &[
    Command::new("sort", sort)
        .arity(-2)
        .keys(&[at(1, &["RO", "access"]), PATTERNS, DESTINATION])
        .keys_found_by(keys)
        .flags(&[Flags::WRITE, Flags::DENYOOM])
        .acl(ACL),
    Command::new("sort_ro", sort_ro)
        .arity(-2)
        .keys(&[at(1, &["RO", "access"]), PATTERNS])
        .keys_found_by(|args, each| {
            if args.len() > 1 {
                each(1);
            }
        })
        .flags(&[Flags::READONLY])
        .acl(ACL),
];

/// SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA] [STORE destination]
fn sort(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    run(cx, args, true, reply)
}

/// SORT_RO, the same without STORE.
fn sort_ro(cx: &mut Exec, args: Args, reply: &mut Reply) -> Outcome {
    run(cx, args, false, reply)
}

/// The key that is sorted, and the one that is stored under.
fn keys(args: Args, each: &mut dyn FnMut(usize)) {
    if args.len() > 1 {
        each(1);
    }
    let mut store = None;
    let mut at = 2;
    while let Some(word) = args.try_get(at) {
        let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
        at += match () {
            () if is(b"limit") => 3,
            () if is(b"get") || is(b"by") => 2,
            () if is(b"store") && at + 1 < args.len() => {
                store = Some(at + 1);
                2
            }
            () => 1,
        };
    }
    store.into_iter().for_each(each);
}

/// What the arguments ask for.
struct Options<'a> {
    descending: bool,
    alpha: bool,
    /// A BY without a star was met: nothing is sorted, whatever another BY says.
    unsorted: bool,
    by: Option<&'a [u8]>,
    get: Vec<&'a [u8]>,
    offset: i64,
    count: i64,
    store: Option<usize>,
}

impl<'a> Options<'a> {
    fn read(args: Args<'a>, may_store: bool, in_cluster: bool) -> Result<Options<'a>, CommandError> {
        let mut options = Options {
            descending: false,
            alpha: false,
            unsorted: false,
            by: None,
            get: Vec::new(),
            offset: 0,
            count: -1,
            store: None,
        };
        let mut at = 2;
        while let Some(word) = args.try_get(at) {
            let is = |name: &[u8]| word.eq_ignore_ascii_case(name);
            let left = args.len() - at - 1;
            match () {
                () if is(b"asc") => options.descending = false,
                () if is(b"desc") => options.descending = true,
                () if is(b"alpha") => options.alpha = true,
                () if is(b"limit") && left >= 2 => {
                    let number = |at| parse_integer(args.get(at)).ok_or(CommandError::NotInteger);
                    (options.offset, options.count) = (number(at + 1)?, number(at + 2)?);
                    at += 2;
                }
                () if is(b"store") && left >= 1 && may_store => {
                    options.store = Some(at + 1);
                    at += 1;
                }
                () if is(b"by") && left >= 1 => {
                    let by = args.get(at + 1);
                    if !pattern::has_star(by) {
                        options.unsorted = true;
                    } else if in_cluster {
                        return Err(CommandError::sort_by_in_cluster());
                    }
                    options.by = Some(by);
                    at += 1;
                }
                () if is(b"get") && left >= 1 => {
                    if in_cluster {
                        return Err(CommandError::sort_get_in_cluster());
                    }
                    options.get.push(args.get(at + 1));
                    at += 1;
                }
                () => return Err(CommandError::Syntax),
            }
            at += 1;
        }
        Ok(options)
    }

    /// Which of so many elements are wanted.
    fn limits(&self, len: usize) -> Range<usize> {
        let bounded = |number: i64| usize::try_from(number).unwrap_or(0).min(len);
        let start = bounded(self.offset);
        let end = if self.count < 0 { len } else { len.min(start + bounded(self.count)) };
        start..end
    }
}

/// What an element is compared by.
#[derive(Clone, Debug)]
enum Weight {
    Number(f64),
    /// `None`: the pattern's key is not there, which comes before every text.
    Text(Option<Vec<u8>>),
    /// The element itself, as text.
    Own,
}

struct Element {
    text: Vec<u8>,
    weight: Weight,
}

fn run(cx: &mut Exec, args: Args, may_store: bool, reply: &mut Reply) -> Outcome {
    let mut options = Options::read(args, may_store, cx.config.cluster_enabled())?;
    let (mut elements, wanted) = load(cx, args, &mut options)?;
    let mut sight = Sight::new(cx, args, options.store);
    if !options.unsorted {
        weigh(&mut elements, &options, &mut sight)?;
        let is_part = options.by.is_some() && wanted != (0..elements.len());
        let sorted = if is_part { wanted.clone() } else { 0..elements.len() };
        let by_pattern = options.by.is_some();
        let ascending = |a: &Element, b: &Element| compare(a, b, by_pattern);
        match options.descending {
            false => partial::sort(&mut elements, sorted, ascending),
            true => partial::sort(&mut elements, sorted, |a, b| ascending(a, b).reverse()),
        }
    }
    let elements = &elements[wanted];
    let get: Vec<Pattern> = options.get.iter().map(|get| Pattern::new(get)).collect();
    let len = elements.len() * get.len().max(1);
    let Some(store) = options.store else {
        reply.array(len);
        for element in elements {
            if get.is_empty() {
                reply.bulk(&element.text);
            }
            for pattern in &get {
                match sight.look_up(pattern, &element.text)? {
                    Some(value) => reply.bulk(&value),
                    None => reply.null(),
                }
            }
        }
        return Ok(());
    };
    let mut values = Vec::with_capacity(if get.is_empty() { 0 } else { len });
    for element in elements {
        for pattern in &get {
            values.push(sight.look_up(pattern, &element.text)?.unwrap_or_default().into_owned());
        }
    }
    let mut list = List::new();
    let limits = &cx.limits.list;
    match get.is_empty() {
        true => list.push(elements.iter().map(|element| element.text.as_slice()), End::Back, limits),
        false => list.push(values.iter().map(|value| value.as_slice()), End::Back, limits),
    };
    let destination = cx.key(args, store);
    if len > 0 {
        let mut bytes = Vec::new();
        cx.keys.set(&destination, OwnedValue::of(list).into_new(&mut bytes), ExpiryChange::Clear);
        cx.changed(len as u64);
    } else {
        let removed = cx.keys.remove(&destination);
        cx.changed(removed.into());
    }
    reply.integer(len as i64);
    Ok(())
}

/// The elements, and which of them are wanted. Of a list or sorted set that is not to be sorted only those are
/// loaded.
fn load(
    cx: &mut Exec,
    args: Args,
    options: &mut Options,
) -> Result<(Vec<Element>, Range<usize>), CommandError> {
    let key = cx.key(args, 1);
    let Some(entry) = cx.keys.find(&key) else { return Ok((Vec::new(), 0..0)) };
    let mut elements = Vec::new();
    let mut take = |text: &[u8]| elements.push(Element { text: text.to_vec(), weight: Weight::Own });
    let wanted = match entry.value() {
        ValueRef::List(list) => {
            let wanted = options.limits(list.len());
            if options.unsorted {
                load_range(list, &wanted, options.descending, &mut take);
                0..wanted.len()
            } else {
                list.iter().for_each(|item| item.with_bytes(&mut take));
                wanted
            }
        }
        ValueRef::Set(set) => {
            if options.unsorted && options.store.is_some() {
                (options.unsorted, options.alpha, options.by) = (false, true, None);
            }
            set.iter().for_each(|item| item.with_bytes(&mut take));
            options.limits(set.len())
        }
        ValueRef::SortedSet(set) => {
            let len = set.len();
            let wanted = options.limits(len);
            match (options.unsorted, options.descending) {
                (false, _) => {
                    set.iter().for_each(|(member, _)| member.with_bytes(&mut take));
                    wanted
                }
                (true, false) => {
                    set.range(wanted.clone()).for_each(|(member, _)| member.with_bytes(&mut take));
                    0..wanted.len()
                }
                (true, true) => {
                    let range = len - wanted.end..len - wanted.start;
                    set.range(range).rev().for_each(|(member, _)| member.with_bytes(&mut take));
                    0..wanted.len()
                }
            }
        }
        _ => return Err(CommandError::WrongType),
    };
    Ok((elements, wanted))
}

fn load_range(list: ListRef, wanted: &Range<usize>, descending: bool, take: &mut impl FnMut(&[u8])) {
    if wanted.is_empty() {
        return;
    }
    let items = match descending {
        false => list.iter_from(wanted.start, End::Back),
        true => list.iter_from(list.len() - wanted.start - 1, End::Front),
    };
    items.take(wanted.len()).for_each(|item| item.with_bytes(&mut *take));
}

/// Finds what each element is compared by.
fn weigh(elements: &mut [Element], options: &Options, sight: &mut Sight) -> Outcome {
    let by = options.by.map(Pattern::new);
    let mut all_numbers = true;
    for element in elements {
        element.weight = match &by {
            None if options.alpha => Weight::Own,
            Some(by) if options.alpha => {
                Weight::Text(sight.look_up(by, &element.text)?.map(|text| text.to_vec()))
            }
            None => Weight::Number(number(&element.text, &mut all_numbers)),
            Some(by) => {
                let weight = sight.look_up(by, &element.text)?;
                Weight::Number(weight.map_or(0.0, |text| number(&text, &mut all_numbers)))
            }
        };
    }
    all_numbers.then_some(()).ok_or_else(CommandError::not_sortable)
}

/// What `strtod` makes of a text, up to a zero byte. Unlike a score it may begin with blanks, or be empty.
fn number(text: &[u8], is_number: &mut bool) -> f64 {
    let text = pattern::c_string(text);
    if text.is_empty() {
        return 0.0;
    }
    let blanks = text.iter().take_while(|byte| byte.is_ascii_whitespace() || **byte == 0x0b).count();
    parse_score(&text[blanks..]).unwrap_or_else(|| {
        *is_number = false;
        0.0
    })
}

fn compare(a: &Element, b: &Element, by_pattern: bool) -> Ordering {
    match (&a.weight, &b.weight) {
        (Weight::Number(x), Weight::Number(y)) => {
            x.partial_cmp(y).unwrap_or(Ordering::Equal).then_with(|| a.text.cmp(&b.text))
        }
        (Weight::Text(x), Weight::Text(y)) => x.cmp(y),
        _ => {
            debug_assert!(!by_pattern, "patterns give weights");
            a.text.cmp(&b.text)
        }
    }
}
