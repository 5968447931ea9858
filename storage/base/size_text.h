// A number of bytes as people read it.
#pragma once
#include <cstdint>
#include <string>

namespace outcrop {

/// "512 B", "1.5 KiB", "3.0 TiB".
std::string size_text(std::uint64_t bytes);

}  // namespace outcrop
