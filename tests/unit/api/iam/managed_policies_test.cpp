// Versions of managed policies, those of AWS, and who has them, over the wire.
#include "tests/support/recorded_events.h"
#include "tests/unit/api/iam/iam_fixture.h"

namespace outcrop::iam::test {
namespace {

const std::string kReadOnly = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess";

TEST_F(Iam, PoliciesHaveVersions) {
  const std::string arn =
      text(send("CreatePolicy", {{"PolicyName", "m"}, {"PolicyDocument", kAllowAll}}).body, "Arn");
  clock.set(auth::test::kDocTime + 60);
  const Reply second =
      send("CreatePolicyVersion", {{"PolicyArn", arn}, {"PolicyDocument", kAllowAll}});
  EXPECT_EQ(text(second.body, "VersionId"), "v2");
  EXPECT_EQ(text(second.body, "IsDefaultVersion"), "false");
  const std::string second_made = text(second.body, "CreateDate");
  clock.set(auth::test::kDocTime);
  works("CreatePolicyVersion",
        {{"PolicyArn", arn}, {"PolicyDocument", kAllowAll}, {"SetAsDefault", "true"}});
  const Reply policy = send("GetPolicy", {{"PolicyArn", arn}});
  EXPECT_EQ(text(policy.body, "DefaultVersionId"), "v3");
  EXPECT_EQ(text(policy.body, "UpdateDate"), second_made);
  works("SetDefaultPolicyVersion", {{"PolicyArn", arn}, {"VersionId", "v1"}});
  EXPECT_EQ(text(send("GetPolicy", {{"PolicyArn", arn}}).body, "DefaultVersionId"), "v1");
  const Reply versions = send("ListPolicyVersions", {{"PolicyArn", arn}});
  EXPECT_EQ(count(versions.body, "<member>"), 3U);
  EXPECT_EQ(count(versions.body, "<IsDefaultVersion>true</IsDefaultVersion>"), 1U);
  const Reply shown = send("GetPolicyVersion", {{"PolicyArn", arn}, {"VersionId", "v2"}});
  EXPECT_EQ(text(shown.body, "Document").substr(0, 13), "%7B%22Version");
  EXPECT_EQ(text(shown.body, "CreateDate"), second_made);
  EXPECT_EQ(failure("DeletePolicy", {{"PolicyArn", arn}}), "DeleteConflict");
  EXPECT_EQ(failure("DeletePolicyVersion", {{"PolicyArn", arn}, {"VersionId", "v1"}}),
            "DeleteConflict");
  for (const char* bad : {"", "v", "v01", "2", "v-1", "vx", "v4294967296"}) {
    EXPECT_EQ(failure("DeletePolicyVersion", {{"PolicyArn", arn}, {"VersionId", bad}}),
              "ValidationError")
        << bad;
  }
  EXPECT_EQ(failure("SetDefaultPolicyVersion", {{"PolicyArn", arn}, {"VersionId", "v9"}}),
            "NoSuchEntity");
  works("DeletePolicyVersion", {{"PolicyArn", arn}, {"VersionId", "v2"}});
  works("DeletePolicyVersion", {{"PolicyArn", arn}, {"VersionId", "v3"}});
  works("DeletePolicy", {{"PolicyArn", arn}});
}

TEST_F(Iam, PoliciesOfAws) {
  const Signer alice = new_user("alice");
  EXPECT_EQ(send("ListUsers", {}, alice).status, 403);
  works("AttachUserPolicy",
        {{"UserName", "alice"}, {"PolicyArn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess"}});
  EXPECT_EQ(send("ListUsers", {}, alice).status, 200);
  EXPECT_EQ(send("CreateUser", {{"UserName", "bob"}}, alice).status, 403);
  works("AttachUserPolicy", {{"UserName", "alice"}, {"PolicyArn", kReadOnly}});
  const Reply attached = send("ListAttachedUserPolicies", {{"UserName", "alice"}});
  EXPECT_EQ(count(attached.body, "<PolicyArn>" + kReadOnly + "</PolicyArn>"), 1U);
  EXPECT_EQ(count(attached.body, "<PolicyName>AmazonS3ReadOnlyAccess</PolicyName>"), 1U);
  const Reply policy = send("GetPolicy", {{"PolicyArn", kReadOnly}});
  EXPECT_EQ(text(policy.body, "PolicyName"), "AmazonS3ReadOnlyAccess");
  EXPECT_EQ(text(policy.body, "AttachmentCount"), "1");
  EXPECT_EQ(send("GetPolicyVersion", {{"PolicyArn", kReadOnly}, {"VersionId", "v1"}}).status, 200);
  EXPECT_EQ(send("CreatePolicy", {{"PolicyName", "m"}, {"PolicyDocument", kAllowAll}}).status, 200);
  const auto listed = [&](const std::string& scope, const std::string& only = "false") {
    return count(send("ListPolicies", {{"Scope", scope}, {"OnlyAttached", only}}).body,
                 "<PolicyName>");
  };
  EXPECT_EQ(listed("Local"), 1U);
  EXPECT_GE(listed("AWS"), 8U);
  EXPECT_EQ(listed("All"), listed("AWS") + 1);
  EXPECT_EQ(listed("AWS", "true"), 2U);
  EXPECT_EQ(failure("DeletePolicy", {{"PolicyArn", kReadOnly}}), "AccessDenied");
  EXPECT_EQ(
      failure("CreatePolicyVersion", {{"PolicyArn", kReadOnly}, {"PolicyDocument", kAllowAll}}),
      "AccessDenied");
  EXPECT_EQ(failure("AttachUserPolicy",
                    {{"UserName", "alice"}, {"PolicyArn", "arn:aws:iam::aws:policy/NoSuch"}}),
            "NoSuchEntity");
  works("DetachUserPolicy", {{"UserName", "alice"}, {"PolicyArn", kReadOnly}});
}

// All pages of ListPolicies together, whatever their size.
TEST_F(Iam, PagesOfPoliciesOfBothScopes) {
  works("CreatePolicy", {{"PolicyName", "AdministratorAccess"}, {"PolicyDocument", kAllowAll}});
  works("CreatePolicy", {{"PolicyName", "zz"}, {"PolicyDocument", kAllowAll}});
  const std::size_t all = count(send("ListPolicies").body, "<PolicyName>");
  std::size_t seen = 0;
  std::string marker;
  for (bool more = true; more;) {
    Parameters parameters{{"MaxItems", "3"}};
    if (!marker.empty()) {
      parameters.push_back({"Marker", marker});
    }
    const Reply reply = send("ListPolicies", parameters);
    seen += count(reply.body, "<PolicyName>");
    more = text(reply.body, "IsTruncated") == "true";
    marker = text(reply.body, "Marker");
  }
  EXPECT_EQ(seen, all);
}

TEST_F(Iam, SessionsMayBeRestrictedByAPolicyOfAws) {
  const Signer alice = new_user("alice", kAllowAll);
  new_role("r", R"("*")", kAllowAll);
  const Signer free = credentials_of(assume("r", alice));
  const Signer bound = credentials_of(assume(
      "r", alice, {{"PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/IAMReadOnlyAccess"}}));
  EXPECT_EQ(send("ListUsers", {}, bound).status, 200);
  EXPECT_EQ(send("CreateUser", {{"UserName", "x"}}, bound).status, 403);
  EXPECT_EQ(send("CreateUser", {{"UserName", "x"}}, free).status, 200);
}

TEST_F(Iam, WhoHasAPolicy) {
  new_user("alice");
  works("CreateGroup", {{"GroupName", "g"}, {"Path", "/x/"}});
  works("CreateRole", {{"RoleName", "r"}, {"AssumeRolePolicyDocument", kTrust}});
  for (const auto& [kind, name] : Parameters{{"User", "alice"}, {"Group", "g"}, {"Role", "r"}}) {
    works("Attach" + kind + "Policy", {{kind + "Name", name}, {"PolicyArn", kReadOnly}});
  }
  const auto who = [&](Parameters more) {
    more.push_back({"PolicyArn", kReadOnly});
    const Reply reply = send("ListEntitiesForPolicy", more);
    EXPECT_EQ(reply.status, 200) << reply.body;
    std::string out;
    for (const char* tag : {"UserName", "GroupName", "RoleName"}) {
      const std::string name = text(reply.body, tag);
      out += name == "(none)" ? "" : name + " ";
    }
    return out;
  };
  EXPECT_EQ(who({}), "alice g r ");
  EXPECT_EQ(who({{"EntityFilter", "Role"}}), "r ");
  EXPECT_EQ(who({{"PathPrefix", "/x/"}}), "g ");
  EXPECT_EQ(who({{"PolicyUsageFilter", "PermissionsBoundary"}}), "");
  const Reply first = send("ListEntitiesForPolicy", {{"PolicyArn", kReadOnly}, {"MaxItems", "2"}});
  EXPECT_EQ(text(first.body, "IsTruncated"), "true");
  EXPECT_EQ(who({{"Marker", text(first.body, "Marker")}}), "r ");
  EXPECT_EQ(failure("ListEntitiesForPolicy", {{"PolicyArn", kReadOnly}, {"EntityFilter", "Dog"}}),
            "ValidationError");
  EXPECT_EQ(failure("ListEntitiesForPolicy", {{"PolicyArn", "arn:aws:iam::000000000000:policy/x"}}),
            "NoSuchEntity");
}

TEST_F(Iam, EverythingInOneAnswer) {
  new_user("alice", kAllowAll);
  works("CreateGroup", {{"GroupName", "g"}});
  works("AddUserToGroup", {{"GroupName", "g"}, {"UserName", "alice"}});
  new_role("r", R"("*")", kAllowAll);
  works("CreatePolicy", {{"PolicyName", "m"}, {"PolicyDocument", kAllowAll}});
  works("AttachGroupPolicy", {{"GroupName", "g"}, {"PolicyArn", kReadOnly}});
  const Reply all = send("GetAccountAuthorizationDetails");
  for (const char* part :
       {"<UserName>alice</UserName>", "<GroupList><member>g</member></GroupList>",
        "<RoleName>r</RoleName>", "<PolicyName>m</PolicyName>", "<RolePolicyList><member>",
        "<PolicyVersionList><member><Document>", "<InstanceProfileList"}) {
    EXPECT_EQ(count(all.body, part) > 0, true) << part << all.body;
  }
  EXPECT_EQ(count(all.body, "<PolicyVersionList>"), 2U) << "of AWS's those that are attached";
  const Reply users = send("GetAccountAuthorizationDetails", {{"Filter.member.1", "User"}});
  EXPECT_EQ(count(users.body, "<Arn>"), 1U);
  EXPECT_EQ(failure("GetAccountAuthorizationDetails", {{"Filter.member.1", "Dog"}}),
            "ValidationError");
  std::size_t seen = 0;
  std::string marker;
  for (bool more = true; more;) {
    Parameters parameters{{"MaxItems", "1"}};
    if (!marker.empty()) {
      parameters.push_back({"Marker", marker});
    }
    const Reply reply = send("GetAccountAuthorizationDetails", parameters);
    seen += count(reply.body, "<Arn>");
    more = text(reply.body, "IsTruncated") == "true";
    marker = text(reply.body, "Marker");
  }
  EXPECT_EQ(seen, 5U);
}

}  // namespace
}  // namespace outcrop::iam::test
