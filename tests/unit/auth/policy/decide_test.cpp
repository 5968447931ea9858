// Several policies together, principals, NotX elements, sessions, anonymous requests.
#include "tests/unit/auth/policy/support.h"

namespace outcrop::policy::test {
namespace {

std::string document(const std::string& effect, const std::string& more) {
  return R"({"Version":"2012-10-17","Statement":{"Sid":"S","Effect":")" + effect + "\"," + more +
         "}}";
}
Policy identity(const std::string& effect,
                const std::string& action = "s3:*",
                const std::string& resource = "*") {
  return compiled(
      document(effect, R"("Action":")" + action + R"(","Resource":")" + resource + "\""));
}
Policy bucket(const std::string& effect,
              const std::string& principal,
              const std::string& action = "s3:*",
              const std::string& element = "Principal") {
  return compiled(
      document(effect, "\"" + element + "\":" + principal + R"(,"Action":")" + action +
                           R"(","Resource":["arn:aws:s3:::photos","arn:aws:s3:::photos/*"])"),
      PolicyKind::bucket);
}

const std::string kAliceJson = "{\"AWS\":\"" + std::string(kAlice) + "\"}";
const std::string kAccountJson = R"({"AWS":"000000000000"})";

Question get(const Subject& who) { return {"s3:GetObject", "arn:aws:s3:::photos/a", who, {}}; }

Reason reason(const PolicySet& set,
              const Subject& who,
              const std::string& action = "s3:GetObject") {
  Question q = get(who);
  q.action = action;
  return decide(set, q.request()).reason;
}

TEST(Decide, RootAndUsersWithoutPolicies) {
  EXPECT_EQ(reason({}, kRoot), Reason::root);
  EXPECT_EQ(reason({}, kUser), Reason::not_allowed);
  EXPECT_EQ(reason({}, kAnonymous), Reason::anonymous);
}

TEST(Decide, ADenyAnywhereWins) {
  const Policy yes = identity("Allow"), no = identity("Deny");
  const Policy open = bucket("Allow", R"("*")"), closed = bucket("Deny", R"("*")");
  const Policy* const both[] = {&yes, &no};
  const Policy* const allow[] = {&yes};
  EXPECT_EQ(reason({.identity = both, .bucket = &open}, kUser), Reason::denied_by_identity);
  EXPECT_EQ(reason({.identity = allow, .bucket = &closed}, kUser), Reason::denied_by_bucket);
  EXPECT_EQ(reason({.identity = allow, .session = &no, .bucket = &open}, kUser),
            Reason::denied_by_session);
  EXPECT_EQ(reason({.bucket = &closed}, kRoot), Reason::denied_by_bucket);
  EXPECT_EQ(reason({.bucket = &closed}, kAnonymous), Reason::denied_by_bucket);
  const Decision d = decide({.identity = both}, get(kUser).request());
  ASSERT_NE(d.statement, nullptr);
  EXPECT_EQ(d.statement->sid, "S");
}

TEST(Decide, TheRootUserCanAlwaysRepairABucketPolicy) {
  const Policy closed = bucket("Deny", R"("*")");
  for (const char* action : {"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"}) {
    const Question q{action, "arn:aws:s3:::photos", kRoot, {}};
    EXPECT_TRUE(decide({.bucket = &closed}, q.request()).allowed) << action;
    EXPECT_TRUE(decide({.bucket_unreadable = true}, q.request()).allowed) << action;
    EXPECT_FALSE(decide({.unreadable = true}, q.request()).allowed) << action;
    const Policy none = identity("Allow", "s3:GetObject");
    EXPECT_FALSE(decide({.session = &none, .bucket = &closed}, q.request()).allowed) << action;
    const Question user{action, "arn:aws:s3:::photos", kUser, {}};
    EXPECT_FALSE(decide({.bucket = &closed}, user.request()).allowed) << action;
  }
}

