// The policy of a browser upload: what the signer allows others to put, until when. Pure functions.
// Source: Amazon S3 API Reference, "Creating an HTML form", "POST policy".
#pragma once
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "api/s3/error.h"
#include "api/s3/form_reader.h"

namespace outcrop::s3 {

inline constexpr std::size_t kMaxPostConditions = 200;

struct PostCondition {
  enum class Kind : std::uint8_t { equal, starts_with } kind = Kind::equal;
  std::string field;  ///< lower case, without '$'
  std::string value;
};

struct PostPolicy {
  std::int64_t expires = 0;  ///< seconds since 1970
  std::vector<PostCondition> conditions;
  /// content-length-range, both ends included.
  std::uint64_t least = 0, most = std::numeric_limits<std::uint64_t>::max();
};

/// The policy field: base64 of JSON. InvalidPolicyDocument.
Outcome<PostPolicy> parse_post_policy(std::string_view base64);

/// AccessDenied if the policy is over, a condition does not hold, or a field of the form has no
/// condition. The bucket counts as a field. Sizes are checked when the file is there.
Outcome<> check_post_policy(const PostPolicy& policy,
                            const Form& form,
                            std::string_view bucket,
                            std::int64_t now_seconds);

/// EntityTooSmall, EntityTooLarge.
Outcome<> check_post_size(const PostPolicy& policy, std::uint64_t size, bool ended);

}  // namespace outcrop::s3
