// When an access key was used last, as IAM tells it: in memory, since the server was started, to
// the minute. Any thread.
#pragma once
#include <atomic>
#include <cstdint>
#include <optional>
#include <string_view>

namespace outcrop::auth {

class KeyUse {
 public:
  enum class Service : std::uint8_t { s3, iam, sts };
  struct Last {
    std::int64_t seconds = 0;  ///< since 1970
    Service service = Service::s3;
  };
  /// A request with a good signature. Most of them find that the minute is known already and write
  /// nothing, so that workers do not share a cache line for it.
  void note(std::int64_t now_seconds, std::string_view service) {
    const std::uint64_t last = x_last.load(std::memory_order_relaxed);
    const auto minute = static_cast<std::uint64_t>(now_seconds / kStep);
    const Service by = service == "iam"   ? Service::iam
                       : service == "sts" ? Service::sts
                                          : Service::s3;
    const std::uint64_t now = minute * kServices + static_cast<std::uint64_t>(by);
    if (minute > last / kServices) {
      x_last.store(now, std::memory_order_relaxed);
    }
  }
  /// Empty: not since the start.
  std::optional<Last> last() const {
    const std::uint64_t last = x_last.load(std::memory_order_relaxed);
    return last == 0 ? std::nullopt
                     : std::optional(Last{static_cast<std::int64_t>(last / kServices) * kStep,
                                          static_cast<Service>(last % kServices)});
  }

 private:
  static constexpr std::int64_t kStep = 60;
  static constexpr std::uint64_t kServices = 4;
  std::atomic<std::uint64_t> x_last{0};  // minute and service in one, so that they fit
};

}  // namespace outcrop::auth
