#include "tools/admin/drive_status.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>

#include "storage/base/size_text.h"
#include "tools/admin/answer.h"

namespace outcrop::tools {
namespace {

namespace json = boost::json;

std::string duration_text(std::uint64_t seconds) {
  if (seconds < 120) {
    return fmt::format("{} s", seconds);
  }
  return seconds < 7200 ? fmt::format("{} min", seconds / 60)
                        : fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
}

/// "d5/" in /mnt is "/mnt/d5", as the server calls it.
std::string whole_path(std::string_view name) {
  std::error_code ec;
  const std::filesystem::path path = std::filesystem::absolute(name, ec).lexically_normal();
  return (path.has_filename() ? path : path.parent_path()).string();
}

std::string segments_text(std::uint64_t n) {
  return n == 1 ? "1 segment" : fmt::format("{} segments", n);
}

/// What repair cannot do by itself. One segment may be of several kinds.
std::string why_stopped(const json::object& status) {
  const std::array<std::pair<const char*, std::string>, 3> reasons{
      {{"unreadable", "unreadable without the missing drives: put them back"},
       {"damaged", "damaged beyond parity: put missing drives back, outcrop fsck says what"},
       {"blocked", blocked_text(status)}}};
  std::string out;
  for (const auto& [member, text] : reasons) {
    if (const std::uint64_t n = number_of(object_at(status, "repair"), member)) {
      out += (out.empty() ? "" : "; ") + segments_text(n) + " " + text;
    }
  }
  return out;
}

}  // namespace

std::string blocked_text(const json::object& status) {
  const json::object& restripe = object_at(status, "restripe");
  const std::string state(text_of(restripe, "state"));
  std::string out = "blocked: no other drive can take them, ";
  if (state == "waiting") {
    out += "add one; else they are written anew over those that are left, in " +
           duration_text(number_of(restripe, "wait_seconds"));
  } else if (state == "running") {
    out += "they are being written anew over those that are left";
  } else if (state == "no_room") {
    out += "and to write them anew over those that are left takes more room: add one, or delete";
  } else {
    out += "add one";
  }
  return out;
}

std::string rebalance_text(const json::object& status) {
  const json::object& rebalance = object_at(status, "rebalance");
  const std::string state(text_of(rebalance, "state"));
  if (state == "running") {
    return progress_text(rebalance);
  }
  if (state == "waiting") {
    return "begins in " + duration_text(number_of(rebalance, "wait_seconds")) +
           ", if no further drive is added";
  }
  return state == "no_room" ? "waits for room on the drives: delete, or add one" : "";
}

std::string progress_text(const json::object& repair) {
  const std::uint64_t left = number_of(repair, "bytes_left");
  const std::uint64_t done = number_of(repair, "bytes_done");
  const json::value* const eta = repair.if_contains("seconds_left");
  const bool known = eta != nullptr && eta->is_number();
  return fmt::format(
      "{:3.0f} %, {} of {}, {}/s, {}", done + left == 0 ? 100.0 : 100.0 * done / (done + left),
      size_text(done), size_text(done + left), size_text(number_of(repair, "bytes_per_second")),
      known ? duration_text(number_of(repair, "seconds_left")) + " left" : "time left unknown");
}

// The surest way first: what names a drive that is here does not mean one that was.
Result<json::object> find_drive(const json::object& status, std::string_view name) {
  const std::string path = whole_path(name);
  const auto is_at = [&path](const json::object& d, std::string_view member) {
    return !path.empty() && text_of(d, member) == path;
  };
  const std::array<std::function<bool(const json::object&)>, 4> ways{
      [&](const json::object& d) { return std::to_string(number_of(d, "slot")) == name; },
      [&](const json::object& d) { return is_at(d, "path"); },
      [&](const json::object& d) { return is_at(d, "last_path"); },
      [&](const json::object& d) {
        return name.size() >= kShortUuid && text_of(d, "uuid").starts_with(name);
      }};
  for (const auto& matches : ways) {
    std::vector<json::object> found = objects_in(status, "drives");
    std::erase_if(found, [&matches](const json::object& d) { return !matches(d); });
    if (found.size() == 1) {
      return std::move(found.front());
    }
    if (!found.empty()) {
      return fail(Errc::conflict,
                  fmt::format("{}: that is more than one drive; name it by its slot", name));
    }
  }
  return fail(Errc::not_found, fmt::format("{}: no such drive; see outcrop drive list", name));
}

RepairView view_repair(const json::object& status) {
  const json::object& repair = object_at(status, "repair");
  RepairView out;
  out.busy = flag_of(repair, "running") || number_of(repair, "bytes_left") > 0;
  std::uint64_t left = number_of(repair, "degraded") + number_of(repair, "moving");
  left = std::max(left, number_of(repair, "damaged"));  // those may have all their shards
  out.whole = left == 0;
  const json::object& restripe = object_at(status, "restripe");
  if (out.busy) {
    out.line = "repair: " + progress_text(repair);
  } else if (text_of(restripe, "state") == "running") {
    out.busy = true;
    out.line = "restripe: " + progress_text(restripe);
  } else if (out.whole) {
    const std::string rebalance = rebalance_text(status);
    out.busy = text_of(object_at(status, "rebalance"), "state") == "running";
    out.line = rebalance.empty() ? "repair: nothing left to do" : "rebalance: " + rebalance;
  } else {
    const std::string why = why_stopped(status);
    out.line = "repair: stopped: " +
               (why.empty() ? segments_text(left) + " not whole: see the log of the server" : why);
  }
  return out;
}

}  // namespace outcrop::tools
