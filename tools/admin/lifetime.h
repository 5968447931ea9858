// How long a token is to be good, as people write it: "90m", "12h", "30d".
#pragma once
#include <cstdint>
#include <string_view>

#include "storage/base/result.h"

namespace outcrop::tools {

/// In seconds. Errors: invalid_argument; the detail is for the user.
Result<std::int64_t> parse_lifetime(std::string_view text);

}  // namespace outcrop::tools
