"""The statements of `SQLiteStore`, and how it sweeps.

They are constant texts, since sqlite3 keeps prepared statements by their text. The columns of a load are in the order
of `Record`'s fields, and the parameters are named by position.
"""

from typing import Final

DUE_SECONDS: Final = 3600
"""What one unit of `due` stands for; see `cookiesess.stores.sqlite.schema`."""

# A version starts at random: a record that was deleted and created again under the same key must not have a version
# that somebody still holds. Halved, so that counting up never overflows.
CREATE: Final = """
INSERT INTO sessions (key, version, expires_at, owner, summary, payload, due)
VALUES (?1, random() / 2, ?2, ?3, ?4, ?5, ?2 / 3600)
ON CONFLICT (key) DO UPDATE SET version = excluded.version, expires_at = excluded.expires_at,
    owner = excluded.owner, summary = excluded.summary, payload = excluded.payload, due = excluded.due
WHERE sessions.expires_at <= ?6"""

LOAD: Final = "SELECT payload, expires_at, summary, owner, version FROM sessions WHERE key = ? AND expires_at > ?"

# One parameter holds all the keys, 32 bytes each: one text and one statement for any number of them.
LOAD_MANY: Final = """
WITH RECURSIVE at (i) AS (VALUES (1) UNION ALL SELECT i + 32 FROM at WHERE i + 32 <= length(?1))
SELECT key, payload, expires_at, summary, owner, version FROM at JOIN sessions ON key = substr(?1, i, 32)
WHERE expires_at > ?2"""

# Most updates name no indexed column, so that the row's own page is all they write. The others, which give a session
# another owner, are found out by the second condition.
UPDATE: Final = """
UPDATE sessions SET version = version + 1, expires_at = ?4, summary = ?6, payload = ?7
WHERE key = ?1 AND version = ?2 AND expires_at > ?3 AND owner IS ?5"""
UPDATE_OWNER: Final = """
UPDATE sessions SET version = version + 1, expires_at = ?4, summary = ?6, payload = ?7, owner = ?5
WHERE key = ?1 AND version = ?2 AND expires_at > ?3"""

TOUCH: Final = "UPDATE sessions SET expires_at = ?4 WHERE key = ?1 AND version = ?2 AND expires_at > ?3"

DELETE: Final = "DELETE FROM sessions WHERE key = ?"
DELETE_VERSION: Final = "DELETE FROM sessions WHERE key = ? AND version = ?"

# Whether a sweep would find anything. It is a reader, for whom nobody waits, and mostly saves the three steps.
TO_SWEEP: Final = """
SELECT 1 FROM sessions WHERE due < ?1 UNION ALL
SELECT 1 FROM sessions WHERE expires_at < due * 3600 AND expires_at <= ?2 LIMIT 1"""

# The steps of a sweep. ?1 is the hour of now (?3), which is not over: what was due in the hours before it has expired,
# or has been moved out since and is moved on in the index, out of the way of the next sweep. ?2 is the most rows.
DELETE_SOONER: Final = """
DELETE FROM sessions WHERE key IN (
    SELECT key FROM sessions WHERE expires_at < due * 3600 AND expires_at <= ?3 ORDER BY expires_at LIMIT ?2)"""
DELETE_DUE: Final = """
DELETE FROM sessions WHERE expires_at <= ?3
AND key IN (SELECT key FROM sessions WHERE due < ?1 ORDER BY due LIMIT ?2)"""
MOVE_DUE: Final = """
UPDATE sessions SET due = expires_at / 3600 WHERE expires_at > ?3
AND key IN (SELECT key FROM sessions WHERE due < ?1 ORDER BY due LIMIT ?2)"""
EXPIRED_THIS_HOUR: Final = "SELECT key FROM sessions WHERE due = ?1 AND expires_at <= ?3 LIMIT ?2"

# One parameter holds all the keys, as in LOAD_MANY.
DELETE_EXPIRED: Final = """
DELETE FROM sessions WHERE expires_at <= ?2 AND key IN (
    WITH RECURSIVE at (i) AS (VALUES (1) UNION ALL SELECT i + 32 FROM at WHERE i + 32 <= length(?1))
    SELECT substr(?1, i, 32) FROM at)"""

# What has expired is left out by the caller: the statement would look for others in its place, beyond any limit.
RECORDS_OF: Final = """
SELECT key, x'', expires_at, summary, owner, version FROM sessions WHERE owner = ? AND key > ? ORDER BY key LIMIT ?"""

# The inner statements bound what is looked at: a plain ORDER BY would look at all that the owner has.
COUNT_OF: Final = """
SELECT count(*) FROM (SELECT 1 FROM sessions WHERE owner = ?1 AND expires_at > ?2 LIMIT ?3)"""
OLDEST_OF: Final = """
SELECT key, x'', expires_at, summary, owner, version FROM (
    SELECT key, expires_at, summary, owner, version FROM sessions WHERE owner = ?1 AND expires_at > ?2 LIMIT ?3)
ORDER BY expires_at LIMIT ?4"""
