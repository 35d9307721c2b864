-- Compare a sign-in code, once: a right code is used up, every wrong try costs one of the few there are.
--
-- KEYS[1] the prefix of all codes
-- ARGV    number and code, each as a keyed hash
-- Returns {"right"} or {"wrong", tries left} or {"expired"}
local key = KEYS[1] .. ':code:' .. ARGV[1]
local packed = redis.call('GET', key)
if not packed then return {'expired'} end
local kept = cmsgpack.unpack(packed)
if kept[3] < 1 then return {'expired'} end
if kept[2] == ARGV[2] then
  redis.call('DEL', key)
  return {'right'}
end
kept[3] = kept[3] - 1
redis.call('SET', key, cmsgpack.pack(kept), 'KEEPTTL')
if kept[3] < 1 then return {'expired'} end
return {'wrong', kept[3]}
