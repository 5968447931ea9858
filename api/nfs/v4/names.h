// Rules for the strings of NFSv4: names of directory entries, tags, owners (RFC 8881 section 14).
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/nfs/v4state/status.h"

namespace outcrop::nfs::v4 {

/// Well-formed UTF-8 without surrogates, overlong forms and the noncharacters U+FFFE and U+FFFF.
bool valid_utf8(std::string_view text);

/// ok, or what an operation answers to this name: inval (empty, not UTF-8), nametoolong, badchar
/// ('/' or NUL), badname ("." and "..").
Status check_name(std::string_view name);

/// Owners go over the wire as decimal numbers (RFC 7530 section 5.9: both sides agree on numeric
/// ids with AUTH_SYS). inval: empty or not UTF-8; badowner: anything but a number below 2^32-1.
Status parse_owner(std::string_view text, std::uint32_t& id);

}  // namespace outcrop::nfs::v4
