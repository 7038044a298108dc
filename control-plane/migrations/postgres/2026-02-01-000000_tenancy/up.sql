-- Organizations with states, quotas and licences; users with roles, invitations and a second factor;
-- cameras with everything that people say of them; jobs; an audit log that only grows.

-- state: 0 active, 1 suspended, 2 to be erased after erase_after. licensing: 0 none, 1 required.
ALTER TABLE organization ADD COLUMN state SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE organization ADD COLUMN state_since BIGINT NOT NULL DEFAULT 0;
ALTER TABLE organization ADD COLUMN erase_after BIGINT;
-- Who asked for its deletion, and the state that taking it back returns to.
ALTER TABLE organization ADD COLUMN erase_by BYTEA;
ALTER TABLE organization ADD COLUMN state_before SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE organization ADD COLUMN quota_cameras BIGINT;
ALTER TABLE organization ADD COLUMN quota_users BIGINT;
ALTER TABLE organization ADD COLUMN quota_storage_bytes BIGINT;
ALTER TABLE organization ADD COLUMN stored_bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE organization ADD COLUMN licensing SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE organization ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
UPDATE organization SET stored_bytes =
    (SELECT COALESCE(SUM(bytes), 0) FROM object WHERE object.organization = organization.id AND object.state = 1);

-- role: 0 super admin, 1 organization admin, 2 organization user. state: 0 active, 1 invited, 2 disabled.
ALTER TABLE "user" ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE "user" ADD COLUMN role SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE "user" ADD COLUMN state SMALLINT NOT NULL DEFAULT 0;
-- The second factor's secret, encrypted under the master key; in force once confirmed.
ALTER TABLE "user" ADD COLUMN totp BYTEA;
ALTER TABLE "user" ADD COLUMN totp_confirmed BOOLEAN NOT NULL DEFAULT FALSE;
-- The last time step whose code was taken: no code works twice (RFC 6238 §5.2).
ALTER TABLE "user" ADD COLUMN totp_step BIGINT NOT NULL DEFAULT 0;
ALTER TABLE "user" ADD COLUMN last_sign_in BIGINT;
ALTER TABLE "user" ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
CREATE INDEX user_organization ON "user" (organization, created, id);

CREATE TABLE recovery_code (
    "user" BYTEA NOT NULL REFERENCES "user" (id),
    hash BYTEA NOT NULL,
    PRIMARY KEY ("user", hash)
);

-- A sign-in: what its refresh tokens descend from, and what access tokens name.
CREATE TABLE session (
    id BYTEA PRIMARY KEY NOT NULL,
    "user" BYTEA NOT NULL REFERENCES "user" (id),
    created BIGINT NOT NULL,
    last_used BIGINT NOT NULL,
    expires BIGINT NOT NULL,
    address TEXT NOT NULL,
    agent TEXT NOT NULL
);
CREATE INDEX session_person ON session ("user", created);
INSERT INTO session (id, "user", created, last_used, expires, address, agent)
SELECT family, "user", MIN(created), MAX(created), MAX(expires), '', '' FROM refresh_token GROUP BY family, "user";

-- purpose: 0 invitation, 1 new password. Only digests are kept.
CREATE TABLE one_time_token (
    hash BYTEA PRIMARY KEY NOT NULL,
    "user" BYTEA NOT NULL REFERENCES "user" (id),
    purpose SMALLINT NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT NOT NULL
);
CREATE INDEX one_time_token_user ON one_time_token ("user");

-- Failed sign-ins by login, whether there is such a user or not: both look alike from outside.
CREATE TABLE login_failure (
    login TEXT PRIMARY KEY NOT NULL,
    failures INTEGER NOT NULL,
    last BIGINT NOT NULL,
    locked_until BIGINT
);

CREATE TABLE service_key (
    id BYTEA PRIMARY KEY NOT NULL,
    organization BYTEA NOT NULL REFERENCES organization (id),
    name TEXT NOT NULL,
    hash BYTEA NOT NULL UNIQUE,
    hint TEXT NOT NULL,
    scopes TEXT NOT NULL,
    created BIGINT NOT NULL,
    created_by BYTEA,
    expires BIGINT,
    last_used BIGINT,
    revision BIGINT NOT NULL
);
CREATE INDEX service_key_organization ON service_key (organization, created, id);

