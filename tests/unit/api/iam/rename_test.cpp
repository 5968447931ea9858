// UpdateUser, UpdateGroup and the rest of what changes identities over the wire.
#include "tests/support/recorded_events.h"
#include "tests/unit/api/iam/iam_fixture.h"

namespace outcrop::iam::test {
namespace {

TEST_F(Iam, UsersAndGroupsAreRenamed) {
  const Signer alice = new_user("alice", kAllowAll);
  works("CreateGroup", {{"GroupName", "g"}});
  works("AddUserToGroup", {{"GroupName", "G"}, {"UserName", "ALICE"}});
  works("UpdateUser", {{"UserName", "ALICE"}, {"NewUserName", "bob"}, {"NewPath", "/dev/"}});
  EXPECT_EQ(failure("GetUser", {{"UserName", "alice"}}), "NoSuchEntity");
  EXPECT_EQ(arn_of(alice), "arn:aws:iam::000000000000:user/dev/bob");
  works("UpdateGroup", {{"GroupName", "g"}, {"NewGroupName", "h"}});
  const Reply group = send("GetGroup", {{"GroupName", "H"}});
  EXPECT_EQ(text(group.body, "GroupName"), "h");
  EXPECT_EQ(text(group.body, "UserName"), "bob");
  // As Terraform sends it: everything, whether it changes or not.
  works("UpdateUser", {{"UserName", "bob"}, {"NewUserName", "bob"}, {"NewPath", "/dev/"}});
  new_user("carol");
  EXPECT_EQ(failure("UpdateUser", {{"UserName", "bob"}, {"NewUserName", "Carol"}}),
            "EntityAlreadyExists");
  EXPECT_EQ(failure("UpdateUser", {{"UserName", "none"}, {"NewUserName", "x"}}), "NoSuchEntity");
  EXPECT_EQ(failure("UpdateUser", {{"UserName", "bob"}, {"NewUserName", ""}}), "ValidationError");
}

TEST_F(Iam, NamesAreFoundInAnyCase) {
  new_user("Alice");
  for (const char* name : {"alice", "ALICE"}) {
    EXPECT_EQ(text(send("GetUser", {{"UserName", name}}).body, "UserName"), "Alice");
    EXPECT_EQ(count(send("ListAccessKeys", {{"UserName", name}}).body, "<AccessKeyId>"), 1U);
  }
  EXPECT_EQ(failure("CreateUser", {{"UserName", "aLICE"}}), "EntityAlreadyExists");
  const Reply made = send("CreateAccessKey", {{"UserName", "alice"}});
  EXPECT_EQ(text(made.body, "UserName"), "Alice");
  works("DeleteAccessKey",
        {{"UserName", "ALICE"}, {"AccessKeyId", text(made.body, "AccessKeyId")}});
  // An ARN is exact, as on AWS.
  new_role("Reader", R"("*")", kAllowAll);
  const Signer bob = new_user("bob", kAllowAll);
  EXPECT_EQ(assume("reader", bob).status, 403);
  EXPECT_EQ(assume("Reader", bob).status, 200);
}

// The right to change one name is not the right to take another.
TEST_F(Iam, ARenameNeedsBothNames) {
  const std::string own =
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:Update*","Resource":
         ["arn:aws:iam::*:user/dev/*","arn:aws:iam::*:group/dev/*"]}})";
  const Signer keeper = new_user("keeper", own);
  works("CreateUser", {{"UserName", "a"}, {"Path", "/dev/"}});
  works("CreateUser", {{"UserName", "boss"}});
  works("CreateGroup", {{"GroupName", "g"}, {"Path", "/dev/"}});
  EXPECT_EQ(send("UpdateUser", {{"UserName", "a"}, {"NewUserName", "b"}}, keeper).status, 200);
  EXPECT_EQ(failure("UpdateUser", {{"UserName", "b"}, {"NewPath", "/"}}, keeper), "AccessDenied");
  EXPECT_EQ(failure("UpdateUser", {{"UserName", "boss"}, {"NewPath", "/dev/"}}, keeper),
            "AccessDenied");
  EXPECT_EQ(failure("UpdateGroup", {{"GroupName", "g"}, {"NewPath", "/x/"}}, keeper),
            "AccessDenied");
  EXPECT_EQ(send("UpdateGroup", {{"GroupName", "g"}, {"NewGroupName", "h"}}, keeper).status, 200);
}

TEST_F(Iam, TrustPoliciesFollowTheUser) {
  const Signer alice = new_user("alice");
  new_role("r", R"({"AWS":"arn:aws:iam::000000000000:user/alice"})", kAllowAll);
  EXPECT_EQ(assume("r", alice).status, 200);
  works("UpdateUser", {{"UserName", "alice"}, {"NewUserName", "bob"}});
  EXPECT_EQ(assume("r", alice).status, 200);
  const std::string shown =
      text(send("GetRole", {{"RoleName", "r"}}).body, "AssumeRolePolicyDocument");
  EXPECT_NE(shown.find("user%2Fbob"), std::string::npos) << shown;
  // Another alice is not meant.
  EXPECT_EQ(assume("r", new_user("alice")).status, 403);
}

TEST_F(Iam, RolesAreDescribed) {
  works("CreateRole", {{"RoleName", "r"}, {"AssumeRolePolicyDocument", kTrust}});
  const Reply reply = send("UpdateRoleDescription", {{"RoleName", "R"}, {"Description", "new"}});
  EXPECT_EQ(text(reply.body, "RoleName"), "r");
  EXPECT_EQ(text(reply.body, "Description"), "new");
  works("UpdateRoleDescription", {{"RoleName", "r"}, {"Description", ""}});
  EXPECT_EQ(count(send("GetRole", {{"RoleName", "r"}}).body, "<Description>"), 0U);
  EXPECT_EQ(failure("UpdateRoleDescription", {{"RoleName", "x"}, {"Description", "d"}}),
            "NoSuchEntity");
}

TEST_F(Iam, TheAuditLogSaysWhatBecameOfTheName) {
  testing::RecordedEvents events;
  handler = make_handler({.store = *store, .clock = clock, .audit = &events});
  works("CreateUser", {{"UserName", "alice"}});
  events.take();
  works("UpdateUser", {{"UserName", "alice"}, {"NewUserName", "bob"}});
  const auto all = events.take();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_NE(all[0].find(R"("action":"iam:UpdateUser")"), std::string::npos) << all[0];
  EXPECT_NE(all[0].find(R"("resource":"arn:aws:iam::000000000000:user/alice")"), std::string::npos);
  EXPECT_NE(all[0].find(R"("target":"bob")"), std::string::npos) << all[0];
}

}  // namespace
}  // namespace outcrop::iam::test
