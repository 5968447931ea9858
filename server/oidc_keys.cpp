#include "server/oidc_keys.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "api/json/value.h"
#include "auth/crypto.h"
#include "server/private_file.h"
#include "storage/base/log.h"

namespace outcrop::server {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDiscovery = "/.well-known/openid-configuration";

bool is_url(std::string_view text) { return text.contains("://"); }

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text(oidc::kMaxKeySetBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  if (in.bad() || text.empty() || text.size() > oidc::kMaxKeySetBytes) {
    return fail(Errc::config, path + " cannot be read, is empty, or is too large");
  }
  return text;
}

Result<void> write_copy(const std::string& folder, const std::string& path, std::string_view text) {
  std::error_code ec;
  fs::create_directory(folder, ec);
  fs::permissions(folder, fs::perms::owner_all, ec);
  return write_private_file(path, text);
}

/// OpenID Connect Discovery 1.0, section 4.3: the document must be the issuer's own.
Result<std::string> keys_url(std::string_view document, const std::string& issuer) {
  TRY(const json::Value value,
      json::parse(document, {.bytes = kMaxFetchBytes, .depth = 16, .values = 4096}));
  const json::Value* const name = value.find("issuer");
  const json::Value* const url = value.find("jwks_uri");
  if (name == nullptr || !name->is_string() || name->text != issuer) {
    return fail(Errc::invalid_argument, "the discovery document is of another issuer");
  }
  if (url == nullptr || !url->is_string() || !oidc::split_url(url->text)) {
    return fail(Errc::invalid_argument, "the discovery document has no jwks_uri");
  }
  return url->text;
}

}  // namespace

oidc::KeySetPtr OidcKeys::keys(const std::string& issuer) {
  const std::lock_guard lock(x_mutex);
  const auto at = x_entries.find(issuer);
  return at == x_entries.end() ? nullptr : at->second.keys;
}

bool OidcKeys::refresh(const std::string& issuer) {
  const std::lock_guard lock(x_mutex);
  const auto at = x_entries.find(issuer);
  if (at == x_entries.end()) {
    return false;
  }
  Entry& entry = at->second;
  const std::int64_t since = x_parts.clock.steady_ns() - entry.tried_ns;
  entry.wanted = entry.wanted || since >= std::chrono::nanoseconds(x_parts.least).count();
  return entry.wanted;
}

bool OidcKeys::is_due(const Entry& entry) const {
  const std::chrono::seconds pause = entry.failed ? kRetry : kRefresh;
  return !entry.tried || entry.wanted ||
         x_parts.clock.steady_ns() - entry.tried_ns >= std::chrono::nanoseconds(pause).count();
}

std::string OidcKeys::copy_of(const std::string& issuer) const {
  return x_parts.folder + "/" + auth::to_hex(auth::sha256(issuer)) + ".json";
}

Task<> OidcKeys::pass() {
  const std::vector<OidcSource> sources = x_parts.sources();
  std::vector<OidcSource> due;
  std::vector<std::string> gone;
  {
    const std::lock_guard lock(x_mutex);
    std::erase_if(x_entries, [&](const auto& entry) {
      const bool lost = std::ranges::count(sources, entry.first, &OidcSource::issuer) == 0;
      if (lost) {
        gone.push_back(copy_of(entry.first));
      }
      return lost;
    });
    for (const OidcSource& source : sources) {
      if (is_due(x_entries[source.issuer])) {
        due.push_back(source);
      }
    }
  }
  if (!gone.empty()) {
    CO_TRYV(co_await x_parts.pool.run([&gone]() -> Result<void> {
      std::error_code ignored;
      std::ranges::for_each(gone, [&](const std::string& file) { fs::remove(file, ignored); });
      return ok();
    }));
  }
  if (due.empty()) {
    co_return ok();
  }
  TaskGroup group(co_await asio::this_coro::executor);
  for (OidcSource& source : due) {
    group.spawn(update(std::move(source)));
  }
  co_return co_await group.join();
}

