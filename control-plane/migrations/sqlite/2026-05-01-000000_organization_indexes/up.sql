-- What the planner reads of an organization, found without reading everybody's.
CREATE INDEX node_organization ON node (organization, first_seen, id);
CREATE INDEX erasure_organization ON erasure (organization, id);
CREATE INDEX recording_hold_organization ON recording_hold (organization, end_ms);
CREATE INDEX recording_override_organization ON recording_override (organization, end_ms);
CREATE INDEX recording_window_organization ON recording_window (organization, end_ms);
