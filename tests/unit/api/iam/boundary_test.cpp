// Permissions boundaries over the wire.
#include "tests/unit/api/iam/iam_fixture.h"

namespace outcrop::iam::test {
namespace {

const std::string kLimit = "arn:aws:iam::000000000000:policy/limit";
const std::string kLists =
    R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["iam:List*","sts:AssumeRole"],"Resource":"*"}})";

TEST_F(Iam, BoundariesAreShownAndCounted) {
  works("CreatePolicy", {{"PolicyName", "limit"}, {"PolicyDocument", kLists}});
  works("CreateUser", {{"UserName", "u"}, {"PermissionsBoundary", kLimit}});
  works("CreateRole", {{"RoleName", "r"}, {"AssumeRolePolicyDocument", kTrust}});
  works("PutRolePermissionsBoundary", {{"RoleName", "r"}, {"PermissionsBoundary", kLimit}});
  for (const auto& [action, parameters] : std::vector<std::pair<std::string, Parameters>>{
           {"GetUser", {{"UserName", "u"}}}, {"GetRole", {{"RoleName", "r"}}}}) {
    const Reply reply = send(action, parameters);
    EXPECT_EQ(text(reply.body, "PermissionsBoundaryArn"), kLimit) << reply.body;
    EXPECT_EQ(text(reply.body, "PermissionsBoundaryType"), "Policy");
  }
  EXPECT_EQ(count(send("ListUsers").body, "Boundary"), 0U);  // as AWS
  const Reply policy = send("GetPolicy", {{"PolicyArn", kLimit}});
  EXPECT_EQ(text(policy.body, "AttachmentCount"), "0");
  EXPECT_EQ(text(policy.body, "PermissionsBoundaryUsageCount"), "2");
  const auto used = [&](const std::string& usage) {
    return count(send("ListPolicies", {{"PolicyUsageFilter", usage}, {"Scope", "Local"}}).body,
                 "<PolicyName>limit<");
  };
  EXPECT_EQ(used("PermissionsBoundary"), 1U);
  EXPECT_EQ(used("PermissionsPolicy"), 0U);
  works("AttachUserPolicy", {{"UserName", "u"}, {"PolicyArn", kLimit}});
  EXPECT_EQ(used("PermissionsPolicy"), 1U);
  const auto entities = [&](const std::string& usage) {
    return count(
        send("ListEntitiesForPolicy", {{"PolicyArn", kLimit}, {"PolicyUsageFilter", usage}}).body,
        "<member>");
  };
  EXPECT_EQ(entities("PermissionsBoundary"), 2U);
  EXPECT_EQ(entities("PermissionsPolicy"), 1U);
  EXPECT_EQ(entities(""), 2U);
  const std::string all = send("ListEntitiesForPolicy", {{"PolicyArn", kLimit}}).body;
  for (const char* tag : {"</PolicyUsers>", "</PolicyGroups>", "</PolicyRoles>"}) {
    EXPECT_EQ(count(all, tag), 1U) << all;
  }
  works("DetachUserPolicy", {{"UserName", "u"}, {"PolicyArn", kLimit}});
  EXPECT_EQ(failure("DeletePolicy", {{"PolicyArn", kLimit}}), "DeleteConflict");
  works("DeleteUserPermissionsBoundary", {{"UserName", "u"}});
  works("DeleteRolePermissionsBoundary", {{"RoleName", "r"}});
  EXPECT_EQ(count(send("GetUser", {{"UserName", "u"}}).body, "Boundary"), 0U);
  works("DeletePolicy", {{"PolicyArn", kLimit}});
}

TEST_F(Iam, BoundariesThatAreRefused) {
  new_user("alice");
  EXPECT_EQ(failure("PutUserPermissionsBoundary",
                    {{"UserName", "alice"}, {"PermissionsBoundary", kLimit}}),
            "NoSuchEntity");
  EXPECT_EQ(failure("CreateUser", {{"UserName", "bob"}, {"PermissionsBoundary", kLimit}}),
            "NoSuchEntity");
  for (const char* none : {"", "x"}) {
    EXPECT_NE(failure("PutUserPermissionsBoundary",
                      {{"UserName", "alice"}, {"PermissionsBoundary", none}}),
              "(none)");
    EXPECT_NE(failure("CreateUser", {{"UserName", "bob"}, {"PermissionsBoundary", none}}),
              "(none)");
  }
  EXPECT_EQ(failure("PutUserPermissionsBoundary", {{"UserName", "alice"}}), "ValidationError");
  EXPECT_EQ(failure("GetUser", {{"UserName", "bob"}}), "NoSuchEntity");
  EXPECT_EQ(failure("DeleteUserPermissionsBoundary", {{"UserName", "bob"}}), "NoSuchEntity");
}

