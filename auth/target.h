// The one reading of a request target: which bucket, which key, which query parameters. Everything
// that names an object (URL, copy source, keys in bodies) goes through here, so policy, storage and
// protocol can never disagree about a name. Decoded exactly once; '.', '..' and '//' are plain
// text.
#pragma once
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace outcrop::auth {

struct QueryParam {
  std::string name, value;  ///< decoded; '+' stays a plus sign
};

struct Target {
  std::string bucket;  ///< empty: the service itself. Its form is checked where buckets are made.
  std::string key;     ///< empty: the bucket itself
  std::vector<QueryParam> query;  ///< in the order sent; "?acl" has an empty value
  bool virtual_host = false;      ///< the bucket came from the Host header

  /// First value of a parameter.
  std::optional<std::string_view> param(std::string_view name) const {
    for (const QueryParam& p : query) {
      if (p.name == name) {
        return p.value;
      }
    }
    return std::nullopt;
  }
};

/// `raw` is the request target as received, `host` the Host header with or without port, `domains`
/// the configured names below which buckets are host names ("s3.example.net": lower case, no port).
/// Errc::invalid_argument: not an origin-form target, bad escape, NUL, not UTF-8, or a bucket name
/// with a slash in it.
Result<Target> split_target(std::string_view raw,
                            std::string_view host,
                            std::span<const std::string> domains);

struct CopySource {
  std::string bucket, key;
  std::optional<std::string> version_id;
};

/// An x-amz-copy-source value: [/]bucket/key[?versionId=id], encoded like a target.
Result<CopySource> split_copy_source(std::string_view value);

/// Keys from request bodies (DeleteObjects, POST forms), which are not percent-encoded: the rules
/// that split_target applies to decoded keys, UTF-8 without NUL.
Result<void> check_key(std::string_view key);

}  // namespace outcrop::auth
