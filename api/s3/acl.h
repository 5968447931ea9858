// ACLs where nothing but the owner's full control can be said in one: buckets whose ObjectOwnership
// is BucketOwnerEnforced, which AWS gives every new bucket. An ACL that says the same is accepted,
// any other one refused. Pure functions.
#pragma once
#include <string>
#include <string_view>

#include "api/s3/error.h"

namespace outcrop::s3 {

inline constexpr std::size_t kMaxGrants = 100;

/// Of an x-amz-acl header.
enum class CannedAcl : std::uint8_t { unknown, owner_only, others };
CannedAcl canned_acl(std::string_view name);

/// Whether an AccessControlPolicy gives the owner full control and nobody else anything.
/// MalformedACLError.
Outcome<bool> owner_only(std::string document, std::string_view owner_id);

/// The ObjectOwnership of an OwnershipControls document. MalformedXML.
Outcome<std::string> parse_ownership(std::string document);

}  // namespace outcrop::s3
