//! Short texts that people write: names, words to search for.

/// Characters that are not seen: controls, zero-width ones, and marks that reorder what is around them.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// A line of `min` to `max` characters without the blanks around it; none when it is longer, shorter, or
/// has invisible characters.
#[must_use]
pub fn line(text: &str, min: usize, max: usize) -> Option<String> {
    // Blanks count at first, so that a limit is the one that the API tells of.
    if text.chars().count() > max {
        return None;
    }
    let text = text.trim();
    let length = text.chars().count();
    ((min..=max).contains(&length) && !text.chars().any(is_invisible)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_trimmed_and_visible() {
        assert_eq!(line(" a b ", 1, 5).as_deref(), Some("a b"));
        assert_eq!(line("  ", 0, 3).as_deref(), Some(""));
        for bad in ["", "abcd", "a   ", "a\0", "a\u{202e}b", "a\u{200b}", "a\nb"] {
            assert_eq!(line(bad, 1, 3), None, "{bad:?}");
        }
    }
}
