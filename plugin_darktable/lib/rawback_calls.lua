--[[

  rawback for darktable: what needs no darktable

  copyright (c) 2026  the rawback authors

  darktable is free software: you can redistribute it and/or modify
  it under the terms of the GNU General Public License as published by
  the Free Software Foundation, either version 2 of the License, or
  (at your option) any later version.

  darktable is distributed in the hope that it will be useful,
  but WITHOUT ANY WARRANTY; without even the implied warranty of
  MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
  GNU General Public License for more details.

  You should have received a copy of the GNU General Public License
  along with darktable.  If not, see <http://www.gnu.org/licenses/>.

]]

--[[
  Command lines, settings and outcomes as plain values, so that they can be tested under any Lua.
  Functions that make text for people take gettext's `_` as their first argument.
]]

local calls = {}

-- - - - - - - - - - - - - - - - - - - - - - - -
-- S E T T I N G S
-- - - - - - - - - - - - - - - - - - - - - - - -

-- What counts where nothing was set: darktable-cli gives "" for all such preferences.
calls.DEFAULTS = {
  executable = "rawback-darktable",
  enabled = "TRUE",
  rate = "quality 60",
  tag = "",
  stars = "0",
  unguided = "FALSE",
  metadata = "auto",
  grain = "FALSE",
  on_failure = "message",
}

calls.RATES = {
  "quality 40", "quality 60", "quality 80", "50 kB", "200 kB", "1 MB", "lossless", "original",
}
calls.METADATA = {"auto", "all", "rendering"}
calls.ON_FAILURE = {"message", "message and tag", "log only"}

local UNITS = {b = 1, kb = 1000, mb = 1000000}

-- "quality 60", "200 kB", "1.5 MB", "lossless" or "original", which gives the raw file itself back,
-- as arguments of the helper; nil for anything else
function calls.rate_arguments(text)
  local plain = text:lower():gsub("^%s+", ""):gsub("%s+$", "")
  if plain == "lossless" or plain == "original" then
    return {"--" .. plain}
  end
  local quality = tonumber(plain:match("^quality%s*(%d+%.?%d*)$"))
  if quality then
    return quality <= 100 and {"--quality", string.format("%g", quality)} or nil
  end
  local number, unit = plain:match("^(%d+%.?%d*)%s*(%a+)$")
  number = tonumber(number)
  if number and UNITS[unit] and number * UNITS[unit] >= 1 then
    return {"--size", string.format("%.0f", number * UNITS[unit])}
  end
  return nil
end

-- All settings, given a function that gives the text of each by its name
function calls.settings(read)
  local found = {}
  for name, default in pairs(calls.DEFAULTS) do
    local value = read(name)
    found[name] = (value == nil or value == "") and default or value
  end
  return {
    executable = found.executable,
    enabled = found.enabled:upper() == "TRUE",
    rate = found.rate,
    tag = found.tag,
    stars = math.tointeger(tonumber(found.stars)) or 0,
    unguided = found.unguided:upper() == "TRUE",
    metadata = found.metadata,
    grain = found.grain:upper() == "TRUE",
    on_failure = found.on_failure,
  }
end

