#include "storage/engine/return_policy.h"

#include <algorithm>

namespace outcrop::engine {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
constexpr std::int64_t kPauseNs = 2 * kSecondNs;
constexpr unsigned kMostDoublings = 5;

}  // namespace

std::int64_t ReturnPolicy::wait(unsigned strikes) const {
  std::int64_t out = strikes == 0 ? x_first_wait_ns : kAgainNs;
  for (unsigned i = 1; i < strikes && out < kMostWaitNs; ++i) {
    out *= 2;
  }
  return std::min(out, kMostWaitNs);
}

void ReturnPolicy::away(const Uuid& drive, std::int64_t now) {
  Drive& d = x_drives[drive];
  if (d.is_away) {
    return;
  }
  d.is_away = true;
  d.waits = 0;
  const bool again = d.returned != 0 && now - d.returned < kProvingNs;
  d.strikes = again ? d.strikes + 1 : 0;
  d.next = now + wait(d.strikes);
  d.why = again ? "it left soon after it was taken back" : "";
}

void ReturnPolicy::here(const Uuid& drive) {
  if (const auto at = x_drives.find(drive); at != x_drives.end()) {
    at->second.is_away = false;
  }
}

bool ReturnPolicy::due(const Uuid& drive, std::int64_t now) const {
  const auto at = x_drives.find(drive);
  return at != x_drives.end() && at->second.is_away && now >= at->second.next;
}

void ReturnPolicy::returned(const Uuid& drive, std::int64_t now) {
  Drive& d = x_drives[drive];
  d.is_away = false;
  d.returned = now;
  d.why.clear();
}

void ReturnPolicy::failed(const Uuid& drive, std::int64_t now, std::string why) {
  Drive& d = x_drives[drive];
  d.next = now + wait(++d.strikes);
  d.why = std::move(why);
}

void ReturnPolicy::waits(const Uuid& drive, std::int64_t now, std::string why) {
  Drive& d = x_drives[drive];
  d.next = now + (std::min(x_first_wait_ns, kPauseNs) << std::min(d.waits++, kMostDoublings));
  d.why = std::move(why);
}

std::string ReturnPolicy::tell(const Uuid& drive, std::int64_t now) const {
  const auto at = x_drives.find(drive);
  if (at == x_drives.end() || !at->second.is_away) {
    return "it is looked for";
  }
  const Drive& d = at->second;
  std::string out = "it is looked for";
  if (now < d.next) {
    out += " again in " + std::to_string((d.next - now + kSecondNs - 1) / kSecondNs) + " s";
  }
  return d.why.empty() ? out : out + ": " + d.why;
}

}  // namespace outcrop::engine
