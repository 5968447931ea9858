// The records of identities: what is written is read back, and nothing else is accepted.
#include "auth/identity/record.h"

#include <gtest/gtest.h>

namespace outcrop::identity {
namespace {

constexpr std::string_view kAll = R"({"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})";
constexpr std::string_view kTrust =
    R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}})";
const SealKey kKey{1, 2, 3};

Entity role() {
  Entity e;
  e.kind = EntityKind::role;
  e.name = "reader";
  e.path = "/app/";
  e.id = "AROA1";
  e.created_ns = 77;
  e.description = "reads";
  e.attached = {"a", "b"};
  e.trust = make_policy("trust", std::string(kTrust), policy::PolicyKind::trust);
  return e;
}

AccessKey access_key() {
  AccessKey k;
  k.id = "AKIA1";
  k.secret = "the secret";
  k.user = "alice";
  k.active = false;
  k.created_ns = 99;
  return k;
}

TEST(IdentityRecords, RoundTrip) {
  SeededRandom random(1);
  State state;
  const Entity e = role();
  ASSERT_TRUE(load_record(entity_key(e.kind, e.name), encode(e), kKey, state));
  ASSERT_TRUE(load_record(inline_key(e.kind, e.name, "own"), encode_inline(kAll), kKey, state));
  const EntityPtr loaded = state.find(EntityKind::role, "reader");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->arn(), "arn:aws:iam::000000000000:role/app/reader");
  EXPECT_EQ(loaded->attached, e.attached);
  EXPECT_EQ(loaded->description, "reads");
  EXPECT_TRUE(loaded->trust->compiled);
  EXPECT_EQ(loaded->inline_policies.at("own")->text, kAll);
  EXPECT_EQ(encode(*loaded), encode(e));

  ManagedPolicy p{.name = "m",
                  .path = "/",
                  .id = "ANPA1",
                  .description = "d",
                  .created_ns = 5,
                  .document = make_policy("m", std::string(kAll))};
  ASSERT_TRUE(load_record(managed_key("m"), encode(p), kKey, state));
  EXPECT_EQ(encode(*state.find_policy("m")), encode(p));
  EXPECT_EQ(state.find_policy_arn("arn:aws:iam::000000000000:policy/m")->id, "ANPA1");
  EXPECT_FALSE(state.find_policy_arn("arn:aws:iam::000000000000:policy/x/m"));

  const std::string value = encode(access_key(), kKey, random);
  EXPECT_EQ(value.find("the secret"), std::string::npos);
  ASSERT_TRUE(load_record(access_key_key("AKIA1"), value, kKey, state));
  const AccessKeyPtr k = state.keys.at("AKIA1");
  EXPECT_EQ(k->secret, "the secret");
  EXPECT_FALSE(k->active);
  EXPECT_EQ(k->user, "alice");
}

TEST(IdentityRecords, ASecretDoesNotMoveToAnotherKey) {
  SeededRandom random(1);
  State state;
  EXPECT_FALSE(
      load_record(access_key_key("AKIA2"), encode(access_key(), kKey, random), kKey, state));
  EXPECT_TRUE(state.keys.empty());
}

// What the version before wrote: more flags, and two texts at the end that nothing ever filled.
TEST(IdentityRecords, KeysOfVersion1AreRead) {
  SeededRandom random(1);
  const auto old = [&](char flags, const std::string& session) {
    std::string value = encode(access_key(), kKey, random);
    value[0] = 1;
    value[1] = flags;
    return value + static_cast<char>(session.size()) + session + '\0';
  };
  const std::string key = access_key_key("AKIA1");
  State state;
  ASSERT_TRUE(load_record(key, old(1, ""), kKey, state));
  EXPECT_TRUE(state.keys.at("AKIA1")->active);
  EXPECT_EQ(state.keys.at("AKIA1")->secret, "the secret");
  State none;
  EXPECT_FALSE(load_record(key, old(2, ""), kKey, none));
  EXPECT_FALSE(load_record(key, old(1, "x"), kKey, none));
  EXPECT_FALSE(
      load_record(key, encode(access_key(), kKey, random).replace(0, 1, "\x04"), kKey, none));
  // Version 3 has the number of an account in the place of the user.
  EXPECT_FALSE(
      load_record(key, encode(access_key(), kKey, random).replace(0, 1, "\x03"), kKey, none));
  AccessKey nobodys = access_key();
  nobodys.user.clear();
  EXPECT_FALSE(load_record(key, encode(nobodys, kKey, random), kKey, none));
  EXPECT_TRUE(none.keys.empty());
}

