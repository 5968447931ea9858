// The canonical request of SigV4, built from the raw request target and headers.
// Private to auth/: everybody else sees authenticator.h.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/message.h"

namespace outcrop::auth {

/// The query of a request target in canonical encoding, in the order it was sent. One object is
/// reused by a thread for all its requests, so parsing does not allocate.
class CanonicalQuery {
 public:
  struct Param {
    std::string_view name, value;  ///< encoded; valid until the next parse()
  };
  /// False: an invalid escape. `target` is the whole request target.
  [[nodiscard]] bool parse(std::string_view target);
  std::span<const Param> params() const { return x_params; }
  /// "name=value&..." sorted by name, then value, without X-Amz-Signature.
  void append_sorted(std::string& out);

 private:
  struct Extent {
    std::size_t begin, middle, end;
  };
  std::string x_text;
  std::vector<Extent> x_extents;
  std::vector<Param> x_params, x_sorted;
};

/// What is signed, beyond the request itself.
struct SignedParts {
  std::string_view signed_headers;                 ///< "host;x-amz-date"
  std::span<const std::string_view> header_names;  ///< the same, split
  std::string_view payload_hash;                   ///< x-amz-content-sha256 as sent
};

/// Appends the canonical request. False: invalid escape in the path, or a signed header that the
/// request does not have.
[[nodiscard]] bool append_canonical_request(const http::Request& request,
                                            CanonicalQuery& query,
                                            const SignedParts& parts,
                                            std::string& out);

/// Splits at every `separator`, empty pieces included.
void split(std::string_view text, char separator, std::vector<std::string_view>& out);

}  // namespace outcrop::auth
