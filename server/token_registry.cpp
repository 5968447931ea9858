#include "server/token_registry.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "server/admin_token.h"
#include "server/private_file.h"
#include "storage/base/log.h"

namespace outcrop::server {
namespace {

namespace json = boost::json;

constexpr std::int64_t kFormat = 1;
constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr std::size_t kIdBytes = 6, kSecretBytes = 32;
constexpr std::string_view kPrefix = "oct_";  // so that scanners of leaked secrets know it

struct ScopeName {
  std::string_view name;
  std::uint8_t scope;
};
constexpr std::array<ScopeName, 4> kScopes{{{"read", admin::kScopeRead},
                                            {"exports", admin::kScopeExports},
                                            {"drives", admin::kScopeDrives},
                                            {"full", admin::kScopeFull}}};

std::string to_hex(std::span<const std::byte> bytes) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const std::byte b : bytes) {
    out.push_back(kHex[static_cast<unsigned>(b) >> 4]);
    out.push_back(kHex[static_cast<unsigned>(b) & 15]);
  }
  return out;
}

bool read_hex(std::string_view text, std::span<std::byte> out) {
  if (text.size() != 2 * out.size()) {
    return false;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    unsigned value = 0;
    const char* const at = text.data() + 2 * i;
    const auto [end, ec] = std::from_chars(at, at + 2, value, 16);
    if (ec != std::errc{} || end != at + 2) {
      return false;
    }
    out[i] = static_cast<std::byte>(value);
  }
  return true;
}

std::string_view text_of(const json::object& o, std::string_view name) {
  const json::value* const v = o.if_contains(name);
  return v != nullptr && v->is_string() ? std::string_view(v->get_string()) : std::string_view();
}

std::int64_t number_of(const json::object& o, std::string_view name) {
  const json::value* const v = o.if_contains(name);
  return v != nullptr && v->is_int64() ? v->get_int64() : -1;
}

/// 0: not an array of known scopes, or empty.
std::uint8_t scopes_of(const json::object& o) {
  const json::value* const v = o.if_contains("scopes");
  if (v == nullptr || !v->is_array()) {
    return 0;
  }
  std::uint8_t out = 0;
  for (const json::value& item : v->get_array()) {
    const auto* const known =
        item.is_string()
            ? std::ranges::find(kScopes, std::string_view(item.get_string()), &ScopeName::name)
            : kScopes.end();
    if (known == kScopes.end()) {
      return 0;
    }
    out = static_cast<std::uint8_t>(out | known->scope);
  }
  return out;
}

