#include "auth/identity/session.h"

#include "auth/identity/limits.h"
#include "storage/base/codec.h"
#include "storage/digest/text.h"

namespace outcrop::identity {
namespace {

constexpr std::uint8_t kVersion = 2;
constexpr std::size_t kMaxKeyText = 128;

std::string purpose(std::string_view access_key) { return "session " + std::string(access_key); }

/// The issuer's own rights today; null if he has none any more.
auth::IdentityPtr parent_of(const State& state, const Session& s, std::string_view root_key) {
  if (s.issuer_key == root_key) {
    return s.user.empty() ? state.root : nullptr;
  }
  const auto key = state.keys.find(s.issuer_key);
  const bool usable = key != state.keys.end() && key->second->active &&
                      key->second->account.empty() && key->second->user == s.user;
  if (!usable) {
    return nullptr;
  }
  if (s.user.empty()) {
    return state.root;
  }
  const EntityPtr user = state.find(EntityKind::user, s.user);
  return user ? state.identity_of(*user) : nullptr;
}

auth::IdentityPtr role_of(const State& state, const Session& s, std::string_view root_key) {
  const EntityPtr role = state.find(EntityKind::role, s.role);
  if (!role || role->id != s.role_id || !parent_of(state, s, root_key)) {
    return nullptr;
  }
  auto out = std::make_shared<auth::Identity>(*state.identity_of(*role));
  out->role_arn = out->arn;
  out->arn = "arn:aws:sts::" + std::string(policy::kAccount) + ":assumed-role/" + role->name + "/" +
             s.name;
  out->user_id = role->id + ":" + s.name;
  return out;
}

}  // namespace

std::string seal_session(const SealKey& key, const Session& s, Random& random) {
  Writer w;
  w.u8(kVersion);
  for (const std::string* text :
       {&s.secret, &s.issuer_key, &s.role, &s.role_id, &s.user, &s.name, &s.policy}) {
    w.str(*text);
  }
  w.u64(static_cast<std::uint64_t>(s.issued_ns));
  w.u64(static_cast<std::uint64_t>(s.expires_ns));
  return digest::to_base64(as_bytes(seal(key, purpose(s.access_key), w.view(), random)));
}

std::optional<Session> open_session(const SealKey& key,
                                    std::string_view access_key,
                                    std::string_view token) {
  if (token.size() > kMaxTokenBytes || access_key.size() > kMaxKeyText) {
    return std::nullopt;
  }
  const auto sealed = digest::from_base64(token);
  if (!sealed) {
    return std::nullopt;
  }
  const auto plain = unseal(key, purpose(access_key), *sealed);
  if (!plain) {
    return std::nullopt;
  }
  Reader r(*plain);
  Session s;
  s.access_key = access_key;
  if (r.u8() != kVersion) {
    return std::nullopt;
  }
  s.secret = r.str(kMaxKeyText);
  s.issuer_key = r.str(kMaxKeyText);
  s.role = r.str(kMaxUserName);
  s.role_id = r.str(kMaxKeyText);
  s.user = r.str(kMaxUserName);
  s.name = r.str(kMaxSessionName);
  s.policy = r.str(kMaxSessionPolicyBytes);
  s.issued_ns = static_cast<std::int64_t>(r.u64());
  s.expires_ns = static_cast<std::int64_t>(r.u64());
  return r.done() ? std::optional(std::move(s)) : std::nullopt;
}

auth::IdentityPtr identity_of_session(const State& state,
                                      const Session& s,
                                      std::string_view root_key) {
  const auth::IdentityPtr base =
      s.role.empty() ? parent_of(state, s, root_key) : role_of(state, s, root_key);
  if (!base) {
    return nullptr;
  }
  auto out = std::make_shared<auth::Identity>(*base);
  out->temporary = true;
  out->issued_ns = s.issued_ns;
  out->issuer_key = s.issuer_key;
  out->issuer_user = s.user;
  if (!s.policy.empty()) {
    out->session =
        make_policy("session", s.policy, policy::PolicyKind::identity, policy::Origin::store);
    out->unreadable = out->unreadable || !out->session->compiled;
  }
  return out;
}

}  // namespace outcrop::identity
