-- Drives darktable's window: exports one raw at three rates, restores one of the JPEGs by the
-- panel's button, fails with a helper that is not there, and writes what the panel shows to `said`
-- in the folder that RAWBACK_FOLDER names.

local dt = require "darktable"
local script = require "rawback"

local folder = os.getenv("RAWBACK_FOLDER")
local RATES = {"50 kB", "lossless", "350 kB"}

-- The panel, which the script keeps to itself
local function panel_of(what)
  for index = 1, 20 do
    local name, value = debug.getupvalue(what, index)
    if name == "panel" then
      return value
    end
  end
  error("the script has no panel")
end

local function drive()
  local panel = panel_of(script.show)
  local raw = dt.database.import(folder .. "/raccoon.dng")
  local format = dt.new_format("jpeg")
  format.quality = 92
  local carriers = {}
  for _, rate in ipairs(RATES) do
    dt.preferences.write("rawback", "rate", "string", rate)
    local name = string.format("%s/raccoon %s.jpg", folder, rate)
    format:write_image(raw, name)
    carriers[#carriers + 1] = dt.database.import(name)
  end
  dt.gui.selection({carriers[1]})
  panel.widgets.restore.clicked_callback(panel.widgets.restore)
  dt.control.sleep(3000)
  local said = io.open(folder .. "/said.part", "w")
  said:write(table.concat(panel.results, "\n"), "\n\n")

  -- The same with programs that are not there any more
  panel.results = {}
  local helper = dt.preferences.read("rawback", "executable", "string")
  for _, program in ipairs({helper, (helper:gsub("%-darktable$", ""))}) do
    assert(os.rename(program, program .. ".gone"))
  end
  panel.widgets.open.clicked_callback(panel.widgets.open)
  format:write_image(raw, folder .. "/raccoon missing.jpg")
  dt.control.sleep(1000)
  local results = panel.widgets.results
  said:write(table.concat(panel.results, "\n"), "\n\n", results.label, "\n\n")
  said:write((results.tooltip:gsub("\n\n", "|")), "\n")
  said:close()
  os.rename(folder .. "/said.part", folder .. "/said")
end

dt.control.dispatch(function()
  local fine, reason = pcall(drive)
  if not fine then
    dt.print_error("drive: " .. tostring(reason))
  end
end)
