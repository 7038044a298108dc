DROP TABLE licence_excess;
