#include "api/nfs/v4/names.h"

#include <charconv>

#include "storage/ns/file_system.h"

namespace outcrop::nfs::v4 {
namespace {

/// Length of the sequence that starts with this byte; 0: none does.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) {
    return 1;
  }
  if (lead >= 0xC2 && lead < 0xE0) {
    return 2;
  }
  if (lead >= 0xE0 && lead < 0xF0) {
    return 3;
  }
  return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

bool valid_scalar(std::uint32_t c, std::size_t length) {
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = c >= 0xD800 && c < 0xE000;
  return c >= kLeast[length] && c < 0x110000 && !surrogate && c != 0xFFFE && c != 0xFFFF;
}

}  // namespace

bool valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t n = sequence_length(lead);
    if (n == 0 || n > text.size() - i) {
      return false;
    }
    if (n > 1) {
      std::uint32_t c = lead & (0xFFU >> (n + 1));
      for (std::size_t k = 1; k < n; ++k) {
        const auto next = static_cast<unsigned char>(text[i + k]);
        if ((next & 0xC0) != 0x80) {
          return false;
        }
        c = c << 6 | (next & 0x3F);
      }
      if (!valid_scalar(c, n)) {
        return false;
      }
    }
    i += n;
  }
  return true;
}

Status check_name(std::string_view name) {
  if (name.empty()) {
    return Status::inval;
  }
  if (name.size() > ns::kMaxFileNameBytes) {
    return Status::nametoolong;
  }
  if (!valid_utf8(name)) {
    return Status::inval;
  }
  if (name.find('/') != name.npos || name.find('\0') != name.npos) {
    return Status::badchar;
  }
  return name == "." || name == ".." ? Status::badname : Status::ok;
}

Status parse_owner(std::string_view text, std::uint32_t& id) {
  if (text.empty() || !valid_utf8(text)) {
    return Status::inval;
  }
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id == ns::kNoOwner) {
    return Status::badowner;
  }
  return Status::ok;
}

}  // namespace outcrop::nfs::v4
