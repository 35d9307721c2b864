-- Count ballots that were accepted before, into an empty tally: the box made again from the ledger and the stream, or
-- a shadow of it to compare with. Nothing is checked, because nothing is decided here.
--
-- KEYS[1] the campaign's prefix (candidates are read there), KEYS[2] the prefix to write under
-- ARGV    what "now" is (ms): days that are over and ids that are forgotten are left out; the rules (MessagePack);
--         then for each ballot, in stream order: ms, seq, ballot id, ms of the ballot id, voter key, receipt, choices

local source, target, now = KEYS[1], KEYS[2], tonumber(ARGV[1])
local rules = cmsgpack.unpack(ARGV[2])
local today, places = day_at(rules, now), {}

for at = 3, #ARGV, 7 do
  local ms, seq, ballot_id, id_ms = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), ARGV[at + 2], tonumber(ARGV[at + 3])
  local voter, receipt, choices = ARGV[at + 4], ARGV[at + 5], ARGV[at + 6]
  local ids, chosen = ids_of(choices), {}
  for index, id in ipairs(ids) do chosen[index] = place_of(source, places, id) end
  local usage, asked = {}, {}
  for line, quota in ipairs(rules.quotas) do
    local period = quota.period
    local over = period == 'day' and day_at(rules, ms) ~= today or period == 'rolling' and ms <= now - DAY_MS
    asked[line] = over and {} or asked_by(quota, chosen)
    if not over and not usage[period] then usage[period] = read_usage(target, period, rules, ms, voter) end
  end
  spend(target, rules, ms, voter, usage, asked)
  if rules.interval > 0 then redis.call('HSET', target .. ':last:' .. bucket_of(voter), field_of(voter), ms) end
  if id_forgotten_at(id_ms) > now then
    remember_id(target, receipt, id_ms, content_of(ballot_id, voter, choices), ms, seq)
  end
  write_tally(target, ids, read_tally(target, ids))
end
return (#ARGV - 2) / 7
