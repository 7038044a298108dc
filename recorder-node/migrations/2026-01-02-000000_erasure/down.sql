DROP INDEX object_camera;
DROP TABLE doomed;
DROP TABLE erasure;
