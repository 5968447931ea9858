#include "server/config.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "server/config_toml.h"
#include "server/config_values.h"
#include "server/drive_list.h"
#include "storage/io/disk.h"

namespace outcrop::server {
namespace {

/// Puts a value into its place; the return value says what was expected instead.
using Setter = std::optional<Expected> (*)(Config& c, const ConfigValue& v, bool from_env);

struct Key {
  std::string_view name;
  Setter set;
};

template <class T, class R>
std::optional<Expected> assign(T& to, std::expected<R, Expected> value) {
  if (!value) {
    return std::move(value).error();
  }
  to = static_cast<T>(*std::move(value));
  return std::nullopt;
}

/// One of a few words.
template <class T, std::size_t N>
std::optional<Expected> choose(T& to,
                               const ConfigValue& v,
                               const std::array<std::pair<std::string_view, T>, N>& choices) {
  std::string expected;
  for (const auto& [word, value] : choices) {
    const auto* text = std::get_if<std::string>(&v);
    if (text != nullptr && *text == word) {
      to = value;
      return std::nullopt;
    }
    expected.append(expected.empty() ? "\"" : ", \"").append(word).append("\"");
  }
  return "one of " + expected;
}

constexpr std::array<std::pair<std::string_view, log::Level>, 4> kLevels = {
    {{"debug", log::Level::debug},
     {"info", log::Level::info},
     {"warn", log::Level::warn},
     {"error", log::Level::error}}};
constexpr std::array<std::pair<std::string_view, log::Format>, 2> kFormats = {
    {{"text", log::Format::text}, {"json", log::Format::json}}};
constexpr std::array<std::pair<std::string_view, io::BackendKind>, 3> kIoChoices = {
    {{"auto", io::BackendKind::automatic},
     {"uring", io::BackendKind::uring},
     {"threads", io::BackendKind::threads}}};

constexpr std::array<std::pair<std::string_view, bool>, 2> kEtags = {
    {{"md5", false}, {"fast", true}}};
constexpr std::array<std::pair<std::string_view, bool>, 2> kDialects = {
    {{"aws", false}, {"rgw", true}}};
constexpr std::array<std::pair<std::string_view, audit::Sync>, 3> kSyncs = {
    {{"batch", audit::Sync::batch},
     {"second", audit::Sync::second},
     {"never", audit::Sync::never}}};
constexpr std::array<std::pair<std::string_view, access::Ownership>, 4> kOwnerships = {
    {{"BucketOwnerEnforced", access::Ownership::enforced},
     {"BucketOwnerPreferred", access::Ownership::preferred},
     {"ObjectWriter", access::Ownership::writer},
     {"none", access::Ownership::none}}};
constexpr std::uint64_t kLeastAuditFile = 1 << 20, kLeastAuditQueue = 1 << 20;
constexpr unsigned kMostAuditFiles = 999;

constexpr unsigned kMostWorkers = 256, kMostConnections = 1'000'000, kMostParity = 15;
constexpr std::uint64_t kLeastMemory = 128 << 20, kLeastSegment = 1 << 20;

std::optional<Expected> set_parity(Config& c, const ConfigValue& v, bool from_env) {
  const auto* text = std::get_if<std::string>(&v);
  if (text != nullptr && *text == "auto") {
    c.parity.reset();
    return std::nullopt;
  }
  const auto n = read_count(v, from_env, 0, kMostParity);
  if (!n) {
    return "\"auto\" or " + n.error();
  }
  c.parity = static_cast<unsigned>(*n);
  return std::nullopt;
}

std::optional<Expected> set_nfs_listen(Config& c, const ConfigValue& v, bool /*from_env*/) {
  const auto* text = std::get_if<std::string>(&v);
  if (text != nullptr && text->empty()) {
    c.nfs.reset();
    return std::nullopt;
  }
  const auto address = read_host_port(v);
  if (!address) {
    return "\"\" or " + address.error();
  }
  c.nfs = *address;
  return std::nullopt;
}

using V = const ConfigValue&;
constexpr std::array kKeys = {
    Key{"region", [](Config& c, V v, bool) { return assign(c.region, read_string(v)); }},
    Key{"domain", [](Config& c, V v, bool env) { return assign(c.domains, read_list(v, env)); }},
    Key{"state_dir", [](Config& c, V v, bool) { return assign(c.state_dir, read_string(v)); }},
    Key{"server.s3", [](Config& c, V v, bool) { return assign(c.s3, read_host_port(v)); }},
    Key{"server.admin", [](Config& c, V v, bool) { return assign(c.admin, read_host_port(v)); }},
    Key{"server.workers",
        [](Config& c, V v, bool env) {
          return assign(c.workers, read_count(v, env, 0, kMostWorkers));
        }},
    Key{"server.memory_limit",
        [](Config& c, V v, bool) {
          return assign(c.memory_limit, read_size_or_auto(v, kLeastMemory));
        }},
    Key{"server.max_connections",
        [](Config& c, V v, bool env) {
          return assign(c.max_connections, read_count(v, env, 1, kMostConnections));
        }},
    Key{"server.max_connections_per_address",
        [](Config& c, V v, bool env) {
          return assign(c.max_connections_per_address, read_count(v, env, 0, kMostConnections));
        }},
    Key{"server.shutdown_timeout",
        [](Config& c, V v, bool) { return assign(c.shutdown_timeout, read_seconds(v)); }},
    Key{"server.safe_mode",
        [](Config& c, V v, bool) { return assign(c.safe_mode, read_period(v)); }},
    Key{"server.tls.cert", [](Config& c, V v, bool) { return assign(c.tls_cert, read_string(v)); }},
    Key{"server.tls.key", [](Config& c, V v, bool) { return assign(c.tls_key, read_string(v)); }},
    Key{"log.level", [](Config& c, V v, bool) { return choose(c.log_level, v, kLevels); }},
    Key{"log.format", [](Config& c, V v, bool) { return choose(c.log_format, v, kFormats); }},
    Key{"log.requests",
        [](Config& c, V v, bool env) { return assign(c.log_requests, read_bool(v, env)); }},
    Key{"storage.drives",
        [](Config& c, V v, bool env) { return assign(c.drives, read_list(v, env)); }},
    Key{"storage.parity", set_parity},
    Key{"storage.allow_reduced_redundancy",
        [](Config& c, V v, bool env) {
          return assign(c.allow_reduced_redundancy, read_bool(v, env));
        }},
    Key{"storage.io", [](Config& c, V v, bool) { return choose(c.io, v, kIoChoices); }},
    Key{"storage.segment_size",
        [](Config& c, V v, bool) {
          return assign(c.segment_size, read_size_or_auto(v, kLeastSegment));
        }},
    Key{"storage.scrub_period",
        [](Config& c, V v, bool) { return assign(c.scrub_period, read_period(v)); }},
    Key{"storage.restripe_after",
        [](Config& c, V v, bool) { return assign(c.restripe_after, read_period(v)); }},
    Key{"storage.rebalance_after",
        [](Config& c, V v, bool) { return assign(c.rebalance_after, read_period(v)); }},
    Key{"nfs.listen", set_nfs_listen},
    Key{"nfs.lease", [](Config& c, V v, bool) { return assign(c.nfs_lease, read_seconds(v)); }},
    Key{"nfs.grace", [](Config& c, V v, bool) { return assign(c.nfs_grace, read_seconds(v)); }},
    Key{"nfs.portmap",
        [](Config& c, V v, bool env) { return assign(c.nfs_portmap, read_bool(v, env)); }},
    Key{"nfs.tls.cert",
        [](Config& c, V v, bool) { return assign(c.nfs_tls_cert, read_string(v)); }},
    Key{"nfs.tls.key", [](Config& c, V v, bool) { return assign(c.nfs_tls_key, read_string(v)); }},
    Key{"nfs.tls.client_ca",
        [](Config& c, V v, bool) { return assign(c.nfs_tls_client_ca, read_string(v)); }},
    Key{"s3.etag", [](Config& c, V v, bool) { return choose(c.fast_etags, v, kEtags); }},
    Key{"s3.dialect", [](Config& c, V v, bool) { return choose(c.rgw_dialect, v, kDialects); }},
    Key{"s3.file_metadata",
        [](Config& c, V v, bool env) { return assign(c.file_metadata, read_bool(v, env)); }},
    Key{"s3.lifecycle_day",
        [](Config& c, V v, bool) { return assign(c.lifecycle_day, read_period(v)); }},
    Key{"s3.sse_c_over_http",
        [](Config& c, V v, bool env) { return assign(c.sse_c_over_http, read_bool(v, env)); }},
    Key{"s3.signature_v2_forms",
        [](Config& c, V v, bool env) { return assign(c.signature_v2_forms, read_bool(v, env)); }},
    Key{"auth.unsigned_payload_http",
        [](Config& c,
           V v,
           bool env) { return assign(c.unsigned_payload_http, read_bool(v, env)); }},
    Key{"audit.enabled",
        [](Config& c, V v, bool env) { return assign(c.audit, read_bool(v, env)); }},
    Key{"audit.dir", [](Config& c, V v, bool) { return assign(c.audit_dir, read_string(v)); }},
    Key{"audit.file_size",
        [](Config& c,
           V v,
           bool) { return assign(c.audit_file_size, read_size(v, kLeastAuditFile)); }},
    Key{"audit.files",
        [](Config& c,
           V v,
           bool env) { return assign(c.audit_files, read_count(v, env, 2, kMostAuditFiles)); }},
    Key{"audit.queue",
        [](Config& c, V v, bool) { return assign(c.audit_queue, read_size(v, kLeastAuditQueue)); }},
    Key{"audit.sync", [](Config& c, V v, bool) { return choose(c.audit_sync, v, kSyncs); }},
    Key{"auth.block_public_access",
        [](Config& c, V v, bool env) { return assign(c.block_public_access, read_bool(v, env)); }},
    Key{"auth.object_ownership",
        [](Config& c, V v, bool) { return choose(c.object_ownership, v, kOwnerships); }},
    Key{"auth.oidc_plain_http",
        [](Config& c, V v, bool env) { return assign(c.oidc_plain_http, read_bool(v, env)); }},
    Key{"auth.oidc_refresh",
        [](Config& c, V v, bool) { return assign(c.oidc_refresh, read_period(v)); }},
    Key{"auth.key_file", [](Config& c, V v, bool) { return assign(c.key_file, read_string(v)); }},
};

std::string unknown_key(std::string_view name) {
  const auto nearest = std::ranges::min_element(
      kKeys, {}, [name](const Key& k) { return edit_distance(name, k.name); });
  std::string text = "unknown key";
  if (edit_distance(name, nearest->name) <= 3) {
    text.append("; did you mean ").append(nearest->name).append("?");
  } else {
    text.append("; see conf/outcrop.toml for all keys");
  }
  return text;
}

/// Tables are sections, however deep; everything else must be a key of the list.
Result<void> read_table(Config& config,
                        const toml::table& table,
                        const std::string& prefix,
                        const std::string& file) {
  for (const auto& [key, node] : table) {
    const std::string name = prefix + std::string(key.str());
    const std::string section = name + ".";
    const bool known_section = std::ranges::any_of(
        kKeys, [&section](const Key& k) { return k.name.starts_with(section); });
    const std::uint32_t line = key.source().begin.line;
    if (name == "export") {
      TRYV(read_exports(config, node, file));
      continue;
    }
    if (name == "auth.oidc") {
      TRYV(read_oidc(config, node, file));
      continue;
    }
    if (node.is_table() && known_section) {
      TRYV(read_table(config, *node.as_table(), section, file));
      continue;
    }
    const auto* const known = std::ranges::find(kKeys, std::string_view(name), &Key::name);
    if (known == kKeys.end()) {
      return at_line(file, line, name, unknown_key(name));
    }
    const std::optional<ConfigValue> value = value_of(node);
    const std::optional<Expected> expected =
        value ? known->set(config, *value, false)
              : std::optional<Expected>(known->name == "storage.drives" || known->name == "domain"
                                            ? "an array of strings"
                                            : "a single value");
    if (expected) {
      return at_line(file, line, name, "expected " + *expected);
    }
  }
  return ok();
}

std::string variable_of(std::string_view key) {
  std::string name = "OUTCROP_";
  for (const char c : key) {
    name.push_back(c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c);
  }
  return name;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  if (!in.good() && !in.eof()) {
    return fail(Errc::config, "cannot read the file");
  }
  if (text.empty() && !std::filesystem::is_regular_file(path)) {
    return fail(Errc::config, "cannot read the file");
  }
  return text;
}

/// The variable, or the content of the file that its _FILE form names, without a last newline.
Result<std::optional<std::string>> lookup(const Environment& env, const std::string& name) {
  if (std::optional<std::string> direct = env(name)) {
    return direct;
  }
  const std::optional<std::string> path = env(name + "_FILE");
  if (!path) {
    return std::optional<std::string>();
  }
  Result<std::string> text = read_file(*path);
  if (!text) {
    return fail(Errc::config, name + "_FILE: cannot read " + *path);
  }
  while (text->ends_with('\n') || text->ends_with('\r')) {
    text->pop_back();
  }
  return std::optional<std::string>(*std::move(text));
}

}  // namespace

std::vector<std::string_view> config_keys() {
  std::vector<std::string_view> names;
  for (const Key& k : kKeys) {
    names.push_back(k.name);
  }
  return names;
}

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
  };
}

