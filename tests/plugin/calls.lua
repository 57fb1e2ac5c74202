-- Runs under plain Lua: `lua5.4 calls.lua FOLDER`, FOLDER being plugin_darktable. Prints what fails.

package.path = arg[1] .. "/?.lua;" .. package.path
local calls = require "lib/rawback_calls"

local function same(text) return text end

local failures = 0

local function expect(what, found, wanted)
  if found ~= wanted then
    failures = failures + 1
    print(string.format("%s: %s, not %s", what, tostring(found), tostring(wanted)))
  end
end

local function words(list)
  return list and table.concat(list, " ")
end

-- rates
for text, wanted in pairs({
  ["quality 60"] = "--quality 60",
  [" Quality 62.5 "] = "--quality 62.5",
  ["quality0"] = "--quality 0",
  ["200 kB"] = "--size 200000",
  ["1.5MB"] = "--size 1500000",
  ["812 b"] = "--size 812",
  ["lossless"] = "--lossless",
  [" Original"] = "--original",
}) do
  expect("rate " .. text, words(calls.rate_arguments(text)), wanted)
end
for _, text in ipairs({"", "60", "quality 101", "quality -1", "0 kB", "3 GB", "quality 60; ls"}) do
  expect("no rate " .. text, calls.rate_arguments(text), nil)
end
for _, text in ipairs(calls.RATES) do
  expect("offered " .. text, calls.rate_arguments(text) ~= nil, true)
end

-- settings
local unset = calls.settings(function() return "" end)
expect("enabled unless switched off", unset.enabled, true)
expect("default rate", unset.rate, "quality 60")
expect("no stars needed", unset.stars, 0)
expect("no grain unless asked for", unset.grain, false)
expect("plain restoring", words(calls.restore_arguments(unset, "a.jpg", "a.dng")),
  "restore --quiet --output a.dng -- a.jpg")
expect("restoring with grain", words(calls.restore_arguments({grain = true}, "a.jpg", "a.dng")),
  "restore --quiet --grain --output a.dng -- a.jpg")
local stored = {enabled = "FALSE", stars = "3", tag = "carry", unguided = "TRUE", grain = "true", rate = "1 MB"}
local set = calls.settings(function(name) return stored[name] end)
expect("switched off", set.enabled, false)
expect("stars", set.stars, 3)
expect("unguided", set.unguided, true)
expect("grain", set.grain, true)
expect("executable stays", set.executable, "rawback-darktable")

-- which exports
local function wanted(changes, format, image)
  local asked = calls.settings(function(name) return changes[name] end)
  return calls.is_wanted(asked, format or "jpeg", {
    is_raw = image == nil or image.is_raw ~= false,
    rating = image and image.rating or 0,
    tags = image and image.tags or {},
  })
end
expect("a raw as JPEG", wanted({}), true)
expect("a TIFF", wanted({}, "tiff"), false)
expect("a JPEG of a JPEG", wanted({}, "jpeg", {is_raw = false}), false)
expect("off", wanted({enabled = "FALSE"}), false)
expect("two stars of three", wanted({stars = "3"}, "jpeg", {rating = 2}), false)
expect("three stars of three", wanted({stars = "3"}, "jpeg", {rating = 3}), true)
expect("rejected", wanted({}, "jpeg", {rating = -1}), false)
expect("no tag", wanted({tag = "a|b"}, "jpeg", {tags = {"a", "a|bc"}}), false)
expect("the tag", wanted({tag = "a|b"}, "jpeg", {tags = {"x", "a|b"}}), true)
expect("a tag below", wanted({tag = "a|b"}, "jpeg", {tags = {"a|b|c"}}), true)

-- command lines
expect("quotes", calls.quoted("it's `a` $b", false), "'it'\\''s `a` $b'")
expect("line ends", calls.quoted("a\nb", false), "'a\nb'")
expect("Windows", calls.quoted("C:\\a b\\c", true), '"C:\\a b\\c"')
expect("command", calls.command({"x", "-y", "z z"}, {output = "/t/o"}), "'x' '-y' 'z z' >'/t/o'")
expect("errors", calls.command({"x"}, {errors = "/e"}), "'x' 2>'/e'")
local background = calls.command({"x"}, {background = true, errors = "/e"})
expect("background", background:match("^'x' 2>'/e' >/dev/null & p=") ~= nil, true)
expect("Windows command", calls.command({"x"}, {output = "o", windows = true}), '""x" >"o""')
expect("Windows background", calls.command({"x"}, {background = true, windows = true}),
  '"start "" "x""')

local usual = calls.settings(function() return "" end)
expect("arguments", words(calls.embed_arguments(same, usual, "/r", "-j.jpg")),
  "--quality 60 -- /r -j.jpg")
usual.unguided = true
expect("unguided", words(calls.embed_arguments(same, usual, "/r", "/j")),
  "--quality 60 --unguided -- /r /j")
usual.rate = "much"
local none, reason = calls.embed_arguments(same, usual, "/r", "/j")
expect("a rate that is none", none, nil)
expect("says so", reason:match("^'much' is no rate") ~= nil, true)

