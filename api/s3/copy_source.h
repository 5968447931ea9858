// The source of CopyObject and UploadPartCopy: parsed, and authorised like a read of its own.
#pragma once
#include <string>

#include "api/s3/call.h"
#include "storage/digest/digest.h"

namespace outcrop::s3 {

struct SourceObject {
  std::string bucket, key;
  ns::Conditions conditions;
  std::optional<std::string> version{};  ///< as the client named it
  ns::ExpectedTags tags{};               ///< that were decided on; empty: no policy asks for them
  std::optional<std::string> acl{};      ///< the same; empty: its bucket has none
};

/// x-amz-copy-source and its conditions. AccessDenied if the principal may not read it.
Async<Outcome<SourceObject>> copy_source_of(Call& call);
/// One action on the source, or on its version if one is named, decided on its tags.
Outcome<> authorize_source(const Call& call, const SourceObject& source, policy::Action action);
/// Opened, and decided once more if its tags are not those that were decided on. Whoever may not
/// list its bucket gets AccessDenied instead of NoSuchKey.
Async<Outcome<std::unique_ptr<ns::ObjectReader>>> open_source(const Call& call,
                                                              SourceObject& source);
/// What an error of reading the source is for the client.
S3Error source_error(const Call& call, const SourceObject& source, S3Error error);
/// The conditions against a source that is open: precondition_failed where a GET says not_modified.
Outcome<> check_copy_source(const ns::Conditions& conditions, const ns::ObjectInfo& info);

/// What is read of a source, from where it stands to the end of its range, goes into both digests
/// and, unless it is null, into `writer`.
Async<Outcome<>> read_through(ns::ObjectReader& source,
                              ns::ObjectWriter* writer,
                              digest::Digest& sum,
                              digest::Digest& md5);

}  // namespace outcrop::s3
