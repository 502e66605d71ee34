-- Asks for the paths in the file that is the first argument, one after the other, over and over; what stands behind a tab is a query
-- to post there (Oxigraph takes no head over 8 KB). The figures are those of wrk.lua.
local paths, turn = {}, 0

init = function(arguments)
  for line in io.lines(arguments[1]) do
    local path, query = line:match("^([^\t]*)\t(.*)$")
    if query then
      local headers = { ["Content-Type"] = "application/sparql-query", ["Accept"] = wrk.headers["Accept"] }
      paths[#paths + 1] = wrk.format("POST", path, headers, query)
    else
      paths[#paths + 1] = wrk.format("GET", line)
    end
  end
end

request = function()
  turn = turn % #paths + 1
  return paths[turn]
end

done = function(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "microseconds": %d, "received": %d, "latency_p50": %d, "latency_p99": %d, '
      .. '"status_errors": %d, "socket_errors": %d, "timeouts": %d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect + errors.read + errors.write, errors.timeout))
end
