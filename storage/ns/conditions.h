// Preconditions of RFC 9110 section 13 against an object, in the order of section 13.2.2.
#pragma once
#include "storage/base/result.h"
#include "storage/ns/core.h"

namespace outcrop::ns {

enum class Access {
  read,   ///< GET, HEAD: If-None-Match and If-Modified-Since give not_modified
  write,  ///< PUT, DELETE, Complete: the object that is replaced or removed
  copy,   ///< of a copy's source: as read, but precondition_failed instead of not_modified
};

/// What the conditions look at; null: there is no object.
struct ConditionTarget {
  std::string_view etag;
  std::int64_t mtime_ns = 0;
  std::uint64_t size = 0;
};

/// ok, precondition_failed, not_modified, or no_such_key (If-Match on an absent object). Not those
/// on tags.
Result<void> check_conditions(const Conditions& conditions,
                              const ConditionTarget* object,
                              Access access);
/// All of them; conflict if the tags are others. `object`: null if there is none.
Result<void> check_object(const Conditions& conditions, const ObjectPtr& object, Access access);

/// ok, or conflict.
Result<void> check_tags(const ExpectedTags& expected, const Object& object);

}  // namespace outcrop::ns
