// Everything below /v1: who asks (a bearer token), what that token may do (its scopes), the route,
// and a record in the audit log for what changes something or is refused.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "api/admin/account_routes.h"
#include "api/admin/bucket_routes.h"
#include "api/admin/drive_routes.h"
#include "api/admin/export_routes.h"
#include "api/admin/kms_key_routes.h"
#include "api/admin/token_routes.h"
#include "auth/audit/event.h"

namespace outcrop::admin {

/// Bits. GET needs read or the scope of the route, everything else the scope of the route; full is
/// all of them, and tokens, accounts, KMS keys and buckets are for it alone.
enum Scope : std::uint8_t { kScopeRead = 1, kScopeExports = 2, kScopeDrives = 4, kScopeFull = 8 };

struct Caller {
  std::string id;  ///< of the token, for the audit log; never the token itself
  std::uint8_t scopes = 0;
  bool may(std::uint8_t scope) const { return (scopes & (scope | kScopeFull)) != 0; }
};

struct V1Sources {
  /// Whose token it is; empty: nobody's, or its time is over. Compares in constant time.
  std::function<std::optional<Caller>(std::string_view token)> find_caller;
  ExportSource exports{};
  DriveSource drives{};
  TokenSource tokens{};
  AccountSource accounts{};
  KmsKeySource kms_keys{};
  BucketSource buckets{};
  audit::Sink* audit = nullptr;  ///< borrowed; null: no audit log
};

bool is_v1(std::string_view target);
/// Who sends a request with a token; empty: nobody whom the server knows.
std::optional<Caller> caller_of(const V1Sources& sources, const http::Request& request);
Async<http::Response> serve_v1(const V1Sources& sources, http::Request& request);

}  // namespace outcrop::admin
