// The key that one payload is sealed with (sealed.h). It is kept wrapped, in an envelope beside the
// object; in the clear it lives as long as a request does, and is wiped behind it.
#pragma once
#include <string.h>

#include <algorithm>
#include <array>
#include <span>

#include "storage/base/bytes.h"
#include "storage/base/random.h"

namespace outcrop::ns {

class DataKey {
 public:
  static constexpr std::size_t kBytes = 32;

  explicit DataKey(std::span<const std::byte, kBytes> bytes) {
    std::ranges::copy(bytes, x_bytes.begin());
  }
  static DataKey make(Random& random) {
    DataKey out;
    random.fill(out.x_bytes);
    return out;
  }
  DataKey(const DataKey&) = default;
  DataKey& operator=(const DataKey&) = default;
  ~DataKey() { explicit_bzero(x_bytes.data(), x_bytes.size()); }

  std::span<const std::byte, kBytes> bytes() const { return x_bytes; }
  /// Not in constant time: for who has both keys.
  bool operator==(const DataKey&) const = default;

 private:
  DataKey() = default;
  std::array<std::byte, kBytes> x_bytes{};
};

}  // namespace outcrop::ns
