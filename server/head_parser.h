// From the bytes of a checked head to an http::Request. The only use of Beast: its strict parser
// with our own sink, so that a field is copied once.
#pragma once
#include <string_view>

#include "api/http/message.h"

namespace outcrop::server {

/// `head` has passed check_head(). Fills method, target and headers. Errors: invalid_argument.
Result<void> parse_head(std::string_view head, http::Request& out);

}  // namespace outcrop::server
