//! The refusals of SORT, in Redis's words but for one that Redis has no need of.

use super::CommandError;
use std::borrow::Cow;

fn fixed(text: &'static str) -> CommandError {
    CommandError::Text(Cow::Borrowed(text))
}

impl CommandError {
    /// An element, or what a pattern names for it, is no number.
    pub fn not_sortable() -> CommandError {
        fixed("ERR One or more scores can't be converted into double")
    }

    /// BY with a star in a cluster.
    pub fn sort_by_in_cluster() -> CommandError {
        fixed("ERR BY option of SORT denied in Cluster mode.")
    }

    /// GET in a cluster.
    pub fn sort_get_in_cluster() -> CommandError {
        fixed("ERR GET option of SORT denied in Cluster mode.")
    }

    /// A pattern names a key that another core has: our own words.
    pub fn sort_pattern_elsewhere() -> CommandError {
        fixed(
            "ERR a BY or GET pattern of SORT names a key on another core. Give the keys a common hash tag, or the \
             node one core",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_redis_s() {
        for (error, line) in [
            (CommandError::not_sortable(), "ERR One or more scores can't be converted into double"),
            (CommandError::sort_by_in_cluster(), "ERR BY option of SORT denied in Cluster mode."),
            (CommandError::sort_get_in_cluster(), "ERR GET option of SORT denied in Cluster mode."),
        ] {
            assert_eq!(error.to_string(), line);
        }
        let ours = CommandError::sort_pattern_elsewhere().to_string();
        assert!(ours.starts_with("ERR a BY or GET pattern of SORT names a key on another core."), "{ours}");
    }
}
