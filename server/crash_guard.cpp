#include "server/crash_guard.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "server/private_file.h"
#include "storage/base/log.h"

namespace outcrop::server {
namespace {

constexpr std::size_t kMostRecords = 64, kMostBytes = 1 << 20;
constexpr std::array kFatal = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

// Of the process, as signal handlers are.
volatile int record_fd = -1;

std::string line_of(const CrashRecord& record) {
  return std::to_string(record.seconds) + " " + std::to_string(record.signal) + "\n";
}

/// Calls only what signal-safety(7) allows. The default action follows, which ends the process.
void write_down(int signal) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::array<char, 48> line{};
  char* at = std::to_chars(line.data(), line.data() + 24, std::int64_t{now.tv_sec}).ptr;
  *at++ = ' ';
  at = std::to_chars(at, line.data() + line.size() - 1, signal).ptr;
  *at++ = '\n';
  std::ignore = ::write(record_fd, line.data(), static_cast<std::size_t>(at - line.data()));
  ::raise(signal);
}

constexpr bool sanitized() {
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  return true;
#else
  return false;
#endif
}

void catch_fatal_signals() {
  struct sigaction action{};
  action.sa_handler = write_down;
  // Reset: whatever goes wrong in the handler ends the process, too.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_NODEFER);
  for (const int signal : kFatal) {
    ::sigaction(signal, &action, nullptr);
  }
}

std::vector<CrashRecord> read_records(const std::filesystem::path& path) {
  const auto text = read_private_file(path, kMostBytes);
  if (!text) {
    log::warn("the record of crashes cannot be read", {{"error", text.error().describe()}});
    return {};
  }
  return parse_crashes(text->value_or(""));
}

void keep_newest(const std::filesystem::path& path, std::vector<CrashRecord> records) {
  records.erase(records.begin(), records.end() - static_cast<std::ptrdiff_t>(
                                                     std::min(records.size(), kMostRecords)));
  std::string kept;
  for (const CrashRecord& r : records) {
    kept += line_of(r);
  }
  if (const auto written = write_private_file(path, kept); !written) {
    log::warn("the record of crashes is not kept", {{"error", written.error().describe()}});
  }
}

}  // namespace

std::vector<CrashRecord> parse_crashes(std::string_view text) {
  std::vector<CrashRecord> out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    CrashRecord record;
    const char* const stop = line.data() + line.size();
    const auto time = std::from_chars(line.data(), stop, record.seconds);
    if (time.ec != std::errc() || time.ptr == stop || *time.ptr != ' ') {
      continue;
    }
    const auto signal = std::from_chars(time.ptr + 1, stop, record.signal);
    if (signal.ec == std::errc() && signal.ptr == stop && record.signal >= 0) {
      out.push_back(record);
    }
  }
  return out;
}

SafeMode judge_crashes(const std::vector<CrashRecord>& records,
                       std::int64_t now,
                       std::chrono::seconds first) {
  const auto within = [now](const CrashRecord& r, std::chrono::seconds span) {
    return r.seconds > now - span.count() && r.seconds < now + span.count();
  };
  unsigned crashes = 0, safe_modes = 0;
  int last = 0;
  for (const CrashRecord& r : records) {
    if (r.signal == 0) {
      safe_modes += within(r, kSafeModesWithin);
    } else if (within(r, kCrashesWithin)) {
      ++crashes;
      last = r.signal;
    }
  }
  if (first.count() == 0 || crashes < kCrashesToSafeMode) {
    return {};
  }
  const char* const name = ::sigabbrev_np(last);
  return {.lasts = first * (1U << std::min(safe_modes, kMostDoublings)),
          .reason = "safe mode: the server crashed " + std::to_string(crashes) + " times within " +
                    std::to_string(kCrashesWithin.count() / 60) + " minutes, last by SIG" +
                    (name != nullptr ? name : std::to_string(last))};
}

SafeMode arm_crash_guard(const std::filesystem::path& state_dir,
                         std::int64_t now,
                         std::chrono::seconds first) {
  const std::filesystem::path path = state_dir / "crashes";
  std::vector<CrashRecord> records = read_records(path);
  SafeMode out = judge_crashes(records, now, first);
  if (out.lasts.count() > 0) {
    records.push_back({.seconds = now, .signal = 0});
  }
  if (out.lasts.count() > 0 || records.size() > kMostRecords) {
    keep_newest(path, std::move(records));
  }
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) {
    log::warn("crashes cannot be put on record",
              {{"file", path.string()}, {"error", std::generic_category().message(errno)}});
    return out;
  }
  if (const int before = std::exchange(record_fd, fd); before >= 0) {
    ::close(before);
  }
  if (!sanitized()) {
    catch_fatal_signals();
  }
  return out;
}

}  // namespace outcrop::server
