// The configuration of outcropd: outcrop.toml, then OUTCROP_* environment variables on top. Every
// mistake is one line: file:line: key: what is wrong, what to do. The keys are one table in
// config.cpp, those of [[export]] one in export_fields.cpp, those of [[auth.oidc]] one in
// config_oidc.cpp; conf/outcrop.toml holds them all with their defaults.
//
// A key's variable is its name in upper case with '_' for '.': server.tls.cert ->
// OUTCROP_SERVER_TLS_CERT; arrays are comma separated. OUTCROP_ROOT_ACCESS_KEY and
// OUTCROP_ROOT_SECRET_KEY exist only there. Any variable with _FILE appended names a file that
// holds the value (container secrets).
#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/nfs/export.h"
#include "auth/access/acl.h"
#include "auth/audit/audit_log.h"
#include "storage/base/log.h"
#include "storage/base/result.h"

namespace outcrop::io {
enum class BackendKind : std::uint8_t;
}

namespace outcrop::server {

struct HostPort {
  std::string host;  ///< an address, never a name
  std::uint16_t port = 0;
  bool operator==(const HostPort&) const = default;
};

/// An identity provider (docs/guide/users.md).
struct OidcProvider {
  std::string issuer;                   ///< URL, as tokens name it
  std::vector<std::string> client_ids;  ///< whom tokens must be for
  std::string jwks;     ///< its keys: a file, or a URL; empty: where the provider says
  std::string ca_file;  ///< empty: the authorities of the system
  bool operator==(const OidcProvider&) const = default;
};

struct Config {
  HostPort s3{"0.0.0.0", 9000};
  HostPort admin{"127.0.0.1", 9001};
  std::string tls_cert, tls_key;   ///< both or neither
  unsigned workers = 0;            ///< 0: one per core
  std::uint64_t memory_limit = 0;  ///< 0: by the cgroup limit or RAM
  unsigned max_connections = 8192;
  unsigned max_connections_per_address = 256;
  std::chrono::seconds shutdown_timeout{30};
  std::chrono::seconds safe_mode = std::chrono::minutes(10);  ///< 0: never
  log::Level log_level = log::Level::info;
  log::Format log_format = log::Format::text;
  bool log_requests = false;
  bool trust_clock = false;  ///< flag --trust-clock
  bool recount = false;      ///< flag --recount
  /// Faults that tests put into the drives (storage/io/faults.h); outcropd --test-faults sets it,
  /// no file and no variable does.
  std::string test_faults;
  std::vector<std::string> drives;
  std::optional<unsigned> parity;  ///< empty: by number of drives
  bool allow_reduced_redundancy = false;
  std::chrono::seconds scrub_period = std::chrono::days(14);        ///< 0: never
  std::chrono::seconds restripe_after = std::chrono::minutes(30);   ///< 0: never
  std::chrono::seconds rebalance_after = std::chrono::minutes(10);  ///< 0: never
  bool sse_c_over_http = false;     ///< SSE-C also without TLS: the keys are in the clear then
  bool signature_v2_forms = false;  ///< browser uploads may be signed with HMAC-SHA1
  std::chrono::seconds lifecycle_day = std::chrono::days(1);  ///< how long a day of a rule is
  outcrop::io::BackendKind io{};                              ///< automatic, uring or threads
  std::uint64_t segment_size = 0;                             ///< 0: by drive capacity
  std::string region = "us-east-1";
  bool file_metadata = true;  ///< s3.file_metadata
  bool fast_etags = false;    ///< s3.etag
  bool rgw_dialect = false;   ///< s3.dialect
  std::vector<std::string> domains;
  std::string state_dir = ".";
  bool unsigned_payload_http = true;
  bool audit = true;      ///< audit.enabled
  std::string audit_dir;  ///< empty: <state_dir>/audit
  std::uint64_t audit_file_size = 64 << 20;
  unsigned audit_files = 16;
  std::uint64_t audit_queue = 8 << 20;
  audit::Sync audit_sync = audit::Sync::second;
  bool block_public_access = true;  ///< of buckets that do not say otherwise
  /// The same.
  access::Ownership object_ownership = access::Ownership::enforced;
  std::vector<OidcProvider> oidc;
  bool oidc_plain_http = false;  ///< providers may be at http:// URLs
  std::chrono::seconds oidc_refresh = std::chrono::minutes(5);  ///< least time between fetches
  std::string key_file;  ///< opens sealed secrets; empty: seal-key in state_dir
  std::optional<HostPort> nfs = HostPort{"0.0.0.0", 2049};  ///< empty: no NFS
  std::chrono::seconds nfs_lease{60}, nfs_grace{60};
  bool nfs_portmap = false;
  std::string nfs_tls_cert, nfs_tls_key, nfs_tls_client_ca;
  std::vector<nfs::Export> exports;  ///< without ids; paths do not nest
  std::string root_access_key, root_secret_key;
  bool operator==(const Config&) const = default;
};

/// The value of an environment variable, if set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

/// `text` as TOML; `file` is its name in messages. Checks each value, not yet how they fit
/// together.
Result<Config> parse_config(std::string_view text, const std::string& file);
/// Values from the environment replace those of the file.
Result<void> apply_environment(Config& config, const Environment& env);
/// What only the whole can tell: drives there, certificate with key. Relative paths become paths
/// relative to `base`, the folder of the configuration file.
Result<void> finish_config(Config& config, const std::string& base);
/// What an export asks of the transport that the configuration does not give; empty: nothing.
std::string security_complaint(const Config& config, const nfs::Export& e);
/// All of the above for a file.
Result<Config> load_config(const std::string& path, const Environment& env);

/// Every key; a test compares them with those of conf/outcrop.toml.
std::vector<std::string_view> config_keys();

/// Those of [[auth.oidc]].
std::span<const std::string_view> oidc_fields();

/// "512MiB", "1GiB", "4096": bytes. Decimal units (MB) are refused: they mean different things to
/// different people.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::optional<HostPort> parse_host_port(std::string_view text);

}  // namespace outcrop::server