-- Whether one of the names is the tag, or a tag below it
local function is_tagged(names, tag)
  for _, name in ipairs(names) do
    if name == tag or name:sub(1, #tag + 1) == tag .. "|" then
      return true
    end
  end
  return false
end

-- Whether an export gets its raw; if not, why not
-- image: is_raw, rating (-1 to 5) and tags, a list of names
function calls.is_wanted(settings, format, image)
  if not settings.enabled then
    return false, "switched off"
  elseif format ~= "jpeg" then
    return false, "not a JPEG"
  elseif not image.is_raw then
    return false, "not made from a raw"
  elseif image.rating < settings.stars then
    return false, "too few stars"
  elseif settings.tag ~= "" and not is_tagged(image.tags, settings.tag) then
    return false, "not tagged " .. settings.tag
  end
  return true
end

-- - - - - - - - - - - - - - - - - - - - - - - -
-- C O M M A N D   L I N E S
-- - - - - - - - - - - - - - - - - - - - - - - -

-- One word for the shell, whatever is in it
function calls.quoted(text, windows)
  if windows then
    -- No name can hold a quote there.
    return '"' .. text:gsub('"', "") .. '"'
  end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- A program that still runs after two seconds has started; one that has ended says how it did.
local BACKGROUND = "%s >/dev/null & p=$!; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.2; " ..
  "kill -0 $p 2>/dev/null || { wait $p; exit $?; }; done"

-- A command line
-- options: windows; output and errors, files that get what it says; background, not to wait for it
-- longer than it takes to fail at once: the exit status is 0 if it still runs after some seconds
function calls.command(words, options)
  local parts = {}
  for _, word in ipairs(words) do
    parts[#parts + 1] = calls.quoted(word, options.windows)
  end
  if options.background and options.windows then
    table.insert(parts, 1, 'start ""')
  end
  if options.output then
    parts[#parts + 1] = ">" .. calls.quoted(options.output, options.windows)
  end
  if options.errors then
    parts[#parts + 1] = "2>" .. calls.quoted(options.errors, options.windows)
  end
  local line = table.concat(parts, " ")
  if options.windows then
    -- cmd takes the first and the last quote of a line away.
    return '"' .. line .. '"'
  end
  return options.background and string.format(BACKGROUND, line) or line
end

-- Arguments that put a raw into a JPEG; nil and a reason where the rate makes no sense
function calls.embed_arguments(_, settings, raw, jpeg)
  local arguments = calls.rate_arguments(settings.rate)
  if not arguments then
    return nil, string.format(
      _("'%s' is no rate; set 'quality 60', '200 kB', 'lossless' or 'original'"), settings.rate)
  end
  if settings.unguided then
    arguments[#arguments + 1] = "--unguided"
  end
  if settings.metadata ~= calls.DEFAULTS.metadata then
    arguments[#arguments + 1] = "--metadata"
    arguments[#arguments + 1] = settings.metadata
  end
  for _, word in ipairs({"--", raw, jpeg}) do
    arguments[#arguments + 1] = word
  end
  return arguments
end

-- Arguments that restore a raw
function calls.restore_arguments(settings, jpeg, dng)
  local arguments = {"restore", "--quiet"}
  if settings.grain then
    arguments[#arguments + 1] = "--grain"
  end
  for _, word in ipairs({"--output", dng, "--", jpeg}) do
    arguments[#arguments + 1] = word
  end
  return arguments
end

-- The rawback program beside the helper
function calls.program(executable)
  local folder, suffix = executable:match("^(.*)rawback%-darktable(%.?[^/\\]*)$")
  return (folder or "") .. "rawback" .. (suffix or "")
end

-- Exit status of what dt.control.execute returns: the raw wait status, but on Windows
function calls.exit_status(status, windows)
  if windows then
    return status
  end
  local signal = status % 128
  return signal == 0 and status // 256 or 128 + signal
end

-- - - - - - - - - - - - - - - - - - - - - - - -
-- F I L E   N A M E S
-- - - - - - - - - - - - - - - - - - - - - - - -

function calls.joined(folder, name, windows)
  local separator = windows and "\\" or "/"
  return folder:sub(-1) == separator and folder .. name or folder .. separator .. name
end

function calls.is_jpeg(name)
  local extension = name:lower():match("%.(%w+)$")
  return extension == "jpg" or extension == "jpeg"
end

-- Where the raw of a carrier goes: the first name that no file has
function calls.restored_name(jpeg, exists)
  local stem = jpeg:gsub("%.%w+$", ""):gsub("%.rawback$", "")
  local name, number = stem .. ".rawback.dng", 0
  while exists(name) do
    number = number + 1
    name = string.format("%s.rawback_%02d.dng", stem, number)
  end
  return name
end

-- - - - - - - - - - - - - - - - - - - - - - - -
-- O U T C O M E S
-- - - - - - - - - - - - - - - - - - - - - - - -

-- The helper's line as a table: status, message, and figures; nil for anything else
function calls.outcome(line)
  local status, rest = (line or ""):match("^(%l+)\t(.*)$")
  if status ~= "embedded" and status ~= "refused" and status ~= "failed" then
    return nil
  end
  local found = {status = status}
  for field in rest:gsub("[\r\n]+$", ""):gmatch("[^\t]+") do
    local name, value = field:match("^(%l+)=(.*)$")
    if name then
      found[name] = value
    end
  end
  return found.message and found or nil
end

-- Whether an exit status says that a shell could not run a program
function calls.is_missing(status)
  return status == 126 or status == 127 or status == 9009
end

-- Why a program failed, in its own words if it had any
function calls.reason(_, program, status, said)
  local own = not calls.is_missing(status) and calls.complaint(said)
  return own or calls.silence(_, program, status).message
end

-- What stands for the outcome of a helper that said nothing
function calls.silence(_, executable, status)
  local message
  if calls.is_missing(status) then
    message = string.format(
      _("%s cannot be run; install rawback, or set the helper's path in the Lua options"), executable)
  else
    message = string.format(
      _("%s ended with status %d and said nothing; run it by hand to see why"), executable, status)
  end
  return {status = "failed", message = message}
end

-- A sentence about a helper that is not where it should be; nil where it is, or may be in the PATH
function calls.missing(_, executable, windows, exists)
  if not executable:find(windows and "[/\\]" or "/") or exists(executable) then
    return nil
  end
  return calls.silence(_, executable, 127).message
end

function calls.size_text(bytes)
  if bytes < 1000 then
    return string.format("%d bytes", bytes)
  elseif bytes < 1000000 then
    return string.format("%.0f kB", bytes / 1000)
  end
  return string.format("%.1f MB", bytes / 1000000)
end

-- A file's name, without its folder, as it can be shown on one line
function calls.shown(path, windows)
  local name = path:match(windows and "[^/\\]+$" or "[^/]+$") or path
  return (name:gsub("%c", "?"))
end

-- Text in lines of at most so many letters, broken between words where there are any
function calls.wrapped(text, width)
  local lines, line, length = {}, "", 0
  local function flush()
    if length > 0 then
      lines[#lines + 1], line, length = line, "", 0
    end
  end
  for word in text:gmatch("%S+") do
    local size = utf8.len(word)
    if not size then
      -- Not UTF-8: a letter for each byte that is none.
      word = word:gsub("[\128-\255]", "?")
      size = #word
    end
    if length > 0 and length + 1 + size > width then
      flush()
    end
    while size > width do
      local cut = utf8.offset(word, width + 1)
      lines[#lines + 1] = word:sub(1, cut - 1)
      word, size = word:sub(cut), size - width
    end
    line = length > 0 and line .. " " .. word or word
    length = utf8.len(line)
  end
  flush()
  return table.concat(lines, "\n")
end

-- One line about a job, for people
function calls.described(_, name, outcome)
  if outcome.status ~= "embedded" then
    return string.format(_("%s: raw not embedded: %s"), name, outcome.message)
  end
  local quality = outcome.exact == "yes" and _("exact") or
    string.format(_("%.1f dB"), tonumber(outcome.psnr) or 0)
  local size = calls.size_text(tonumber(outcome.bytes) or 0)
  if outcome.guided == "no" then
    quality = quality .. ", " .. _("coded without the JPEG")
  end
  return string.format(_("%s: raw embedded, +%s, %s"), name, size, quality)
end

-- The last word of a program that failed: "rawback: what is wrong"
function calls.complaint(text)
  local last
  for line in (text or ""):gmatch("[^\r\n]+") do
    last = line
  end
  return last and last:gsub("^rawback: ", "") or nil
end

-- Whether a version such as "9.1.0" is not below another
function calls.at_least(version, minimum)
  local mine, asked = version:gmatch("%d+"), minimum:gmatch("%d+")
  while true do
    local least = asked()
    if not least then
      return true
    end
    local have = tonumber(mine() or "0")
    if have ~= tonumber(least) then
      return have > tonumber(least)
    end
  end
end

return calls
