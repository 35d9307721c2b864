-- Stop admitting, with a public reason, or go on. KEYS[1] the campaign's prefix; ARGV[1] the reason, "" to resume.
-- Returns 1, or 0 when there is no box.
local box = KEYS[1] .. ':box'
if redis.call('EXISTS', box) == 0 then return 0 end
if ARGV[1] == '' then redis.call('HDEL', box, 'paused') else redis.call('HSET', box, 'paused', ARGV[1]) end
return 1