Task<> OidcKeys::update(OidcSource source) {
  bool first = false;
  {
    const std::lock_guard lock(x_mutex);
    first = !x_entries[source.issuer].tried;
  }
  if (first && (source.jwks.empty() || is_url(source.jwks))) {
    CO_TRYV(co_await read_copy(source.issuer));
  }
  Result<std::string> text = co_await text_of(source);
  Result<oidc::KeySetPtr> keys = fail(Errc::cancelled);
  if (text) {
    keys = co_await parse(*text);
  }
  const bool good = keys.has_value();
  bool news = first, some = good;
  {
    const std::lock_guard lock(x_mutex);
    Entry& entry = x_entries[source.issuer];
    news = news || entry.failed == good;
    entry.keys = good ? *keys : entry.keys;
    entry.tried_ns = x_parts.clock.steady_ns();
    entry.tried = true;
    entry.failed = !good;
    entry.wanted = false;
    some = entry.keys != nullptr;
  }
  if (news && good) {
    log::info("the keys of an identity provider are there", {{"issuer", source.issuer}});
  } else if (news) {
    const Error& error = text ? keys.error() : text.error();
    log::warn(some ? "the keys of an identity provider cannot be fetched: the last ones are used"
                   : "the keys of an identity provider cannot be fetched: its tokens are refused",
              {{"issuer", source.issuer}, {"error", error.describe()}});
  }
  if (good && (source.jwks.empty() || is_url(source.jwks))) {
    const std::string path = copy_of(source.issuer);
    const Result<void> kept = co_await x_parts.pool.run(
        [&]() -> Result<void> { return write_copy(x_parts.folder, path, *text); });
    if (!kept && news) {
      log::warn("the keys of an identity provider are not kept for the next start",
                {{"issuer", source.issuer}, {"error", kept.error().describe()}});
    }
  }
  co_return ok();
}

Task<std::string> OidcKeys::text_of(const OidcSource& source) {
  if (!source.jwks.empty() && !is_url(source.jwks)) {
    co_return co_await x_parts.pool.run([&source] { return read_file(source.jwks); });
  }
  std::string url = source.jwks;
  if (url.empty()) {
    std::string base = source.issuer;
    base.resize(base.size() - (base.ends_with('/') ? 1 : 0));
    CO_TRY(const std::string document,
           co_await x_parts.fetch(base.append(kDiscovery), source.trust));
    CO_TRY(url, keys_url(document, source.issuer));
  }
  if (!x_parts.plain_http && url.starts_with("http://")) {
    co_return fail(Errc::invalid_argument, "keys over http:// prove nothing: " + url);
  }
  co_return co_await x_parts.fetch(std::move(url), source.trust);
}

/// Not on the worker: that a key is one takes arithmetic.
Task<oidc::KeySetPtr> OidcKeys::parse(std::string text) {
  co_return co_await x_parts.pool.run([&text]() -> Result<oidc::KeySetPtr> {
    TRY(oidc::KeySet keys, oidc::KeySet::parse(text));
    return std::make_shared<const oidc::KeySet>(std::move(keys));
  });
}

/// Before anything is asked of the network, which may keep us waiting.
Task<> OidcKeys::read_copy(const std::string& issuer) {
  const std::string path = copy_of(issuer);
  Result<std::optional<std::string>> text =
      co_await x_parts.pool.run([&path] { return read_private_file(path, oidc::kMaxKeySetBytes); });
  if (!text || !*text) {
    if (!text) {
      log::warn("the kept keys of an identity provider cannot be read",
                {{"issuer", issuer}, {"error", text.error().describe()}});
    }
    co_return ok();
  }
  const Result<oidc::KeySetPtr> keys = co_await parse(*std::move(*text));
  if (!keys) {
    log::warn("the kept keys of an identity provider are damaged",
              {{"issuer", issuer}, {"error", keys.error().describe()}});
    co_return ok();
  }
  log::info("the kept keys of an identity provider are used until it answers",
            {{"issuer", issuer}});
  const std::lock_guard lock(x_mutex);
  x_entries[issuer].keys = *keys;
  co_return ok();
}

}  // namespace outcrop::server
