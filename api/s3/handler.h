// The S3 service as one http::Handler: authenticate, route, authorise, serve, map errors.
#pragma once
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <vector>

#include "api/http/message.h"
#include "api/s3/op_id.h"
#include "auth/access/access_table.h"
#include "auth/accounts.h"
#include "auth/audit/event.h"
#include "auth/authenticator.h"
#include "auth/keys/vault.h"
#include "auth/post_signature.h"
#include "storage/base/clock.h"
#include "storage/digest/md5_engine.h"
#include "storage/ns/namespace.h"

namespace outcrop::s3 {

class SettingsTable;

/// Called once per request, on its worker, when the last byte of the answer is handed over (or its
/// source is destroyed). Must not throw.
using Observer = std::function<void(OpId op,
                                    int status,
                                    std::uint64_t bytes_in,
                                    std::uint64_t bytes_out,
                                    std::int64_t duration_ns)>;

/// Of each account beside the first.
inline constexpr std::size_t kMaxAccountBuckets = 1000;

/// Whose answers are given where servers differ; rgw.h has what Ceph's gateway does otherwise.
enum class Dialect : std::uint8_t { aws, rgw };

struct S3Config {
  std::string region = "us-east-1";
  /// "s3.example.com": BUCKET.s3.example.com names a bucket. Empty: path style only.
  std::vector<std::string> domains;
  /// Canonical id of the first account, 64 hex digits like AWS's.
  std::string owner_id = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a";
  std::string owner_name = "outcrop";
  const auth::Accounts* accounts = nullptr;  ///< beside the first; borrowed; null: there are none
  /// Of buckets that are made without saying so.
  access::Ownership object_ownership = access::Ownership::enforced;
  access::AccessTable* access = nullptr;  ///< of the buckets; borrowed, needed
  SettingsTable* settings = nullptr;      ///< the same
  keys::Vault* vault = nullptr;           ///< of encrypted objects; the same
  Dialect dialect = Dialect::aws;
  bool sse_c_over_http = false;     ///< keys of clients (SSE-C) may come without TLS
  std::string host_id = "outcrop";  ///< x-amz-id-2: which box answered
  /// One engine per worker, indexed by worker_index(), borrowed. Empty: MD5 without vector lanes.
  std::vector<digest::Md5Engine*> md5_engines;
  const Clock* clock = nullptr;  ///< borrowed; null: the system's
  Observer observer;
  /// Whose form a browser upload is; needed for signed ones.
  std::function<std::expected<auth::Principal, auth::AuthFailure>(const auth::PostSignature&)>
      authenticate_post{};
  audit::Sink* audit = nullptr;  ///< borrowed; null: no audit log
  /// x-amz-meta-file-* sets mode, owner and mtime of files, and shows them; see file_metadata.h.
  bool file_metadata = true;
  bool fast_etags = false;                      ///< of buckets that do not say: EtagKind::fast
  std::int64_t lifecycle_day_seconds = 86'400;  ///< how long a day of a lifecycle rule is
};

using Authenticate =
    std::function<std::expected<auth::Authentication, auth::AuthFailure>(const http::Request&)>;

/// `ns` and `authenticator` are borrowed and outlive the handler and its responses. Thread-safe.
http::Handler make_handler(ns::Namespace& ns,
                           const auth::Authenticator& authenticator,
                           S3Config config);
/// The same behind another way to say who is asking; tests use it.
http::Handler make_handler(ns::Namespace& ns, Authenticate authenticate, S3Config config);

}  // namespace outcrop::s3
