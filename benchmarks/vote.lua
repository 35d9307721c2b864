-- wrk: one ballot of a new voter for each request, read from a file of prepared papers (benchmarks/voters.py).
-- Arguments after "--": the file, how many of its lines to pass over, how many to use, path, cookie name, origin.
-- Requests are put together before the clock starts, so that the load process takes little of the machine.
local threads = {}
local mine, at = {}, 0

function setup(thread)
  thread:set("number", #threads)
  table.insert(threads, thread)
end

function init(args)
  local file, skip, use, path, cookie_name, origin = args[1], tonumber(args[2]), tonumber(args[3]), args[4], args[5], args[6]
  local line_number = 0
  for line in io.lines(file) do
    if line_number >= skip + use then break end
    if line_number >= skip and line_number % 2 == number % 2 then
      local cookie, token, address, body = string.match(line, "^(%S+) (%S+) (%S+) (.+)$")
      mine[#mine + 1] = wrk.format("POST", path, {
        ["Host"] = wrk.headers["Host"], ["Content-Type"] = "application/json", ["Origin"] = origin,
        ["Cookie"] = cookie_name .. "=" .. cookie, ["X-CSRF-Token"] = token, ["X-Forwarded-For"] = address,
      }, body)
    end
    line_number = line_number + 1
  end
end

function request()
  at = at + 1
  -- Past the end the first papers come again: the box knows them, and the count afterwards tells that it happened.
  return mine[(at - 1) % #mine + 1]
end
