"""The writes of `RedisStore`: Lua scripts, each of which Redis runs as one step.

Six things hold for all of them.

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
- Every key a script touches is declared, so that Cluster, proxies and access lists can route and check. There are two
  exceptions, which Cluster does without: `LIST` and `OLDEST` find their keys in the index, and `DELETE` its index in
  the record.
- No script takes longer the more sessions an owner has: it looks at a bounded number of entries, and whoever wants more
  asks again. Redis does nothing else while one runs.
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

# The most entries of an owner's index that one script looks at, and how many it removes of those that have run out: a
# hundred take half a millisecond.
MOST_ENTRIES: Final = 100

# The record's version and expiry, without the rest of what may be a large value.
_HELD: Final = """
local now = tonumber(ARGV[1])
local held = redis.call('GETRANGE', KEYS[1], 0, 16)
local version = string.sub(held, 2, 9)
local alive = held ~= '' and struct.unpack('>I8', held, 10) > now
"""

# Whether a write has been done before, and what it leaves when it is done.
_MARKED: Final = "KEYS[2] and redis.call('EXISTS', KEYS[2]) == 1"
_MARK: Final = f"if KEYS[2] then redis.call('SET', KEYS[2], 1, 'EX', {_MARK_SECONDS}) end"

# An entry's score is the second it lasts until. It never goes back (GT), or a record might drop out of the index; and
# the set lives as long as its last entry.
_PRUNE: Final = f"""
local function prune(set)
    local over = redis.call('ZCOUNT', set, '-inf', ARGV[1])
    if over > 0 then redis.call('ZREMRANGEBYRANK', set, 0, math.min(over, {MOST_ENTRIES}) - 1) end
    return math.max(over - {MOST_ENTRIES}, 0)
end
"""
_INDEX: Final = """
local function index(set, member, indexed_until)
    redis.call('ZADD', set, 'GT', indexed_until, member)
    prune(set)
    local seconds = indexed_until - tonumber(ARGV[1])
    if redis.call('TTL', set) < seconds then redis.call('EXPIRE', set, seconds) end
end
"""

_WRITE: Final = f"""
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
{_MARK}
"""


def _index_if(condition: str, call: str) -> str:
    """Return what lists a record under a `condition`, by a `call` of `index`.

    Most sessions are nobody's. Their scripts do not even define the functions, which takes a tenth of their time.
    """
    return f"if {condition} then{_PRUNE}{_INDEX}{call}\nend\n"


# KEYS: record, mark, [set to list it in]. ARGV: now, value, seconds to live, member, indexed_until.
# The mark is looked for first: a record that was created and ended must not come back by a repetition.
CREATE: Final = Script(
    _HELD
    + f"""
if {_MARKED} then return 1 end
if alive then return 0 end
{_index_if("KEYS[3]", "index(KEYS[3], ARGV[4], ARGV[5])")}
{_WRITE}
return 1
"""
)

# KEYS: record, mark, [set to list it in], [set to take it from]. ARGV: now, value, seconds to live, expected version,
# member, indexed_until or 0 where it needs no listing. Returns 1, or the value another writer left, or nothing.
UPDATE: Final = Script(
    _HELD
    + f"""
if alive and version == ARGV[4] then
    local listed = ARGV[6] ~= '0'
    {_index_if("listed", "index(KEYS[3], ARGV[5], ARGV[6])")}
    {_WRITE}
    local old = KEYS[listed and 4 or 3]
    if old then redis.call('ZREM', old, ARGV[5]) end
    return 1
end
if {_MARKED} then return 1 end
return alive and redis.call('GET', KEYS[1])
"""
)

# KEYS: record, [set to list it in]. ARGV: now, expires_at as the record has it, seconds to live, expected version,
# member, indexed_until. To do it twice is to do it once, so it has no mark.
TOUCH: Final = Script(
    _HELD
    + f"""
