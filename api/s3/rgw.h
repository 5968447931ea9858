// What Ceph's object gateway (RGW) answers where it differs from AWS, for clients that were written
// against it: S3Config::dialect. The whole list, and why: docs/adr/0015-dialect-of-rgw.md.
#pragma once
#include <string_view>
#include <vector>

#include "api/http/message.h"
#include "api/s3/audit.h"
#include "api/s3/error.h"
#include "storage/ns/namespace.h"

namespace outcrop::s3::rgw {

/// Its answer to what AWS refuses with `refusal`, or its words for that.
Outcome<http::Response> answer_of(S3Error refusal, const http::Request& request, const Seen& seen);

/// For a DELETE without a version id. Conditions are about the version on top there, be it a delete
/// marker, which is like `*` only; a key without one is deleted already. False: nothing is left to
/// do. PreconditionFailed.
Async<Outcome<bool>> settle_conditions(ns::Namespace& ns,
                                       std::string_view bucket,
                                       std::string_view key,
                                       ns::Conditions& conditions);

/// Of a part that a completion lists several times in a row, the last counts.
void keep_last(std::vector<ns::CompletePart>& parts);

/// HeadBucket with ?read-stats=true: how many objects there are, and of how many bytes.
Task<> add_stats(ns::Namespace& ns, std::string_view bucket, http::Response& response);

}  // namespace outcrop::s3::rgw