Result<Config> parse_config(std::string_view text, const std::string& file) {
  Config config;
  try {
    const toml::table table = toml::parse(text, file);
    TRYV(read_table(config, table, "", file));
  } catch (const toml::parse_error& e) {
    return at_line(file, e.source().begin.line, "", e.description());
  }
  return config;
}

Result<void> apply_environment(Config& config, const Environment& env) {
  for (const Key& key : kKeys) {
    const std::string name = variable_of(key.name);
    TRY(const std::optional<std::string> value, lookup(env, name));
    if (!value) {
      continue;
    }
    if (const std::optional<Expected> expected = key.set(config, ConfigValue(*value), true)) {
      return fail(Errc::config, name + ": expected " + *expected + ", got \"" + *value + "\"");
    }
  }
  TRY(const std::optional<std::string> access, lookup(env, "OUTCROP_ROOT_ACCESS_KEY"));
  TRY(const std::optional<std::string> secret, lookup(env, "OUTCROP_ROOT_SECRET_KEY"));
  config.root_access_key = access.value_or("");
  config.root_secret_key = secret.value_or("");
  return ok();
}

namespace {

constexpr std::chrono::seconds kLeastLease{5};

Result<void> finish_nfs(const Config& config) {
  if (config.nfs_tls_cert.empty() != config.nfs_tls_key.empty()) {
    return fail(Errc::config, std::string("nfs.tls.") +
                                  (config.nfs_tls_cert.empty() ? "cert" : "key") +
                                  ": missing; TLS needs both nfs.tls.cert and nfs.tls.key");
  }
  if (!config.nfs_tls_client_ca.empty() && config.nfs_tls_cert.empty()) {
    return fail(Errc::config, "nfs.tls.client_ca: needs nfs.tls.cert and nfs.tls.key, too");
  }
  if (config.nfs_lease < kLeastLease) {
    return fail(Errc::config,
                "nfs.lease: must be at least \"" + std::to_string(kLeastLease.count()) + "s\"");
  }
  if (config.nfs_grace < config.nfs_lease) {
    return fail(Errc::config,
                "nfs.grace: must not be shorter than nfs.lease, or clients cannot "
                "reclaim what they had");
  }
  for (const nfs::Export& e : config.exports) {
    if (const std::string complaint = security_complaint(config, e); !complaint.empty()) {
      return fail(Errc::config, "export " + e.path + ": " + complaint);
    }
  }
  return ok();
}

}  // namespace

