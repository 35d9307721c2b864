-- Keep a sign-in code for a number, or say why none may be sent: the number and the address each have their windows.
--
-- KEYS[1] the prefix of all codes; its keys share the hash tag in it.
-- ARGV    number, address and code, each as a keyed hash; ms a code is good for, ms between two codes, tries;
--         codes an hour and a day for a number, codes an hour for an address
-- Returns {"kept"} or {"too_soon", ms} or {"limited", "number" or "address", ms}

local HOUR_MS, DAY_MS = 3600000, 86400000
local prefix, now = KEYS[1], redis_ms()
local code_key, number_key = prefix .. ':code:' .. ARGV[1], prefix .. ':number:' .. ARGV[1]
local good_ms, apart_ms = tonumber(ARGV[4]), tonumber(ARGV[5])

-- {start of the hour's window, sent in it, start of the day's window, sent in it}
local function window(key)
  local packed = redis.call('GET', key)
  local kept = packed and cmsgpack.unpack(packed) or {now, 0, now, 0}
  if now - kept[1] >= HOUR_MS then kept[1], kept[2] = now, 0 end
  if now - kept[3] >= DAY_MS then kept[3], kept[4] = now, 0 end
  return kept
end

local code = redis.call('GET', code_key)
if code then
  local sent = cmsgpack.unpack(code)[1]
  if now < sent + apart_ms then return {'too_soon', sent + apart_ms} end
end
local number = window(number_key)
if number[2] >= tonumber(ARGV[7]) then return {'limited', 'number', number[1] + HOUR_MS} end
if number[4] >= tonumber(ARGV[8]) then return {'limited', 'number', number[3] + DAY_MS} end
local address_key, address
if ARGV[2] ~= '' then
  address_key = prefix .. ':address:' .. ARGV[2]
  address = window(address_key)
  if address[2] >= tonumber(ARGV[9]) then return {'limited', 'address', address[1] + HOUR_MS} end
end

number[2], number[4] = number[2] + 1, number[4] + 1
redis.call('SET', number_key, cmsgpack.pack(number), 'PX', DAY_MS)
if address then
  address[2], address[4] = address[2] + 1, address[4] + 1
  redis.call('SET', address_key, cmsgpack.pack(address), 'PX', DAY_MS)
end
redis.call('SET', code_key, cmsgpack.pack({now, ARGV[3], tonumber(ARGV[6])}), 'PX', good_ms)
return {'kept'}
