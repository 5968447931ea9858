// The response head, written by hand into one string: status line, Date, Server, request id, the
// handler's fields, Content-Length and Connection.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/http/message.h"

namespace outcrop::server {

struct HeadExtras {
  std::string_view date;  ///< RFC 1123, GMT
  std::string_view request_id;
  std::optional<std::uint64_t> content_length;
  bool close = false;
  bool say_keep_alive = false;  ///< an HTTP/1.0 client asked for it and gets it
};

/// Control bytes in a field value become blanks: nothing a handler echoes can start a new line.
std::string write_head(const http::Response& response, const HeadExtras& extras);

/// 1xx, 204 and 304 never have a body, nor a Content-Length.
bool has_no_body(int status);

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(std::int64_t unix_seconds);

}  // namespace outcrop::server