TEST(Decide, TheBucketAllowsWithoutIdentityPolicies) {
  const Policy named = bucket("Allow", kAliceJson), everybody = bucket("Allow", R"("*")");
  const Policy account = bucket("Allow", kAccountJson);
  EXPECT_EQ(reason({.bucket = &named}, kUser), Reason::bucket_policy);
  EXPECT_EQ(reason({.bucket = &everybody}, kUser), Reason::bucket_policy);
  // An account in an Allow delegates: the user needs a policy of his own.
  EXPECT_EQ(reason({.bucket = &account}, kUser), Reason::not_allowed);
}

TEST(Decide, PrincipalsOfADeny) {
  const Policy yes = identity("Allow");
  const Policy* const allow[] = {&yes};
  const Policy account = bucket("Deny", kAccountJson);
  EXPECT_EQ(reason({.identity = allow, .bucket = &account}, kUser), Reason::denied_by_bucket);
  const Policy others = bucket("Deny", kAliceJson, "s3:*", "NotPrincipal");
  EXPECT_EQ(reason({.identity = allow, .bucket = &others}, kUser), Reason::identity_policy);
  EXPECT_EQ(reason({.bucket = &others}, kRoot), Reason::denied_by_bucket);
  EXPECT_EQ(reason({.bucket = &others}, kAnonymous), Reason::denied_by_bucket);
  // Naming the account in a NotPrincipal Deny exempts its root user only.
  const Policy not_account = bucket("Deny", kAccountJson, "s3:*", "NotPrincipal");
  EXPECT_EQ(reason({.identity = allow, .bucket = &not_account}, kUser), Reason::denied_by_bucket);
  EXPECT_EQ(reason({.bucket = &not_account}, kRoot), Reason::root);
}

