// /v1/kms-keys of the admin API (docs/admin-api.yaml): the keys that SSE-KMS encrypts with. Behind
// v1.h.
#pragma once
#include <functional>
#include <string>

#include "api/http/message.h"

namespace outcrop::admin {

inline constexpr std::string_view kKmsKeysRoute = "/v1/kms-keys";

/// The functions may suspend; they take and give JSON text, in which no secret is ever. Errors:
/// invalid_argument (detail goes to the client), not_found, conflict.
struct KmsKeySource {
  std::function<Task<std::string>()> list;
  std::function<Task<std::string>(std::string json)> create;
  std::function<Task<std::string>(std::string id, std::string json)> change;
  std::function<Task<>(std::string id)> remove;
};

Async<http::Response> serve_kms_keys(const KmsKeySource& source, http::Request& request);

}  // namespace outcrop::admin
