#include "storage/base/error.h"

#include <array>
#include <cstring>

namespace outcrop {

namespace {

// In the order of Errc.
constexpr auto kNames = std::to_array<std::string_view>({
    "internal",
    "cancelled",
    "timed_out",
    "overloaded",
    "invalid_argument",
    "access_denied",
    "no_such_bucket",
    "no_such_key",
    "no_such_version",
    "key_deleted",
    "delete_marker",
    "no_such_upload",
    "invalid_part",
    "invalid_part_order",
    "entity_too_small",
    "entity_too_large",
    "object_locked",
    "no_object_lock",
    "bucket_state",
    "bucket_exists",
    "bucket_not_empty",
    "key_too_long",
    "precondition_failed",
    "not_modified",
    "conflict",
    "range_not_satisfiable",
    "bad_digest",
    "not_found",
    "already_exists",
    "no_space",
    "quota_exceeded",
    "read_only",
    "io_error",
    "corrupt",
    "unavailable",
    "not_implemented",
    "config",
    "sealed",
    "stale",
    "not_directory",
    "is_directory",
    "not_empty",
    "name_too_long",
    "too_many_links",
    "cross_bucket",
    "bad_cookie",
    "no_xattr",
    "not_permitted",
});
static_assert(kNames.size() == static_cast<std::size_t>(Errc::not_permitted) + 1);

}  // namespace

std::string_view to_string(Errc code) noexcept {
  const auto i = static_cast<std::size_t>(code);
  return i < kNames.size() ? kNames[i] : "unknown";
}

std::string Error::describe() const {
  std::string text(to_string(x_code));
  if (!detail().empty()) {
    text.append(": ").append(detail());
  }
  if (x_errno != 0) {
    text.append(": ").append(std::strerror(x_errno));
  }
  return text;
}

}  // namespace outcrop
