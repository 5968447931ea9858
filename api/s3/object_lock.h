// Object Lock on this wire: headers and documents of locks, and who may lift what they keep.
// Source: Amazon S3 API Reference, PutObjectLockConfiguration, PutObjectRetention,
// PutObjectLegalHold, PutObject; the texts of errors are AWS's.
#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "api/http/message.h"
#include "api/s3/error.h"
#include "api/s3/op_table.h"
#include "storage/ns/object_lock.h"
#include "storage/ns/types.h"

namespace outcrop::s3 {

struct Call;

/// "GOVERNANCE", "COMPLIANCE"; empty for none.
std::string_view mode_name(ns::RetentionMode mode);
std::optional<ns::RetentionMode> parse_mode(std::string_view text);
/// ISO 8601, "2030-01-01T00:00:00.000Z" or with another offset, or a day. In seconds since 1970,
/// rounded up: what a client asks to keep is kept as long. Years 1970 to 9999.
std::optional<std::int64_t> parse_retain_until(std::string_view text);

/// ObjectLockConfiguration. MalformedXML, InvalidRetentionPeriod.
Outcome<ns::BucketLock> parse_lock_configuration(std::string text);
std::string lock_configuration_document(const ns::BucketLock& lock);
/// Retention; an empty one takes away what there is. MalformedXML.
Outcome<ns::Retention> parse_retention(std::string text);
/// LegalHold. MalformedXML.
Outcome<bool> parse_legal_hold(std::string text);

/// Whether the operation makes an object that may come with a lock in headers.
bool takes_lock(OpId op);
bool is_lock_header(std::string_view name);
/// What the headers of such a request ask for; InvalidArgument, also for a date that has passed,
/// and InvalidRequest in a bucket without Object Lock.
Async<Outcome<ns::ObjectLock>> requested_lock(Call& call);
/// What is said of an object's lock to those who may read it.
void add_lock_headers(const Call& call, const ns::ObjectInfo& info, http::Response& response);
/// The client asks that governance does not count for this key, and may. Who may not is asked for
/// nothing: his request is refused if it meets a lock.
bool bypasses_governance(const Call& call, std::string_view key);

}  // namespace outcrop::s3
