// Secrets at rest: AES-256-GCM with a key that does not lie beside the data. A sealed text opens
// only under the name it was sealed for. Any thread.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/random.h"
#include "storage/base/result.h"

namespace outcrop::identity {

using SealKey = std::array<std::uint8_t, 32>;

/// Version, random nonce, ciphertext, tag. `name` is authenticated and not stored.
std::string seal(const SealKey& key,
                 std::string_view name,
                 std::string_view secret,
                 Random& random);
/// corrupt: another key, another name, or altered.
Result<std::string> unseal(const SealKey& key, std::string_view name, std::string_view sealed);

}  // namespace outcrop::identity