CREATE TABLE camera_group (
    id BYTEA PRIMARY KEY NOT NULL,
    organization BYTEA NOT NULL REFERENCES organization (id),
    name TEXT NOT NULL,
    created BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    UNIQUE (organization, name)
);

ALTER TABLE camera ADD COLUMN site TEXT NOT NULL DEFAULT '';
-- '|north|indoor|', in lower case, so that one tag is found as '%|north|%'; '' without tags.
ALTER TABLE camera ADD COLUMN tags TEXT NOT NULL DEFAULT '';
ALTER TABLE camera ADD COLUMN camera_group BYTEA;
ALTER TABLE camera ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC';
ALTER TABLE camera ADD COLUMN sub_url TEXT;
ALTER TABLE camera ADD COLUMN notes TEXT NOT NULL DEFAULT '';
-- Name, site and notes in lower case, a line each: databases differ in what they call the same letter.
ALTER TABLE camera ADD COLUMN search TEXT NOT NULL DEFAULT '';
ALTER TABLE camera ADD COLUMN segment_s INTEGER NOT NULL DEFAULT 6;
ALTER TABLE camera ADD COLUMN object_s INTEGER NOT NULL DEFAULT 60;
-- Host, port and path in one spelling: two cameras with the same one are the same camera. Empty means
-- that this and search are still to be filled in.
ALTER TABLE camera ADD COLUMN address_key TEXT NOT NULL DEFAULT '';
ALTER TABLE camera ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;
DROP INDEX camera_organization;
CREATE INDEX camera_organization ON camera (organization, created, id);
CREATE INDEX camera_address ON camera (organization, address_key);

-- permissions: 1 view live, 2 view footage, 4 export, 8 manage; on one camera or on all of a group.
CREATE TABLE access_grant (
    id BYTEA PRIMARY KEY NOT NULL,
    organization BYTEA NOT NULL REFERENCES organization (id),
    "user" BYTEA NOT NULL REFERENCES "user" (id),
    camera BYTEA REFERENCES camera (id),
    camera_group BYTEA REFERENCES camera_group (id),
    permissions SMALLINT NOT NULL
);
CREATE INDEX access_grant_user ON access_grant ("user");
CREATE INDEX access_grant_camera ON access_grant (camera);
CREATE INDEX access_grant_group ON access_grant (camera_group);

-- features: 1 recording, 2 live, 4 sub stream, 8 redundant recording.
CREATE TABLE licence (
    id BYTEA PRIMARY KEY NOT NULL,
    organization BYTEA NOT NULL REFERENCES organization (id),
    name TEXT NOT NULL,
    features SMALLINT NOT NULL,
    retention_days INTEGER NOT NULL,
    max_width INTEGER NOT NULL,
    max_height INTEGER NOT NULL,
    max_bitrate_bps BIGINT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT NOT NULL,
    grace_days INTEGER NOT NULL,
    suspended BOOLEAN NOT NULL,
    camera BYTEA UNIQUE REFERENCES camera (id),
    issued BIGINT NOT NULL,
    revision BIGINT NOT NULL
);
CREATE INDEX licence_organization ON licence (organization, issued, id);

-- schedule: JSON. streams: 0 main, 1 sub, 2 both. No time zone of its own: the camera's.
CREATE TABLE recording_job (
    id BYTEA PRIMARY KEY NOT NULL,
    organization BYTEA NOT NULL REFERENCES organization (id),
    camera BYTEA NOT NULL REFERENCES camera (id),
    name TEXT NOT NULL,
    schedule TEXT NOT NULL,
    time_zone TEXT,
    streams SMALLINT NOT NULL,
    enabled BOOLEAN NOT NULL,
    created BIGINT NOT NULL,
    revision BIGINT NOT NULL
);
CREATE INDEX recording_job_organization ON recording_job (organization, created, id);
CREATE INDEX recording_job_camera ON recording_job (camera);

