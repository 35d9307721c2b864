-- What a voter has used up, and how a ballot is counted. Shared by cast.lua and replay.lua, so that a rebuilt box can
-- not differ from a live one.
--
-- Usage records live in hashes of 65,536 buckets (the first two bytes of the voter key), field = the next eight bytes:
-- small hashes are kept as listpacks, 20 to 30 bytes a voter instead of 128 for a key of its own. A record is a
-- MessagePack array {scope, count, scope, count, ...}; scope numbers are given out when the box is opened.

local DAY_MS = 86400000
local BALLOTS, CHOICES = 0, 1
local AWARD, GROUP, CANDIDATE, STANDING = 1, 2, 3, 4
local ID_HOURS = 48

-- Rules and candidates of each campaign as tables, kept between calls: they stand while an epoch lasts (changed rules
-- bring a new one), and taking them apart again for every vote was a third of its time.
local campaigns = {}

local function campaign_of(prefix, epoch)
  local known = campaigns[prefix]
  if not known or known.epoch ~= epoch then
    known = {epoch = epoch, rules = cmsgpack.unpack(redis.call('HGET', prefix .. ':box', 'rules')), places = {}}
    campaigns[prefix] = known
  end
  return known
end

local function bucket_of(voter)
  return string.format('%02x%02x', string.byte(voter, 1, 2))
end

local function field_of(voter)
  return string.sub(voter, 3, 10)
end

local function offset_at(rules, ms)
  local offset = rules.offsets[1][2]
  for _, step in ipairs(rules.offsets) do
    if ms >= step[1] then offset = step[2] end
  end
  return offset
end

local function day_at(rules, ms)
  return math.floor((ms + offset_at(rules, ms)) / DAY_MS)
end

-- Units a ballot asks of a quota line: a flat list {scope, units, ...} in order of first appearance.
local function asked_by(quota, chosen)
  if quota.unit == 'ballots' then return {BALLOTS, 1} end
  if quota.per == 'voter' then return {CHOICES, #chosen} end
  local part = quota.per == 'award' and AWARD or quota.per == 'group' and GROUP or CANDIDATE
  local asked, at = {}, {}
  for _, place in ipairs(chosen) do
    local scope = place[part]
    if scope ~= 0 then
      local index = at[scope]
      if not index then
        index = #asked + 1
        at[scope] = index
        asked[index], asked[index + 1] = scope, 0
      end
      asked[index + 1] = asked[index + 1] + 1
    end
  end
  return asked
end

local function count_in(flat, scope)
  for index = 1, #flat, 2 do
    if flat[index] == scope then return flat[index + 1], index end
  end
  return 0, nil
end

local function add_to(flat, asked)
  for index = 1, #asked, 2 do
    local count, at = count_in(flat, asked[index])
    at = at or #flat + 1
    flat[at], flat[at + 1] = asked[index], count + asked[index + 1]
  end
end

-- The hash that keeps the records of a period; rolling records are {ms, {scope, count, ...}, ms, {...}}.
local function usage_key(prefix, period, rules, ms, voter)
  if period == 'day' then
    return prefix .. ':day:' .. day_at(rules, ms) .. ':' .. bucket_of(voter)
  end
  return prefix .. ':' .. period .. ':' .. bucket_of(voter)
end

local function read_usage(prefix, period, rules, ms, voter)
  local packed = redis.call('HGET', usage_key(prefix, period, rules, ms, voter), field_of(voter))
  local flat = packed and cmsgpack.unpack(packed) or {}
  if period ~= 'rolling' then return flat end
  local recent = {}
  for index = 1, #flat, 2 do
    if flat[index] > ms - DAY_MS then
      recent[#recent + 1] = flat[index]
      recent[#recent + 1] = flat[index + 1]
    end
  end
  return recent
end

-- Units used under a scope; for rolling records summed over the ballots of the last 24 hours.
local function used_in(period, usage, scope)
  if period ~= 'rolling' then return (count_in(usage, scope)) end
  local used = 0
  for index = 2, #usage, 2 do used = used + count_in(usage[index], scope) end
  return used
end

local function write_usage(prefix, period, rules, ms, voter, usage)
  local key = usage_key(prefix, period, rules, ms, voter)
  local new = redis.call('HSET', key, field_of(voter), cmsgpack.pack(usage))
  if new == 1 and period == 'day' then
    -- A day that is over is never asked for again: the box's clock does not run backwards.
    local over = (day_at(rules, ms) + 2) * DAY_MS - offset_at(rules, ms)
    redis.call('PEXPIREAT', key, string.format('%.0f', over), 'NX')
  end
end

-- Write what a ballot spends into the records read before: one step a period, whatever the number of its lines.
local function spend(prefix, rules, ms, voter, usage, asked)
  local of_this_ballot = {}
  for line, quota in ipairs(rules.quotas) do
    add_to(quota.period == 'rolling' and of_this_ballot or usage[quota.period], asked[line])
  end
  if usage.rolling then
    usage.rolling[#usage.rolling + 1] = ms
    usage.rolling[#usage.rolling + 1] = of_this_ballot
  end
  for period, record in pairs(usage) do write_usage(prefix, period, rules, ms, voter, record) end
end

-- Ballot ids are remembered by receipt code: hour of the id, then two characters that spread an hour over 1,024 small
-- hashes. The entry is a digest of the content and the place in the stream: all that a repeat needs.
local function id_key(prefix, receipt)
  return prefix .. ':ids:' .. string.sub(receipt, 1, 6)
end

local function id_field(receipt)
  return string.sub(receipt, 7)
end

-- Twice the age at which an id is refused: an id that was forgotten can never be accepted again.
local function id_forgotten_at(id_ms)
  return (math.floor(id_ms / 3600000) + ID_HOURS) * 3600000
end

local function content_of(ballot_id, voter, choices)
  return string.sub(redis.sha1hex(ballot_id .. voter .. choices), 1, 16)
end

local function remember_id(prefix, receipt, id_ms, content, ms, seq)
  local key = id_key(prefix, receipt)
  local new = redis.call('HSET', key, id_field(receipt), content .. struct.pack('>I6I3', ms, seq))
  if new == 1 then redis.call('PEXPIREAT', key, string.format('%.0f', id_forgotten_at(id_ms)), 'NX') end
end

local function ids_of(choices)
  local ids = {}
  for id in string.gmatch(choices, '%d+') do ids[#ids + 1] = id end
  return ids
end

-- A candidate's award, group and candidate scope and its standing; nil when it is not in this campaign.
local function place_of(prefix, places, id)
  local place = places[id]
  if not place then
    local packed = redis.call('HGET', prefix .. ':candidates', id)
    if not packed then return nil end
    place = cmsgpack.unpack(packed)
    places[id] = place
  end
  return place
end

-- The tally is one field a candidate, read and written whole: a wrong type is met before anything is written.
local function read_tally(prefix, ids)
  local counts = redis.call('HMGET', prefix .. ':tally', unpack(ids))
  for index = 1, #ids do counts[index] = counts[index] and tonumber(counts[index]) or 0 end
  return counts
end

local function write_tally(prefix, ids, counts)
  local fields, at = {}, {}
  for index, id in ipairs(ids) do
    if not at[id] then
      at[id] = #fields + 2
      fields[#fields + 1], fields[#fields + 2] = id, counts[index]
    end
    fields[at[id]] = fields[at[id]] + 1
  end
  redis.call('HSET', prefix .. ':tally', unpack(fields))
end
