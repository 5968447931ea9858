// Method, target and headers of a request to an operation: never a crash, and a sub-resource never
// becomes an operation on the object or bucket itself.
#include <cstdint>
#include <string>
#include <vector>

#include "api/s3/router.h"
#include "auth/target.h"
#include "storage/base/assert.h"

using namespace outcrop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  constexpr std::string_view kMethods[] = {"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH"};
  const std::string_view method = kMethods[data[0] % 6];
  const std::string text(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::vector<std::string> domains{"s3.test"};
  const auto target = auth::split_target("/" + text, "bucket.s3.test", domains);
  if (!target) {
    return 0;
  }
  std::vector<http::Header> headers;
  if ((data[0] & 0x80) != 0) {
    headers.push_back({"x-amz-copy-source", "a/b"});
  }
  const s3::Scope scope = target->key.empty() ? s3::Scope::bucket : s3::Scope::object;
  const auto op = s3::route(method, scope, target->query, headers);
  if (op) {
    OUTCROP_ASSERT((*op)->scope == scope && !(*op)->action.empty());
    const bool sub = target->param("acl") || target->param("tagging") || target->param("uploadId");
    OUTCROP_ASSERT(!sub || !(*op)->subresource.empty());
  }
  return 0;
}
