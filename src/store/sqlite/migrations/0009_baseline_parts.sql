-- Parts are numbered for each ad by itself, as they are in PostgreSQL: a row is the same row wherever it is moved to.
CREATE TABLE baseline_anew (
  ad INTEGER NOT NULL,
  part INTEGER NOT NULL,
  packed BLOB NOT NULL,
  PRIMARY KEY (ad, part)
) STRICT;

INSERT INTO baseline_anew (ad, part, packed) SELECT ad, part, packed FROM baseline ORDER BY ad, part;
DROP TABLE baseline;
ALTER TABLE baseline_anew RENAME TO baseline;
