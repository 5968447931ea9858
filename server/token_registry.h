// The tokens of the admin API: the one of state_dir/admin-token, which may everything and does not
// end, and those that are made at run time, with scopes and an end, in state_dir/admin-tokens.json
// (0600). Of the latter only SHA-256 hashes are kept: the file lets nobody in. (A plain hash does:
// tokens are 256 random bits, there is nothing to guess.)
#pragma once
#include <array>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/admin/v1.h"
#include "storage/base/clock.h"
#include "storage/base/random.h"
#include "storage/base/result.h"

namespace outcrop::server {

inline constexpr std::size_t kMaxTokens = 256;
inline constexpr std::size_t kMaxTokenName = 64;
inline constexpr std::int64_t kLongestTokenSeconds = 366 * 24 * 3600;

class TokenRegistry {
 public:
  /// Makes what is not there yet. `random` and `clock` are borrowed. Errors: config, one line; a
  /// file that does not parse is never replaced.
  static Result<std::unique_ptr<TokenRegistry>> open(const std::filesystem::path& state_dir,
                                                     Random& random,
                                                     const Clock& clock);

  /// Any thread; does not block on the disk. All tokens are compared, each in constant time.
  std::optional<admin::Caller> find(std::string_view token) const;

  // Any thread; blocks on the disk. JSON as docs/admin-api.yaml has it.
  std::string list() const;
  /// {"name", "scopes", "expires_in"}: gives the token, this one time. Durable on return.
  /// invalid_argument; conflict: there are kMaxTokens that have not ended.
  Result<std::string> create(std::string_view json);
  Result<void> revoke(std::string_view id);  ///< not_found

 private:
  using Hash = std::array<std::byte, 32>;
  struct Token {
    std::string id, name;
    std::uint8_t scopes = 0;
    std::int64_t created = 0, expires = 0;  ///< seconds since 1970
    Hash hash{};
  };
  TokenRegistry(std::filesystem::path file,
                Hash bootstrap,
                std::vector<Token> tokens,
                Random& random,
                const Clock& clock)
      : x_file(std::move(file)),
        x_bootstrap(bootstrap),
        x_random(random),
        x_clock(clock),
        x_tokens(std::move(tokens)) {}
  static Hash hash_of(std::string_view token);
  static Result<std::vector<Token>> parse(std::string_view text);
  static std::string format(const std::vector<Token>& tokens, bool with_hashes);
  static Result<Token> read_wanted(std::string_view json, std::int64_t now);
  std::string random_hex(std::size_t bytes);
  Result<void> save(std::vector<Token> next);
  std::int64_t now() const { return x_clock.wall_ns() / 1'000'000'000; }

  const std::filesystem::path x_file;
  const Hash x_bootstrap;
  Random& x_random;
  const Clock& x_clock;
  std::mutex x_change;         ///< held while the file is written
  mutable std::mutex x_mutex;  ///< of x_tokens; never held while the file is written
  std::vector<Token> x_tokens;
};

}  // namespace outcrop::server
