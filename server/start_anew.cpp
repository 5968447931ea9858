#include "server/start_anew.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "server/private_file.h"
#include "storage/base/log.h"

namespace outcrop::server {
namespace {

constexpr std::size_t kMostRecords = 16, kMostBytes = 4096;

std::filesystem::path record_in(const std::filesystem::path& state_dir) {
  return state_dir / "new-starts";
}

std::vector<std::int64_t> read_record(const std::filesystem::path& path) {
  const auto text = read_private_file(path, kMostBytes);
  if (!text) {
    log::warn("the record of new starts cannot be read", {{"error", text.error().describe()}});
    return {};
  }
  std::vector<std::int64_t> out;
  const std::string all = text->value_or("");
  const char* const end = all.data() + all.size();
  for (const char* at = all.data(); at < end;) {
    std::int64_t seconds = 0;
    if (const auto [stop, bad] = std::from_chars(at, end, seconds); bad == std::errc()) {
      out.push_back(seconds);
      at = stop;
    }
    at = std::find(at, end, '\n');
    at += at < end ? 1 : 0;
  }
  return out;
}

}  // namespace

std::chrono::seconds least_uptime(const std::vector<std::int64_t>& ended, std::int64_t now) {
  const auto recent = std::ranges::count_if(ended, [now](std::int64_t seconds) {
    return seconds > now - kNewStartsWithin.count() && seconds < now + kNewStartsWithin.count();
  });
  std::chrono::seconds out = kLeastUptime;
  for (std::ptrdiff_t i = 0; i < recent && out < kMostLeastUptime; ++i) {
    out *= 2;
  }
  return std::min(out, kMostLeastUptime);
}

std::chrono::seconds least_uptime(const std::filesystem::path& state_dir, std::int64_t now) {
  return least_uptime(read_record(record_in(state_dir)), now);
}

void note_new_start(const std::filesystem::path& state_dir, std::int64_t now) {
  std::vector<std::int64_t> ended = read_record(record_in(state_dir));
  ended.push_back(now);
  ended.erase(ended.begin(),
              ended.end() - static_cast<std::ptrdiff_t>(std::min(ended.size(), kMostRecords)));
  std::string text;
  for (const std::int64_t seconds : ended) {
    text += std::to_string(seconds) + "\n";
  }
  if (const auto written = write_private_file(record_in(state_dir), text); !written) {
    log::warn("a new start is not noted down", {{"error", written.error().describe()}});
  }
}

}  // namespace outcrop::server
