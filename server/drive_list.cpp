#include "server/drive_list.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <optional>

#include "server/private_file.h"

namespace outcrop::server {
namespace {

namespace json = boost::json;

// 255 slots, and what was forgotten meanwhile, with paths of 4 KiB at most.
constexpr std::size_t kMaxFileBytes = 4 << 20;

std::string text_of(const json::object& o, std::string_view name) {
  const json::value* const v = o.if_contains(name);
  return v != nullptr && v->is_string() ? std::string(v->get_string()) : std::string();
}

const json::array* array_of(const json::object& o, std::string_view name) {
  const json::value* const v = o.if_contains(name);
  return v != nullptr ? v->if_array() : nullptr;
}

std::optional<DriveList::Drive> read_drive(const json::value& v) {
  const json::object* const o = v.if_object();
  const json::value* const added = o != nullptr ? o->if_contains("added") : nullptr;
  if (added == nullptr || !added->is_bool() || text_of(*o, "path").empty()) {
    return std::nullopt;
  }
  return DriveList::Drive{.path = text_of(*o, "path"),
                          .uuid = text_of(*o, "uuid"),
                          .added = added->get_bool(),
                          .replaces = text_of(*o, "replaces")};
}

/// Of the first form there are paths of added drives only: {"added": ["/mnt/d7"]}.
std::optional<DriveList::Drive> read_added_path(const json::value& v) {
  if (!v.is_string() || v.get_string().empty()) {
    return std::nullopt;
  }
  return DriveList::Drive{
      .path = normal_folder(std::string_view(v.get_string())), .uuid = {}, .added = true};
}

std::optional<std::vector<DriveList::Drive>> read_drives(const std::string& text) {
  boost::system::error_code ec;
  const json::value root = json::parse(text, ec);
  const json::object* const top = root.if_object();
  if (ec || top == nullptr) {
    return std::nullopt;
  }
  const json::array* const now = array_of(*top, "drives");
  const json::array* const before = array_of(*top, "added");
  if (now == nullptr && before == nullptr) {
    return std::nullopt;
  }
  std::vector<DriveList::Drive> out;
  for (const json::value& item : now != nullptr ? *now : *before) {
    std::optional<DriveList::Drive> drive =
        now != nullptr ? read_drive(item) : read_added_path(item);
    if (!drive) {
      return std::nullopt;
    }
    out.push_back(*std::move(drive));
  }
  return out;
}

}  // namespace

std::string normal_folder(std::string_view path) {
  const std::filesystem::path normal = std::filesystem::path(path).lexically_normal();
  const bool slash = !normal.has_filename() && normal.has_relative_path();
  return (slash ? normal.parent_path() : normal).string();
}

Result<void> DriveList::load() {
  TRY(const std::optional<std::string> text, read_private_file(x_file, kMaxFileBytes));
  std::optional<std::vector<Drive>> drives = text ? read_drives(*text) : std::vector<Drive>();
  if (!drives) {
    return fail(Errc::config,
                x_file.string() +
                    ": damaged; expected {\"drives\": [{\"path\": \"/mnt/drive\", \"uuid\": "
                    "\"\", \"added\": true}]}, or no file when storage.drives names all drives");
  }
  const std::lock_guard lock(x_mutex);
  x_drives = *std::move(drives);
  return ok();
}

bool DriveList::configured(std::string_view path) const {
  return std::ranges::find(x_configured, path) != x_configured.end();
}

std::vector<std::string> DriveList::paths() const {
  const std::lock_guard lock(x_mutex);
  std::vector<std::string> out = x_configured;
  for (const Drive& d : x_drives) {
    if (d.added && std::ranges::find(out, d.path) == out.end()) {
      out.push_back(d.path);
    }
  }
  return out;
}

std::string DriveList::last_path(std::string_view uuid) const {
  const std::lock_guard lock(x_mutex);
  const auto it = std::ranges::find(x_drives, uuid, &Drive::uuid);
  return it == x_drives.end() ? std::string() : it->path;
}

std::string DriveList::replaces(std::string_view path) const {
  const std::lock_guard lock(x_mutex);
  const auto it = std::ranges::find_if(
      x_drives, [path](const Drive& d) { return d.uuid.empty() && d.path == path; });
  return it == x_drives.end() ? std::string() : it->replaces;
}

// Of a path that is listed it is noted down whom its drive replaces; withdraw() takes that back.
Result<bool> DriveList::promise(const std::string& path, const std::string& replaces) {
  const std::lock_guard lock(x_mutex);
  const auto listed = [&path](const Drive& d) { return d.added && d.path == path; };
  if (replaces.empty() && (configured(path) || std::ranges::any_of(x_drives, listed))) {
    return false;
  }
  std::vector<Drive> next = x_drives;
  std::erase_if(next, [&path](const Drive& d) { return d.uuid.empty() && d.path == path; });
  next.push_back({.path = path, .uuid = {}, .added = !configured(path), .replaces = replaces});
  TRYV(save_locked(std::move(next)));
  return true;
}

Result<void> DriveList::withdraw(const std::string& path) {
  const std::lock_guard lock(x_mutex);
  std::vector<Drive> next = x_drives;
  std::erase_if(next, [&path](const Drive& d) { return d.uuid.empty() && d.path == path; });
  return save_locked(std::move(next));
}

Result<void> DriveList::joined(const std::string& path, const std::string& uuid) {
  const std::lock_guard lock(x_mutex);
  std::vector<Drive> next = x_drives;
  put(next, path, uuid);
  return save_locked(std::move(next));
}

Result<void> DriveList::forget(std::string_view uuid) {
  const std::lock_guard lock(x_mutex);
  std::vector<Drive> next = x_drives;
  std::erase_if(next, [uuid](const Drive& d) { return d.uuid == uuid; });
  return save_locked(std::move(next));
}

// A promise is kept: if it is of a drive that is here, it goes up in what is known of that.
Result<void> DriveList::settle(const std::vector<Drive>& members) {
  const std::lock_guard lock(x_mutex);
  std::vector<Drive> next = x_drives;
  std::erase_if(next, [&members](const Drive& d) {
    return !d.uuid.empty() && std::ranges::find(members, d.uuid, &Drive::uuid) == members.end();
  });
  for (const Drive& d : members) {
    if (!d.path.empty()) {
      put(next, d.path, d.uuid);
    }
  }
  return save_locked(std::move(next));
}

// What is here at a path that storage.drives does not name was found because it was added.
void DriveList::put(std::vector<Drive>& drives,
                    const std::string& path,
                    const std::string& uuid) const {
  std::erase_if(
      drives, [&](const Drive& d) { return d.uuid == uuid || (d.uuid.empty() && d.path == path); });
  drives.push_back({.path = path, .uuid = uuid, .added = !configured(path)});
}

// A path from the environment may be no UTF-8: nothing is written that could not be read again.
Result<void> DriveList::save_locked(std::vector<Drive> next) {
  if (next == x_drives) {
    return ok();
  }
  json::array list;
  for (const Drive& d : next) {
    json::object one{{"path", d.path}, {"uuid", d.uuid}, {"added", d.added}};
    if (!d.replaces.empty()) {
      one["replaces"] = d.replaces;
    }
    list.push_back(std::move(one));
  }
  const std::string text = json::serialize(json::object{{"drives", std::move(list)}}) + "\n";
  if (text.size() > kMaxFileBytes || read_drives(text) != next) {
    return fail(Errc::config, x_file.string() + ": a path of a drive cannot be noted down");
  }
  TRYV(write_private_file(x_file, text));
  x_drives = std::move(next);
  return ok();
}

}  // namespace outcrop::server
