// HTTP vocabulary without a library behind it: what a session hands to a handler and gets back.
// Handlers never see sockets; sessions never see S3.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/task.h"

namespace outcrop::http {

struct Header {
  std::string name;   ///< lower case
  std::string value;  ///< as received, without surrounding blanks
};

/// The bytes of a request body after HTTP framing (Content-Length or chunked) is taken off.
class BodyReader {
 public:
  virtual ~BodyReader() = default;
  /// Reads at least one byte, straight into `out`; 0 at the end of the body. Errors: timed_out
  /// (slow client), cancelled (connection closed early), invalid_argument (broken chunked framing).
  virtual Task<std::size_t> read_some(MutBytes out) = 0;
  /// Content-Length; empty with Transfer-Encoding: chunked. No body at all: 0.
  virtual std::optional<std::uint64_t> content_length() const = 0;
  /// The client keeps the body back until it is asked for it (Expect: 100-continue), which the
  /// first read does. Who refuses the request without reading must close the connection: the
  /// client may send the body all the same.
  virtual bool kept_back() const { return false; }
};

struct Request {
  std::string method;  ///< "GET"
  std::string target;  ///< the request target as received: path and query, still encoded
  std::vector<Header> headers;
  std::string remote;          ///< "192.0.2.7:51234", "[2001:db8::1]:51234"
  std::string id;              ///< request id: 16 upper-case hex digits
  bool secure = false;         ///< arrived over TLS
  BodyReader* body = nullptr;  ///< never null inside a handler

  /// Of the client, without its port and brackets.
  std::string_view address() const;
  /// First value of a header by lower-case name; empty optional if absent.
  std::optional<std::string_view> header(std::string_view name) const {
    for (const Header& h : headers) {
      if (h.name == name) {
        return h.value;
      }
    }
    return std::nullopt;
  }
};

/// A response body that is produced while it is sent; the socket is the back-pressure.
class BodySource {
 public:
  virtual ~BodySource() = default;
  virtual std::uint64_t size() const = 0;  ///< exact; becomes Content-Length
  /// Next slices, empty at the end. An error resets the connection: never a short, clean end.
  virtual Task<std::vector<Buffer>> next() = 0;
};

struct Response {
  int status = 200;
  std::vector<Header> headers;  ///< names as they go on the wire, e.g. "Content-Type"
  std::variant<std::string, std::unique_ptr<BodySource>> body;
  /// For HEAD: what Content-Length says when there is no body to measure.
  std::optional<std::uint64_t> content_length;
  bool close = false;  ///< close the connection after this response

  void set(std::string name, std::string value) {
    headers.push_back({std::move(name), std::move(value)});
  }
};

/// Serves one request. Never throws for anything a client can cause.
using Handler = std::function<Async<Response>(Request&)>;

}  // namespace outcrop::http
