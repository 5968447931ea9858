#include "storage/base/error.h"

#include <cstring>

namespace outcrop {

std::string_view to_string(Errc code) noexcept {
  switch (code) {
    case Errc::internal:
      return "internal";
    case Errc::cancelled:
      return "cancelled";
    case Errc::timed_out:
      return "timed_out";
    case Errc::overloaded:
      return "overloaded";
    case Errc::invalid_argument:
      return "invalid_argument";
    case Errc::access_denied:
      return "access_denied";
    case Errc::no_such_bucket:
      return "no_such_bucket";
    case Errc::no_such_key:
      return "no_such_key";
    case Errc::no_such_upload:
      return "no_such_upload";
    case Errc::invalid_part:
      return "invalid_part";
    case Errc::invalid_part_order:
      return "invalid_part_order";
    case Errc::entity_too_small:
      return "entity_too_small";
    case Errc::entity_too_large:
      return "entity_too_large";
    case Errc::bucket_exists:
      return "bucket_exists";
    case Errc::bucket_not_empty:
      return "bucket_not_empty";
    case Errc::key_too_long:
      return "key_too_long";
    case Errc::precondition_failed:
      return "precondition_failed";
    case Errc::not_modified:
      return "not_modified";
    case Errc::conflict:
      return "conflict";
    case Errc::range_not_satisfiable:
      return "range_not_satisfiable";
    case Errc::bad_digest:
      return "bad_digest";
    case Errc::not_found:
      return "not_found";
    case Errc::already_exists:
      return "already_exists";
    case Errc::no_space:
      return "no_space";
    case Errc::read_only:
      return "read_only";
    case Errc::io_error:
      return "io_error";
    case Errc::corrupt:
      return "corrupt";
    case Errc::unavailable:
      return "unavailable";
    case Errc::not_implemented:
      return "not_implemented";
    case Errc::config:
      return "config";
  }
  return "unknown";
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
