// Access keys: when they were used, whose they are, and the root user's, which is not from here.
#include "tests/unit/api/iam/iam_fixture.h"

namespace outcrop::iam::test {
namespace {

TEST_F(Iam, WhenAKeyWasUsedLast) {
  const Signer alice = new_user("alice", kAllowAll);
  const auto last = [&](const std::string& tag) {
    return text(send("GetAccessKeyLastUsed", {{"AccessKeyId", alice.access_key}}).body, tag);
  };
  EXPECT_EQ(last("UserName"), "alice");
  EXPECT_EQ(last("ServiceName"), "N/A");
  EXPECT_EQ(last("Region"), "N/A");
  EXPECT_EQ(last("LastUsedDate"), "(none)");
  const Signer wrong{alice.access_key, "another-secret"};
  EXPECT_EQ(sts("GetCallerIdentity", {}, wrong).status, 403);
  EXPECT_EQ(last("ServiceName"), "N/A") << "who only knows the id has not used the key";
  EXPECT_EQ(sts("GetCallerIdentity", {}, alice).status, 200);
  EXPECT_EQ(last("ServiceName"), "sts");
  EXPECT_EQ(last("Region"), "us-east-1");
  EXPECT_EQ(last("LastUsedDate"), "2013-05-24T00:00:00Z");
  works("UpdateUser", {{"UserName", "alice"}, {"NewUserName", "bob"}});
  EXPECT_EQ(last("ServiceName"), "sts") << "what is known goes with the key";
  EXPECT_EQ(last("UserName"), "bob");
  EXPECT_EQ(failure("GetAccessKeyLastUsed", {{"AccessKeyId", "AKIANONE"}}), "NoSuchEntity");
}

TEST_F(Iam, OnlyWhoMayKnowTheUserKnowsOfHisKeys) {
  const Signer alice = new_user("alice", R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",
      "Action":"iam:GetAccessKeyLastUsed","Resource":"arn:aws:iam::*:user/alice"}})");
  const Signer bob = new_user("bob");
  EXPECT_EQ(send("GetAccessKeyLastUsed", {{"AccessKeyId", alice.access_key}}, alice).status, 200);
  EXPECT_EQ(failure("GetAccessKeyLastUsed", {{"AccessKeyId", bob.access_key}}, alice),
            "AccessDenied");
  EXPECT_EQ(failure("GetAccessKeyLastUsed", {{"AccessKeyId", "AKIANONE"}}, alice), "AccessDenied");
}

TEST(KeyUse, ToTheMinute) {
  auth::KeyUse use;
  EXPECT_FALSE(use.last());
  use.note(120, "iam");
  use.note(179, "s3");
  EXPECT_EQ(use.last()->seconds, 120);
  EXPECT_EQ(use.last()->service, auth::KeyUse::Service::iam);
  use.note(180, "s3");
  EXPECT_EQ(use.last()->seconds, 180);
  EXPECT_EQ(use.last()->service, auth::KeyUse::Service::s3);
  use.note(60, "sts");  // a clock that was set back
  EXPECT_EQ(use.last()->seconds, 180);
}

TEST_F(Iam, TheRootUsersKeyIsNotChangedFromHere) {
  const Reply keys = send("ListAccessKeys");
  EXPECT_EQ(text(keys.body, "AccessKeyId"), "ROOT");
  EXPECT_EQ(count(keys.body, "<member>"), 1U);
  EXPECT_EQ(failure("CreateAccessKey", {}), "NotImplemented");
  EXPECT_EQ(failure("DeleteAccessKey", {{"AccessKeyId", "ROOT"}}), "NotImplemented");
  EXPECT_EQ(failure("UpdateAccessKey", {{"AccessKeyId", "ROOT"}, {"Status", "Inactive"}}),
            "NotImplemented");
  EXPECT_EQ(failure("DeleteAccessKey", {{"AccessKeyId", "AKIANONE"}}), "NoSuchEntity");
  EXPECT_EQ(failure("UpdateAccessKey", {{"AccessKeyId", "AKIANONE"}, {"Status", "Active"}}),
            "NoSuchEntity");
}

TEST_F(Iam, WhoseAKeyIs) {
  const Signer alice = new_user("alice", kAllowAll);
  for (const std::string& id : {alice.access_key, std::string("ROOT")}) {
    EXPECT_EQ(text(sts("GetAccessKeyInfo", {{"AccessKeyId", id}}, alice).body, "Account"),
              "000000000000");
  }
  EXPECT_EQ(text(sts("GetAccessKeyInfo", {{"AccessKeyId", "AKIANONE"}}, alice).body, "Code"),
            "ValidationError");
}

}  // namespace
}  // namespace outcrop::iam::test
