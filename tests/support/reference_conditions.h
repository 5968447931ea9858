// RFC 9110 section 13 for the reference namespace, written apart from the product's own.
#pragma once
#include "storage/base/result.h"
#include "storage/ns/types.h"

namespace outcrop::testing {

/// On the object that is replaced or removed; null: there is none.
Result<void> check_write(const ns::Conditions& conditions, const ns::ObjectInfo* existing);
Result<void> check_copy_source(const ns::Conditions& conditions, const ns::ObjectInfo& source);

}  // namespace outcrop::testing
