-- The box's own clock: Redis's time in epoch milliseconds. Tests put another source in this file's place.
local function redis_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
