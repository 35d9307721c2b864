-- Put the box up; the candidates were written before it, and nothing is admitted until this act.
--
-- KEYS[1] the campaign's prefix
-- ARGV    epoch, opens ms, closes ms, rules (MessagePack), last ms (0 for a new box), ballots accepted so far,
--         paused reason ("" = not paused), seal ("" or "ms-seq")
-- Returns 1, or 0 when a box already stands
local prefix = KEYS[1]
if redis.call('EXISTS', prefix .. ':box') == 1 then return 0 end
if redis.call('EXISTS', prefix .. ':ballots') == 0 then
  redis.call('XGROUP', 'CREATE', prefix .. ':ballots', 'recorders', '0', 'MKSTREAM')
end
local fields = {'epoch', ARGV[1], 'opens', ARGV[2], 'closes', ARGV[3], 'rules', ARGV[4], 'last', ARGV[5], 'accepted', ARGV[6]}
if ARGV[7] ~= '' then
  fields[#fields + 1], fields[#fields + 2] = 'paused', ARGV[7]
end
if ARGV[8] ~= '' then
  fields[#fields + 1], fields[#fields + 2] = 'sealed', string.match(ARGV[8], '^%d+')
  fields[#fields + 1], fields[#fields + 2] = 'seal', ARGV[8]
end
redis.call('HSET', prefix .. ':box', unpack(fields))
return 1
