//! Tables as diesel sees them; the migrations rule.

diesel::table! {
    setting (name) {
        name -> Text,
        value -> Binary,
    }
}

diesel::table! {
    object (id) {
        id -> Binary,
        camera -> Binary,
        stream -> SmallInt,
        start_ms -> BigInt,
        end_ms -> BigInt,
        bytes -> BigInt,
        state -> SmallInt,
    }
}

diesel::table! {
    open_object (id) {
        id -> Binary,
        camera -> Binary,
        stream -> SmallInt,
        epoch -> BigInt,
        start_ms -> BigInt,
        previous -> Nullable<Binary>,
    }
}

diesel::table! {
    gap (id) {
        id -> Binary,
        camera -> Binary,
        stream -> SmallInt,
        start_ms -> BigInt,
        end_ms -> BigInt,
        cause -> Text,
        detail -> Text,
    }
}

diesel::table! {
    coverage (camera, stream) {
        camera -> Binary,
        stream -> SmallInt,
        end_ms -> BigInt,
        last_object -> Nullable<Binary>,
        open_gap -> Nullable<Binary>,
    }
}

diesel::table! {
    outbox (seq) {
        seq -> BigInt,
        message -> Text,
        subject_id -> Binary,
        payload -> Text,
        published_ms -> Nullable<BigInt>,
    }
}

diesel::table! {
    session (camera, stream) {
        camera -> Binary,
        stream -> SmallInt,
        body -> Text,
        fruitless -> BigInt,
        told_ms -> BigInt,
        gap -> Nullable<Binary>,
        gap_ms -> BigInt,
        retry -> Nullable<Text>,
    }
}

diesel::table! {
    credentials (camera) {
        camera -> Binary,
        revision -> BigInt,
        username -> Nullable<Text>,
        password -> Nullable<Text>,
    }
}

diesel::table! {
    erasure (id) {
        id -> Binary,
        camera -> Binary,
        start_ms -> BigInt,
        end_ms -> BigInt,
        done -> Bool,
    }
}

diesel::table! {
    doomed (object) {
        object -> Binary,
        camera -> Binary,
    }
}

diesel::allow_tables_to_appear_in_same_query!(object, outbox);
