#include "tests/support/reference_conditions.h"

#include <sstream>

namespace outcrop::testing {
namespace {

bool lists(const std::string& header, const std::string& etag, bool weak_counts) {
  std::istringstream in(header);
  for (std::string tag; std::getline(in, tag, ',');) {
    tag.erase(0, tag.find_first_not_of(" \t"));
    tag.erase(tag.find_last_not_of(" \t") + 1);
    const bool weak = tag.starts_with("W/");
    tag.erase(0, weak ? 2 : 0);
    if (tag == "*" || ((tag == etag || tag == '"' + etag + '"') && (weak_counts || !weak))) {
      return true;
    }
  }
  return false;
}

}  // namespace

Result<void> check_write(const ns::Conditions& c, const ns::ObjectInfo* existing) {
  if ((c.if_match || c.must_exist) && existing == nullptr) {
    return fail(Errc::no_such_key);
  }
  if (existing == nullptr) {
    return ok();
  }
  if ((c.if_size && *c.if_size != existing->size) ||
      (c.if_mtime && *c.if_mtime != existing->mtime_ns / 1'000'000'000)) {
    return fail(Errc::precondition_failed);
  }
  const bool modified_since =
      c.if_unmodified_since && existing->mtime_ns / 1'000'000'000 > *c.if_unmodified_since;
  if (c.if_match ? !lists(*c.if_match, existing->etag, false) : modified_since) {
    return fail(Errc::precondition_failed);
  }
  if (c.if_none_match && lists(*c.if_none_match, existing->etag, true)) {
    return fail(Errc::precondition_failed);
  }
  return c.tags && *c.tags != existing->attributes.tags ? fail(Errc::conflict) : ok();
}

Result<void> check_copy_source(const ns::Conditions& c, const ns::ObjectInfo& source) {
  TRYV(check_write(c, &source));
  if (!c.if_none_match && c.if_modified_since &&
      source.mtime_ns / 1'000'000'000 <= *c.if_modified_since) {
    return fail(Errc::precondition_failed);
  }
  return ok();
}

}  // namespace outcrop::testing
