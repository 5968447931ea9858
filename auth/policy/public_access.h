// PublicAccessBlock, and which bucket policies are public. Source: Amazon S3 User Guide, "Blocking
// public access", "The meaning of public".
#pragma once
#include "auth/policy/policy.h"

namespace outcrop::policy {

struct PublicAccessBlock {
  bool block_public_acls = false;        ///< refuse to set public ACLs
  bool ignore_public_acls = false;       ///< public ACLs grant nothing
  bool block_public_policy = false;      ///< refuse to set a public bucket policy
  bool restrict_public_buckets = false;  ///< a public policy grants nothing to strangers
  bool operator==(const PublicAccessBlock&) const = default;
};
inline constexpr PublicAccessBlock kBlockAll{true, true, true, true};

/// Whether an Allow is for everybody, without a condition that pins down where they come from.
bool is_public(const Policy& policy);

}  // namespace outcrop::policy
