//! Tables as the queries see them; only `store` imports this. The same on SQLite and PostgreSQL.

diesel::table! {
    organization (id) {
        id -> Binary,
        name -> Text,
        created -> BigInt,
        state -> SmallInt,
        state_since -> BigInt,
        erase_after -> Nullable<BigInt>,
        erase_by -> Nullable<Binary>,
        state_before -> SmallInt,
        quota_cameras -> Nullable<BigInt>,
        quota_users -> Nullable<BigInt>,
        quota_storage_bytes -> Nullable<BigInt>,
        stored_bytes -> BigInt,
        licensing -> SmallInt,
        revision -> BigInt,
    }
}

diesel::table! {
    user (id) {
        id -> Binary,
        organization -> Binary,
        login -> Text,
        password_hash -> Text,
        created -> BigInt,
        name -> Text,
        role -> SmallInt,
        state -> SmallInt,
        totp -> Nullable<Binary>,
        totp_confirmed -> Bool,
        totp_step -> BigInt,
        last_sign_in -> Nullable<BigInt>,
        revision -> BigInt,
    }
}

diesel::table! {
    refresh_token (hash) {
        hash -> Binary,
        user -> Binary,
        family -> Binary,
        created -> BigInt,
        expires -> BigInt,
        used -> Nullable<BigInt>,
    }
}

diesel::table! {
    recovery_code (user, hash) {
        user -> Binary,
        hash -> Binary,
    }
}

diesel::table! {
    session (id) {
        id -> Binary,
        user -> Binary,
        created -> BigInt,
        last_used -> BigInt,
        expires -> BigInt,
        address -> Text,
        agent -> Text,
    }
}

diesel::table! {
    one_time_token (hash) {
        hash -> Binary,
        user -> Binary,
        purpose -> SmallInt,
        created -> BigInt,
        expires -> BigInt,
    }
}

diesel::table! {
    login_failure (login) {
        login -> Text,
        failures -> Integer,
        last -> BigInt,
        locked_until -> Nullable<BigInt>,
    }
}

diesel::table! {
    service_key (id) {
        id -> Binary,
        organization -> Binary,
        name -> Text,
        hash -> Binary,
        hint -> Text,
        scopes -> Text,
        created -> BigInt,
        created_by -> Nullable<Binary>,
        expires -> Nullable<BigInt>,
        last_used -> Nullable<BigInt>,
        revision -> BigInt,
    }
}

diesel::table! {
    camera_group (id) {
        id -> Binary,
        organization -> Binary,
        name -> Text,
        created -> BigInt,
        revision -> BigInt,
    }
}

diesel::table! {
    camera (id) {
        id -> Binary,
        organization -> Binary,
        name -> Text,
        url -> Text,
        credentials -> Nullable<Binary>,
        credentials_revision -> BigInt,
        transport -> SmallInt,
        reader -> SmallInt,
        audio -> Bool,
        recording -> Bool,
        node -> Nullable<Binary>,
        epoch -> BigInt,
        created -> BigInt,
        deleted -> Nullable<BigInt>,
        site -> Text,
        tags -> Text,
        camera_group -> Nullable<Binary>,
        time_zone -> Text,
        sub_url -> Nullable<Text>,
        notes -> Text,
        search -> Text,
        segment_s -> Integer,
        object_s -> Integer,
        address_key -> Text,
        revision -> BigInt,
        copies -> SmallInt,
        node_labels -> Text,
    }
}

diesel::table! {
    access_grant (id) {
        id -> Binary,
        organization -> Binary,
        user -> Binary,
        camera -> Nullable<Binary>,
        camera_group -> Nullable<Binary>,
        permissions -> SmallInt,
    }
}

diesel::table! {
    licence (id) {
        id -> Binary,
        organization -> Binary,
        name -> Text,
        features -> SmallInt,
        retention_days -> Integer,
        max_width -> Integer,
        max_height -> Integer,
        max_bitrate_bps -> BigInt,
        valid_from -> BigInt,
        valid_to -> BigInt,
        grace_days -> Integer,
        suspended -> Bool,
        camera -> Nullable<Binary>,
        issued -> BigInt,
        revision -> BigInt,
    }
}