Provider provider() {
  return {.url = "https://id.example.com/realms/edge",
          .client_ids = {"box", "a"},
          .thumbprints = {std::string(40, 'f')},
          .created_ns = 7};
}

TEST(IdentityRecords, RolesWithSessionsOfAnotherLength) {
  Entity e = role();
  const std::string key = entity_key(e.kind, e.name), usual = encode(e);
  EXPECT_EQ(usual[0], 1);
  e.max_session = 43'200;
  const std::string value = encode(e);
  EXPECT_EQ(value[0], 2);
  State state;
  ASSERT_TRUE(load_record(key, value, kKey, state));
  EXPECT_EQ(state.find(EntityKind::role, "reader")->max_session, 43'200);
  EXPECT_EQ(encode(*state.find(EntityKind::role, "reader")), value);
  for (const std::int64_t bad : {0, 900, 43'201}) {
    e.max_session = bad;
    EXPECT_FALSE(load_record(key, encode(e), kKey, state)) << bad;
  }
  std::string twice = usual + "\x90\x1c";  // 3600, which is said by saying nothing
  twice[0] = 2;
  EXPECT_FALSE(load_record(key, twice, kKey, state));
  EXPECT_FALSE(load_record(entity_key(EntityKind::user, "reader"), value, kKey, state));
}

TagsPtr tags(std::initializer_list<std::pair<const std::string, std::string>> list) {
  return keep_tags(Tags(list));
}

TEST(IdentityRecords, TagsMakeVersion3) {
  Entity e = role();
  const std::string key = entity_key(e.kind, e.name);
  e.tags = tags({{"Team", "red"}, {"zone", ""}});
  for (const std::int64_t seconds : {std::int64_t{3600}, std::int64_t{7200}}) {
    e.max_session = seconds;
    const std::string value = encode(e);
    EXPECT_EQ(value[0], 3);
    State state;
    ASSERT_TRUE(load_record(key, value, kKey, state));
    EXPECT_EQ(state.find(EntityKind::role, "reader")->max_session, seconds);
    EXPECT_EQ(encode(*state.find(EntityKind::role, "reader")), value);
    EXPECT_FALSE(load_record(entity_key(EntityKind::user, "reader"), value, kKey, state));
    EXPECT_FALSE(load_record(entity_key(EntityKind::group, "reader"), value, kKey, state));
  }
  Entity user;
  user.name = "u";
  user.tags = e.tags;
  State state;
  ASSERT_TRUE(load_record(entity_key(EntityKind::user, "u"), encode(user), kKey, state));
  EXPECT_EQ(encode(*state.find(EntityKind::user, "u")), encode(user));
  EXPECT_FALSE(load_record(entity_key(EntityKind::group, "u"), encode(user), kKey, state));
}

TEST(IdentityRecords, TagsOfPoliciesAndProviders) {
  State state;
  ManagedPolicy p{.name = "m",
                  .path = "/",
                  .id = "ANPA1",
                  .description = {},
                  .document = make_policy("m", std::string(kAll)),
                  .tags = tags({{"a", "b"}})};
  ASSERT_TRUE(load_record(managed_key("m"), encode(p), kKey, state));
  EXPECT_EQ(encode(*state.find_policy("m")), encode(p));
  p.number = 2;
  p.last = 3;
  p.others = {{1, 7, std::string(kAll)}};
  ASSERT_TRUE(load_record(managed_key("m"), encode(p), kKey, state));
  EXPECT_EQ(encode(*state.find_policy("m")), encode(p));
  Provider of = provider();
  of.tags = p.tags;
  ASSERT_TRUE(load_record(provider_key(of.name()), encode(of), kKey, state));
  EXPECT_EQ(encode(*state.find_issuer(of.url)), encode(of));
}

// A list that is out of order, or has a key twice, would be another one when it is written again.
TEST(IdentityRecords, TagsThatAreNoneAreRefused) {
  Entity user;
  user.name = "u";
  const std::string key = entity_key(EntityKind::user, "u");
  user.tags = tags({{"a", "1"}, {"b", "2"}});
  const std::string value = encode(user);
  const auto refused = [&](std::string changed) {
    State state;
    return !load_record(key, changed, kKey, state) && !state.find(EntityKind::user, "u");
  };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string out = value;
    return out.replace(out.rfind(from), from.size(), to);
  };
  EXPECT_FALSE(refused(value));
  EXPECT_TRUE(refused(with("\1a\0011", "\1c\0011")));
  EXPECT_TRUE(refused(with("\1a\0011", "\1B\0011")));
  EXPECT_TRUE(refused(with("\2\1a\0011\1b\0012", std::string(1, '\0'))));
  EXPECT_TRUE(refused(value.substr(0, value.size() - 1)));
}

TEST(IdentityRecords, Providers) {
  State state;
  const Provider p = provider();
  const std::string key = provider_key(p.name());
  EXPECT_EQ(key, "kwid.example.com/realms/edge");
  ASSERT_TRUE(load_record(key, encode(p), kKey, state));
  const ProviderPtr loaded = state.find_issuer(p.url);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(encode(*loaded), encode(p));
  EXPECT_FALSE(loaded->configured);
  EXPECT_EQ(loaded->arn(), "arn:aws:iam::000000000000:oidc-provider/id.example.com/realms/edge");
  EXPECT_EQ(state.find_provider_arn(loaded->arn()), loaded);
  for (const char* other : {"http://id.example.com/realms/edge", "id.example.com/realms/edge",
                            "https://id.example.com/realms/edge/", ""}) {
    EXPECT_FALSE(state.find_issuer(other)) << other;
  }
  // Under another name it would be found by nobody, or by the wrong ones.
  State none;
  EXPECT_FALSE(load_record(provider_key("id.example.com"), encode(p), kKey, none));
  Provider odd = p;
  odd.url = "https://id.example.com/?x";
  EXPECT_FALSE(load_record(provider_key(odd.name()), encode(odd), kKey, none));
  EXPECT_TRUE(none.providers.empty());
  // What the configuration says of it counts.
  State configured;
  configured.providers.emplace(
      p.name(), std::make_shared<const Provider>(Provider{
                    .url = p.url, .client_ids = {"mine"}, .thumbprints = {}, .configured = true}));
  ASSERT_TRUE(load_record(key, encode(p), kKey, configured));
  EXPECT_TRUE(configured.find_issuer(p.url)->configured);
}

TEST(IdentityRecords, DamageIsRefused) {
  SeededRandom random(1);
  const std::pair<std::string, std::string> records[] = {
      {entity_key(EntityKind::role, "reader"), encode(role())},
      {provider_key(provider().name()), encode(provider())},
      {access_key_key("AKIA1"), encode(access_key(), kKey, random)}};
  for (const auto& [key, value] : records) {
    for (std::size_t n = 0; n < value.size(); ++n) {
      State state;
      EXPECT_FALSE(load_record(key, value.substr(0, n), kKey, state)) << n;
    }
    State state;
    EXPECT_FALSE(load_record(key, value + "x", kKey, state));
  }
  State state;
  EXPECT_FALSE(load_record("k", "\x01", kKey, state));
  EXPECT_FALSE(load_record("kz1", "\x01", kKey, state));
  for (const char* others : {"kb\1", "kc\1", "kc\1\2"}) {  // records of buckets lie between them
    EXPECT_TRUE(load_record(others, "junk", kKey, state)) << others;
  }
  EXPECT_FALSE(load_record("ku", encode(role()), kKey, state));
}

// GHSA-j548-9grx-fh4f: what cannot be read is not taken for absent.
TEST(IdentityRecords, GHSA_j548_9grx_fh4f_UnreadableInlinePolicyDeniesItsOwner) {
  State state;
  Entity user;
  user.name = "alice";
  ASSERT_TRUE(load_record(entity_key(EntityKind::user, "alice"), encode(user), kKey, state));
  EXPECT_FALSE(load_record(inline_key(EntityKind::user, "alice", "p"), "\x02junk", kKey, state));
  EXPECT_TRUE(state.identity_of(*state.find(EntityKind::user, "alice"))->unreadable);
}

// The parser once took actions that do not exist.
TEST(IdentityRecords, AStoredTypingErrorDoesNotDenyItsOwnerEverything) {
  State state;
  Entity user;
  user.name = "alice";
  ASSERT_TRUE(load_record(entity_key(EntityKind::user, "alice"), encode(user), kKey, state));
  const std::string text = R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Resource":"*",
      "Action":["s3:GetObjekt","s3:GetObject"]}})";
  ::testing::internal::CaptureStderr();
  const auto loaded =
      load_record(inline_key(EntityKind::user, "alice", "p"), encode_inline(text), kKey, state);
  const std::string logged = ::testing::internal::GetCapturedStderr();
  ASSERT_TRUE(loaded);
  EXPECT_NE(logged.find("s3:GetObjekt"), logged.npos);
  EXPECT_NE(logged.find("user/alice"), logged.npos) << "whose it is";
  EXPECT_FALSE(state.identity_of(*state.find(EntityKind::user, "alice"))->unreadable);
  EXPECT_FALSE(make_policy("p", text)->compiled);  // whoever puts it hears of it
}

}  // namespace
}  // namespace outcrop::identity
