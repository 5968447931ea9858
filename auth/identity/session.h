// Temporary credentials: what STS gives out. Nothing of them is stored: the token is the session,
// sealed, and names whom it acts for. It ends at its time, and before that when the user, the role
// or the access key that it came from is gone or switched off.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "auth/identity/seal.h"
#include "auth/identity/state.h"
#include "storage/base/random.h"

namespace outcrop::identity {

inline constexpr std::size_t kMaxTokenBytes = 8 << 10;  ///< as text, from strangers
inline constexpr std::size_t kMaxSessionName = 64;

struct Session {
  std::string access_key, secret;
  std::string issuer_key;  ///< the access key that asked for it
  std::string role;        ///< name; empty: it acts for the issuer's user, or the root user
  std::string role_id;     ///< of that role: another one may have its name later
  std::string user;        ///< of the issuer, as he was called; empty: the root user
  std::string name;        ///< of sessions of roles
  std::string policy;      ///< empty: not restricted further by a document of its own
  std::vector<std::string> managed{};  ///< names of managed policies that restrict it
  Federation federation{};             ///< of a token; then there is no issuer
  SessionTags tags{};
  std::int64_t issued_ns = 0, expires_ns = 0;
};

/// Text for x-amz-security-token.
std::string seal_session(const SealKey& key, const Session& session, Random& random);
/// Empty: not a token of this server for this access key.
std::optional<Session> open_session(const SealKey& key,
                                    std::string_view access_key,
                                    std::string_view token);
/// Whom it acts as now; null if that is over. Expiry is the caller's to check.
auth::IdentityPtr identity_of_session(const State& state,
                                      const Session& session,
                                      std::string_view root_key);

}  // namespace outcrop::identity
