//! What one row of the table says, and the words in which rows are written.
//!
//! Rows are built by `const` functions (`yes_no`, `integer`, ...), each followed by what is special
//! about the directive (`.immutable()`, `.alias(..)`), so that the table reads like a list.

/// One directive of the configuration.
#[derive(Debug)]
pub struct Directive {
    /// Its name, in lower case.
    pub name: &'static str,
    /// An older name of the same directive, which every command takes as well.
    pub alias: Option<&'static str>,
    /// The kind of value, with its bounds and default.
    pub kind: Kind,
    /// CONFIG SET is refused: it takes effect at start-up only.
    pub immutable: bool,
    /// The value is a secret, and is kept out of logs.
    pub sensitive: bool,
    /// Left out of CONFIG GET unless asked for by its full name.
    pub hidden: bool,
    /// CONFIG SET needs `enable-protected-configs`.
    pub protected: bool,
    /// CONFIG SET is refused while data is being loaded.
    pub deny_loading: bool,
    /// A check beyond the kind's own.
    pub check: Check,
    /// What Ringslot makes of it.
    pub effect: Effect,
}

/// What Ringslot makes of a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is obeyed.
    Used,
    /// It is stored, and means nothing here yet.
    Accepted,
    /// It may keep its default only: ignoring it would be dangerous. The text names what is missing.
    Refused(&'static str),
}

/// The kind of a directive's value.
#[derive(Debug)]
pub enum Kind {
    /// `yes` or `no`.
    YesNo {
        /// The default.
        default: bool,
    },
    /// A number between two bounds, both included.
    Number {
        /// How it is written.
        form: NumberForm,
        /// The lowest value; for [`NumberForm::MemoryOrPercent`] the highest percentage, negated.
        low: i128,
        /// The highest value.
        high: i128,
        /// The default.
        default: i128,
    },
    /// Any text; without a default, an empty text means "not set".
    Text {
        /// The default.
        default: Option<&'static str>,
    },
    /// A word of a list, or with `several` any number of them; words of equal value are synonyms, of
    /// which the first is the one that is shown.
    Choice {
        /// The words and what each stands for (with `several`: bits).
        words: &'static [(&'static str, i32)],
        /// Whether several words may be given.
        several: bool,
        /// The default, one of the words.
        default: &'static str,
    },
    /// A value with a grammar of its own.
    Special(Special),
}

/// How a number is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberForm {
    /// Decimal digits.
    Integer,
    /// Octal digits, for file modes.
    Octal,
    /// Bytes, with an optional unit: k, kb, m, mb, g, gb.
    Memory,
    /// Bytes as above, or a percentage of `maxmemory`.
    MemoryOrPercent,
}

/// The directives that have a grammar of their own.
#[allow(missing_docs, reason = "each is named as its directive")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Special {
    Dir,
    Save,
    ClientOutputBufferLimit,
    OomScoreAdjValues,
    NotifyKeyspaceEvents,
    Bind,
    Replicaof,
    LatencyTrackingInfoPercentiles,
}

/// Checks of single directives.
#[allow(missing_docs, reason = "each is named as its directive")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    None,
    DumpName,
    AppendName,
    AppendDir,
    ShutdownFlags,
    NodeName,
    HostName,
    TitleTemplate,
}

impl Directive {
    const fn new(name: &'static str, kind: Kind) -> Directive {
        Directive {
            name,
            alias: None,
            kind,
            immutable: false,
            sensitive: false,
            hidden: false,
            protected: false,
            deny_loading: false,
            check: Check::None,
            effect: Effect::Accepted,
        }
    }

    /// Whether a value is a list of arguments rather than one.
    pub const fn takes_several(&self) -> bool {
        match self.kind {
            Kind::Choice { several, .. } => several,
            Kind::Special(Special::Dir | Special::NotifyKeyspaceEvents) => false,
            Kind::Special(_) => true,
            _ => false,
        }
    }

    pub(crate) const fn alias(mut self, alias: &'static str) -> Self {
        self.alias = Some(alias);
        self
    }
    pub(crate) const fn immutable(mut self) -> Self {
        self.immutable = true;
        self
    }
    pub(crate) const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }
    pub(crate) const fn hidden(mut self) -> Self {
        self.hidden = true;
        self
    }
    pub(crate) const fn protected(mut self) -> Self {
        self.protected = true;
        self
    }
    pub(crate) const fn deny_loading(mut self) -> Self {
        self.deny_loading = true;
        self
    }
    pub(crate) const fn check(mut self, check: Check) -> Self {
        self.check = check;
        self
    }
    pub(crate) const fn used(mut self) -> Self {
        self.effect = Effect::Used;
        self
    }
    pub(crate) const fn refused(mut self, missing: &'static str) -> Self {
        self.effect = Effect::Refused(missing);
        self
    }
}

pub(crate) const fn yes_no(name: &'static str, default: bool) -> Directive {
    Directive::new(name, Kind::YesNo { default })
}
pub(crate) const fn text(name: &'static str, default: &'static str) -> Directive {
    Directive::new(name, Kind::Text { default: Some(default) })
}
pub(crate) const fn text_or_unset(name: &'static str) -> Directive {
    Directive::new(name, Kind::Text { default: None })
}
pub(crate) const fn choice(
    name: &'static str,
    words: &'static [(&'static str, i32)],
    default: &'static str,
) -> Directive {
    Directive::new(name, Kind::Choice { words, several: false, default })
}
pub(crate) const fn flags(
    name: &'static str,
    words: &'static [(&'static str, i32)],
    default: &'static str,
) -> Directive {
    Directive::new(name, Kind::Choice { words, several: true, default })
}
pub(crate) const fn integer(name: &'static str, low: i128, high: i128, default: i128) -> Directive {
    Directive::new(name, Kind::Number { form: NumberForm::Integer, low, high, default })
}
pub(crate) const fn octal(name: &'static str, low: i128, high: i128, default: i128) -> Directive {
    Directive::new(name, Kind::Number { form: NumberForm::Octal, low, high, default })
}
pub(crate) const fn memory(name: &'static str, low: i128, high: i128, default: i128) -> Directive {
    Directive::new(name, Kind::Number { form: NumberForm::Memory, low, high, default })
}
pub(crate) const fn memory_or_percent(name: &'static str, low: i128, high: i128, default: i128) -> Directive {
    Directive::new(name, Kind::Number { form: NumberForm::MemoryOrPercent, low, high, default })
}
pub(crate) const fn special(name: &'static str, special: Special) -> Directive {
    Directive::new(name, Kind::Special(special))
}
