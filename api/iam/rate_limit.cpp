#include "api/iam/rate_limit.h"

#include <algorithm>
#include <boost/asio/ip/address_v6.hpp>
#include <functional>

namespace outcrop::iam {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::string network_of(std::string_view address) {
  boost::system::error_code bad;
  const auto v6 = boost::asio::ip::make_address_v6(std::string(address), bad);
  if (bad || v6.is_v4_mapped()) {
    return std::string(address);
  }
  const auto bytes = v6.to_bytes();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size() / 2};
}

/// Whether one more fits into a counter that loses `per_second`.
bool fits(std::int64_t empty_at, std::int64_t now, std::int64_t per_second, std::int64_t burst) {
  return std::max(empty_at, now) - now <= (burst - 1) * (kSecond / per_second);
}

}  // namespace

RateLimit::RateLimit() {
  SystemRandom random;
  x_salt.resize(16);
  random.fill({reinterpret_cast<std::byte*>(x_salt.data()), x_salt.size()});
}

bool RateLimit::allow(std::string_view address, std::int64_t now_ns) {
  const std::size_t hash = std::hash<std::string>{}(x_salt + network_of(address));
  const std::lock_guard lock(x_mutex);
  std::int64_t& own = x_empty_at[hash % x_empty_at.size()];
  if (!fits(own, now_ns, kPerSecond, kBurst) ||
      !fits(x_all_empty_at, now_ns, kAllPerSecond, kAllBurst)) {
    return false;
  }
  own = std::max(own, now_ns) + kSecond / kPerSecond;
  x_all_empty_at = std::max(x_all_empty_at, now_ns) + kSecond / kAllPerSecond;
  return true;
}

}  // namespace outcrop::iam
