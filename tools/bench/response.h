// HTTP/1.1 responses, sans-IO: heads, chunked bodies, and the two XML values a client needs.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace outcrop::bench {

struct ResponseHead {
  int status = 0;
  std::optional<std::uint64_t> content_length;
  bool chunked = false;
  bool close = false;     ///< the server will close the connection
  std::string_view etag;  ///< with its quotes; points into the head
};

/// `head` ends with the empty line. corrupt: not a response we can frame.
Result<ResponseHead> parse_head(std::string_view head);

/// Takes a chunked body apart as it comes in.
class ChunkedBody {
 public:
  /// Consumes from `data` up to the end of the body; appends payload to `out` when it is not null.
  /// Returns bytes consumed. corrupt: not chunked framing.
  Result<std::size_t> feed(std::string_view data, std::string* out);
  bool done() const { return x_state == State::done; }
  std::uint64_t payload() const { return x_payload; }

 private:
  enum class State { size, data, data_end, trailer, done };
  Result<void> end_of_line();

  State x_state = State::size;
  std::string x_line;
  std::uint64_t x_left = 0;
  std::uint64_t x_payload = 0;
};

/// The text of the first <tag>...</tag>; empty when there is none.
std::string_view xml_text(std::string_view xml, std::string_view tag);

}  // namespace outcrop::bench
