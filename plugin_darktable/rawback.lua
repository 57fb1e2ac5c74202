--[[

  rawback for darktable: every exported JPEG can carry its raw

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

RAWBACK
Put the raw into the JPEG that is exported from it, and get it back from there.

After an image that comes from a raw was exported as a JPEG, rawback codes the raw, given that
JPEG, into a few hundred kilobytes inside it. Every viewer shows the JPEG as before; rawback makes
a DNG of it again. Where that fails, the JPEG stays as darktable wrote it.

ADDITIONAL SOFTWARE NEEDED FOR THIS SCRIPT
* rawback, with its commands rawback and rawback-darktable

USAGE
* require this file from your main luarc config file
* set the path of rawback-darktable in the preferences, if it is not in your PATH
* export raws as JPEG; the lighttable panel "rawback" says what came of it
* select JPEGs that carry a raw and press "restore raw"

]]

local dt = require "darktable"
local calls = require "lib/rawback_calls"

-- - - - - - - - - - - - - - - - - - - - - - - -
-- V E R S I O N   C H E C K
-- - - - - - - - - - - - - - - - - - - - - - - -

local MODULE = "rawback"
local LEAST_API = "9.0.0" -- darktable 4.2

-- The library of lua-scripts may be absent; its check ends the script, as this one does.
if not calls.at_least(dt.configuration.api_version_string, LEAST_API) then
  error("rawback needs at least API version " .. LEAST_API .. ", which came with darktable 4.2")
end

-- - - - - - - - - - - - - - - - - - - - - - - -
-- I 1 8 N
-- - - - - - - - - - - - - - - - - - - - - - - -

dt.gettext.bindtextdomain(MODULE, dt.configuration.config_dir .. "/lua/locale/")

local function _(msgid)
  return dt.gettext.dgettext(MODULE, msgid)
end

-- - - - - - - - - - - - - - - - - - - - - - - -
-- S C R I P T   M A N A G E R   I N T E G R A T I O N
-- - - - - - - - - - - - - - - - - - - - - - - -

local script_data = {}

script_data.destroy = nil        -- function to destroy the script
script_data.destroy_method = nil -- set to hide for libs since we can't destroy them completely yet
script_data.restart = nil        -- how to restart the (lib) script after it's been hidden
script_data.show = nil           -- only required for libs since the destroy_method only hides them

script_data.metadata = {
  name = _("rawback"),
  purpose = _("put the raw into exported JPEGs, and get it back"),
  author = "the rawback authors",
  help = "",
}

-- - - - - - - - - - - - - - - - - - - - - - - -
-- C O N S T A N T S   A N D   S T A T E
-- - - - - - - - - - - - - - - - - - - - - - - -

local WINDOWS = dt.configuration.running_os == "windows"
local HAS_GUI = dt.configuration.has_gui
local FAILED_TAG = "rawback|failed"
local NO_RESULTS = _("nothing exported yet")
local KEPT_RESULTS = 4
local PANEL_WIDTH, TOAST_WIDTH = 40, 90 -- in letters

local panel = {
  module_installed = false, -- keep track of whether the lib was registered
  event_registered = false, -- keep track of whether it waits for the lighttable
  widgets = {},
  shown_rate = nil,         -- what the panel shows already
  results = {},             -- the last lines, the newest first
}

-- - - - - - - - - - - - - - - - - - - - - - - -
-- P R E F E R E N C E S
-- - - - - - - - - - - - - - - - - - - - - - - -

-- `rawback plugin install` leaves word where the helper is.
local placed, place = pcall(require, "lib/rawback_place")
if placed and type(place) == "table" and type(place.executable) == "string" then
  calls.DEFAULTS.executable = place.executable
end

local function settings()
  return calls.settings(function(name)
    -- As text, whatever the kind: only so a preference that was never set can be told.
    return dt.preferences.read(MODULE, name, "string")
  end)
end

