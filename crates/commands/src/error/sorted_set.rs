//! The refusals of the sorted set commands, in Redis's words.

use super::CommandError;
use std::borrow::Cow;

fn fixed(text: &'static str) -> CommandError {
    CommandError::Text(Cow::Borrowed(text))
}

impl CommandError {
    /// ZADD NX XX.
    pub fn nx_and_xx() -> CommandError {
        fixed("ERR XX and NX options at the same time are not compatible")
    }

    /// ZADD with two of GT, LT and NX.
    pub fn gt_lt_and_nx() -> CommandError {
        fixed("ERR GT, LT, and/or NX options at the same time are not compatible")
    }

    /// ZADD INCR of more than one member.
    pub fn incr_of_several() -> CommandError {
        fixed("ERR INCR option supports a single increment-element pair")
    }

    /// An infinity and its opposite were added up.
    pub fn not_a_number() -> CommandError {
        fixed("ERR resulting score is not a number (NaN)")
    }

    /// An end of a range of scores is none.
    pub fn end_not_float() -> CommandError {
        fixed("ERR min or max is not a float")
    }

    /// An end of a range of members is none.
    pub fn end_not_lex() -> CommandError {
        fixed("ERR min or max not valid string range item")
    }

    /// ZRANGE by rank with LIMIT.
    pub fn limit_by_rank() -> CommandError {
        fixed("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX")
    }

    /// ZRANGE BYLEX WITHSCORES.
    pub fn scores_by_lex() -> CommandError {
        fixed("ERR syntax error, WITHSCORES not supported in combination with BYLEX")
    }

    /// ZUNION and its like of no keys.
    pub fn no_input_key(command: &str) -> CommandError {
        CommandError::Text(Cow::Owned(format!("ERR at least 1 input key is needed for '{command}' command")))
    }

    /// ZUNION and its like with a weight that is none.
    pub fn weight_not_float() -> CommandError {
        fixed("ERR weight value is not a float")
    }

    /// ZRANDMEMBER of more members with scores than can be counted.
    pub fn out_of_range() -> CommandError {
        fixed("ERR value is out of range")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_redis_s() {
        for (error, line) in [
            (CommandError::nx_and_xx(), "ERR XX and NX options at the same time are not compatible"),
            (
                CommandError::gt_lt_and_nx(),
                "ERR GT, LT, and/or NX options at the same time are not compatible",
            ),
            (CommandError::incr_of_several(), "ERR INCR option supports a single increment-element pair"),
            (CommandError::not_a_number(), "ERR resulting score is not a number (NaN)"),
            (CommandError::end_not_float(), "ERR min or max is not a float"),
            (CommandError::end_not_lex(), "ERR min or max not valid string range item"),
            (
                CommandError::limit_by_rank(),
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ),
            (
                CommandError::scores_by_lex(),
                "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
            ),
            (CommandError::no_input_key("zunion"), "ERR at least 1 input key is needed for 'zunion' command"),
            (CommandError::weight_not_float(), "ERR weight value is not a float"),
            (CommandError::out_of_range(), "ERR value is out of range"),
        ] {
            assert_eq!(error.to_string(), line);
        }
    }
}
