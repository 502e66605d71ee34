-- Asks for the paths in the file that is the first argument, one after the other, over and over; what stands behind a tab is a query
-- to post there (Oxigraph takes no head over 8 KB). The figures are those of wrk.lua beside it.
dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "wrk.lua")

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