diesel::table! {
    recording_job (id) {
        id -> Binary,
        organization -> Binary,
        camera -> Binary,
        name -> Text,
        schedule -> Text,
        time_zone -> Nullable<Text>,
        streams -> SmallInt,
        enabled -> Bool,
        created -> BigInt,
        revision -> BigInt,
        pre_roll_s -> Integer,
        alert_after -> Integer,
        longest_pause_s -> Integer,
    }
}

diesel::table! {
    recording_window (camera, stream, start_ms) {
        camera -> Binary,
        stream -> SmallInt,
        start_ms -> BigInt,
        end_ms -> Nullable<BigInt>,
        organization -> Binary,
        job -> Nullable<Binary>,
    }
}

diesel::table! {
    recording_hold (camera, cause, start_ms) {
        camera -> Binary,
        cause -> SmallInt,
        start_ms -> BigInt,
        end_ms -> Nullable<BigInt>,
        organization -> Binary,
    }
}

diesel::table! {
    erasure (id) {
        id -> Binary,
        organization -> Binary,
        camera -> Binary,
        start_ms -> BigInt,
        end_ms -> BigInt,
        erased_start_ms -> BigInt,
        erased_end_ms -> BigInt,
        reason -> Text,
        created -> BigInt,
        objects -> BigInt,
        bytes -> BigInt,
    }
}

diesel::table! {
    erasure_node (erasure, node) {
        erasure -> Binary,
        node -> Binary,
        done -> Nullable<BigInt>,
    }
}

diesel::table! {
    doomed_object (object_key) {
        object_key -> Text,
        since -> BigInt,
        due -> BigInt,
    }
}

diesel::table! {
    node (id) {
        id -> Binary,
        organization -> Binary,
        name -> Text,
        first_seen -> BigInt,
        state -> SmallInt,
        public_key -> Nullable<Text>,
        enrolled -> Nullable<BigInt>,
        removed -> Nullable<BigInt>,
        proved -> Nullable<BigInt>,
        online -> Bool,
        last_seen -> Nullable<BigInt>,
        version -> Text,
        hardware -> Nullable<Text>,
        labels -> Text,
        sites -> Text,
        networks -> Text,
        max_cameras -> Nullable<BigInt>,
        uplink_bps -> Nullable<BigInt>,
        revision -> BigInt,
    }
}

diesel::table! {
    assignment (camera, epoch) {
        camera -> Binary,
        epoch -> BigInt,
        node -> Binary,
        since -> BigInt,
        ended -> Nullable<BigInt>,
        reason -> Text,
    }
}

diesel::table! {
    plan (node) {
        node -> Binary,
        revision -> BigInt,
        body -> Text,
    }
}

diesel::table! {
    object (camera, stream, start_ms, id) {
        id -> Binary,
        organization -> Binary,
        camera -> Binary,
        stream -> SmallInt,
        node -> Binary,
        epoch -> BigInt,
        previous -> Nullable<Binary>,
        start_ms -> BigInt,
        end_ms -> BigInt,
        bytes -> BigInt,
        sha256 -> Binary,
        init_length -> Integer,
        init_digest -> Text,
        tracks -> Text,
        segments -> Binary,
        state -> SmallInt,
        indexed -> BigInt,
    }
}

diesel::table! {
    gap (id) {
        id -> Binary,
        organization -> Binary,
        camera -> Binary,
        stream -> SmallInt,
        node -> Binary,
        start_ms -> BigInt,
        end_ms -> BigInt,
        cause -> SmallInt,
        detail -> Text,
    }
}

diesel::table! {
    camera_day (camera, stream, day) {
        camera -> Binary,
        stream -> SmallInt,
        day -> Integer,
        organization -> Binary,
        quarters -> Binary,
    }
}

diesel::table! {
    refused (node, message) {
        message -> Text,
        node -> Binary,
        reason -> Text,
        refused_at -> BigInt,
    }
}

