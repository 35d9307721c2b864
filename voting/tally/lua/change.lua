-- Put changed rules into the box that stands, under a new epoch: whoever knows only the old one is refused from here on,
-- so no ballot is judged by rules that are no longer true. What voters have used stays as it is.
--
-- KEYS[1] the campaign's prefix
-- ARGV    the epoch that is replaced, the new epoch, closes ms, rules (MessagePack)
-- Returns the ms from which ballots are judged by the new rules, also when the box had them already (0: not known);
-- false when there is no box, -1 when it stands under another epoch.
local box = KEYS[1] .. ':box'
local has = redis.call('HMGET', box, 'epoch', 'last', 'changed')
if not has[1] then return false end
if has[1] == ARGV[2] then return tonumber(has[3] or 0) end
if has[1] ~= ARGV[1] then return -1 end
-- One ms after everything that was accepted: the box's clock does not run backwards.
local from = math.max(redis_ms(), tonumber(has[2])) + 1
redis.call('HSET', box, 'epoch', ARGV[2], 'closes', ARGV[3], 'rules', ARGV[4], 'last', from, 'changed', from)
return from