local function register_preferences()
  local defaults = calls.DEFAULTS
  dt.preferences.register(MODULE, "on_failure", "enum", _("rawback: if the raw cannot be embedded"),
    _("the JPEG always stays as darktable wrote it; the tag is rawback|failed"),
    defaults.on_failure, table.unpack(calls.ON_FAILURE))
  dt.preferences.register(MODULE, "unguided", "bool",
    _("rawback: code the raw on its own if the JPEG does not show it"),
    _("takes far more bytes; without it, such exports are left without a raw"), false)
  dt.preferences.register(MODULE, "metadata", "enum",
    _("rawback: names, places and times of the raw"),
    _("'auto' stores them if lossless, and else the raw gets back what the JPEG tells;"
      .. " 'all' stores them, 'rendering' leaves them out"),
    defaults.metadata, table.unpack(calls.METADATA))
  dt.preferences.register(MODULE, "grain", "bool",
    _("rawback: add noise to restored raws where the JPEG carries none"),
    _("as strong as the sensor's but not the sensor's own: for lifted shadows that look too smooth"),
    false)
  dt.preferences.register(MODULE, "stars", "integer", _("rawback: only images with so many stars"),
    _("0 for all images"), 0, 0, 5)
  dt.preferences.register(MODULE, "tag", "string", _("rawback: only images with this tag"),
    _("the tag, or one below it; empty for all images"), "")
  dt.preferences.register(MODULE, "rate", "string", _("rawback: size or quality"),
    _("'quality 60', a size such as '200 kB', 'lossless', or 'original' for the raw file itself"), defaults.rate)
  dt.preferences.register(MODULE, "enabled", "bool", _("rawback: put the raw into exported JPEGs"),
    _("applies to JPEGs that are exported from raws"), true)
  dt.preferences.register(MODULE, "executable", "file", _("rawback: the helper rawback-darktable"),
    _("the program rawback-darktable, which comes with rawback"), defaults.executable)
end

-- - - - - - - - - - - - - - - - - - - - - - - -
-- P R O G R A M S
-- - - - - - - - - - - - - - - - - - - - - - - -

local temporary_number = 0

local function temporary_name()
  if not WINDOWS then
    return os.tmpname()
  end
  temporary_number = temporary_number + 1
  local name = string.format("rawback-%d-%d.txt", os.time(), temporary_number)
  return calls.joined(dt.configuration.tmp_dir, name, true)
end

local function contents(name)
  local file = io.open(name, "rb")
  if not file then
    return nil
  end
  local text = file:read("a")
  file:close()
  return text
end

