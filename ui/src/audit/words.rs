//! Actions in the reader's words.

/// `camera.change` becomes "Camera changed"; what is new stands as it is.
pub(super) fn action(name: &str) -> String {
    let Some((noun, verb)) = name.split_once('.') else {
        return name.to_owned();
    };
    let mut letters = noun.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_uppercase().to_string())
        .unwrap_or_default();
    let noun = format!("{first}{}", letters.as_str()).replace('_', " ");
    format!("{noun} {}", done(verb))
}

fn done(verb: &str) -> String {
    let known = match verb {
        "accept_invitation" => "accepted the invitation",
        "assign" => "assigned",
        "cancel" => "cancelled",
        "change" => "changed",
        "create" => "made",
        "delete" => "deleted",
        "enrol" => "joined",
        "erase" => "erased",
        "export" => "data exported",
        "grant" => "granted",
        "import" => "imported",
        "invite" => "invited",
        "issue" => "issued",
        "lock" => "locked out",
        "password" => "password changed",
        "recovery_codes" => "given new recovery codes",
        "remove" => "removed",
        "renew" => "renewed",
        "reset_password" => "given a link to a new password",
        "restore" => "restored",
        "resume" => "resumed",
        "revoke" => "revoked",
        "session_end" => "signed out somewhere",
        "sessions_end" => "signed out everywhere",
        "set_password" => "password set",
        "suspend" => "suspended",
        "totp_off" => "second factor removed",
        "totp_on" => "second factor set up",
        "transfer" => "transferred",
        "unassign" => "taken away",
        "unlock" => "unlocked",
        other => return other.replace('_', " "),
    };
    known.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_sentences() {
        assert_eq!(action("camera.change"), "Camera changed");
        assert_eq!(action("service_key.revoke"), "Service key revoked");
        assert_eq!(action("camera.turn_around"), "Camera turn around");
        assert_eq!(action("restart"), "restart");
    }
}