std::string security_complaint(const Config& config, const nfs::Export& e) {
  if (e.security != nfs::TransportSecurity::none && config.nfs_tls_cert.empty()) {
    return "xprtsec: needs nfs.tls.cert and nfs.tls.key";
  }
  if (e.security == nfs::TransportSecurity::mtls && config.nfs_tls_client_ca.empty()) {
    return "xprtsec: \"mtls\" needs nfs.tls.client_ca";
  }
  return {};
}

Result<void> finish_config(Config& config, const std::string& base) {
  if (config.lifecycle_day < std::chrono::seconds(1)) {
    return fail(Errc::config, "s3.lifecycle_day: must be at least \"1s\"");
  }
  if (config.drives.empty()) {
    return fail(Errc::config,
                "storage.drives: no drives; list at least one directory, like [\"/mnt/drive1\"]");
  }
  if (config.tls_cert.empty() != config.tls_key.empty()) {
    return fail(Errc::config, std::string("server.tls.") +
                                  (config.tls_cert.empty() ? "cert" : "key") +
                                  ": missing; TLS needs both server.tls.cert and server.tls.key");
  }
  if (config.parity && *config.parity >= config.drives.size()) {
    return fail(Errc::config, "storage.parity: must be less than the number of drives (" +
                                  std::to_string(config.drives.size()) + ")");
  }
  if (config.region.empty()) {
    return fail(Errc::config, "region: empty; give a name like \"us-east-1\"");
  }
  if (config.root_access_key.empty() != config.root_secret_key.empty()) {
    return fail(Errc::config,
                "set both OUTCROP_ROOT_ACCESS_KEY and OUTCROP_ROOT_SECRET_KEY, or neither");
  }
  TRYV(finish_nfs(config));
  TRYV(finish_oidc(config, base));
  const auto anchor = [&base](std::string& path) {
    if (!path.empty()) {
      path = (std::filesystem::path(base) / path).lexically_normal().string();
    }
  };
  const auto anchor_folder = [&anchor](std::string& path) {
    anchor(path);
    path = normal_folder(path);
  };
  std::ranges::for_each(config.drives, anchor_folder);
  anchor_folder(config.state_dir);
  anchor_folder(config.audit_dir);
  anchor(config.key_file);
  anchor(config.tls_cert);
  anchor(config.tls_key);
  anchor(config.nfs_tls_cert);
  anchor(config.nfs_tls_key);
  anchor(config.nfs_tls_client_ca);
  return ok();
}

Result<Config> load_config(const std::string& path, const Environment& env) {
  const Result<std::string> text = read_file(path);
  if (!text) {
    return fail(Errc::config, path + ": cannot read the file; give the path of an outcrop.toml");
  }
  TRY(Config config, parse_config(*text, path));
  TRYV(apply_environment(config, env));
  const std::string base = std::filesystem::absolute(path).parent_path().string();
  if (Result<void> whole = finish_config(config, base); !whole) {
    return fail(Errc::config, path + ": " + std::string(whole.error().detail()));
  }
  return config;
}

}  // namespace outcrop::server