diesel::table! {
    audit (id) {
        id -> Binary,
        organization -> Binary,
        user -> Nullable<Binary>,
        action -> Text,
        subject -> Text,
        happened -> BigInt,
        actor_kind -> SmallInt,
        actor_name -> Nullable<Text>,
        address -> Nullable<Text>,
        request_id -> Nullable<Text>,
        old_value -> Nullable<Text>,
        new_value -> Nullable<Text>,
    }
}

diesel::table! {
    idempotency (actor, idempotency_key) {
        actor -> Binary,
        idempotency_key -> Text,
        digest -> Binary,
        resource -> Binary,
        created -> BigInt,
    }
}

diesel::table! {
    enrolment_token (id) {
        id -> Binary,
        organization -> Binary,
        hash -> Binary,
        name -> Text,
        created -> BigInt,
        created_by -> Nullable<Binary>,
        expires -> BigInt,
        used -> Nullable<BigInt>,
        node -> Nullable<Binary>,
    }
}

diesel::table! {
    recording_override (id) {
        id -> Binary,
        organization -> Binary,
        camera -> Binary,
        kind -> SmallInt,
        start_ms -> BigInt,
        end_ms -> Nullable<BigInt>,
        reason -> Text,
        created -> BigInt,
        created_by -> Nullable<Binary>,
        cancelled -> Nullable<BigInt>,
    }
}

diesel::table! {
    recording (id) {
        id -> Binary,
        organization -> Binary,
        camera -> Binary,
        stream -> SmallInt,
        node -> Binary,
        epoch -> BigInt,
        job -> Nullable<Binary>,
        window_start -> BigInt,
        window_end -> Nullable<BigInt>,
        started -> Nullable<BigInt>,
        ended -> Nullable<BigInt>,
        end_reason -> Nullable<SmallInt>,
        bytes -> BigInt,
        frames -> BigInt,
        gaps -> BigInt,
        gap_ms -> BigInt,
        attempts -> BigInt,
        alerted -> Bool,
        detail -> Text,
        updated -> BigInt,
        revision -> BigInt,
    }
}

diesel::table! {
    completeness (camera, stream, day) {
        camera -> Binary,
        stream -> SmallInt,
        day -> Integer,
        organization -> Binary,
        planned_ms -> BigInt,
        footage_ms -> BigInt,
        unknown_ms -> BigInt,
        causes -> Text,
        computed -> BigInt,
        alerted_ms -> BigInt,
    }
}

diesel::table! {
    event (seq) {
        seq -> BigInt,
        organization -> Binary,
        happened -> BigInt,
        kind -> Text,
        camera -> Nullable<Binary>,
        node -> Nullable<Binary>,
        body -> Text,
    }
}

diesel::table! {
    licence_excess (camera, stream, day) {
        camera -> Binary,
        stream -> SmallInt,
        day -> Integer,
        organization -> Binary,
        width -> Integer,
        height -> Integer,
        bitrate_bps -> BigInt,
    }
}

diesel::table! {
    lease (name) {
        name -> Text,
        holder -> Text,
        epoch -> BigInt,
        expires -> BigInt,
    }
}

diesel::table! {
    erased_node (id) {
        id -> Binary,
        public_key -> Text,
        removed -> BigInt,
    }
}

diesel::joinable!(user -> organization (organization));
diesel::joinable!(session -> user (user));
diesel::allow_tables_to_appear_in_same_query!(
    organization,
    user,
    refresh_token,
    recovery_code,
    session,
    one_time_token,
    login_failure,
    service_key,
    camera_group,
    camera,
    access_grant,
    licence,
    licence_excess,
    recording_job,
    recording_window,
    recording_hold,
    erasure,
    erasure_node,
    doomed_object,
    node,
    assignment,
    plan,
    object,
    gap,
    camera_day,
    refused,
    audit,
    idempotency,
    enrolment_token,
    recording_override,
    recording,
    completeness,
    event,
    lease,
    erased_node,
);
