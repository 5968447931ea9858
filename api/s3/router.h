// Which operation a request asks for. Pure: method, target and headers in, a row out.
#pragma once
#include <string_view>
#include <vector>

#include "api/http/message.h"
#include "api/s3/op_table.h"
#include "auth/target.h"

namespace outcrop::s3 {

using Query = std::vector<auth::QueryParam>;

/// MethodNotAllowed if the resource does not know the method, also for a sub-resource that exists
/// under another method only: it never falls through to the resource itself.
Outcome<const Op*> route(std::string_view method,
                         Scope scope,
                         const Query& query,
                         const std::vector<http::Header>& headers);

}  // namespace outcrop::s3
