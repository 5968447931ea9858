// Request documents: DeleteObjects, CompleteMultipartUpload, CreateBucket. Bounded before they are
// parsed (size, depth, number of entries), no DOCTYPE, so no entities beyond the five of XML.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/s3/error.h"
#include "auth/policy/public_access.h"
#include "storage/digest/algorithm.h"
#include "storage/ns/types.h"

namespace outcrop::s3 {

inline constexpr int kMaxXmlDepth = 32;
inline constexpr std::size_t kMaxDeleteKeys = 1000;

struct DeleteEntry {
  std::string key;
  std::optional<std::string> version_id, etag;
  std::optional<std::uint64_t> size{};  ///< that it must have
  std::optional<std::int64_t> mtime{};  ///< in whole seconds, the same
};
struct DeleteDocument {
  std::vector<DeleteEntry> entries;
  bool quiet = false;
};
/// Keys are UTF-8 without NUL. MalformedXML, also for no key or more than kMaxDeleteKeys of them.
Outcome<DeleteDocument> parse_delete(std::string text);

/// The parts as listed; their order is not checked here. `algorithm` is the upload's, if it is
/// known: a part's checksum in another one is InvalidRequest.
Outcome<std::vector<ns::CompletePart>> parse_complete(std::string text,
                                                      std::optional<digest::Algorithm> algorithm);

/// The LocationConstraint; empty for no document or none in it. NotImplemented for what else a
/// CreateBucketConfiguration may ask for (directory buckets, tags).
Outcome<std::string> parse_create_bucket(std::string text);

/// VersioningConfiguration: enabled or suspended. IllegalVersioningConfigurationException without
/// a status; NotImplemented for MFA delete.
Outcome<ns::Versioning> parse_versioning(std::string text);

/// PublicAccessBlockConfiguration; what is not named is false.
Outcome<policy::PublicAccessBlock> parse_public_access_block(std::string text);

}  // namespace outcrop::s3
