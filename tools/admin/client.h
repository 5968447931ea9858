// One request to the admin API of a running server. Blocking; the tool has nothing else to do.
#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "storage/base/result.h"

namespace outcrop::tools {

struct AdminAccess {
  std::string address = "127.0.0.1:9001";  ///< HOST:PORT
  std::string token;
  std::chrono::milliseconds deadline = std::chrono::minutes(2);  ///< formatting a drive takes some
};

struct AdminReply {
  int status = 0;
  std::string body;
};

/// Errors: unavailable (nobody there, it broke off, or the deadline passed), invalid_argument (bad
/// address). The detail is for the user.
Result<AdminReply> ask_admin(const AdminAccess& access,
                             std::string_view method,
                             std::string_view target,
                             std::string_view body = {});

/// A path of an export, "/a b/c", as it goes behind /v1/exports.
std::string percent_encoded(std::string_view path);

/// The token: from `file` if one is named, else from OUTCROP_ADMIN_TOKEN.
Result<std::string> find_token(const std::string& file);

}  // namespace outcrop::tools