-- Time in which a camera was to be recorded and was not allowed to be: a gap with this cause.
CREATE TABLE recording_hold (
    camera BYTEA NOT NULL REFERENCES camera (id),
    cause SMALLINT NOT NULL,
    start_ms BIGINT NOT NULL,
    end_ms BIGINT,
    organization BYTEA NOT NULL,
    PRIMARY KEY (camera, cause, start_ms)
);

-- Footage that was erased on purpose, by whom is in the audit log. Objects that touch [start, end) are
-- gone as a whole, now and later; what the index had of them reached over [erased_start, erased_end).
CREATE TABLE erasure (
    id BYTEA PRIMARY KEY NOT NULL,
    organization BYTEA NOT NULL REFERENCES organization (id),
    camera BYTEA NOT NULL REFERENCES camera (id),
    start_ms BIGINT NOT NULL,
    end_ms BIGINT NOT NULL,
    erased_start_ms BIGINT NOT NULL,
    erased_end_ms BIGINT NOT NULL,
    reason TEXT NOT NULL,
    created BIGINT NOT NULL,
    objects BIGINT NOT NULL,
    bytes BIGINT NOT NULL
);
CREATE INDEX erasure_camera ON erasure (camera, start_ms);

-- Nodes that may still hold copies of it.
CREATE TABLE erasure_node (
    erasure BYTEA NOT NULL REFERENCES erasure (id),
    node BYTEA NOT NULL,
    done BIGINT,
    PRIMARY KEY (erasure, node)
);

-- Objects to delete from the object store: tried when due; a row goes when its object is gone and no
-- address that was given out for it can bring it back.
CREATE TABLE doomed_object (
    object_key TEXT PRIMARY KEY NOT NULL,
    since BIGINT NOT NULL,
    due BIGINT NOT NULL
);
CREATE INDEX doomed_object_due ON doomed_object (due);

-- What a create under an Idempotency-Key made.
CREATE TABLE idempotency (
    actor BYTEA NOT NULL,
    idempotency_key TEXT NOT NULL,
    digest BYTEA NOT NULL,
    resource BYTEA NOT NULL,
    created BIGINT NOT NULL,
    PRIMARY KEY (actor, idempotency_key)
);
CREATE INDEX idempotency_created ON idempotency (created);

-- actor_kind: 0 user, 1 service key, 2 the system itself.
ALTER TABLE audit ADD COLUMN actor_kind SMALLINT NOT NULL DEFAULT 0;
ALTER TABLE audit ADD COLUMN actor_name TEXT;
ALTER TABLE audit ADD COLUMN address TEXT;
ALTER TABLE audit ADD COLUMN request_id TEXT;
ALTER TABLE audit ADD COLUMN old_value TEXT;
ALTER TABLE audit ADD COLUMN new_value TEXT;
UPDATE audit SET actor_kind = 2 WHERE "user" IS NULL;
DROP INDEX audit_organization;
CREATE INDEX audit_organization ON audit (organization, id);
CREATE INDEX audit_subject ON audit (subject);
CREATE INDEX audit_actor ON audit ("user");

-- Append-only: what happened cannot be changed; what names a person can be blanked; rows go only with
-- their organization.
CREATE FUNCTION audit_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF EXISTS (SELECT 1 FROM organization WHERE id = OLD.organization) THEN
            RAISE EXCEPTION 'the audit log is append-only';
        END IF;
        RETURN OLD;
    END IF;
    IF (OLD.id, OLD.organization, OLD."user", OLD.action, OLD.subject, OLD.happened, OLD.actor_kind, OLD.request_id)
        IS DISTINCT FROM
        (NEW.id, NEW.organization, NEW."user", NEW.action, NEW.subject, NEW.happened, NEW.actor_kind, NEW.request_id)
        OR NEW.actor_name IS NOT NULL AND NEW.actor_name IS DISTINCT FROM OLD.actor_name
        OR NEW.address IS NOT NULL AND NEW.address IS DISTINCT FROM OLD.address
        OR NEW.old_value IS NOT NULL AND NEW.old_value IS DISTINCT FROM OLD.old_value
        OR NEW.new_value IS NOT NULL AND NEW.new_value IS DISTINCT FROM OLD.new_value
    THEN
        RAISE EXCEPTION 'the audit log is append-only';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER audit_keeps BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_keeps();
