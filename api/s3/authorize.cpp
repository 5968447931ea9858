#include "api/s3/authorize.h"

namespace outcrop::s3 {

Outcome<Grant> authorize(const auth::Principal& principal,
                         std::string_view action,
                         std::string_view bucket,
                         std::string_view key) {
  if (principal.root && !principal.anonymous()) {
    return Grant{};
  }
  S3Error denied(Code::access_denied);
  denied.log_detail.append(action).append(" on ").append(bucket).append("/").append(key);
  return std::unexpected(std::move(denied));
}

}  // namespace outcrop::s3
