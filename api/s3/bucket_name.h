// The names AWS allows for general purpose buckets.
#pragma once
#include <string_view>

namespace outcrop::s3 {

/// 3 to 63 of a-z 0-9 . -, first and last a letter or digit, no two dots in a row, no IPv4
/// address, none of the reserved prefixes and suffixes.
bool valid_bucket_name(std::string_view name);

}  // namespace outcrop::s3
