#include "auth/identity/session.h"

#include <algorithm>

#include "auth/identity/limits.h"
#include "auth/oidc/token.h"
#include "storage/base/codec.h"
#include "storage/digest/text.h"

namespace outcrop::identity {
namespace {

/// Version 2 ended before the managed policies, version 3 before the tags.
constexpr std::uint8_t kVersion = 4, kFirstVersion = 2, kTagsVersion = 4;
constexpr std::size_t kMaxKeyText = 128;

std::string purpose(std::string_view access_key) { return "session " + std::string(access_key); }

/// The access key that the session came from, if it may be used; its user may have another name by
/// now.
AccessKeyPtr issuer_of(const State& state, const Session& s) {
  const auto key = state.keys.find(s.issuer_key);
  const bool usable =
      key != state.keys.end() && key->second->active && key->second->account.empty();
  return usable ? key->second : nullptr;
}

/// The issuer's own rights today; null if he has none any more.
auth::IdentityPtr parent_of(const State& state, const Session& s, std::string_view root_key) {
  if (const Federation& f = s.federation; !f.provider.empty()) {
    const auto provider = state.providers.find(f.provider);
    const EntityPtr role = state.find(EntityKind::role, f.role);
    const bool lasts = provider != state.providers.end() &&
                       provider->second->created_ns == f.provider_ns && role &&
                       role->id == f.role_id;
    return lasts ? state.identity_of(*role) : nullptr;
  }
  if (s.issuer_key == root_key) {
    return s.user.empty() ? state.root : nullptr;
  }
  const AccessKeyPtr key = issuer_of(state, s);
  const EntityPtr user = key && !s.user.empty() ? state.find(EntityKind::user, key->user) : nullptr;
  return user ? state.identity_of(*user) : nullptr;
}

/// Those of the session count before those of the role.
void add_tags(const Session& s, auth::Identity& out) {
  Tags all = tags_of(out.tags), transitive;
  for (const auto& [key, tag] : s.tags) {
    all.erase(key);
    all.emplace(key, tag.value);
    if (tag.transitive) {
      transitive.emplace(key, tag.value);
    }
  }
  out.tags = keep_tags(std::move(all));
  out.transitive = keep_tags(std::move(transitive));
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
  add_tags(s, *out);
  return out;
}

/// What version 2 does not have.
void read_later(Reader& r, Session& s) {
  for (std::size_t n = r.count(kMaxSessionPolicies); n > 0; --n) {
    s.managed.emplace_back(r.str(kMaxPolicyName));
  }
  Federation& f = s.federation;
  f.provider = r.str(kMaxProviderUrl);
  f.subject = r.str(oidc::kMaxSubject);
  f.audience = r.str(kMaxClientId);
  f.role = r.str(kMaxUserName);
  f.role_id = r.str(kMaxKeyText);
  f.provider_ns = static_cast<std::int64_t>(r.u64());
}

void read_tags(Reader& r, Session& s) {
  for (std::size_t n = r.count(kMaxTags); n > 0; --n) {
    std::string key(r.str(kMaxTagKeyBytes)), value(r.str(kMaxTagValueBytes));
    s.tags.emplace(std::move(key), SessionTag{std::move(value), r.u8() == 1});
  }
}

/// All that restricts the session, as one policy: what one of them allows, and none denies.
PolicyPtr restriction_of(const State& state, const Session& s) {
  auto out = std::make_shared<NamedPolicy>();
  out->name = "session";
  std::vector<std::string_view> texts;
  if (!s.policy.empty()) {
    texts.push_back(s.policy);
  }
  for (const std::string& name : s.managed) {
    const ManagedPtr managed = state.find_policy(name);
    texts.push_back(managed ? std::string_view(managed->document->text) : "");
  }
  std::vector<policy::Policy> parts;
  for (const std::string_view text : texts) {
    auto part =
        policy::Policy::compile(text, policy::PolicyKind::identity, {}, policy::Origin::store);
    if (!part) {
      return out;  // unreadable, or gone
    }
    parts.push_back(*std::move(part));
  }
  out->compiled = policy::Policy::together(std::move(parts));
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
  w.varint(s.managed.size());
  std::ranges::for_each(s.managed, [&](const std::string& name) { w.str(name); });
  const Federation& f = s.federation;
  for (const std::string* text : {&f.provider, &f.subject, &f.audience, &f.role, &f.role_id}) {
    w.str(*text);
  }
  w.u64(static_cast<std::uint64_t>(f.provider_ns));
  w.varint(s.tags.size());
  for (const auto& [name, tag] : s.tags) {
    w.str(name);
    w.str(tag.value);
    w.u8(tag.transitive ? 1 : 0);
  }
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
  const std::uint8_t version = r.u8();
  if (version < kFirstVersion || version > kVersion) {
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
  if (version > kFirstVersion) {
    read_later(r, s);
  }
  if (version >= kTagsVersion) {
    read_tags(r, s);
  }
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
  const AccessKeyPtr key = issuer_of(state, s);
  out->issuer_user = key ? key->user : s.user;
  out->federation = s.federation;
  if (!s.policy.empty() || !s.managed.empty()) {
    out->session = restriction_of(state, s);
    out->unreadable = out->unreadable || !out->session->compiled;
  }
  return out;
}

}  // namespace outcrop::identity