bool good_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxTokenName &&
         std::ranges::all_of(name, [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

TokenRegistry::Hash TokenRegistry::hash_of(std::string_view token) {
  Hash out{};
  ::SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(),
           reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

Result<std::unique_ptr<TokenRegistry>> TokenRegistry::open(const std::filesystem::path& state_dir,
                                                           Random& random,
                                                           const Clock& clock) {
  TRY(const std::string bootstrap, load_admin_token(state_dir, random));
  const std::filesystem::path file = state_dir / "admin-tokens.json";
  TRY(const std::optional<std::string> text, read_private_file(file, kMaxFileBytes));
  std::vector<Token> tokens;
  if (text) {
    Result<std::vector<Token>> parsed = parse(*text);
    if (!parsed) {
      return fail(Errc::config, file.string() +
                                    ": damaged; restore it from a backup, or remove it: all "
                                    "tokens but the one in admin-token are void then");
    }
    tokens = *std::move(parsed);
  }
  return std::unique_ptr<TokenRegistry>(
      new TokenRegistry(file, hash_of(bootstrap), std::move(tokens), random, clock));
}

Result<std::vector<TokenRegistry::Token>> TokenRegistry::parse(std::string_view text) {
  boost::system::error_code ec;
  const json::value root = json::parse({text.data(), text.size()}, ec);
  const json::object* const top = root.if_object();
  const json::value* const all = top != nullptr ? top->if_contains("tokens") : nullptr;
  if (ec || all == nullptr || !all->is_array() || number_of(*top, "format") != kFormat) {
    return fail(Errc::corrupt);
  }
  std::vector<Token> out;
  for (const json::value& item : all->get_array()) {
    const json::object* const o = item.if_object();
    Token token;
    if (o == nullptr || !read_hex(text_of(*o, "hash"), token.hash)) {
      return fail(Errc::corrupt);
    }
    token.id = text_of(*o, "id");
    token.name = text_of(*o, "name");
    token.scopes = scopes_of(*o);
    token.created = number_of(*o, "created");
    token.expires = number_of(*o, "expires");
    if (token.id.empty() || !good_name(token.name) || token.scopes == 0 || token.expires < 0) {
      return fail(Errc::corrupt);
    }
    out.push_back(std::move(token));
  }
  return out;
}

std::string TokenRegistry::format(const std::vector<Token>& tokens, bool with_hashes) {
  json::array all;
  for (const Token& token : tokens) {
    json::array scopes;
    for (const ScopeName& s : kScopes) {
      if ((token.scopes & s.scope) != 0) {
        scopes.emplace_back(s.name);
      }
    }
    json::object o = {{"id", token.id},
                      {"name", token.name},
                      {"scopes", std::move(scopes)},
                      {"created", token.created},
                      {"expires", token.expires}};
    if (with_hashes) {
      o.emplace("hash", to_hex(token.hash));
    }
    all.push_back(std::move(o));
  }
  json::object top = {{"tokens", std::move(all)}};
  if (with_hashes) {
    top.emplace("format", kFormat);
  }
  return json::serialize(top) + "\n";
}

std::optional<admin::Caller> TokenRegistry::find(std::string_view token) const {
  const Hash given = hash_of(token);
  const auto equal = [&given](const Hash& hash) {
    return CRYPTO_memcmp(given.data(), hash.data(), hash.size()) == 0;
  };
  std::optional<admin::Caller> out;
  if (equal(x_bootstrap)) {
    out = {.id = "bootstrap", .scopes = admin::kScopeFull};
  }
  const std::int64_t at = now();
  const std::lock_guard lock(x_mutex);
  for (const Token& known : x_tokens) {
    if (equal(known.hash) && at < known.expires) {
      out = {.id = known.id, .scopes = known.scopes};
    }
  }
  return out;
}

std::string TokenRegistry::list() const {
  const std::lock_guard lock(x_mutex);
  return format(x_tokens, false);
}

std::string TokenRegistry::random_hex(std::size_t bytes) {
  std::vector<std::byte> out(bytes);
  x_random.fill(out);
  return to_hex(out);
}

Result<TokenRegistry::Token> TokenRegistry::read_wanted(std::string_view text, std::int64_t now) {
  boost::system::error_code ec;
  const json::value value = json::parse({text.data(), text.size()}, ec);
  const json::object* const o = value.if_object();
  if (ec || o == nullptr) {
    return fail(Errc::invalid_argument, "expected a JSON object");
  }
  for (const auto& [key, ignored] : *o) {
    if (key != "name" && key != "scopes" && key != "expires_in") {
      return fail(Errc::invalid_argument, "unknown field " + std::string(key));
    }
  }
  Token out;
  out.name = text_of(*o, "name");
  if (!good_name(out.name)) {
    return fail(Errc::invalid_argument, "name: expected 1 to 64 printable ASCII characters");
  }
  out.scopes = scopes_of(*o);
  if (out.scopes == 0) {
    return fail(Errc::invalid_argument,
                "scopes: expected an array with some of read, exports, drives, full");
  }
  const std::int64_t seconds = number_of(*o, "expires_in");
  if (seconds < 1 || seconds > kLongestTokenSeconds) {
    return fail(Errc::invalid_argument, "expires_in: expected seconds, at most 366 days");
  }
  out.created = now;
  out.expires = now + seconds;
  return out;
}

Result<std::string> TokenRegistry::create(std::string_view text) {
  TRY(Token made, read_wanted(text, now()));
  const std::lock_guard change(x_change);
  std::vector<Token> next;
  {
    const std::lock_guard lock(x_mutex);
    next = x_tokens;
  }
  std::erase_if(next, [&made](const Token& t) { return t.expires <= made.created; });
  if (next.size() >= kMaxTokens) {
    return fail(Errc::conflict, "there are 256 tokens already: revoke one");
  }
  made.id = random_hex(kIdBytes);
  const std::string secret = std::string(kPrefix) + random_hex(kSecretBytes);
  made.hash = hash_of(secret);
  const json::object out = {
      {"id", made.id}, {"token", secret}, {"name", made.name}, {"expires", made.expires}};
  next.push_back(made);
  TRYV(save(std::move(next)));
  log::info("admin token made", {{"id", made.id}, {"name", made.name}});
  return json::serialize(out) + "\n";
}

Result<void> TokenRegistry::revoke(std::string_view id) {
  const std::lock_guard change(x_change);
  std::vector<Token> next;
  {
    const std::lock_guard lock(x_mutex);
    next = x_tokens;
  }
  if (std::erase_if(next, [id](const Token& t) { return t.id == id; }) == 0) {
    return fail(Errc::not_found, "there is no token with that id");
  }
  TRYV(save(std::move(next)));
  log::info("admin token revoked", {{"id", id}});
  return ok();
}

Result<void> TokenRegistry::save(std::vector<Token> next) {
  TRYV(write_private_file(x_file, format(next, true)));
  const std::lock_guard lock(x_mutex);
  x_tokens = std::move(next);
  return ok();
}

}  // namespace outcrop::server
