// What histories of versions are made of: keys and contents, by one seed; and how they are shown.
#pragma once
#include <deque>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/digest/digest.h"
#include "storage/digest/text.h"
#include "storage/ns/types.h"

namespace outcrop::test {

/// A version by its two ids.
struct Both {
  std::string key, real, model;
};

/// Of locks, in seconds: a history takes less.
inline constexpr std::int64_t kLockStep = 10'000'000;

/// What happened last, too.
class VersionWords {
 public:
  explicit VersionWords(std::uint64_t seed) : x_random(seed) {}

  std::size_t pick(std::size_t n) { return x_random() % n; }
  std::string component() {
    using namespace std::string_literals;
    static const std::vector kParts = {""s,    "."s,  "a"s,    "a"s,    "b"s,  "b"s,   "c"s,
                                       "a-b"s, "a0"s, "\x01"s, "\xff"s, "\0"s, "a\0b"s};
    return kParts[pick(kParts.size())];
  }
  std::string some_key() {
    std::string key;
    while (key.empty()) {
      for (std::size_t depth = pick(4); depth > 0; --depth) {
        key += component() + "/";
      }
      key += component();
    }
    return key;
  }
  std::string some_data() {
    static const std::size_t kSizes[] = {0, 1, 60, 2048, 2049, 5000, 140'000};
    return std::string(kSizes[pick(pick(6) == 0 ? 7 : 5)], static_cast<char>('a' + pick(26)));
  }
  /// Of moments far apart, so that none comes between what is done to one side and to the other.
  ns::Retention some_retention(std::int64_t now) {
    const auto mode = static_cast<ns::RetentionMode>(pick(3));
    const std::int64_t steps = now / kLockStep + 1 + static_cast<std::int64_t>(pick(3));
    return mode == ns::RetentionMode::none ? ns::Retention{}
                                           : ns::Retention{mode, steps * kLockStep};
  }
  ns::ObjectLock some_lock(std::int64_t now) {
    return {.retention = some_retention(now), .hold = static_cast<ns::LegalHold>(pick(10) / 4)};
  }
  ns::BucketLock some_default_lock() {
    ns::BucketLock out{.enabled = true};
    if (pick(2) == 0) {
      out.mode = static_cast<ns::RetentionMode>(1 + pick(2));
      out.days = 200;
    }
    return out;
  }

  std::string last_changes() const {
    std::string out;
    for (const std::string& line : x_notes) {
      out += line + "\n";
    }
    return out;
  }
  void note(std::string_view what, std::string_view one = {}, std::string_view other = {}) {
    x_notes.push_back(std::string(what) + " " + ::testing::PrintToString(std::string(one)) + " " +
                      ::testing::PrintToString(std::string(other)));
    if (x_notes.size() > kNotes) {
      x_notes.pop_front();
    }
  }

 private:
  static constexpr std::size_t kNotes = 40;
  std::mt19937_64 x_random;
  std::deque<std::string> x_notes{};  ///< the last changes
};

inline std::string hex_etag(std::string_view data) {
  return digest::to_hex(as_bytes(digest::Digest::of(digest::Algorithm::md5, as_bytes(data))));
}

/// Without the moment, which is some seconds later for who does it next.
inline std::string lock_text(const ns::ObjectInfo& info) {
  const ns::ObjectLock& lock = info.attributes.lock;
  return "|" + std::to_string(static_cast<int>(lock.retention.mode)) +
         std::to_string(static_cast<int>(lock.hold)) + (lock.writing ? "w" : "");
}

inline std::string tags_text(const ns::ObjectInfo& info) {
  std::string out;
  for (const auto& [key, value] : info.attributes.tags) {
    out.append(key).append("=").append(value).append(",");
  }
  return out;
}

inline std::string listed(const ns::VersionPage& page) {
  std::string out;
  for (const ns::VersionEntry& v : page.entries) {
    out += ::testing::PrintToString(v.entry.key) + " " + v.version_id +
           (v.marker ? " marker\n" : "\n");
  }
  return out;
}

}  // namespace outcrop::test
