// Structured logs: log::info("drive ejected", {{"drive", path}, {"error", e.describe()}}) becomes
// one line, time level message key=value ..., or one JSON object. Any thread; never blocks on disk.
#pragma once
#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace outcrop::log {

enum class Level { debug, info, warn, error, off };
enum class Format { text, json };

struct Field {
  std::string_view key;
  std::string value;
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  template <std::integral T>
  Field(std::string_view k, T v) : key(k), value(std::to_string(v)) {}
};
using Fields = std::initializer_list<Field>;

/// `off`: nothing is written. Called once at start; the default is text at info to stderr.
void configure(Level least, Format format);
bool enabled(Level level);
void write(Level level, std::string_view message, Fields fields);

inline void debug(std::string_view m, Fields f = {}) { write(Level::debug, m, f); }
inline void info(std::string_view m, Fields f = {}) { write(Level::info, m, f); }
inline void warn(std::string_view m, Fields f = {}) { write(Level::warn, m, f); }
inline void error(std::string_view m, Fields f = {}) { write(Level::error, m, f); }

}  // namespace outcrop::log
