// The key file that opens the sealed secrets of access keys: 64 hex digits, mode 0600, in state_dir
// unless auth.key_file says otherwise. Without it those keys are lost, so it is never made anew
// where one was in use.
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "storage/base/random.h"
#include "storage/base/result.h"

namespace outcrop::server {

using SealKeyBytes = std::array<std::uint8_t, 32>;

/// Empty: there is no such file. Errors: config, one line.
Result<std::optional<SealKeyBytes>> read_seal_key(const std::filesystem::path& file);
/// Makes the file; durable on return.
Result<SealKeyBytes> make_seal_key(const std::filesystem::path& file, Random& random);

}  // namespace outcrop::server
