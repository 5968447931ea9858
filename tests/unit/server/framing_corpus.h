// The 33 malformed or ambiguous request framings of the reliability study (section 5.3). The first
// 13 are accepted by Beast 1.81.
#pragma once
#include <array>
#include <string>
#include <string_view>

namespace outcrop::server::testing {

using namespace std::string_literals;

struct BadFraming {
  std::string name;
  std::string bytes;
};

inline std::string post(const std::string& fields, const std::string& body = "") {
  return "POST /sink HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body;
}

inline std::array<BadFraming, 33> bad_framings() {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::string body = "5\r\nhello\r\n0\r\n\r\n";
  return {{
      {"te_gzip_and_content_length",
       post("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n", "hello")},
      {"te_gzip_only", post("Transfer-Encoding: gzip\r\n", "hello")},
      {"te_xchunked", post("Transfer-Encoding: xchunked\r\n", body)},
      {"te_chunked_chunked", post("Transfer-Encoding: chunked, chunked\r\n", body)},
      {"te_chunked_identity", post("Transfer-Encoding: chunked, identity\r\n", body)},
      {"http10_with_chunked", "POST /sink HTTP/1.0\r\nHost: h\r\n" + chunked + "\r\n" + body},
      {"content_length_list", post("Content-Length: 5, 5\r\n", "hello")},
      {"content_length_repeated", post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")},
      {"host_repeated", "GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n"},
      {"host_missing", "GET / HTTP/1.1\r\nAccept: */*\r\n\r\n"},
      {"folded_field", post("X-A: 1\r\n folded\r\nContent-Length: 5\r\n", "hello")},
      {"eight_bit_target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"absolute_form_target", "GET http://other/ HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"content_length_then_chunked", post("Content-Length: 5\r\n" + chunked, body)},
      {"chunked_then_content_length", post(chunked + "Content-Length: 5\r\n", body)},
      {"content_length_plus_sign", post("Content-Length: +5\r\n", "hello")},
      {"content_length_negative", post("Content-Length: -1\r\n")},
      {"content_length_two_to_64", post("Content-Length: 18446744073709551616\r\n")},
      {"blank_before_colon", post("Content-Length : 5\r\n", "hello")},
      {"bare_line_feed", "GET / HTTP/1.1\nHost: h\n\n"},
      {"nul_in_value", post("X-A: a\0b\r\nContent-Length: 5\r\n"s, "hello")},
      {"cr_in_target", "GET /a\rb HTTP/1.1\r\nHost: h\r\n\r\n"},
      {"bad_chunk_extension", post(chunked, "5;\x01=\"\r\nhello\r\n0\r\n\r\n")},
      {"bad_chunk_size", post(chunked, "0x5\r\nhello\r\n0\r\n\r\n")},
      {"bad_chunk_end", post(chunked, "5\r\nhelloXX0\r\n\r\n")},
      {"content_length_in_trailer", post(chunked, "5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n")},
      {"http_version_1_2", "GET / HTTP/1.2\r\nHost: h\r\n\r\n"},
      {"bare_cr_in_value", post("X-A: a\rb\r\nContent-Length: 5\r\n", "hello")},
      {"empty_field_name", post(": x\r\nContent-Length: 5\r\n", "hello")},
      {"content_length_inner_blank", post("Content-Length: 5 5\r\n", "hello")},
      {"te_repeated", post(chunked + chunked, body)},
      {"te_parameter", post("Transfer-Encoding: chunked;q=1\r\n", body)},
      {"chunk_size_two_to_64", post(chunked, "10000000000000000\r\nhello\r\n0\r\n\r\n")},
  }};
}

}  // namespace outcrop::server::testing
