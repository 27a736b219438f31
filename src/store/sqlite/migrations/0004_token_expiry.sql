-- When a token is refused, in milliseconds since 1970; NULL for one that never is.
ALTER TABLE token ADD COLUMN expires_at INTEGER;
