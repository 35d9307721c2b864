-- Close the box for good. The seal is an entry of the same stream as the ballots: whatever stands before it was
-- accepted in time, and nothing can come after it. Sealing twice gives the same seal.
--
-- KEYS[1] the campaign's prefix. Returns the id of the seal, or false when there is no box.

local prefix = KEYS[1]
local box = redis.call('HMGET', prefix .. ':box', 'last', 'seal', 'accepted')
if not box[1] then return false end
if box[2] then return box[2] end
local now = math.max(redis_ms(), tonumber(box[1]))
local id = redis.call('XADD', prefix .. ':ballots', now .. '-*', 'close', box[3])
redis.call('HSET', prefix .. ':box', 'last', now, 'sealed', now, 'seal', id)
return id