expect("program", calls.program("/opt/bin/rawback-darktable"), "/opt/bin/rawback")
expect("program in PATH", calls.program("rawback-darktable"), "rawback")
expect("program on Windows", calls.program("C:\\x\\rawback-darktable.exe"), "C:\\x\\rawback.exe")
expect("program of a wrapper", calls.program("/opt/bin/mine"), "rawback")

expect("status", calls.exit_status(768, false), 3)
local function is_there(name) return name == "/there" end
expect("is there", calls.missing(same, "/there", false, is_there), nil)
expect("in the PATH", calls.missing(same, "rawback-darktable", false, is_there), nil)
expect("is not there", calls.missing(same, "/gone", false, is_there):match("^/gone cannot") ~= nil, true)
expect("is not there on Windows", calls.missing(same, "C:\\gone", true, is_there) ~= nil, true)
expect("killed", calls.exit_status(9, false), 137)
expect("status on Windows", calls.exit_status(3, true), 3)

-- names
expect("joined", calls.joined("/a", "b", false), "/a/b")
expect("joined at the root", calls.joined("/", "b", false), "/b")
expect("JPEG", calls.is_jpeg("A.b.JPEG"), true)
expect("no JPEG", calls.is_jpeg("jpg"), false)
local taken = {["/a.b.rawback.dng"] = true, ["/a.b.rawback_01.dng"] = true}
local function exists(name) return taken[name] end
expect("free name", calls.restored_name("/x.jpg", exists), "/x.rawback.dng")
expect("carrier's name", calls.restored_name("/x.rawback.jpg", exists), "/x.rawback.dng")
expect("third name", calls.restored_name("/a.b.jpeg", exists), "/a.b.rawback_02.dng")
expect("shown", calls.shown("/a/b\\c\nd", false), "b\\c?d")
expect("shown on Windows", calls.shown("C:\\a\\b.jpg", true), "b.jpg")

-- outcomes
local good = calls.outcome(
  "embedded\tbytes=20011\tpsnr=44.12\texact=no\tguided=yes\tseconds=1\tmessage=Fine=yes.\n")
expect("status", good.status, "embedded")
expect("message", good.message, "Fine=yes.")
expect("told", calls.described(same, "a.jpg", good), "a.jpg: raw embedded, +20 kB, 44.1 dB")
local exact = calls.outcome(
  "embedded\tbytes=999\tpsnr=inf\texact=yes\tguided=no\tseconds=1\tmessage=x")
expect("told exact", calls.described(same, "a", exact),
  "a: raw embedded, +999 bytes, exact, coded without the JPEG")
local refused = calls.outcome("refused\tmessage=no; go\r\n")
expect("told refused", calls.described(same, "a", refused), "a: raw not embedded: no; go")
for _, line in ipairs({"", "embedded", "embedded\t", "done\tmessage=x", "sh: not found"}) do
  expect("no outcome " .. line, calls.outcome(line), nil)
end
expect("nil is no outcome", calls.outcome(nil), nil)
expect("missing", calls.silence(same, "/x", 127).message:match("^/x cannot be run") ~= nil, true)
local function at_place(name) return name == "/there" end
expect("is there", calls.missing(same, "/there", false, at_place), nil)
expect("in the PATH", calls.missing(same, "rawback-darktable", false, at_place), nil)
expect("is not there", calls.missing(same, "/gone", false, at_place):match("^/gone cannot") ~= nil, true)
expect("is not there on Windows", calls.missing(same, "C:\\gone", true, at_place) ~= nil, true)
expect("killed", calls.silence(same, "/x", 137).message:match("status 137") ~= nil, true)
expect("wrapped", calls.wrapped("one two  three\nfour", 9), "one two\nthree\nfour")
expect("wrapped at the width", calls.wrapped("one two three", 7), "one two\nthree")
expect("wrapped inside words", calls.wrapped("a 123456789 b", 4), "a\n1234\n5678\n9 b")
expect("wrapped letters", calls.wrapped("äöü äöüäö", 3), "äöü\näöü\näö")
expect("wrapped bytes", calls.wrapped("\255\254abc", 3), "??a\nbc")
expect("wrapped nothing", calls.wrapped("", 5), "")
expect("complaint", calls.complaint("warning\nrawback: no payload; x.\n"), "no payload; x.")
expect("reason", calls.reason(same, "/x", 1, "rawback: no; go.\n"), "no; go.")
expect("shell's words", calls.reason(same, "/x", 127, "sh: 1: no"):match("^/x cannot be run") ~= nil, true)
expect("no reason", calls.reason(same, "/x", 3, ""):match("^/x ended with status 3") ~= nil, true)
expect("no complaint", calls.complaint(""), nil)
for bytes, text in pairs({[12] = "12 bytes", [20400] = "20 kB", [1540000] = "1.5 MB"}) do
  expect("size", calls.size_text(bytes), text)
end

-- versions
for version, enough in pairs({
  ["9.0.0"] = true, ["9.4.0"] = true, ["10.0.0"] = true, ["8.9.9"] = false, ["9"] = true,
}) do
  expect("version " .. version, calls.at_least(version, "9.0.0"), enough)
end

if failures > 0 then
  os.exit(1)
end
