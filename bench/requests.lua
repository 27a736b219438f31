-- Sends requests that were written beforehand, as they go over the wire, and starts again after the last one. Each
-- stands in the file after a line that tells its length in bytes. Called as: wrk … -s requests.lua URL -- FILE

local threads = {}
local file

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  repeats = 0
  file = assert(io.open(args[1], 'rb'))
end

local function read_request()
  local length = file:read('*l')
  return length and file:read(tonumber(length))
end

function request()
  local next_request = read_request()
  if next_request then
    return next_request
  end
  repeats = repeats + 1
  file:seek('set', 0)
  return read_request()
end

function done(summary, latency, requests)
  local total_repeats = 0
  for _, thread in ipairs(threads) do
    total_repeats = total_repeats + thread:get('repeats')
  end
  local errors = summary.errors
  local format = '\n{"requests":%d,"seconds":%.6f,"refused":%d,"broken":%d,"p50_ms":%.3f,"p99_ms":%.3f,"repeats":%d}\n'
  io.write(format:format(
    summary.requests,
    summary.duration / 1e6,
    errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3,
    total_repeats
  ))
end
