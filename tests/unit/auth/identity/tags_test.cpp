// Tags: what AWS allows, and what is kept of them.
#include "auth/identity/tags.h"

#include "auth/identity/session.h"
#include "tests/unit/auth/identity/identity_fixture.h"

namespace outcrop::identity::test {
namespace {

using List = std::vector<std::pair<std::string, std::string>>;
using Tagged = IdentityStore::Tagged::Kind;

std::optional<IamCode> code_of(const List& list) {
  const auto made = make_tags(list);
  return made ? std::nullopt : std::optional(made.error().code);
}

List many(std::size_t n) {
  List out;
  for (std::size_t i = 0; i < n; ++i) {
    out.emplace_back("k" + std::to_string(i), "v");
  }
  return out;
}

std::string repeat(const std::string& text, std::size_t n) {
  std::string out;
  while (n-- > 0) {
    out += text;
  }
  return out;
}

TEST(Tags, Limits) {
  EXPECT_EQ(code_of(many(kMaxTags)), std::nullopt);
  EXPECT_EQ(code_of(many(kMaxTags + 1)), IamCode::validation);
  // Characters, not bytes.
  for (const std::string one : {"k", "ß", "\U0001F5FB"}) {
    EXPECT_EQ(code_of({{repeat(one, kMaxTagKey), repeat(one, kMaxTagValue)}}), std::nullopt) << one;
    EXPECT_EQ(code_of({{repeat(one, kMaxTagKey + 1), ""}}), IamCode::validation) << one;
    EXPECT_EQ(code_of({{"k", repeat(one, kMaxTagValue + 1)}}), IamCode::validation) << one;
  }
  EXPECT_EQ(code_of({{"", "v"}}), IamCode::validation);
}

TEST(Tags, Text) {
  EXPECT_EQ(code_of({{"a Z9_.:/=+-@", "a Z9_.:/=+-@"}, {"v", ""}}), std::nullopt);
  for (const char* bad : {"a*", "a\n", "a,b", "a\"", "\xc2\x85"}) {
    EXPECT_EQ(code_of({{bad, ""}}), IamCode::validation) << bad;
    EXPECT_EQ(code_of({{"k", bad}}), IamCode::validation) << bad;
  }
  EXPECT_EQ(code_of({{"AWS:x", "v"}}), IamCode::invalid_input);
  EXPECT_EQ(code_of({{"x", "aws:v"}}), std::nullopt);
  EXPECT_EQ(code_of({{"team", "a"}, {"Team", "b"}}), IamCode::invalid_input);
  EXPECT_TRUE(check_tag_keys({"team"}));
  EXPECT_FALSE(check_tag_keys({"aws:x"}));
  EXPECT_FALSE(check_tag_keys(std::vector<std::string>(kMaxTags + 1, "k")));
}

TEST(Tags, AKeyKeepsItsLatestCase) {
  const TagsPtr one = with_tags(nullptr, {{"Team", "a"}, {"x", ""}}).value();
  const TagsPtr two = with_tags(one, {{"TEAM", "b"}}).value();
  EXPECT_EQ(tags_of(two).size(), 2U);
  EXPECT_EQ(tags_of(two).find("team")->first, "TEAM");
  EXPECT_EQ(*find_tag(two, "team"), "b");
  EXPECT_EQ(find_tag(two, "y"), nullptr);
  EXPECT_EQ(find_tag(nullptr, "y"), nullptr);
  EXPECT_EQ(tags_of(without_tags(two, {"team", "nothing"})).size(), 1U);
  EXPECT_EQ(without_tags(two, {"team", "X"}), nullptr);
  const Tags full = make_tags(many(kMaxTags)).value();
  EXPECT_TRUE(with_tags(keep_tags(full), {{"K0", "w"}}));
  EXPECT_EQ(with_tags(keep_tags(full), {{"more", "w"}}).error().code, IamCode::limit_exceeded);
}

TEST_F(Identities, TagsLastOverAStart) {
  const TagsPtr tags = keep_tags({{"team", "red"}, {"Zone", ""}});
  ASSERT_TRUE(works(store->create(
      {.kind = EntityKind::user, .name = "u", .description = {}, .trust = {}, .tags = tags})));
  ASSERT_TRUE(works(store->create(
      {.kind = EntityKind::role, .name = "r", .description = {}, .trust = kTrust, .tags = tags})));
  ASSERT_TRUE(works(store->create_policy("p", "/", "", kAllowAll, tags)));
  ASSERT_TRUE(works(store->create_provider(
      {.url = "https://id.example.com", .client_ids = {}, .thumbprints = {}, .tags = tags})));
  const std::string policy = "arn:aws:iam::000000000000:policy/p";
  const std::string provider = "arn:aws:iam::000000000000:oidc-provider/id.example.com";
  const auto expect_all = [&](const Tags& want) {
    open();
    const StatePtr now = store->state();
    EXPECT_EQ(tags_of(now->find(EntityKind::user, "u")->tags), want);
    EXPECT_EQ(tags_of(now->find(EntityKind::role, "r")->tags), want);
    EXPECT_EQ(tags_of(now->find_policy_arn(policy)->tags), want);
    EXPECT_EQ(tags_of(now->find_provider_arn(provider)->tags), want);
  };
  expect_all(*tags);
  const auto edit_all = [&](const IdentityStore::TagsEdit& edit) {
    EXPECT_TRUE(works(store->edit_tags({Tagged::user, "U"}, edit)));
    EXPECT_TRUE(works(store->edit_tags({Tagged::role, "r"}, edit)));
    EXPECT_TRUE(works(store->edit_tags({Tagged::policy, policy}, edit)));
    EXPECT_TRUE(works(store->edit_tags({Tagged::provider, provider}, edit)));
  };
  edit_all([](const TagsPtr& old) { return with_tags(old, {{"TEAM", "blue"}}); });
  expect_all({{"TEAM", "blue"}, {"Zone", ""}});
  edit_all([](const TagsPtr&) -> Checked<TagsPtr> { return nullptr; });
  expect_all({});
  const auto none = [](const TagsPtr&) -> Checked<TagsPtr> { return nullptr; };
  EXPECT_EQ(failure(store->edit_tags({Tagged::user, "nobody"}, none)), IamCode::no_such_entity);
  EXPECT_EQ(
      failure(store->edit_tags({Tagged::policy, "arn:aws:iam::aws:policy/IAMFullAccess"}, none)),
      IamCode::access_denied);
}

TEST_F(Identities, TheTokenOfASessionHasItsTags) {
  ASSERT_TRUE(works(user("alice")));
  const std::string id = (*run(key("alice")))->id;
  ASSERT_TRUE(works(store->create({.kind = EntityKind::role,
                                   .name = "r",
                                   .description = {},
                                   .trust = kTrust,
                                   .tags = keep_tags({{"Team", "role"}, {"of", "role"}})})));
  const EntityPtr role = store->state()->find(EntityKind::role, "r");
  const auto made = store->issue(
      *who(id), id, role.get(),
      {.name = "work", .tags = {{"team", {"session", true}}, {"only", {"here", false}}}}, 900);
  ASSERT_TRUE(made);
  open();
  const auth::IdentityPtr acts = store->find_session(made->access_key, made->token)->identity;
  EXPECT_EQ(tags_of(acts->tags), (Tags{{"team", "session"}, {"of", "role"}, {"only", "here"}}));
  EXPECT_EQ(tags_of(acts->transitive), (Tags{{"team", "session"}}));
}

TEST_F(Identities, ATokenThatWouldNotBeTakenIsNotGivenOut) {
  ASSERT_TRUE(works(user("alice")));
  const std::string id = (*run(key("alice")))->id;
  SessionTags tags;
  for (const auto& [key, value] : many(kMaxTags)) {
    tags.emplace(key, SessionTag{.value = std::string(kMaxTagValue, 'v')});
  }
  const auto made = store->issue(*who(id), id, nullptr, {.name = "work", .tags = tags}, 900);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, IamCode::packed_too_large);
}

}  // namespace
}  // namespace outcrop::identity::test
