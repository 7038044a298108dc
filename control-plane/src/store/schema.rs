//! Tables as the queries see them; only `store` imports this.

diesel::table! {
    organization (id) {
        id -> Binary,
        name -> Text,
        created -> BigInt,
    }
}

diesel::table! {
    user (id) {
        id -> Binary,
        organization -> Binary,
        login -> Text,
        password_hash -> Text,
        created -> BigInt,
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
    node (id) {
        id -> Binary,
        organization -> Binary,
        name -> Text,
        first_seen -> BigInt,
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
    }
}

diesel::table! {
    assignment (camera, epoch) {
        camera -> Binary,
        epoch -> BigInt,
        node -> Binary,
        since -> BigInt,
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
    }
}

diesel::table! {
    recording_window (camera, start_ms) {
        camera -> Binary,
        start_ms -> BigInt,
        end_ms -> Nullable<BigInt>,
        organization -> Binary,
    }
}

diesel::joinable!(user -> organization (organization));
diesel::allow_tables_to_appear_in_same_query!(
    organization,
    user,
    refresh_token,
    node,
    camera,
    assignment,
    plan,
    object,
    gap,
    camera_day,
    refused,
    audit
);
