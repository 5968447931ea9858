// JSON Web Tokens of identity providers (RFC 7519, RFC 7515 compact form; OpenID Connect Core 1.0
// section 2): parsed with bounds, and verified. What a token says is worth nothing before verify()
// has given its Claims out. Pure; any thread.
#pragma once
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "auth/oidc/jwk.h"

namespace outcrop::oidc {

inline constexpr std::size_t kMaxTokenBytes = 20'000;  ///< AWS: of WebIdentityToken
inline constexpr std::size_t kMaxSubject = 255;        ///< OpenID Connect Core 1.0, section 2
inline constexpr std::size_t kMaxAudiences = 100;
/// IAM User Guide, "Passing session tags using AssumeRoleWithWebIdentity": an object with
/// principal_tags and transitive_tag_keys, or names that begin with it.
inline constexpr std::string_view kTagsClaim = "https://aws.amazon.com/tags";
inline constexpr std::int64_t kSkewSeconds = 60;  ///< between the provider's clock and ours

struct Claims {
  std::string issuer, subject;
  std::string party;                   ///< azp; empty: the token has none
  std::vector<std::string> audiences;  ///< aud; at least one
  std::vector<std::string> methods;    ///< amr
  /// Of the session that is got with it: what AWS reads below kTagsClaim, in either form. Whether
  /// they can be tags is not looked at.
  std::vector<std::pair<std::string, std::string>> tags;
  std::vector<std::string> transitive_tags;              ///< keys
  std::int64_t expires = 0, issued = 0, not_before = 0;  ///< seconds since 1970
};

enum class TokenFault : std::uint8_t {
  malformed,    ///< not a token, or one that says less than it must, or is signed in a way that is
                ///< not accepted
  unknown_key,  ///< signed with a key that is not among those of the provider
  signature,    ///< not signed by the provider
  expired,
  not_yet,  ///< issued, or valid, from a later time on only
};
struct TokenError {
  TokenFault fault = TokenFault::malformed;
  std::string message;  ///< for the client
};
template <class T = void>
using Checked = std::expected<T, TokenError>;

class Token {
 public:
  /// malformed.
  static Checked<Token> parse(std::string_view text);
  /// Says whose keys to look at, and nothing else: nobody has verified it.
  const std::string& unverified_issuer() const { return x_claims.issuer; }
  const std::string& key_id() const { return x_key; }

  /// `now` in seconds since 1970. Signature first: what an unsigned token lacks is nobody's
  /// business. That the issuer is the one that `keys` are of is the caller's to see to, and so is
  /// the audience.
  Checked<Claims> verify(const KeySet& keys, std::int64_t now) const;

 private:
  Claims x_claims;
  Algorithm x_algorithm{};
  std::string x_key, x_text, x_signature;  ///< kid; what is signed; by what
};

}  // namespace outcrop::oidc
