// Small records of the file view: a link (the cookie of one of several names), where a cookie
// leads or led, and an orphan (the bucket root that it lay under).
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/ids.h"
#include "storage/base/result.h"

namespace outcrop::ns {

/// Of links and orphans: the cookie, the root.
std::string encode_number(std::uint64_t number);
Result<std::uint64_t> decode_number(std::string_view bytes);

/// Of an entry that left a directory.
std::string encode_name(std::string_view name);
Result<std::string> decode_name(std::string_view bytes);

/// Where a cookie leads.
struct CookieRecord {
  InodeId ino = 0, parent = 0;
  std::string name{};
  bool operator==(const CookieRecord&) const = default;
};
std::string encode(const CookieRecord& record);
Result<CookieRecord> decode_cookie(std::string_view bytes);

}  // namespace outcrop::ns