TEST_F(Iam, ABoundaryLimitsTheUserAndHisSessions) {
  works("CreatePolicy", {{"PolicyName", "limit"}, {"PolicyDocument", kLists}});
  const Signer alice = new_user("alice", kAllowAll);
  EXPECT_EQ(send("GetUser", {}, alice).status, 200);
  works("PutUserPermissionsBoundary", {{"UserName", "alice"}, {"PermissionsBoundary", kLimit}});
  EXPECT_EQ(send("ListUsers", {}, alice).status, 200);
  EXPECT_EQ(failure("GetUser", {}, alice), "AccessDenied");
  EXPECT_EQ(failure("DeleteUserPermissionsBoundary", {{"UserName", "alice"}}, alice),
            "AccessDenied");
  // A role's boundary limits its sessions, whatever policies it has.
  new_role("r", R"({"AWS":"arn:aws:iam::000000000000:user/alice"})", kAllowAll);
  works("PutRolePermissionsBoundary", {{"RoleName", "r"}, {"PermissionsBoundary", kLimit}});
  const Signer session = credentials_of(assume("r", alice));
  EXPECT_EQ(send("ListUsers", {}, session).status, 200);
  EXPECT_EQ(failure("GetUser", {{"UserName", "alice"}}, session), "AccessDenied");
  works("DeleteRolePermissionsBoundary", {{"RoleName", "r"}});
  EXPECT_EQ(send("GetUser", {{"UserName", "alice"}}, session).status, 200);
}

TEST_F(Iam, ATrustPolicyThatNamesTheUserIsNotBound) {
  works(
      "CreatePolicy",
      {{"PolicyName", "limit"},
       {"PolicyDocument",
        R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:List*","Resource":"*"}})"}});
  const Signer alice = new_user("alice", kAllowAll);
  works("PutUserPermissionsBoundary", {{"UserName", "alice"}, {"PermissionsBoundary", kLimit}});
  new_role("named", R"({"AWS":"arn:aws:iam::000000000000:user/alice"})", kAllowAll);
  new_role("anybody", R"("*")", kAllowAll);
  new_role("account", R"({"AWS":"000000000000"})", kAllowAll);
  EXPECT_EQ(assume("named", alice).status, 200);
  EXPECT_EQ(text(assume("anybody", alice).body, "Code"), "AccessDenied");
  EXPECT_EQ(text(assume("account", alice).body, "Code"), "AccessDenied");
}

// IAM User Guide, "Delegating responsibility to others using permissions boundaries".
TEST_F(Iam, WhoeverMakesUsersMustBindThem) {
  works("CreatePolicy", {{"PolicyName", "limit"}, {"PolicyDocument", kLists}});
  const Signer zhang = new_user("zhang", R"({"Version":"2012-10-17","Statement":[
      {"Effect":"Allow","Action":["iam:CreateUser","iam:PutUserPermissionsBoundary",
        "iam:PutUserPolicy","iam:AttachUserPolicy","iam:GetUser"],"Resource":"*","Condition":{
        "StringEquals":{"iam:PermissionsBoundary":")" +
                                             kLimit + R"("}}},
      {"Effect":"Deny","Action":"iam:AttachUserPolicy","Resource":"*","Condition":{
        "ArnEquals":{"iam:PolicyARN":"arn:aws:iam::aws:policy/AdministratorAccess"}}}]})");
  EXPECT_EQ(failure("CreateUser", {{"UserName", "a"}}, zhang), "AccessDenied");
  EXPECT_EQ(failure("CreateUser",
                    {{"UserName", "a"},
                     {"PermissionsBoundary", "arn:aws:iam::aws:policy/AdministratorAccess"}},
                    zhang),
            "AccessDenied");
  EXPECT_EQ(send("CreateUser", {{"UserName", "a"}, {"PermissionsBoundary", kLimit}}, zhang).status,
            200);
  const auto put = [&](const std::string& user) {
    return send("PutUserPolicy",
                {{"UserName", user}, {"PolicyName", "p"}, {"PolicyDocument", kAllowAll}}, zhang)
        .status;
  };
  new_user("free");
  EXPECT_EQ(put("a"), 200);
  EXPECT_EQ(put("free"), 403);
  EXPECT_EQ(failure("GetUser", {{"UserName", "a"}}, zhang), "AccessDenied") << "has no such key";
  EXPECT_EQ(failure("PutUserPermissionsBoundary",
                    {{"UserName", "a"},
                     {"PermissionsBoundary", "arn:aws:iam::aws:policy/AdministratorAccess"}},
                    zhang),
            "AccessDenied");
  const auto attach = [&](const std::string& name) {
    return send("AttachUserPolicy",
                {{"UserName", "a"}, {"PolicyArn", "arn:aws:iam::aws:policy/" + name}}, zhang)
        .status;
  };
  EXPECT_EQ(attach("AdministratorAccess"), 403);
  EXPECT_EQ(attach("AmazonS3FullAccess"), 200);
}

}  // namespace
}  // namespace outcrop::iam::test