local function exists(name)
  local file = io.open(name, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

-- Run a program; its exit status, and what it said on the stream that is named
-- background: whether not to wait for it once it has started
local function run(words, stream, background)
  local said = temporary_name()
  local line = calls.command(words, {windows = WINDOWS, background = background, [stream] = said})
  local status = calls.exit_status(dt.control.execute(line), WINDOWS)
  local text = contents(said)
  os.remove(said)
  return status, text
end

-- Call the helper; what came of it
local function embed(current, raw, jpeg)
  local arguments, reason = calls.embed_arguments(_, current, raw, jpeg)
  if not arguments then
    return {status = "refused", message = reason}
  end
  local job
  if WINDOWS then
    -- Command lines cannot carry every name there.
    job = temporary_name()
    local file = io.open(job, "wb")
    if not file then
      return {status = "failed", message = string.format(_("%s cannot be written"), job)}
    end
    file:write(table.concat(arguments, "\n"))
    file:close()
    arguments = {"--job", job}
  end
  local status, line = run({current.executable, table.unpack(arguments)}, "output")
  if job then
    os.remove(job)
  end
  return calls.outcome(line) or calls.silence(_, current.executable, status)
end

-- - - - - - - - - - - - - - - - - - - - - - - -
-- E X P O R T
-- - - - - - - - - - - - - - - - - - - - - - - -

local function rate_index(rate)
  for index, known in ipairs(calls.RATES) do
    if known == rate then
      return index
    end
  end
  return 0
end

-- Show the last results, and what the preferences say, which may have been changed elsewhere.
local function refresh()
  local widgets = panel.widgets
  if not widgets.all then
    return
  end
  local current = settings()
  widgets.enabled.value = current.enabled
  if widgets.rate.value ~= current.rate then
    panel.shown_rate = current.rate
    local index = rate_index(current.rate)
    if index > 0 then
      widgets.rate.selected = index
    else
      widgets.rate.value = current.rate
    end
  end
  -- A long line would make the panel as wide as itself.
  local lines = {}
  for index, text in ipairs(panel.results) do
    lines[index] = calls.wrapped(text, PANEL_WIDTH)
  end
  local missing = calls.missing(_, current.executable, WINDOWS, exists)
  widgets.results.label = lines[1] and table.concat(lines, "\n") or
    calls.wrapped(missing or NO_RESULTS, PANEL_WIDTH)
  widgets.results.tooltip = lines[1] and table.concat(panel.results, "\n\n") or missing or ""
end

local function remember(text)
  table.insert(panel.results, 1, text)
  panel.results[KEPT_RESULTS + 1] = nil
  refresh()
end

-- Say something: in the panel, over the picture, and in the log
local function say(text, quietly)
  dt.print_log(MODULE .. ": " .. text)
  if not quietly then
    dt.print(calls.wrapped(text, TOAST_WIDTH))
  end
  remember(text)
end

local function tag_failure(image, failed)
  local tag = dt.tags.find(FAILED_TAG)
  if failed then
    dt.tags.attach(tag or dt.tags.create(FAILED_TAG), image)
  elseif tag then
    dt.tags.detach(tag, image)
  end
end

local function report(current, image, name, outcome)
  local text = calls.described(_, name, outcome)
  local done = outcome.status == "embedded"
  if done or current.on_failure == "message and tag" then
    tag_failure(image, not done)
  end
  say(text, not done and current.on_failure == "log only")
end

local function tag_names(image)
  local names = {}
  for _, tag in ipairs(dt.tags.get_tags(image)) do
    names[#names + 1] = tag.name
  end
  return names
end

local function exported(_event, image, filename, format)
  local current = settings()
  local wanted, why_not = calls.is_wanted(current, format.plugin_name, {
    is_raw = image.is_raw,
    rating = image.rating,
    tags = current.tag ~= "" and tag_names(image) or {},
  })
  if not wanted then
    dt.print_log(string.format("%s: %s left alone, %s", MODULE, filename, why_not))
    return
  end
  local raw = calls.joined(image.path, image.filename, WINDOWS)
  report(current, image, calls.shown(filename, WINDOWS), embed(current, raw, filename))
end

-- - - - - - - - - - - - - - - - - - - - - - - -
-- L I G H T T A B L E
-- - - - - - - - - - - - - - - - - - - - - - - -

-- Restore the raw of one image beside it; a line about it
local function restore(current, image)
  local program = calls.program(current.executable)
  local jpeg = calls.joined(image.path, image.filename, WINDOWS)
  local dng = calls.restored_name(jpeg, exists)
  local status, said = run({program, table.unpack(calls.restore_arguments(current, jpeg, dng))}, "errors")
  if status ~= 0 then
    local reason = calls.reason(_, program, status, said)
    return string.format(_("%s: raw not restored: %s"), calls.shown(jpeg, WINDOWS), reason)
  end
  dt.database.import(dng)
  return string.format(
    _("%s: raw restored as %s"), calls.shown(jpeg, WINDOWS), calls.shown(dng, WINDOWS))
end

local function restore_selected()
  local carriers = {}
  for _, image in ipairs(dt.gui.selection()) do
    if calls.is_jpeg(image.filename) then
      carriers[#carriers + 1] = image
    end
  end
  if #carriers == 0 then
    dt.print(_("select JPEGs that carry a raw"))
    return
  end
  local current = settings()
  local job = dt.gui.create_job(_("restoring raws"), true, function(this) this.valid = false end)
  for number, image in ipairs(carriers) do
    if not job.valid then
      return
    end
    say(restore(current, image))
    if job.valid then
      job.percent = number / #carriers
    end
  end
  if job.valid then
    job.valid = false
  end
end

local function open_selected()
  local image = dt.gui.selection()[1]
  if not image then
    dt.print(_("select an image"))
    return
  end
  local program = calls.program(settings().executable)
  local file = calls.joined(image.path, image.filename, WINDOWS)
  local status, said
  if WINDOWS then
    -- What is started there tells nothing of how it ends: so ask first whether it can be run.
    status, said = run({program, "--version"}, "errors")
  end
  if not WINDOWS or status == 0 then
    status, said = run({program, "gui", file}, "errors", true)
  end
  if status ~= 0 then
    local reason = calls.reason(_, program, status, said)
    say(string.format(_("%s: not opened in rawback: %s"), calls.shown(file, WINDOWS), reason))
  end
end

local function build_widgets()
  local current = settings()
  local widgets = panel.widgets
  panel.shown_rate = current.rate
  widgets.enabled = dt.new_widget("check_button"){
    label = _("put the raw into exported JPEGs"),
    tooltip = _("applies to JPEGs that are exported from raws"),
    value = current.enabled,
    clicked_callback = function(this)
      dt.preferences.write(MODULE, "enabled", "bool", this.value)
    end,
  }
  widgets.rate = dt.new_widget("combobox"){
    label = _("size or quality"),
    tooltip = _("choose, or type: 'quality 70', '350 kB', 'lossless', or 'original' for the raw file itself"),
    editable = true,
    selected = rate_index(current.rate),
    changed_callback = function(this)
      -- It is called for every letter that is typed, and late for what was set by refresh.
      local rate = this.value or ""
      if rate ~= panel.shown_rate and calls.rate_arguments(rate) then
        panel.shown_rate = rate
        dt.preferences.write(MODULE, "rate", "string", rate)
      end
    end,
    table.unpack(calls.RATES),
  }
  widgets.heading = dt.new_widget("section_label"){label = _("last results")}
  widgets.results = dt.new_widget("label"){
    label = NO_RESULTS,
    halign = "start",
    ellipsize = "end",
    selectable = true,
  }
  widgets.restore = dt.new_widget("button"){
    label = _("restore raw"),
    tooltip = _("make a DNG beside each selected JPEG that carries a raw, and import it"),
    clicked_callback = restore_selected,
  }
  widgets.open = dt.new_widget("button"){
    label = _("open in rawback"),
    tooltip = _("open the selected image in rawback's own window"),
    clicked_callback = open_selected,
  }
  widgets.buttons = dt.new_widget("box"){
    orientation = "horizontal", widgets.restore, widgets.open,
  }
  widgets.all = dt.new_widget("box"){
    orientation = "vertical",
    widgets.enabled, widgets.rate, widgets.heading, widgets.results, widgets.buttons,
  }
end

local function install_module()
  if panel.module_installed then
    return
  end
  dt.register_lib(
    MODULE,
    _("rawback"),
    true,  -- expandable
    false, -- resetable
    {[dt.gui.views.lighttable] = {"DT_UI_CONTAINER_PANEL_RIGHT_CENTER", 90}},
    panel.widgets.all,
    -- Called by the thread that draws, which setting a widget waits for: so later.
    function() dt.control.dispatch(refresh) end, -- view_enter
    nil                                          -- view_leave
  )
  panel.module_installed = true
end

local function install_when_shown()
  if dt.gui.current_view().id == "lighttable" then
    install_module()
  elseif not panel.event_registered then
    dt.register_event(MODULE, "view-changed", function(_event, _old_view, new_view)
      if new_view.id == "lighttable" then
        install_module()
      end
    end)
    panel.event_registered = true
  end
end

local function install_panel()
  register_preferences()
  build_widgets()
  install_when_shown()
end

-- - - - - - - - - - - - - - - - - - - - - - - -
-- S T A R T   A N D   E N D
-- - - - - - - - - - - - - - - - - - - - - - - -

local function listen()
  dt.register_event(MODULE, "intermediate-export-image", exported)
end

local function destroy()
  dt.destroy_event(MODULE, "intermediate-export-image")
  if panel.event_registered then
    dt.destroy_event(MODULE, "view-changed")
    panel.event_registered = false
  end
  if panel.module_installed then
    dt.gui.libs[MODULE].visible = false
  end
end

local function show()
  if panel.module_installed then
    dt.gui.libs[MODULE].visible = true
  elseif HAS_GUI then
    install_when_shown()
  end
end

local function restart()
  listen()
  show()
end

-- Without a window the widgets of these would wait for one forever.
if HAS_GUI then
  install_panel()
end
listen()

script_data.destroy = destroy
script_data.destroy_method = "hide"
script_data.restart = restart
script_data.show = show

return script_data
