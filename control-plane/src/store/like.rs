//! Searching in names, whatever their case, alike on both databases.

use diesel::sql_types::Text;

diesel::define_sql_function! {
    /// In lower case; SQLite knows that of ASCII letters only.
    fn lower(text: Text) -> Text;
}

/// The pattern of what has `text` in it, for `LIKE … ESCAPE '\'` on [`lower()`].
pub(super) fn has(text: &str) -> String {
    format!("%{}%", escaped(&text.to_lowercase()))
}

/// The pattern of what begins with `text`.
pub(super) fn begins(text: &str) -> String {
    format!("{}%", escaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_mean_themselves() {
        assert_eq!(has("50%_A\\"), r"%50\%\_a\\%");
        assert_eq!(begins("camera."), "camera.%");
    }
}
