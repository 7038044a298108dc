//! What an organization may try: a table of requests, of which `<noun>` is somebody's thing.
//!
//! `MARK` is the mark of who asks, `NUMBER` differs each time, `FROM` and `TO` are a minute with footage.

use control_plane::state::now;
use nkeys::KeyPair;

/// Method, path and body. Those called `WATCH` and `FORGE` are not one request, but what a player asks and
/// what a thief of addresses would.
pub(super) type Operation = (&'static str, &'static str, &'static str);

pub(super) const OPERATIONS: &[Operation] = &[
    ("GET", "/api/v1/me", ""),
    ("GET", "/api/v1/me/export", ""),
    ("GET", "/api/v1/me/sessions", ""),
    ("GET", "/api/v1/organizations", ""),
    ("GET", "/api/v1/organizations/<organization>", ""),
    (
        "PATCH",
        "/api/v1/organizations/<organization>",
        r#"{"name": "MARK organization NUMBER"}"#,
    ),
    ("GET", "/api/v1/cameras", ""),
    ("GET", "/api/v1/cameras?organization=<organization>", ""),
    ("GET", "/api/v1/cameras?group=<group>", ""),
    ("GET", "/api/v1/cameras?node=<node>", ""),
    (
        "POST",
        "/api/v1/cameras",
        r#"{"name": "MARK camera", "url": "rtsp://MARK:MARK-secret@host-NUMBER.example/MARK", "notes": "MARK",
            "site": "MARK", "tags": ["MARK"], "allow_duplicate": true}"#,
    ),
    (
        "POST",
        "/api/v1/cameras",
        r#"{"name": "MARK grouped", "url": "rtsp://host-NUMBER.example/MARK", "group": "<group>"}"#,
    ),
    (
        "POST",
        "/api/v1/cameras/import",
        "name,url,site,username,password\nMARK imported,rtsp://host-NUMBER.example/MARK,MARK,MARK,MARK-secret\n",
    ),
    ("GET", "/api/v1/cameras/<camera>", ""),
    (
        "PATCH",
        "/api/v1/cameras/<camera>",
        r#"{"name": "MARK renamed", "username": "MARK", "password": "MARK-secret-NUMBER"}"#,
    ),
    ("PATCH", "/api/v1/cameras/<camera>", r#"{"group": "<group>"}"#),
    ("GET", "/api/v1/cameras/<camera>/placement", ""),
    ("GET", "/api/v1/cameras/<camera>/snapshot", ""),
    ("POST", "/api/v1/cameras/<camera>/probe", ""),
    (
        "POST",
        "/api/v1/probe",
        r#"{"url": "rtsp://MARK:MARK-secret@192.0.2.1/MARK"}"#,
    ),
    (
        "POST",
        "/api/v1/cameras/<camera>/recording-jobs",
        r#"{"name": "MARK job", "schedule": {"kind": "continuous"}}"#,
    ),
    ("GET", "/api/v1/cameras/<camera>/recording-jobs", ""),
    (
        "POST",
        "/api/v1/recording-jobs/preview",
        r#"{"schedule": {"kind": "continuous"}, "camera": "<camera>"}"#,
    ),
    ("GET", "/api/v1/recording-jobs/<job>", ""),
    (
        "PATCH",
        "/api/v1/recording-jobs/<job>",
        r#"{"name": "MARK job NUMBER"}"#,
    ),
    (
        "POST",
        "/api/v1/cameras/<camera>/overrides",
        r#"{"kind": "record", "duration_s": 60, "reason": "MARK"}"#,
    ),
    ("GET", "/api/v1/cameras/<camera>/overrides", ""),
    ("GET", "/api/v1/recordings", ""),
    ("GET", "/api/v1/cameras/<camera>/recordings", ""),
    ("GET", "/api/v1/recordings/<recording>", ""),
    ("GET", "/api/v1/completeness?from=2026-01-01&to=2026-02-01", ""),
    (
        "GET",
        "/api/v1/completeness?from=2026-01-01&to=2026-02-01&camera=<camera>",
        "",
    ),
    ("GET", "/player-api/cameras/<camera>/coverage?from=FROM&to=TO", ""),
    (
        "GET",
        "/player-api/cameras/<camera>/days?from=2026-01-01&to=2026-02-01",
        "",
    ),
    ("GET", "/player-api/cameras/<camera>/playback?from=FROM&to=TO", ""),
    (
        "WATCH",
        "/player-api/cameras/<camera>/playback?from=FROM&to=TO",
        "",
    ),
    ("WATCH", "/player-api/cameras/<camera>/playback?from=FROM", ""),
    ("FORGE", "", ""),
    ("POST", "/api/v1/groups", r#"{"name": "MARK group NUMBER"}"#),
    ("GET", "/api/v1/groups", ""),
    ("GET", "/api/v1/groups/<group>", ""),
    (
        "PATCH",
        "/api/v1/groups/<group>",
        r#"{"name": "MARK renamed NUMBER"}"#,
    ),
    (
        "POST",
        "/api/v1/users",
        r#"{"login": "MARK-NUMBER", "name": "MARK", "role": "org_user"}"#,
    ),
    ("GET", "/api/v1/users", ""),
    ("GET", "/api/v1/users/<user>", ""),
    ("PATCH", "/api/v1/users/<user>", r#"{"name": "MARK renamed"}"#),
    ("GET", "/api/v1/users/<user>/export", ""),
    ("GET", "/api/v1/users/<user>/sessions", ""),
    ("POST", "/api/v1/users/<user>/invitation", ""),
    ("POST", "/api/v1/users/<user>/password-reset", ""),
    (
        "PUT",
        "/api/v1/users/<user>/grants",
        r#"{"items": [{"camera": "<camera>", "permissions": ["view_live"]}]}"#,
    ),
    (
        "PUT",
        "/api/v1/users/<user>/grants",
        r#"{"items": [{"group": "<group>", "permissions": ["view_footage"]}]}"#,
    ),
    ("GET", "/api/v1/users/<user>/grants", ""),
    (
        "POST",
        "/api/v1/service-keys",
        r#"{"name": "MARK key", "scopes": ["nodes:read"]}"#,
    ),
    ("GET", "/api/v1/service-keys", ""),
    ("GET", "/api/v1/service-keys/<key>", ""),
    (
        "PATCH",
        "/api/v1/service-keys/<key>",
        r#"{"name": "MARK renamed"}"#,
    ),
    ("GET", "/api/v1/licences", ""),
    ("GET", "/api/v1/licences/usage", ""),
    ("GET", "/api/v1/licences/<licence>", ""),
    (
        "PUT",
        "/api/v1/licences/<licence>/camera",
        r#"{"camera": "<camera>"}"#,
    ),
    (
        "POST",
        "/api/v1/licences/<licence>/transfer",
        r#"{"from": "<camera>", "to": "<camera>"}"#,
    ),
    ("POST", "/api/v1/enrolment-tokens", r#"{"name": "MARK node"}"#),
    ("GET", "/api/v1/enrolment-tokens", ""),
    (
        "POST",
        "/api/v1/enrol",
        r#"{"token": "<joining>", "public_key": "PUBLIC-KEY", "name": "MARK node", "version": "0", "node": "<node>"}"#,
    ),
    (
        "POST",
        "/api/v1/enrol",
        r#"{"token": "<joining>", "public_key": "PUBLIC-KEY", "name": "MARK joined", "version": "0"}"#,
    ),
    ("GET", "/api/v1/nodes", ""),
    ("GET", "/api/v1/nodes/<node>", ""),
    (
        "PATCH",
        "/api/v1/nodes/<node>",
        r#"{"name": "MARK node NUMBER", "labels": ["MARK"], "sites": ["MARK"]}"#,
    ),
    ("GET", "/api/v1/audit", ""),
    ("GET", "/api/v1/audit?limit=1000", ""),
    ("GET", "/api/v1/audit?subject=<camera>", ""),
    ("GET", "/api/v1/audit?actor=<user>", ""),
    ("GET", "/api/v1/audit.csv", ""),
    (
        "POST",
        "/api/v1/cameras/<camera>/erasures?dry_run=true",
        r#"{"from": LONG-AGO, "to": AGO, "reason": "MARK"}"#,
    ),
    (
        "POST",
        "/api/v1/cameras/<camera>/erasures",
        r#"{"from": LONG-AGO, "to": AGO, "reason": "MARK"}"#,
    ),
    ("GET", "/api/v1/cameras/<camera>/erasures", ""),
    ("DELETE", "/api/v1/overrides/<override>", ""),
    ("DELETE", "/api/v1/recording-jobs/<job>", ""),
    ("DELETE", "/api/v1/licences/<licence>/camera", ""),
    ("DELETE", "/api/v1/groups/<group>", ""),
    ("DELETE", "/api/v1/service-keys/<key>", ""),
    ("DELETE", "/api/v1/enrolment-tokens/<enrolment>", ""),
    ("DELETE", "/api/v1/me/sessions/<session>", ""),
    ("DELETE", "/api/v1/users/<user>/lock", ""),
    ("DELETE", "/api/v1/users/<user>/totp", ""),
    ("DELETE", "/api/v1/users/<user>/sessions", ""),
    ("DELETE", "/api/v1/users/<user>", ""),
    ("DELETE", "/api/v1/nodes/<node>?force=true", ""),
    ("DELETE", "/api/v1/cameras/<camera>", ""),
];

/// Routes that are not among them, and why.
pub(super) const LEFT_OUT: &[(&str, &[&str])] = &[
    (
        "followed from the first step to the last",
        &["GET /api/v1/events"],
    ),
    (
        "only who runs the platform may",
        &[
            "POST /api/v1/licences",
            "PATCH /api/v1/licences/{id}",
            "POST /api/v1/licences/{id}/renew",
            "POST /api/v1/licences/{id}/resume",
            "POST /api/v1/licences/{id}/suspend",
            "POST /api/v1/organizations",
            "DELETE /api/v1/organizations/{id}",
            "POST /api/v1/organizations/{id}/restore",
            "POST /api/v1/organizations/{id}/resume",
            "POST /api/v1/organizations/{id}/suspend",
        ],
    ),
    (
        "about the caller's own session or password, and names nothing of anybody else",
        &[
            "POST /api/v1/session",
            "DELETE /api/v1/session",
            "POST /api/v1/session/refresh",
            "POST /api/v1/me/password",
            "DELETE /api/v1/me/sessions",
            "POST /api/v1/me/totp",
            "DELETE /api/v1/me/totp",
            "POST /api/v1/me/totp/confirm",
            "POST /api/v1/me/totp/recovery-codes",
        ],
    ),
    (
        "for who has a secret instead of an organization",
        &[
            "POST /api/v1/invitations/accept",
            "POST /api/v1/invitations/look",
            "POST /api/v1/nodes/{id}/challenge",
            "POST /api/v1/nodes/{id}/token",
        ],
    ),
];

/// What is refused at home, too: no recorder runs, a node joins once, and nobody among the things has signed
/// in yet. Method, path, a part of the body.
pub(super) const REFUSED_AT_HOME: &[Operation] = &[
    ("GET", "/api/v1/cameras/<camera>/snapshot", ""),
    ("POST", "/api/v1/cameras/<camera>/probe", ""),
    ("POST", "/api/v1/probe", ""),
    ("POST", "/api/v1/enrol", "<node>"),
    ("POST", "/api/v1/users/<user>/password-reset", ""),
];

/// Fills in everything but the things.
pub(super) fn fill(template: &str, mark: &str, number: u64, footage: (i64, i64)) -> String {
    template
        .replace("MARK", mark)
        .replace("NUMBER", &number.to_string())
        .replace("FROM", &footage.0.to_string())
        .replace("TO", &footage.1.to_string())
        .replace("LONG-AGO", &now().plus(-3 * 3_600_000).0.to_string())
        .replace("AGO", &now().plus(-2 * 3_600_000).0.to_string())
        .replace("PUBLIC-KEY", &KeyPair::new_user().public_key())
}
