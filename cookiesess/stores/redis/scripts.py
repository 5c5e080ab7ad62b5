"""The writes of `RedisStore`: Lua scripts, each of which Redis runs as one step.

Five things hold for all of them.

- A script that writes checks first: time against the caller's `now`, never the server's clock, and the version by
  comparing eight bytes. Redis's own expiry only cleans up.
- A client repeats a command whose answer was lost, with the same bytes. So each create, update and delete has a mark, a
  key drawn at random in the record's own hash slot, which the script leaves when it has done its work. A script that
  finds its own mark reports the success it had, whatever has happened to the record since: nothing is applied twice,
  nobody conflicts with himself, and a session that was ended in between is not created again.
- While Cluster moves a slot, it runs no command on two keys in it. A write is done without its mark then.
- Redis looks whether its memory is full before the *first* writing command of a script alone. So where a script needs
  memory, that command is one which Redis then refuses (ZADD, SET), and nothing has been written; ending a session and
  moving its expiry begin with one that it allows, and go through.
- Every key a script touches is declared, so that Cluster, proxies and access lists can route and check; `LIST` is the
  one exception, which finds its keys in the index, and which Cluster does without.
"""

from hashlib import sha1
from typing import Final


class Script:
    """A Lua text and the name that Redis gives it.

    Attributes:
        text: The source.
        sha: Its SHA-1 in hex, as EVALSHA wants it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = sha1(text.encode(), usedforsecurity=False).hexdigest()


# Longer than redis-py repeats a command for: ten times with five seconds each, by default. A mark takes 120 bytes
# meanwhile, and writing it costs the server a sixth more time for an update (3 microseconds of 20).
_MARK_SECONDS: Final = 120

# The record's version and expiry, without the rest of what may be a large value.
_HELD: Final = """
local now = tonumber(ARGV[1])
local held = redis.call('GETRANGE', KEYS[1], 0, 16)
local version = string.sub(held, 2, 9)
local alive = held ~= '' and struct.unpack('>I8', held, 10) > now
"""

_MARKED: Final = """
local function marked() return KEYS[2] and redis.call('EXISTS', KEYS[2]) == 1 end
"""

# An entry's score is the second it lasts until. It never goes back (GT), or a record might drop out of the index; and
# the set lives as long as its last entry.
_INDEX: Final = """
local function index(set, member, indexed_until)
    redis.call('ZADD', set, 'GT', indexed_until, member)
    redis.call('ZREMRANGEBYSCORE', set, '-inf', ARGV[1])
    local seconds = indexed_until - tonumber(ARGV[1])
    if redis.call('TTL', set) < seconds then redis.call('EXPIRE', set, seconds) end
end
"""

_WRITE: Final = f"""
local function write()
    redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
    if KEYS[2] then redis.call('SET', KEYS[2], 1, 'EX', {_MARK_SECONDS}) end
    return 1
end
"""

# KEYS: record, mark, [set to list it in]. ARGV: now, value, seconds to live, member, indexed_until.
# The mark is looked for first: a record that was created and ended must not come back by a repetition.
CREATE: Final = Script(
    _HELD
    + _MARKED
    + _INDEX
    + _WRITE
    + """
if marked() then return 1 end
if alive then return 0 end
if KEYS[3] then index(KEYS[3], ARGV[4], ARGV[5]) end
return write()
"""
)

# KEYS: record, mark, [set to list it in], [set to take it from]. ARGV: now, value, seconds to live, expected version,
# member, indexed_until or 0 where it needs no listing. Returns 1, or the value another writer left, or nothing.
UPDATE: Final = Script(
    _HELD
    + _MARKED
    + _INDEX
    + _WRITE
    + """
if alive and version == ARGV[4] then
    local old = 3
    if ARGV[6] ~= '0' then
        index(KEYS[3], ARGV[5], ARGV[6])
        old = 4
    end
    write()
    if KEYS[old] then redis.call('ZREM', KEYS[old], ARGV[5]) end
    return 1
end
if marked() then return 1 end
return alive and redis.call('GET', KEYS[1])
"""
)

# KEYS: record, [set to list it in]. ARGV: now, expires_at as the record has it, seconds to live, expected version,
# member, indexed_until. To do it twice is to do it once, so it has no mark.
TOUCH: Final = Script(
    _HELD
    + _INDEX
    + """
if not alive or version ~= ARGV[4] then return 0 end
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('SETRANGE', KEYS[1], 9, ARGV[2])
if KEYS[2] then index(KEYS[2], ARGV[5], ARGV[6]) end
return 1
"""
)

# KEYS: record, mark, [set to take it from]. ARGV: expected version or nothing, member. Returns the record's owner, 1
# for a repetition, or nothing.
DELETE: Final = Script(
    _MARKED
    + f"""
local held = redis.call('GETRANGE', KEYS[1], 0, 59)
if held == '' or (ARGV[1] ~= '' and ARGV[1] ~= string.sub(held, 2, 9)) then return marked() and 1 end
local owner = string.sub(held, 29, 28 + string.byte(held, 26))
redis.call('DEL', KEYS[1])
if KEYS[2] then redis.call('SET', KEYS[2], 1, 'EX', {_MARK_SECONDS}) end
if KEYS[3] then redis.call('ZREM', KEYS[3], ARGV[2]) end
return owner
"""
)

# KEYS: the owner's set. ARGV: now, member, indexed_until. For a Cluster, where set and record lie in different slots.
INDEX: Final = Script(_INDEX + "index(KEYS[1], ARGV[2], ARGV[3])")

# KEYS: the owner's set. ARGV: now, owner, what stands before a member in its record's name. Returns members, each with
# the beginning of its record, up to the payload. An entry whose record is gone, or another owner's, is removed: here
# that is safe, since the entry and the record are written in one step.
LIST: Final = Script(
    """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
local found = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
    local name = ARGV[3] .. member .. '}'
    local head = redis.call('GETRANGE', name, 0, 59)
    if head ~= '' and string.sub(head, 29, 28 + string.byte(head, 26)) == ARGV[2] then
        found[#found + 1] = member
        local size = 28 + string.byte(head, 26) + struct.unpack('>I2', head, 27)
        found[#found + 1] = redis.call('GETRANGE', name, 0, size - 1)
    else
        redis.call('ZREM', KEYS[1], member)
    end
end
return found
"""
)
