#include "auth/identity/record.h"

#include <algorithm>

#include "auth/identity/limits.h"
#include "auth/oidc/issuer.h"
#include "storage/base/codec.h"
#include "storage/meta/tables.h"

namespace outcrop::identity {
namespace {

constexpr std::uint8_t kVersion = 1;
/// Of access keys. Version 1 ended with two texts that were always empty.
constexpr std::uint8_t kKeyVersion = 2;
/// Of the access keys of accounts: the account stands where the user does in the others.
constexpr std::uint8_t kAccountKeyVersion = 3;
/// Of roles whose sessions may last longer or shorter than usual: their seconds follow.
constexpr std::uint8_t kSessionVersion = 2;
/// Of managed policies that have, or had, more than one version: they follow.
constexpr std::uint8_t kVersionsVersion = 2;
/// Of users, roles and managed policies that have tags, and of users and roles that have a
/// permissions boundary: all of the version before, and these.
constexpr std::uint8_t kTagsVersion = 3;
constexpr std::uint8_t kProviderTagsVersion = 2;
constexpr std::size_t kMaxId = 128, kMaxSealed = 256;
constexpr char kInline = 'i', kManaged = 'p', kAccessKey = 'a', kCheck = '!', kAccount = 'o',
               kProvider = 'w', kBucket = 'b', kSettings = 'c',
               kKmsKey = 'y';  // of auth/access, api/s3, auth/keys
constexpr char kKinds[kEntityKinds] = {'u', 'g', 'r'};

std::string key_of(char what, std::string_view rest) {
  std::string out(1, static_cast<char>(meta::Table::identity));
  out.push_back(what);
  out.append(rest);
  return out;
}

std::optional<EntityKind> kind_of(char letter) {
  for (std::size_t i = 0; i < kEntityKinds; ++i) {
    if (kKinds[i] == letter) {
      return static_cast<EntityKind>(i);
    }
  }
  return std::nullopt;
}

std::unexpected<Error> broken(std::string_view what) {
  return fail(Errc::corrupt, std::string(what) + " record malformed");
}

void write_names(Writer& w, const std::set<std::string, std::less<>>& names) {
  w.varint(names.size());
  for (const std::string& name : names) {
    w.str(name);
  }
}

std::set<std::string, std::less<>> read_names(Reader& r, std::size_t most, std::size_t longest) {
  std::set<std::string, std::less<>> out;
  for (std::size_t n = r.count(most); n > 0; --n) {
    std::string name(r.str(longest));
    if (!out.empty() && name <= *out.rbegin()) {
      r.fail();
    }
    out.insert(out.end(), std::move(name));
  }
  return out;
}

void write_tags(Writer& w, const TagsPtr& tags) {
  w.varint(tags_of(tags).size());
  for (const auto& [key, value] : tags_of(tags)) {
    w.str(key);
    w.str(value);
  }
}

/// A record that has nothing to say behind the version before is of that version.
TagsPtr read_tags(Reader& r, std::size_t least) {
  Tags out;
  for (std::size_t n = r.count(kMaxTags); n > 0; --n) {
    std::string key(r.str(kMaxTagKeyBytes));
    std::string value(r.str(kMaxTagValueBytes));
    if (key.empty() || (!out.empty() && !NameOrder()(out.rbegin()->first, key))) {
      r.fail();
    }
    out.emplace_hint(out.end(), std::move(key), std::move(value));
  }
  if (out.size() < least) {
    r.fail();
  }
  return keep_tags(std::move(out));
}

PolicyPtr stored_policy(std::string name,
                        std::string text,
                        std::string_view owner,
                        policy::PolicyKind kind = policy::PolicyKind::identity) {
  PolicyPtr out = make_policy(std::move(name), std::move(text), kind, policy::Origin::store);
  if (out->compiled) {
    policy::log_unknown_actions(*out->compiled, out->name, owner);
  }
  return out;
}

/// What there is behind all that version 1 has.
void read_later(Reader& r, Entity& e) {
  const std::uint64_t seconds = r.varint();
  const bool role = e.kind == EntityKind::role;
  if (e.kind == EntityKind::group ||
      (role ? seconds < kMaxRoleSeconds || seconds > kLongestRoleSeconds : seconds != 0)) {
    r.fail();
    return;
  }
  if (role) {
    e.max_session = static_cast<std::int64_t>(seconds);
  }
  e.boundary = r.str(kMaxPolicyName);
  e.tags = read_tags(r, e.boundary.empty() ? 1 : 0);
}

/// One text per role: what is usual is not said.
void read_max_session(Reader& r, Entity& role) {
  const std::uint64_t seconds = r.varint();
  if (role.kind != EntityKind::role || seconds <= kMaxRoleSeconds ||
      seconds > kLongestRoleSeconds) {
    r.fail();
    return;
  }
  role.max_session = static_cast<std::int64_t>(seconds);
}

Result<void> load_entity(
    EntityKind kind, std::string_view name, std::uint8_t version, Reader& r, State& state) {
  Entity e;
  e.kind = kind;
  e.name = name;
  e.path = r.str(kMaxPath);
  e.id = r.str(kMaxId);
  e.created_ns = static_cast<std::int64_t>(r.u64());
  e.description = r.str(kMaxDescription);
  e.groups = read_names(r, kMaxGroupsPerUser, kMaxGroupName);
  e.attached = read_names(r, kMaxAttached, kMaxPolicyName);
  const std::string trust(r.str(policy::kMaxPolicyBytes));
  if (version == kSessionVersion) {
    read_max_session(r, e);
  } else if (version == kTagsVersion) {
    read_later(r, e);
  }
  if (!r.done() || trust.empty() != (kind != EntityKind::role)) {
    return broken("entity");
  }
  if (kind == EntityKind::role) {
    e.trust = stored_policy("trust", trust, e.arn(), policy::PolicyKind::trust);
  }
  auto& all = state.entities[static_cast<std::size_t>(kind)];
  all.insert_or_assign(e.name, std::make_shared<const Entity>(e));
  return ok();
}

/// Inline policies come after all entities: their letter sorts behind 'g' but before 'r' and 'u',
/// so the store loads them in a second pass.
Result<void> load_inline(std::string_view rest, Reader& r, State& state) {
  const std::size_t zero = rest.find('\0');
  const auto kind = rest.empty() ? std::nullopt : kind_of(rest.front());
  if (!kind || zero == std::string_view::npos) {
    return broken("inline policy");
  }
  const EntityPtr owner = state.find(*kind, rest.substr(1, zero - 1));
  if (!owner) {
    return broken("inline policy without its owner:");
  }
  const std::string text(r.str(policy::kMaxPolicyBytes));
  const std::string name(rest.substr(zero + 1));
  const bool whole = r.done();
  Entity changed = *owner;
  changed.inline_policies.insert_or_assign(
      name, stored_policy(name, whole ? text : std::string(), owner->arn()));
  state.entities[static_cast<std::size_t>(*kind)].insert_or_assign(
      changed.name, std::make_shared<const Entity>(changed));
  return whole ? ok() : Result<void>(broken("inline policy"));
}

std::uint32_t read_number(Reader& r) {
  const std::uint64_t number = r.varint();
  if (number == 0 || number > UINT32_MAX) {
    r.fail();
  }
  return static_cast<std::uint32_t>(number);
}

/// What a policy has of which there was ever another version.
void read_versions(Reader& r, ManagedPolicy& p) {
  p.number = read_number(r);
  p.last = read_number(r);
  p.version_ns = static_cast<std::int64_t>(r.u64());
  std::uint32_t before = 0;
  for (std::size_t n = r.count(kMaxPolicyVersions - 1); n > 0; --n) {
    PolicyVersion v;
    v.number = read_number(r);
    v.created_ns = static_cast<std::int64_t>(r.u64());
    v.text = r.str(kMaxManagedBytes);
    if (v.number <= before || v.number > p.last || v.number == p.number) {
      r.fail();
    }
    before = v.number;
    p.others.push_back(std::move(v));
  }
  if (p.number > p.last) {
    r.fail();
  }
}

Result<void> load_managed(std::string_view name, std::uint8_t version, Reader& r, State& state) {
  ManagedPolicy p;
  p.name = name;
  p.path = r.str(kMaxPath);
  p.id = r.str(kMaxId);
  p.created_ns = static_cast<std::int64_t>(r.u64());
  p.description = r.str(kMaxDescription);
  p.document = stored_policy(p.name, std::string(r.str(policy::kMaxPolicyBytes)), p.arn());
  p.version_ns = p.created_ns;
  if (version >= kVersionsVersion) {
    read_versions(r, p);
  }
  if (version == kTagsVersion) {
    p.tags = read_tags(r, 1);
  } else if (version == kVersionsVersion && p.last < 2) {
    r.fail();
  }
  if (!r.done()) {
    return broken("managed policy");
  }
  state.policies.insert_or_assign(p.name, std::make_shared<const ManagedPolicy>(p));
  return ok();
}

Result<void> load_account(std::string_view id, Reader& r, State& state) {
  Account a;
  a.id = id;
  a.canonical_id = r.str(kCanonicalIdChars);
  a.name = r.str(kMaxAccountName);
  a.email = r.str(kMaxEmail);
  a.created_ns = static_cast<std::int64_t>(r.u64());
  if (!r.done() || id.size() != kAccountIdChars || a.canonical_id.size() != kCanonicalIdChars) {
    return broken("account");
  }
  state.accounts.insert_or_assign(a.id, std::make_shared<const Account>(a));
  return ok();
}

std::vector<std::string> read_list(Reader& r, std::size_t most, std::size_t longest) {
  std::vector<std::string> out;
  for (std::size_t n = r.count(most); n > 0; --n) {
    out.emplace_back(r.str(longest));
  }
  return out;
}

/// One that the configuration has, too, is as it says there.
Result<void> load_provider(std::string_view name, std::uint8_t version, Reader& r, State& state) {
  Provider p;
  p.url = r.str(kMaxProviderUrl);
  p.created_ns = static_cast<std::int64_t>(r.u64());
  p.client_ids = read_list(r, kMaxClientIds, kMaxClientId);
  p.thumbprints = read_list(r, kMaxThumbprints, kThumbprintChars);
  if (version == kProviderTagsVersion) {
    p.tags = read_tags(r, 1);
  }
  if (!r.done() || p.name() != name || !oidc::split_url(p.url)) {
    return broken("identity provider");
  }
  state.providers.emplace(name, std::make_shared<const Provider>(std::move(p)));
  return ok();
}

Result<void> load_key(
    std::string_view id, std::uint8_t version, Reader& r, const SealKey& seal_key, State& state) {
  AccessKey k;
  k.id = id;
  const std::uint8_t flags = r.u8();
  k.active = flags == 1;
  (version == kAccountKeyVersion ? k.account : k.user) = r.str(kMaxUserName);
  k.created_ns = static_cast<std::int64_t>(r.u64());
  const std::string_view sealed = r.str(kMaxSealed);
  if (version == 1 && !(r.str(0).empty() && r.str(0).empty())) {
    r.fail();
  }
  if (!r.done() || flags > 1 ||
      (version == kAccountKeyVersion ? k.account.size() != kAccountIdChars : k.user.empty())) {
    return broken("access key");
  }
  TRY(k.secret, unseal(seal_key, k.id, sealed));
  state.keys.insert_or_assign(k.id, std::make_shared<const AccessKey>(k));
  return ok();
}

}  // namespace

std::string entity_key(EntityKind kind, std::string_view name) {
  return key_of(kKinds[static_cast<std::size_t>(kind)], name);
}
std::string inline_key(EntityKind kind, std::string_view name, std::string_view policy) {
  std::string out = key_of(kInline, std::string(1, kKinds[static_cast<std::size_t>(kind)]));
  out.append(name).push_back('\0');
  out.append(policy);
  return out;
}
std::string managed_key(std::string_view name) { return key_of(kManaged, name); }
std::string access_key_key(std::string_view id) { return key_of(kAccessKey, id); }
std::string account_key(std::string_view id) { return key_of(kAccount, id); }
std::string provider_key(std::string_view name) { return key_of(kProvider, name); }
std::string seal_check_key() { return key_of(kCheck, {}); }

std::string encode(const Entity& e) {
  Writer w;
  const bool usual = e.max_session == kMaxRoleSeconds;
  const bool later = e.tags || !e.boundary.empty();
  w.u8(later ? kTagsVersion : usual ? kVersion : kSessionVersion);
  w.str(e.path);
  w.str(e.id);
  w.u64(static_cast<std::uint64_t>(e.created_ns));
  w.str(e.description);
  write_names(w, e.groups);
  write_names(w, e.attached);
  w.str(e.trust ? std::string_view(e.trust->text) : std::string_view());
  if (later) {
    w.varint(e.kind == EntityKind::role ? static_cast<std::uint64_t>(e.max_session) : 0);
    w.str(e.boundary);
    write_tags(w, e.tags);
  } else if (!usual) {
    w.varint(static_cast<std::uint64_t>(e.max_session));
  }
  return std::move(w).take();
}

std::string encode(const ManagedPolicy& p) {
  Writer w;
  const bool one = p.last == 1 && !p.tags;
  w.u8(p.tags ? kTagsVersion : one ? kVersion : kVersionsVersion);
  w.str(p.path);
  w.str(p.id);
  w.u64(static_cast<std::uint64_t>(p.created_ns));
  w.str(p.description);
  w.str(p.document->text);
  if (!one) {
    w.varint(p.number);
    w.varint(p.last);
    w.u64(static_cast<std::uint64_t>(p.version_ns));
    w.varint(p.others.size());
    for (const PolicyVersion& v : p.others) {
      w.varint(v.number);
      w.u64(static_cast<std::uint64_t>(v.created_ns));
      w.str(v.text);
    }
  }
  if (p.tags) {
    write_tags(w, p.tags);
  }
  return std::move(w).take();
}

std::string encode_inline(std::string_view text) {
  Writer w;
  w.u8(kVersion);
  w.str(text);
  return std::move(w).take();
}

std::string encode(const Account& a) {
  Writer w;
  w.u8(kVersion);
  w.str(a.canonical_id);
  w.str(a.name);
  w.str(a.email);
  w.u64(static_cast<std::uint64_t>(a.created_ns));
  return std::move(w).take();
}

std::string encode(const Provider& p) {
  Writer w;
  w.u8(p.tags ? kProviderTagsVersion : kVersion);
  w.str(p.url);
  w.u64(static_cast<std::uint64_t>(p.created_ns));
  for (const std::vector<std::string>* list : {&p.client_ids, &p.thumbprints}) {
    w.varint(list->size());
    std::ranges::for_each(*list, [&](const std::string& text) { w.str(text); });
  }
  if (p.tags) {
    write_tags(w, p.tags);
  }
  return std::move(w).take();
}

std::string encode(const AccessKey& k, const SealKey& seal_key, Random& random) {
  Writer w;
  w.u8(k.account.empty() ? kKeyVersion : kAccountKeyVersion);
  w.u8(k.active ? 1 : 0);
  w.str(k.account.empty() ? k.user : k.account);
  w.u64(static_cast<std::uint64_t>(k.created_ns));
  w.str(seal(seal_key, k.id, k.secret, random));
  return std::move(w).take();
}

Result<void> load_record(std::string_view key,
                         std::string_view value,
                         const SealKey& seal_key,
                         State& state) {
  Reader r(value);
  if (key.size() < 2 || key.front() != static_cast<char>(meta::Table::identity)) {
    return broken("identity");
  }
  const char what = key[1];
  const std::string_view rest = key.substr(2);
  if (what == kCheck || what == kBucket || what == kSettings || what == kKmsKey) {
    return ok();
  }
  const std::uint8_t version = r.u8();
  const auto kind = kind_of(what);
  const std::uint8_t last = what == kAccessKey          ? kAccountKeyVersion
                            : kind == EntityKind::group ? kVersion
                            : kind || what == kManaged  ? kTagsVersion
                            : what == kProvider         ? kProviderTagsVersion
                                                        : kVersion;
  if (version < 1 || version > last) {
    r.fail();
  }
  if (what == kInline) {
    return load_inline(rest, r, state);
  }
  if (what == kManaged) {
    return load_managed(rest, version, r, state);
  }
  if (what == kAccount) {
    return load_account(rest, r, state);
  }
  if (what == kProvider) {
    return load_provider(rest, version, r, state);
  }
  if (what == kAccessKey) {
    return load_key(rest, version, r, seal_key, state);
  }
  return kind && !rest.empty() ? load_entity(*kind, rest, version, r, state) : broken("identity");
}

}  // namespace outcrop::identity
