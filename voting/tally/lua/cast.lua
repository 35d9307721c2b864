-- Accept a ballot or say why not. All checks come before the first write; a script that fails after its first write
-- would leave half a ballot behind, so everything that is written has been read (and its type met) before.
--
-- KEYS[1] the campaign's prefix; all its keys share the hash tag in it.
-- ARGV    epoch, application ms, ballot id, ms of the ballot id, voter key (16 bytes), receipt code,
--         choices ("12,15", ascending), address hash (8 bytes), network, device is new ("1" or "0"),
--         address limits: ballots an hour, burst, refusal an hour, new devices an hour;
--         a challenge is asked ("off", "on_challenge": above the first address limits, "always"),
--         digest of the challenge whose solution came with the ballot, or ""
-- Returns {"accepted", ms, seq, marks} or {"seen", ms, seq} or {refusal code, facts...}

local HOUR_MS = 3600000
local MAX_SKEW_MS = 2000
-- Longer than any challenge is good for: a solution that was forgotten has also expired.
local SPENT_MS = 600000

local prefix = KEYS[1]
local ballot_id, id_ms, voter, receipt, choices = ARGV[3], tonumber(ARGV[4]), ARGV[5], ARGV[6], ARGV[7]

local box = redis.call('HMGET', prefix .. ':box',
  'epoch', 'last', 'accepted', 'sealed', 'opens', 'closes', 'paused')
if not box[1] then return {'box_unavailable', 'missing'} end
if box[1] ~= ARGV[1] then return {'box_unavailable', 'epoch'} end
local time = redis_ms()
if math.abs(time - tonumber(ARGV[2])) > MAX_SKEW_MS then return {'box_unavailable', 'clock'} end
-- Never backwards: after a step back the box stands still until time has caught up.
local now = math.max(time, tonumber(box[2]))

-- a. the same ballot again
local content = content_of(ballot_id, voter, choices)
local known = redis.call('HGET', id_key(prefix, receipt), id_field(receipt))
if known then
  if string.sub(known, 1, 16) ~= content then return {'ballot_id_conflict'} end
  local ms, seq = struct.unpack('>I6I3', known, 17)
  return {'seen', ms, seq}
end
if id_ms < now - DAY_MS then return {'ballot_id_expired'} end
if id_ms > now + 300000 then return {'ballot_id_from_future'} end

-- b. open
local opens, closes = tonumber(box[5]), tonumber(box[6])
if box[4] then return {'voting_closed', math.min(tonumber(box[4]), closes)} end
if now < opens then return {'not_open_yet', opens} end
if now >= closes then return {'voting_closed', closes} end
if box[7] then return {'voting_paused', box[7]} end
local campaign = campaign_of(prefix, box[1])
local rules = campaign.rules
if rules.hours then
  local minute = math.floor((now + offset_at(rules, now)) % DAY_MS / 60000)
  if minute < rules.hours[1] or minute >= rules.hours[2] then
    return {'outside_daily_hours', rules.hours[1], rules.hours[2]}
  end
end

-- c. the choices
local ids = ids_of(choices)
local chosen = {}
for index, id in ipairs(ids) do
  local place = place_of(prefix, campaign.places, id)
  if not place then return {'unknown_candidate', tonumber(id)} end
  if place[STANDING] == 0 then return {'candidate_withdrawn', tonumber(id)} end
  chosen[index] = place
end
if not rules.repeats then
  for index = 2, #ids do
    if ids[index] == ids[index - 1] then return {'repeated_candidate', tonumber(ids[index])} end
  end
end
for line, limit in ipairs(rules.limits) do
  local count = limit.part == 0 and #chosen or 0
  if limit.part ~= 0 then
    for _, place in ipairs(chosen) do
      if place[limit.part] == limit.scope then count = count + 1 end
    end
  end
  if count < limit.min and not (limit.optional and count == 0) then
    return {'too_few_choices', line, count}
  end
  if limit.max and count > limit.max then return {'too_many_choices', line, count} end
end

-- d. the voter's quotas
local last_key, field = prefix .. ':last:' .. bucket_of(voter), field_of(voter)
if rules.interval > 0 then
  local last = redis.call('HGET', last_key, field)
  if last and now < tonumber(last) + rules.interval then return {'too_soon', tonumber(last) + rules.interval} end
end
local usage, asked = {}, {}
local first_ballot = true
for line, quota in ipairs(rules.quotas) do
  local period = quota.period
  if not usage[period] then usage[period] = read_usage(prefix, period, rules, now, voter) end
  if #usage[period] > 0 then first_ballot = false end
  asked[line] = asked_by(quota, chosen)
  for index = 1, #asked[line], 2 do
    local scope, units = asked[line][index], asked[line][index + 1]
    local used = used_in(period, usage[period], scope)
    if used + units > quota.limit then
      local candidate = 0
      for at, place in ipairs(chosen) do
        if place[CANDIDATE] == scope then candidate = tonumber(ids[at]) end
      end
      return {'quota_spent', line, scope, candidate, used, units, now, period == 'rolling' and usage[period][1] or 0}
    end
  end
end

-- e. the address: traffic only; it asks for some effort long before it refuses, and it never refuses a repeat
local marks = {}
local address_key, address
if ARGV[8] ~= '' then
  address_key = prefix .. ':address:' .. ARGV[8]
  local known_address = redis.call('GET', address_key)
  address = known_address and cmsgpack.unpack(known_address) or {0, now, 0, 0}
  if now - address[2] >= HOUR_MS then address[2], address[3], address[4] = now, 0, 0 end
  if address[3] >= tonumber(ARGV[13]) then return {'address_limited', address[2] + HOUR_MS} end
  address[3] = address[3] + 1
  local spacing, burst = HOUR_MS / tonumber(ARGV[11]), tonumber(ARGV[12])
  local due = math.max(address[1], now) + spacing
  if due - now > burst * spacing then marks[#marks + 1] = 'address_rate' else address[1] = math.floor(due) end
  if ARGV[10] == '1' and first_ballot then
    address[4] = address[4] + 1
    if address[4] > tonumber(ARGV[14]) then marks[#marks + 1] = 'new_devices' end
  end
end
local spent_key
if ARGV[15] == 'always' or ARGV[15] == 'on_challenge' and #marks > 0 then
  if ARGV[16] == '' then return {'challenge_required'} end
  spent_key = prefix .. ':solved:' .. ARGV[16]
  if redis.call('EXISTS', spent_key) == 1 then return {'challenge_spent'} end
  marks[#marks + 1] = 'solved'
end
local counts = read_tally(prefix, ids)

-- f. accepted: the ballot first, then what follows from it
local mark = table.concat(marks, ',')
local id = redis.call('XADD', prefix .. ':ballots', now .. '-*',
  'b', ballot_id, 'v', voter, 'c', choices, 'a', ARGV[8], 'n', ARGV[9], 'm', mark)
local seq = tonumber(string.sub(id, string.find(id, '-', 1, true) + 1))
remember_id(prefix, receipt, id_ms, content, now, seq)
spend(prefix, rules, now, voter, usage, asked)
if rules.interval > 0 then redis.call('HSET', last_key, field, now) end
write_tally(prefix, ids, counts)
if address_key then redis.call('SET', address_key, cmsgpack.pack(address), 'PX', HOUR_MS) end
if spent_key then redis.call('SET', spent_key, ballot_id, 'PX', SPENT_MS) end
redis.call('HSET', prefix .. ':box', 'last', now, 'accepted', tonumber(box[3]) + 1)
return {'accepted', now, seq, mark}
