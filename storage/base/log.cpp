#include "storage/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <chrono>

namespace outcrop::log {
namespace {

std::atomic<Level> g_least{Level::info};
std::atomic<Format> g_format{Format::text};

spdlog::logger& logger() {
  static spdlog::logger* const instance = [] {
    auto* l = new spdlog::logger("outcrop", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    l->set_pattern("%v");
    l->set_level(spdlog::level::trace);
    return l;
  }();
  return *instance;
}

std::string_view name(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warn:
      return "warn";
    case Level::error:
      return "error";
    case Level::off:
      break;  // of no message
  }
  return "info";
}

void append_json(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out.append(fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c))));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

/// Quoted where a space, quote or control byte would break "key=value" apart.
void append_text(std::string& out, std::string_view text) {
  const bool plain = !text.empty() && text.find_first_of(" \"=\\") == std::string_view::npos &&
                     std::ranges::none_of(text, [](unsigned char c) { return c < 0x20; });
  if (plain) {
    out.append(text);
  } else {
    append_json(out, text);
  }
}

std::string timestamp() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, ms % 1000);
}

}  // namespace

void configure(Level least, Format format) {
  g_least = least;
  g_format = format;
}

bool enabled(Level level) { return level >= g_least.load(std::memory_order_relaxed); }

void write(Level level, std::string_view message, Fields fields) {
  if (!enabled(level)) {
    return;
  }
  std::string line;
  if (g_format.load(std::memory_order_relaxed) == Format::json) {
    line = fmt::format(R"({{"time":"{}","level":"{}","message":)", timestamp(), name(level));
    append_json(line, message);
    for (const Field& f : fields) {
      line.push_back(',');
      append_json(line, f.key);
      line.push_back(':');
      append_json(line, f.value);
    }
    line.push_back('}');
  } else {
    line = fmt::format("{} {:<5} {}", timestamp(), name(level), message);
    for (const Field& f : fields) {
      line.append(" ").append(f.key).append("=");
      append_text(line, f.value);
    }
  }
  logger().log(spdlog::level::info, "{}", line);
}

}  // namespace outcrop::log