// AWS refuses it, and so do we; what earlier versions kept means what it says.
TEST(Decide, NotPrincipalInAnAllow) {
  const std::string text = document(
      "Allow",
      "\"NotPrincipal\":" + kAccountJson +
          R"(,"Action":"s3:*","Resource":["arn:aws:s3:::photos","arn:aws:s3:::photos/*"])");
  EXPECT_EQ(refusal(text), "NotPrincipal must be used with Effect Deny.");
  const auto kept = Policy::compile(text, PolicyKind::bucket, "photos", Origin::store);
  ASSERT_TRUE(kept);
  EXPECT_TRUE(is_public(*kept));
  const Policy& strangers = *kept;
  EXPECT_EQ(reason({.bucket = &strangers}, kUser), Reason::not_allowed);
  EXPECT_EQ(reason({.bucket = &strangers}, kAnonymous), Reason::bucket_policy);
}

TEST(Decide, SessionsOfRoles) {
  const Subject session{.kind = Subject::Kind::role_session,
                        .account = kAccount,
                        .arn = "arn:aws:sts::000000000000:assumed-role/reader/s1",
                        .role_arn = "arn:aws:iam::000000000000:role/reader",
                        .canonical_id = {}};
  const Policy role = bucket("Allow", R"({"AWS":"arn:aws:iam::000000000000:role/reader"})");
  const Policy one =
      bucket("Allow", R"({"AWS":"arn:aws:sts::000000000000:assumed-role/reader/s1"})");
  const Policy other =
      bucket("Allow", R"({"AWS":"arn:aws:sts::000000000000:assumed-role/reader/s2"})");
  EXPECT_EQ(reason({.bucket = &role}, session), Reason::bucket_policy);
  EXPECT_EQ(reason({.bucket = &one}, session), Reason::bucket_policy);
  EXPECT_EQ(reason({.bucket = &other}, session), Reason::not_allowed);
}

// CVE-2025-62506, CVE-2022-24842: a session never has more than its parent.
TEST(Decide, CVE_2025_62506_ASessionOnlyRestricts) {
  const Policy all = identity("Allow", "*"), read = identity("Allow", "s3:GetObject");
  const Policy* const reader[] = {&read};
  EXPECT_EQ(reason({.identity = reader, .session = &all}, kUser, "s3:PutObject"),
            Reason::not_allowed);
  EXPECT_EQ(reason({.identity = reader, .session = &all}, kUser), Reason::identity_policy);
  EXPECT_EQ(reason({.session = &read}, kRoot, "s3:PutObject"), Reason::outside_session);
  EXPECT_EQ(reason({.session = &read}, kRoot), Reason::root);
}

// CVE-2026-22043: a policy with nothing but Deny statements allows nothing.
TEST(Decide, CVE_2026_22043_DenyOnlyIsNotAllow) {
  const Policy deny = identity("Deny", "s3:PutObject");
  const Policy* const list[] = {&deny};
  EXPECT_EQ(reason({.identity = list}, kUser), Reason::not_allowed);
  EXPECT_EQ(reason({.session = &deny}, kRoot), Reason::outside_session);
}

TEST(Decide, StrangersComeInByPolicyAndPastTheBlock) {
  const Policy open = bucket("Allow", R"("*")", "s3:GetObject");
  PolicySet set{.bucket = &open, .bucket_is_public = true};
  EXPECT_EQ(reason(set, kAnonymous), Reason::bucket_policy);
  EXPECT_EQ(reason(set, kAnonymous, "s3:PutObject"), Reason::anonymous);
  set.block.restrict_public_buckets = true;
  EXPECT_EQ(reason(set, kAnonymous), Reason::public_access_block);
  EXPECT_EQ(reason(set, kUser), Reason::bucket_policy);
  set.block = {.block_public_acls = true, .ignore_public_acls = true, .block_public_policy = true};
  EXPECT_EQ(reason(set, kAnonymous), Reason::bucket_policy);
}

TEST(Decide, AclsAreResults) {
  PolicySet set{.acl_allows = true, .acl_public = true};
  EXPECT_EQ(reason(set, kAnonymous), Reason::acl);
  set.block.ignore_public_acls = true;
  EXPECT_EQ(reason(set, kAnonymous), Reason::public_access_block);
  set.acl_public = false;
  EXPECT_EQ(reason(set, kUser), Reason::acl);
  const Policy closed = bucket("Deny", R"("*")");
  set.bucket = &closed;
  EXPECT_EQ(reason(set, kUser), Reason::denied_by_bucket);
}

TEST(Decide, WhatCannotBeReadDenies) {
  const Policy yes = identity("Allow", "*");
  const Policy* const allow[] = {&yes};
  EXPECT_EQ(reason({.identity = allow, .unreadable = true}, kUser), Reason::unreadable);
  EXPECT_EQ(reason({.identity = allow, .bucket_unreadable = true}, kUser), Reason::unreadable);
  EXPECT_EQ(reason({.bucket_unreadable = true}, kRoot), Reason::unreadable);
}

TEST(Decide, NotActionAndNotResource) {
  const Policy policy = compiled(R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",
      "NotAction":["iam:*","s3:Delete*"],"NotResource":["arn:aws:s3:::secret","arn:aws:s3:::secret/*"]}})");
  EXPECT_TRUE(allows(policy, {"s3:GetObject", "arn:aws:s3:::photos/a", kUser, {}}));
  EXPECT_FALSE(allows(policy, {"s3:DeleteObject", "arn:aws:s3:::photos/a", kUser, {}}));
  EXPECT_FALSE(allows(policy, {"s3:GetObject", "arn:aws:s3:::secret/a", kUser, {}}));
  EXPECT_FALSE(allows(policy, {"iam:CreateUser", "arn:aws:iam::000000000000:user/x", kUser, {}}));
  // A variable without value in NotResource: an Allow does not apply, a Deny does.
  const auto with = [](const std::string& effect) {
    return compiled(
        document(effect, R"("Action":"s3:*","NotResource":"arn:aws:s3:::${aws:username}/*")"));
  };
  const Question q = get(kUser);
  EXPECT_EQ(with("Allow").find(Effect::allow, q.request()), nullptr);
  EXPECT_NE(with("Deny").find(Effect::deny, q.request()), nullptr);
}

constexpr Subject kSessionOfRole{.kind = Subject::Kind::role_session,
                                 .account = kAccount,
                                 .arn = "arn:aws:sts::000000000000:assumed-role/r/s",
                                 .role_arn = "arn:aws:iam::000000000000:role/r",
                                 .canonical_id = "75aa57f09aa0c8caeab4f8c24e99d10f",
                                 .id = "AROAAAAAAAAAAAAAAAAA"};

// Source: IAM User Guide, "Permissions boundaries for IAM entities", "Evaluating effective
// permissions with boundaries".
TEST(Decide, ABoundaryCutsWhatTheUsersOwnPoliciesAllow) {
  const Policy yes = identity("Allow"), gets = identity("Allow", "s3:Get*"), no = identity("Deny");
  const Policy* const allow[] = {&yes};
  EXPECT_EQ(reason({.identity = allow, .boundary = &gets}, kUser), Reason::identity_policy);
  EXPECT_EQ(reason({.identity = allow, .boundary = &gets}, kUser, "s3:PutObject"),
            Reason::outside_boundary);
  EXPECT_EQ(reason({.identity = allow, .boundary = &no}, kUser), Reason::denied_by_boundary);
  EXPECT_EQ(reason({.boundary = &yes}, kUser), Reason::not_allowed) << "it gives nothing";
  EXPECT_EQ(reason({.boundary = &gets}, kUser, "s3:PutObject"), Reason::not_allowed);
  EXPECT_EQ(reason({.identity = allow, .session = &yes, .boundary = &gets}, kUser, "s3:PutObject"),
            Reason::outside_boundary);
  EXPECT_EQ(reason({.identity = allow, .session = &gets, .boundary = &yes}, kUser, "s3:PutObject"),
            Reason::outside_session);
  EXPECT_EQ(reason({.identity = allow, .boundary = &yes, .unreadable = true}, kUser),
            Reason::unreadable);
}

TEST(Decide, WhoNamesTheUserIsNotBoundByHisBoundary) {
  const Policy gets = identity("Allow", "s3:Get*"), no = identity("Deny");
  const std::string put = "s3:PutObject";
  const Policy named = bucket("Allow", kAliceJson), everybody = bucket("Allow", R"("*")");
  EXPECT_EQ(reason({.bucket = &named, .boundary = &gets}, kUser, put), Reason::bucket_policy);
  EXPECT_EQ(reason({.bucket = &named, .boundary = &no}, kUser, put), Reason::denied_by_boundary);
  EXPECT_EQ(reason({.bucket = &everybody, .boundary = &gets}, kUser, put),
            Reason::outside_boundary);
  EXPECT_EQ(reason({.bucket = &everybody, .boundary = &gets}, kUser), Reason::bucket_policy);
  EXPECT_EQ(reason({.boundary = &gets, .acl_allows = true}, kUser, put), Reason::outside_boundary);
  EXPECT_EQ(reason({.boundary = &gets, .acl_allows = true, .acl_names_caller = true}, kUser, put),
            Reason::acl);
  // Another account's bucket: both sides are needed, and his own is the smaller one.
  const Policy yes = identity("Allow");
  const Policy* const allow[] = {&yes};
  EXPECT_EQ(
      reason({.identity = allow, .bucket = &named, .boundary = &gets, .foreign = true}, kUser, put),
      Reason::outside_boundary);
  EXPECT_EQ(
      reason({.identity = allow, .bucket = &named, .boundary = &gets, .foreign = true}, kUser),
      Reason::bucket_policy);
}

TEST(Decide, OfARoleTheSessionIsNamedAndNotTheRole) {
  const Policy gets = identity("Allow", "s3:Get*");
  const auto of = [](std::string_view name) {
    return bucket("Allow", "{\"AWS\":\"" + std::string(name) + "\"}");
  };
  const Policy session = of(kSessionOfRole.arn), role = of(kSessionOfRole.role_arn),
               id = of(kSessionOfRole.id);
  for (const Policy* one : {&role, &id}) {
    EXPECT_EQ(reason({.bucket = one}, kSessionOfRole, "s3:PutObject"), Reason::bucket_policy);
    EXPECT_EQ(reason({.bucket = one, .boundary = &gets}, kSessionOfRole, "s3:PutObject"),
              Reason::outside_boundary);
  }
  EXPECT_EQ(reason({.bucket = &session, .boundary = &gets}, kSessionOfRole, "s3:PutObject"),
            Reason::bucket_policy);
}

}  // namespace
}  // namespace outcrop::policy::test
