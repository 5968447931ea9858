// /v1/accounts of the admin API (docs/admin-api.yaml): who beside the first account owns buckets,
// and how much they may hold. Behind v1.h.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "api/admin/usage_metrics.h"
#include "api/http/message.h"

namespace outcrop::admin {

inline constexpr std::string_view kAccountsRoute = "/v1/accounts";

/// The functions may suspend; they take and give JSON text. Errors: invalid_argument (detail goes
/// to the client), not_found, conflict.
struct AccountSource {
  std::function<Task<std::string>()> list;
  std::function<Task<std::string>(std::string json)> create;  ///< the secret key is shown here only
  std::function<Task<std::string>(std::string id)> show;      ///< the first one's, too
  std::function<Task<std::string>(std::string id, std::string json)> change;  ///< the same
  std::function<Task<>(std::string id)> remove;
  std::function<Task<std::string>(std::string id)> create_key;  ///< the secret the same
  std::function<Task<>(std::string id, std::string key)> remove_key;
  std::function<Result<std::vector<UsageSample>>()> samples{};  ///< for /metrics
};

Async<http::Response> serve_accounts(const AccountSource& source, http::Request& request);

}  // namespace outcrop::admin
