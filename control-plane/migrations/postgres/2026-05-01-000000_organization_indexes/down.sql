DROP INDEX recording_window_organization;
DROP INDEX recording_override_organization;
DROP INDEX recording_hold_organization;
DROP INDEX erasure_organization;
DROP INDEX node_organization;
