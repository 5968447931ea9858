#include "server/export_registry.h"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "server/export_json.h"
#include "server/private_file.h"
#include "storage/base/log.h"

namespace outcrop::server {
namespace {

namespace json = boost::json;

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kMaxFileBytes = 64 << 20;  // every id there can be, with the longest paths

std::string hex_of(const nfs::HandleKey& key) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const std::byte b : key) {
    out.push_back(kHex[static_cast<unsigned>(b) >> 4]);
    out.push_back(kHex[static_cast<unsigned>(b) & 15]);
  }
  return out;
}

bool read_hex(const json::value* text, nfs::HandleKey& key) {
  if (text == nullptr || !text->is_string() || text->get_string().size() != 2 * key.size()) {
    return false;
  }
  const std::string_view digits = text->get_string();
  for (std::size_t i = 0; i < key.size(); ++i) {
    unsigned value = 0;
    const char* const at = digits.data() + 2 * i;
    const auto [end, ec] = std::from_chars(at, at + 2, value, 16);
    if (ec != std::errc{} || end != at + 2) {
      return false;
    }
    key[i] = static_cast<std::byte>(value);
  }
  return true;
}

bool read_number(const json::value* value,
                 std::int64_t least,
                 std::int64_t most,
                 std::int64_t& out) {
  if (value == nullptr || !value->is_int64()) {
    return false;
  }
  out = value->get_int64();
  return out >= least && out <= most;
}

std::unexpected<Error> damaged(const std::string& why) {
  return fail(Errc::config, why +
                                "; restore it from a backup, or remove it: clients then have to "
                                "mount again");
}

}  // namespace

Result<std::unique_ptr<ExportRegistry>> ExportRegistry::open(const std::filesystem::path& state_dir,
                                                             Random& random) {
  const std::filesystem::path file = state_dir / "nfs.json";
  TRY(const std::optional<std::string> text, read_private_file(file, kMaxFileBytes));
  State state;
  if (text) {
    Result<State> parsed = parse(*text);
    if (!parsed) {
      return fail(Errc::config, file.string() + ": " + std::string(parsed.error().detail()));
    }
    state = *std::move(parsed);
  } else {
    random.fill(state.current);
    state.previous = state.current;
    random.fill(state.server_id);
    TRYV(write_private_file(file, format(state)));
  }
  return std::unique_ptr<ExportRegistry>(new ExportRegistry(file, std::move(state)));
}

Result<ExportRegistry::State> ExportRegistry::parse(std::string_view text) {
  boost::system::error_code ec;
  const json::value root = json::parse({text.data(), text.size()}, ec);
  const json::object* const top = root.if_object();
  std::int64_t number = 0;
  if (ec || top == nullptr || !read_number(top->if_contains("format"), kFormat, kFormat, number)) {
    return damaged("not a file of this version of Outcrop");
  }
  State state;
  if (!read_number(top->if_contains("key_number"), 0, UINT8_MAX, number) ||
      !read_hex(top->if_contains("key"), state.current) ||
      !read_hex(top->if_contains("previous_key"), state.previous)) {
    return damaged("the handle keys are damaged");
  }
  if (!read_hex(top->if_contains("server_id"), state.server_id)) {
    return damaged("the server id is damaged");
  }
  state.key_number = static_cast<std::uint8_t>(number);
  if (const json::value* const rotated = top->if_contains("rotated");
      rotated != nullptr && !read_number(rotated, 0, INT64_MAX, state.rotated)) {
    return damaged("the time of the last key rotation is damaged");
  }
  const json::value* const ids = top->if_contains("ids");
  if (ids == nullptr || !ids->is_object()) {
    return damaged("the export ids are damaged");
  }
  std::vector<bool> taken(UINT16_MAX + 1);
  for (const auto& [path, id] : ids->get_object()) {
    if (!read_number(&id, 1, UINT16_MAX, number) || taken[static_cast<std::size_t>(number)]) {
      return damaged("the export ids are damaged");
    }
    taken[static_cast<std::size_t>(number)] = true;
    state.ids.emplace(path, static_cast<nfs::ExportId>(number));
  }
  const json::value* const added = top->if_contains("exports");
  if (added == nullptr || !added->is_array()) {
    return damaged("the exports are damaged");
  }
  for (const json::value& item : added->get_array()) {
    Result<nfs::Export> one = export_from_json(item);
    if (!one) {
      return damaged("exports: " + std::string(one.error().detail()));
    }
    state.added.push_back(*std::move(one));
  }
  return state;
}

std::string ExportRegistry::format(const State& state) {
  json::object ids;
  for (const auto& [path, id] : state.ids) {
    ids.emplace(path, id);
  }
  json::array added;
  for (const nfs::Export& e : state.added) {
    added.push_back(export_to_json(e));
  }
  json::object top;
  top.emplace("format", kFormat);
  top.emplace("key_number", state.key_number);
  top.emplace("key", hex_of(state.current));
  top.emplace("previous_key", hex_of(state.previous));
  top.emplace("rotated", state.rotated);
  top.emplace("server_id", hex_of(state.server_id));
  top.emplace("ids", std::move(ids));
  top.emplace("exports", std::move(added));
  return json::serialize(top) + "\n";
}

