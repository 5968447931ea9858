// The bearer token of the admin API: who can read it administers the server.
#pragma once
#include <filesystem>
#include <string>

#include "storage/base/random.h"
#include "storage/base/result.h"

namespace outcrop::server {

/// From <state_dir>/admin-token (0600), made there at the first start. Errors: config, one line.
Result<std::string> load_admin_token(const std::filesystem::path& state_dir, Random& random);

}  // namespace outcrop::server
