// The source of CopyObject and UploadPartCopy: parsed, and authorised like a read of its own.
#pragma once
#include <string>

#include "api/s3/call.h"

namespace outcrop::s3 {

struct SourceObject {
  std::string bucket, key;
  ns::Conditions conditions;
  std::string version{};  ///< empty: the current one
};

/// x-amz-copy-source and its conditions. AccessDenied if the principal may not read it.
Async<Outcome<SourceObject>> copy_source_of(Call& call);
/// What a caller gets to hear who could not open the source: AccessDenied instead of NoSuchKey, if
/// he may not list its bucket.
S3Error source_error(const Call& call, const SourceObject& source, S3Error error);
/// The conditions against a source that is open: precondition_failed where a GET says not_modified.
Outcome<> check_copy_source(const ns::Conditions& conditions, const ns::ObjectInfo& info);

}  // namespace outcrop::s3