nfs::HandleKeys ExportRegistry::handle_keys() const {
  const std::lock_guard lock(x_mutex);
  return {x_state.current, x_state.key_number, x_state.previous};
}

Result<nfs::HandleKeys> ExportRegistry::rotate_key(Random& random,
                                                   std::int64_t now_seconds,
                                                   bool force) {
  const std::lock_guard lock(x_mutex);
  const std::int64_t since = now_seconds - x_state.rotated;
  if (!force && x_state.rotated != 0 && since < kRotationInterval) {
    return fail(Errc::conflict,
                "the handle key was rotated " + std::to_string(std::max<std::int64_t>(since, 0)) +
                    " s ago, and clients that mounted before that still use the one before: wait " +
                    std::to_string(kRotationInterval - since) + " s, or force it");
  }
  State next = x_state;
  next.previous = x_state.current;
  random.fill(next.current);
  ++next.key_number;
  next.rotated = now_seconds;
  TRYV(save(std::move(next)));
  return nfs::HandleKeys{x_state.current, x_state.key_number, x_state.previous};
}

std::string ExportRegistry::server_id() const {
  const std::lock_guard lock(x_mutex);
  return hex_of(x_state.server_id);
}

/// The id the path always had, or one that no path ever had.
Result<void> ExportRegistry::give_id(State& state, nfs::Export& e) {
  if (const auto known = state.ids.find(e.path); known != state.ids.end()) {
    e.id = known->second;
    return ok();
  }
  std::uint32_t next = 1;
  for (const auto& [path, id] : state.ids) {
    next = std::max(next, id + 1u);
  }
  if (next > UINT16_MAX) {
    return fail(Errc::no_space,
                "path: 65535 different paths have been exported, there are no more ids");
  }
  e.id = static_cast<nfs::ExportId>(next);
  state.ids.emplace(e.path, e.id);
  return ok();
}

/// Under the lock.
Result<void> ExportRegistry::save(State next) {
  TRYV(write_private_file(x_file, format(next)));
  x_state = std::move(next);
  return ok();
}

Result<void> ExportRegistry::publish(std::span<const nfs::Export> configured,
                                     nfs::ExportTable& table) {
  const std::lock_guard lock(x_mutex);
  State next = x_state;
  std::vector<nfs::Export> wanted(configured.begin(), configured.end());
  for (nfs::Export& e : wanted) {
    TRYV(give_id(next, e));
  }
  if (next.ids.size() != x_state.ids.size()) {
    TRYV(save(next));  // before any handle carries them
  }
  for (nfs::Export& e : wanted) {
    TRY(const nfs::ExportPtr published, table.add(std::move(e)));
  }
  for (nfs::Export e : x_state.added) {
    TRYV(give_id(next, e));
    const std::string path = e.path;
    if (const auto published = table.add(std::move(e)); !published) {
      log::warn("export left out", {{"path", path}, {"error", published.error().describe()}});
    }
  }
  return ok();
}

Result<nfs::ExportPtr> ExportRegistry::add(nfs::Export wanted, nfs::ExportTable& table) {
  const std::lock_guard lock(x_mutex);
  State next = x_state;
  std::erase_if(next.added, [&wanted](const nfs::Export& e) { return e.path == wanted.path; });
  next.added.push_back(wanted);
  TRYV(give_id(next, wanted));
  const std::string path = wanted.path;
  // The table checks; what cannot be written down is taken back.
  TRY(nfs::ExportPtr published, table.add(std::move(wanted)));
  if (Result<void> saved = save(std::move(next)); !saved) {
    std::ignore = table.remove(path);
    return fail(std::move(saved).error());
  }
  return published;
}

Result<void> ExportRegistry::remove(std::string_view path, nfs::ExportTable& table) {
  const std::lock_guard lock(x_mutex);
  State next = x_state;
  if (std::erase_if(next.added, [path](const nfs::Export& e) { return e.path == path; }) == 0) {
    return table.find(path) == nullptr
               ? fail(Errc::not_found, std::string(path) + " is not exported")
               : fail(Errc::invalid_argument,
                      std::string(path) + " is an export of the configuration file: edit that");
  }
  TRYV(save(std::move(next)));
  // An export that was left out at start is not in the table.
  std::ignore = table.remove(path);
  return ok();
}

bool ExportRegistry::added(std::string_view path) const {
  const std::lock_guard lock(x_mutex);
  return std::ranges::any_of(x_state.added,
                             [path](const nfs::Export& e) { return e.path == path; });
}

}  // namespace outcrop::server
