// Continuation tokens: the last name of a page, opaque to clients.
#pragma once
#include <string>
#include <string_view>

#include "api/s3/error.h"

namespace outcrop::s3 {

std::string encode_token(std::string_view last);
/// The name in a token; empty for an empty token; InvalidArgument for what no page gave out.
Outcome<std::string> decode_token(std::string_view token);

}  // namespace outcrop::s3
