//! Which passwords do: long enough, not the login, not what everybody takes (NIST SP 800-63B §5.1.1.2).
//! No rules of composition: they make passwords no better.

/// Fewest bytes.
pub const MIN: usize = 10;
/// Most bytes: hashing more would cost without a gain.
pub const MAX: usize = 1024;

/// Passwords of ten characters and more that lists of leaked ones begin with; in lower case.
const COMMON: &str = include_str!("password/common.txt");

/// A password that does not do, in a sentence for who chose it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPassword {
    /// Too short or too long.
    #[error("a password has 10 to 1024 bytes")]
    Length,
    /// The login, or what stands before its @.
    #[error("the password is the login: choose another one")]
    Login,
    /// One of those that are tried first.
    #[error("this password is one of the most common: choose another one")]
    Common,
}

/// Whether `password` does for who signs in as `login`.
///
/// # Errors
/// Why not.
pub fn check(password: &str, login: &str) -> Result<(), InvalidPassword> {
    if !(MIN..=MAX).contains(&password.len()) {
        return Err(InvalidPassword::Length);
    }
    let lower = password.trim().to_lowercase();
    let login = login.to_lowercase();
    if lower == login || login.split_once('@').is_some_and(|(before, _)| before == lower) {
        return Err(InvalidPassword::Login);
    }
    let mut characters = lower.chars();
    let first = characters.next();
    if characters.all(|c| Some(c) == first) || COMMON.lines().any(|common| common == lower) {
        return Err(InvalidPassword::Common);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_common_and_own_names_are_refused() {
        let long = "x1".repeat(513);
        for (password, expected) in [
            ("correct horse", Ok(())),
            ("ünïcödé!", Ok(())),
            ("ninebytes", Err(InvalidPassword::Length)),
            ("", Err(InvalidPassword::Length)),
            (&long[..1024], Ok(())),
            (&long[..1025], Err(InvalidPassword::Length)),
            ("Ann.Example@Example.org", Err(InvalidPassword::Login)),
            ("ANN.EXAMPLE", Err(InvalidPassword::Login)),
            ("Password123", Err(InvalidPassword::Common)),
            ("1234567890", Err(InvalidPassword::Common)),
            ("aaaaaaaaaaaa", Err(InvalidPassword::Common)),
            ("          ", Err(InvalidPassword::Common)),
        ] {
            assert_eq!(check(password, "ann.example@example.org"), expected, "{password}");
        }
    }

    #[test]
    fn the_list_holds_what_can_match() {
        for line in COMMON.lines() {
            assert!(
                line.len() >= MIN && line == line.trim().to_lowercase(),
                "{line:?}"
            );
        }
        assert!(COMMON.lines().count() >= 100);
    }
}
