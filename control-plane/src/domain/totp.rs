//! Second factors: codes of an authenticator (RFC 6238, with what every app can: SHA-1, six digits,
//! 30 seconds) and recovery codes for the day the authenticator is lost.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};
use totp_rs::{Algorithm, Builder, Secret, Totp};
use wire::{UnixMs, UserId};

/// Bytes of a secret: as many as the hash has (RFC 4226 §4).
pub const SECRET_LEN: usize = 20;
/// Recovery codes made at once.
pub const RECOVERY_CODES: usize = 10;
/// Bytes of a recovery code: so many that a digest gives nothing away.
pub const RECOVERY_LEN: usize = 10;

const DIGITS: u8 = 6;
const STEP_S: u64 = 30;
const ISSUER: &str = "CloudCam";
/// Longer text is no code.
const CODE_MAX: usize = 40;

/// What somebody typed as a second factor.
#[derive(Clone, PartialEq, Eq)]
pub enum Code {
    /// Six digits of an authenticator.
    Now(String),
    /// A recovery code without its dashes, in upper case.
    Recovery(String),
}

impl Code {
    /// Reads a code, with or without blanks and dashes; none when it is neither kind.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > CODE_MAX {
            return None;
        }
        let plain: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let is_base32 = |c: char| c.is_ascii_uppercase() || ('2'..='7').contains(&c);
        if plain.len() == usize::from(DIGITS) && plain.chars().all(|c| c.is_ascii_digit()) {
            Some(Self::Now(plain))
        } else if plain.len() == RECOVERY_LEN * 8 / 5 && plain.chars().all(is_base32) {
            Some(Self::Recovery(plain))
        } else {
            None
        }
    }
}

/// The step whose code this is: the present one, the one before or the one after, as clocks differ, and
/// later than `used`, because no code works twice (RFC 6238 §5.2).
#[must_use]
pub fn step_of(secret: &[u8], digits: &str, used: u64, now: UnixMs) -> Option<u64> {
    let totp = totp(secret)?;
    let present = u64::try_from(now.0).ok()? / 1000 / STEP_S;
    (present.saturating_sub(1)..=present + 1)
        .filter(|step| *step > used)
        .find(|step| totp.check(digits, step * STEP_S).is_some())
}

/// The code of the moment, as an authenticator shows it.
#[must_use]
pub fn code_at(secret: &[u8], now: UnixMs) -> Option<String> {
    let seconds = u64::try_from(now.0).ok()? / 1000;
    Some(totp(secret)?.generate(seconds).to_string())
}

/// A secret as people type it.
#[must_use]
pub fn base32(secret: &[u8]) -> String {
    Secret::new(secret.into()).to_base32()
}

/// A secret as authenticators scan it (the Key URI Format).
#[must_use]
pub fn address(secret: &[u8], login: &str) -> String {
    format!(
        "otpauth://totp/{ISSUER}:{}?secret={}&issuer={ISSUER}&algorithm=SHA1&digits={DIGITS}&period={STEP_S}",
        utf8_percent_encode(login, NON_ALPHANUMERIC),
        base32(secret),
    )
}

/// A recovery code as people keep it: `abcd-efgh-ijkl-mnop`.
#[must_use]
pub fn recovery_code(random: [u8; RECOVERY_LEN]) -> String {
    let plain = base32(&random).to_lowercase();
    let parts: Vec<&str> = (0..plain.len())
        .step_by(4)
        .filter_map(|at| plain.get(at..at + 4))
        .collect();
    parts.join("-")
}

/// What is kept of a person's recovery code.
#[must_use]
pub fn recovery_digest(user: UserId, plain: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(user.as_bytes())
        .chain_update(plain)
        .finalize()
        .into()
}

fn totp(secret: &[u8]) -> Option<Totp> {
    Builder::new()
        .with_algorithm(Algorithm::SHA1)
        .with_digits(DIGITS)
        .with_step_duration(STEP_S)
        .with_skew(0)
        .with_secret(secret)
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B.
    const SECRET: &[u8] = b"12345678901234567890";

    const fn at(seconds: i64) -> UnixMs {
        UnixMs(seconds * 1000)
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // The standard shows eight digits: the last six are the code of six.
        for (seconds, eight) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let code = code_at(SECRET, at(seconds)).unwrap();
            assert_eq!(code, eight[2..], "{seconds}");
            let step = seconds.unsigned_abs() / 30;
            assert_eq!(step_of(SECRET, &code, 0, at(seconds)), Some(step));
        }
    }

    #[test]
    fn clocks_may_differ_by_one_step_and_no_code_works_twice() {
        let now = at(1_111_111_111);
        let step = 1_111_111_111 / 30;
        let code = |steps: i64| code_at(SECRET, now.plus(steps * 30_000)).unwrap();
        for (steps, expected) in [
            (-2, None),
            (-1, Some(step - 1)),
            (0, Some(step)),
            (1, Some(step + 1)),
            (2, None),
        ] {
            assert_eq!(step_of(SECRET, &code(steps), 0, now), expected, "{steps}");
        }
        assert_eq!(step_of(SECRET, &code(0), step, now), None, "used");
        assert_eq!(
            step_of(SECRET, &code(-1), step, now),
            None,
            "older than a used one"
        );
        assert_eq!(step_of(SECRET, &code(1), step, now), Some(step + 1));
    }

    #[test]
    fn nonsense_is_no_code() {
        for (text, is_code) in [
            ("123456", true),
            (" 123 456 ", true),
            ("12345", false),
            ("1234567", false),
            ("12345x", false),
            ("+12345", false),
            ("", false),
            ("\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}", false),
            ("abcd-efgh-ijkl-mnop", true),
            ("ABCDEFGHIJKLMNOP", true),
            ("abcd-efgh-ijkl-mno1", false),
        ] {
            assert_eq!(Code::parse(text).is_some(), is_code, "{text:?}");
        }
        assert!(Code::parse(&" ".repeat(100)).is_none());
        assert_eq!(step_of(SECRET, "000000", 0, UnixMs(-5)), None);
        assert_eq!(step_of(b"short", "000000", 0, at(0)), None);
    }

    #[test]
    fn recovery_codes_come_back_as_typed() {
        let user = UserId::generate();
        let code = recovery_code([0xab; RECOVERY_LEN]);
        assert_eq!(code.len(), 19);
        let Some(Code::Recovery(plain)) = Code::parse(&code.to_uppercase()) else {
            panic!("{code} is no recovery code");
        };
        assert_eq!(plain, base32(&[0xab; RECOVERY_LEN]));
        assert_ne!(
            recovery_digest(user, &plain),
            recovery_digest(UserId::generate(), &plain)
        );
    }

    #[test]
    fn authenticators_can_scan_it() {
        assert_eq!(
            address(SECRET, "ann@example.org"),
            "otpauth://totp/CloudCam:ann%40example%2Eorg?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=CloudCam&algorithm=SHA1&digits=6&period=30"
        );
    }
}
