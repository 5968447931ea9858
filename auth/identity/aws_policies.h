// The managed policies that AWS has in every account, as far as there is something here that they
// speak about: arn:aws:iam::aws:policy/NAME. They are attached like others, by ARN, and nobody
// changes them. Private to auth/identity; State finds them.
#pragma once
#include <map>
#include <string>
#include <string_view>

#include "auth/identity/state.h"

namespace outcrop::identity {

inline constexpr std::string_view kAwsPolicyPrefix = "arn:aws:iam::aws:policy/";

/// By ARN. Made at the first call, for good; any thread.
const std::map<std::string, ManagedPtr, std::less<>>& aws_policies();

}  // namespace outcrop::identity
