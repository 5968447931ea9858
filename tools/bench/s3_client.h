// One signed S3 request at a time over one kept-alive connection.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "tools/bench/connection.h"
#include "tools/bench/payload.h"
#include "tools/bench/response.h"
#include "tools/bench/signer.h"

namespace outcrop::bench {

/// Everything is borrowed until the reply is there.
struct Call {
  std::string_view method;
  std::string_view path;     ///< URI-encoded
  std::string_view query{};  ///< canonical
  ConstBytes block{};        ///< body: `body_size` bytes of this, repeated
  std::uint64_t body_size = 0;
  std::string_view payload_hash = kUnsignedPayload;
  std::string_view checksum_header{};  ///< "" for none
  std::string_view checksum{};
  std::string_view range{};  ///< "bytes=0-99", "" for none
  bool keep_body = false;    ///< also of a success, and the ETag
};

struct Reply {
  int status = 0;
  std::uint64_t body_bytes = 0;
  std::string body;  ///< of errors, and of successes when kept
  std::string etag;
  bool is_success() const { return status >= 200 && status < 300; }
};

class S3Client {
 public:
  /// `scratch` may be shared by all clients of a thread: it holds nothing across a suspension.
  S3Client(const Target& target,
           const Options& options,
           Signer& signer,
           std::span<char> scratch,
           Executor executor);

  /// Connects when it has to. An error means that no complete reply came; the connection is closed.
  /// `reply` is reset and filled: its strings keep their memory between calls.
  Task<> call(const Call& call, Reply& reply);
  /// Connects ahead of the first call, unless it is connected already.
  Task<> open();
  void abort() { x_connection.abort(); }

 private:
  void make_head(const Call& call);
  /// The head, in scratch or (when it came in pieces) in x_pieces; `rest` is what came after it.
  Task<ResponseHead> read_head(std::string_view& rest);
  Task<> read_body(const ResponseHead& head,
                   std::string_view rest,
                   Reply& reply,
                   std::string* keep);
  Task<> read_chunked(std::string_view rest, Reply& reply, std::string* keep);

  const Options& x_options;
  Signer& x_signer;
  std::span<char> x_scratch;
  Connection x_connection;
  std::string x_host;
  std::string x_head;
  std::string x_pieces;
};

}  // namespace outcrop::bench