if not alive or version ~= ARGV[4] then return 0 end
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('SETRANGE', KEYS[1], 9, ARGV[2])
{_index_if("KEYS[2]", "index(KEYS[2], ARGV[5], ARGV[6])")}
return 1
"""
)

# What `text_of` does, for an owner that only the record names.
_TEXT: Final = """
local digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
local function text(bytes)
    local found = {}
    for at = 1, #bytes, 3 do
        local a, b, c = string.byte(bytes, at, at + 2)
        local bits = a * 65536 + (b or 0) * 256 + (c or 0)
        for _, place in ipairs({262144, 4096, 64, 1}) do
            local digit = math.floor(bits / place) % 64 + 1
            found[#found + 1] = string.sub(digits, digit, digit)
        end
    end
    return string.sub(table.concat(found), 1, math.ceil(#bytes * 4 / 3))
end
"""

# KEYS: record, mark, [set to take it from]. ARGV: expected version or nothing, member, what stands before an owner in
# the name of his set, or nothing in a Cluster. Returns the record's owner, 1 for a repetition, or nothing.
DELETE: Final = Script(
    f"""
local held = redis.call('GETRANGE', KEYS[1], 0, 59)
if held == '' or (ARGV[1] ~= '' and ARGV[1] ~= string.sub(held, 2, 9)) then return {_MARKED} and 1 end
local owner = string.sub(held, 29, 28 + string.byte(held, 26))
redis.call('DEL', KEYS[1])
{_MARK}
local set = KEYS[3]
if not set and ARGV[3] ~= '' and owner ~= '' then
    {_TEXT}
    set = ARGV[3] .. text(owner)
end
if set then redis.call('ZREM', set, ARGV[2]) end
return owner
"""
)

# KEYS: the owner's set. ARGV: now, member, indexed_until. For a Cluster, where set and record lie in different slots.
INDEX: Final = Script(_PRUNE + _INDEX + "index(KEYS[1], ARGV[2], ARGV[3])")

# Entries come in the order of their scores, and those of one score by their names. A page begins behind the entry that
# the one before ended with. Where that has gone, or has been given another score, it begins with all of its old score:
# some may come twice then, and none is passed over, for scores only grow.
_ENTRIES: Final = """
local function entries(set, count, score, member)
    local first = prune(set)
    if score ~= '' then
        local held = redis.call('ZSCORE', set, member)
        if held and tonumber(held) == tonumber(score) then
            first = math.max(first, redis.call('ZRANK', set, member) + 1)
        else
            first = math.max(first, redis.call('ZCOUNT', set, '-inf', '(' .. score))
        end
    end
    return redis.call('ZRANGE', set, first, first + count - 1, 'WITHSCORES')
end
"""

# KEYS: the owner's set. ARGV: now, how many, score and member that the page before ended with, or nothing. Returns
# members and scores, in turn. For a Cluster.
ENTRIES: Final = Script(_PRUNE + _ENTRIES + "return entries(KEYS[1], tonumber(ARGV[2]), ARGV[3], ARGV[4])")

# KEYS: the owner's set. ARGV: as ENTRIES, then owner, what stands before a member in its record's name. Returns
# members, scores, and the beginnings of their records, up to the payload, in turn. An entry whose record is gone, or
# another owner's, is removed, and has nothing as its beginning: here that is safe, since the entry and the record are
# written in one step.
LIST: Final = Script(
    _PRUNE
    + _ENTRIES
    + """
local found, listed = {}, entries(KEYS[1], tonumber(ARGV[2]), ARGV[3], ARGV[4])
for at = 1, #listed, 2 do
    local name = ARGV[6] .. listed[at] .. '}'
    local head = redis.call('GETRANGE', name, 0, 255)
    if head ~= '' and string.sub(head, 29, 28 + string.byte(head, 26)) == ARGV[5] then
        local size = 28 + string.byte(head, 26) + struct.unpack('>I2', head, 27)
        head = size > 256 and redis.call('GETRANGE', name, 0, size - 1) or string.sub(head, 1, size)
    else
        redis.call('ZREM', KEYS[1], listed[at])
        head = ''
    end
    found[#found + 1], found[#found + 2], found[#found + 3] = listed[at], listed[at + 1], head
end
return found
"""
)

# The most entries that one script counts: a thousand take about a millisecond.
MOST_COUNTED: Final = 1000

# KEYS: the owner's set. ARGV: now, among how many, how many, owner, what stands before a member in its record's name.
# Counts the owner's records that live, and returns of those that expire first members and beginnings, in turn, after
# their number. What it removes, and why that is safe: as `LIST`.
OLDEST: Final = Script(
    _PRUNE
    + """
local now, first = tonumber(ARGV[1]), prune(KEYS[1])
local living = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], first, first + ARGV[2] - 1)) do
    local head = redis.call('GETRANGE', ARGV[5] .. member .. '}', 0, 59)
    if head == '' or string.sub(head, 29, 28 + string.byte(head, 26)) ~= ARGV[4] then
        redis.call('ZREM', KEYS[1], member)
    else
        local expires_at = struct.unpack('>I8', head, 10)
        if expires_at > now then living[#living + 1] = {expires_at, member, struct.unpack('>I2', head, 27)} end
    end
end
local found, limit = {#living}, math.min(#living, tonumber(ARGV[3]))
if limit > 0 then table.sort(living, function(one, other) return one[1] < other[1] end) end
for at = 1, limit do
    local _, member, size = unpack(living[at])
    found[2 * at] = member
    found[2 * at + 1] = redis.call('GETRANGE', ARGV[5] .. member .. '}', 0, 27 + #ARGV[4] + size)
end
return found
"""
)
