#include "storage/ns/conditions.h"

#include <string_view>

namespace outcrop::ns {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

std::string_view trim(std::string_view s) {
  constexpr std::string_view kSpace = " \t";
  const std::size_t first = s.find_first_not_of(kSpace);
  return first == s.npos ? std::string_view{}
                         : s.substr(first, s.find_last_not_of(kSpace) - first + 1);
}

// Our ETags are all strong. A weak tag in the list never matches If-Match and may match
// If-None-Match (RFC 9110 section 8.8.3.2). Clients send tags with and without quotes.
bool lists(std::string_view header, std::string_view etag, bool weak_ok) {
  while (!header.empty()) {
    const std::size_t comma = header.find(',');
    std::string_view tag = trim(header.substr(0, comma));
    header = comma == header.npos ? std::string_view{} : header.substr(comma + 1);
    const bool weak = tag.starts_with("W/");
    if (weak) {
      tag.remove_prefix(2);
    }
    if (tag == "*") {
      return true;
    }
    if (tag.size() >= 2 && tag.front() == '"' && tag.back() == '"') {
      tag = tag.substr(1, tag.size() - 2);
    }
    if (tag == etag && (weak_ok || !weak)) {
      return true;
    }
  }
  return false;
}

}  // namespace

Result<void> check_conditions(const Conditions& conditions,
                              const ConditionTarget* object,
                              Access access) {
  if (conditions.must_exist && object == nullptr) {
    return fail(Errc::no_such_key);
  }
  if (object != nullptr &&
      ((conditions.if_size && *conditions.if_size != object->size) ||
       (conditions.if_mtime && *conditions.if_mtime != object->mtime_ns / kSecond))) {
    return fail(Errc::precondition_failed);
  }
  if (conditions.if_match) {
    if (!object) {
      return fail(Errc::no_such_key);
    }
    if (!lists(*conditions.if_match, object->etag, false)) {
      return fail(Errc::precondition_failed);
    }
  } else if (conditions.if_unmodified_since && object &&
             object->mtime_ns / kSecond > *conditions.if_unmodified_since) {
    return fail(Errc::precondition_failed);
  }
  const Errc unchanged = access == Access::read ? Errc::not_modified : Errc::precondition_failed;
  if (conditions.if_none_match) {
    if (object && lists(*conditions.if_none_match, object->etag, true)) {
      return fail(unchanged);
    }
  } else if (access != Access::write && conditions.if_modified_since && object &&
             object->mtime_ns / kSecond <= *conditions.if_modified_since) {
    return fail(unchanged);
  }
  return ok();
}

Result<void> check_object(const Conditions& conditions, const ObjectPtr& object, Access access) {
  if (!object) {
    return check_conditions(conditions, nullptr, access);
  }
  const ConditionTarget target{object->record.etag, object->record.mtime_ns, object->record.size};
  TRYV(check_conditions(conditions, &target, access));
  return check_tags(conditions.tags, *object);
}

Result<void> check_tags(const ExpectedTags& expected, const Object& object) {
  if (expected && *expected != object.record.attributes.tags) {
    return fail(Errc::conflict, "the tags of the object are not those that were decided on");
  }
  return ok();
}

}  // namespace outcrop::ns
