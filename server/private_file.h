// Small files in state_dir that nobody else may read: secrets, and what must not be lost half-way.
// Blocking; for start-up and the blocking pool.
#pragma once
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace outcrop::server {

/// Empty: there is no such file. Errc::config, with one line for the operator: others may read it,
/// it is not a file, it has more than `max_bytes`, or it cannot be read.
Result<std::optional<std::string>> read_private_file(const std::filesystem::path& path,
                                                     std::size_t max_bytes);

/// Replaces the file (mode 0600) as a whole: after a crash it is the old one or the new one.
/// Durable on return.
Result<void> write_private_file(const std::filesystem::path& path, std::string_view text);

}  // namespace outcrop::server
