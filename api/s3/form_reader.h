// A multipart/form-data body, read as it comes: the small fields first, in memory and bounded, then
// the file, piece by piece, through one buffer. What follows the file is not looked at.
// Source: RFC 7578, RFC 2046 section 5.1; Amazon S3 API Reference, "POST Object".
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/message.h"
#include "api/s3/error.h"

namespace outcrop::s3 {

/// Everything in front of the file's bytes: fields, part headers, boundaries.
inline constexpr std::size_t kMaxFormBytes = 20 << 10;
inline constexpr std::size_t kMaxBoundary = 70;  ///< RFC 2046

struct FormField {
  std::string name;  ///< lower case
  std::string value;
};

struct Form {
  std::vector<FormField> fields;  ///< names differ
  std::string file_name;          ///< the last component of what the browser said
  bool has_file = false;          ///< its bytes are next

  std::optional<std::string_view> find(std::string_view name) const;
};

/// The boundary of a Content-Type; empty if it is not multipart/form-data with one.
std::optional<std::string> form_boundary(std::string_view content_type);

/// One form. `body` is borrowed. One worker, one caller at a time.
class FormReader {
 public:
  FormReader(http::BodyReader& body, std::string_view boundary);

  /// Up to the file, or the end. MalformedPOSTRequest, MaxPostPreDataLengthExceeded,
  /// InvalidArgument for a field that comes twice, IncompleteBody.
  Async<Outcome<Form>> read_fields();
  /// The next bytes of the file, empty at its end; valid until the next call.
  Async<Outcome<std::string_view>> next();

 private:
  enum class Ending { part, form };
  struct PartHead {
    std::string name, file_name;
  };

  Async<Outcome<>> fill();
  /// Drops everything up to and with the next delimiter line; gives what was before it.
  Async<Outcome<std::string>> take_until_delimiter();
  Async<Outcome<Ending>> read_ending();
  Async<Outcome<PartHead>> read_head();
  Async<Outcome<std::string>> take_line();

  http::BodyReader& x_body;
  const std::string x_delimiter;  ///< CRLF, two dashes, boundary
  std::string x_buffer;
  std::size_t x_begin = 0;  ///< of what is not used yet
  std::size_t x_head_bytes = 0;
  bool x_in_head = true;
  bool x_file_ended = false;
};

}  // namespace outcrop::s3
