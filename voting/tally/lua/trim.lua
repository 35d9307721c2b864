-- Forget entries that every recorder is done with and that are older than a margin; never by length.
--
-- KEYS[1] the campaign's prefix; ARGV[1] the margin in ms. Returns the number of entries removed.

local key = KEYS[1] .. ':ballots'
if redis.call('EXISTS', key) == 0 then return 0 end
local info = redis.call('XINFO', 'GROUPS', key)[1]
if not info then return 0 end
local delivered
for index = 1, #info, 2 do
  if info[index] == 'last-delivered-id' then delivered = info[index + 1] end
end
local function ms_of(id) return tonumber(string.match(id, '^%d+')) end
-- Everything older than the oldest unacknowledged entry has been committed to the ledger before its acknowledgement.
local oldest = redis.call('XPENDING', key, 'recorders')[2] or delivered
local safe = math.min(ms_of(oldest), redis_ms() - tonumber(ARGV[1]))
if safe <= 0 then return 0 end
return redis.call('XTRIM', key, 'MINID', string.format('%.0f', safe))
