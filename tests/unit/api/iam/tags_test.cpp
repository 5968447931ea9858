// Tags over the wire, and the conditions that ask for them.
#include "tests/unit/api/iam/iam_fixture.h"

namespace outcrop::iam::test {
namespace {

const std::string kArn = "arn:aws:iam::000000000000:";

Parameters tagged(Parameters base, const Parameters& tags) {
  std::size_t n = 0;
  for (const auto& [key, value] : tags) {
    const std::string stem = "Tags.member." + std::to_string(++n);
    base.push_back({stem + ".Key", key});
    base.push_back({stem + ".Value", value});
  }
  return base;
}

std::string allow(const std::string& action, const std::string& condition) {
  return R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":)" + action +
         R"(,"Resource":"*","Condition":)" + condition + "}}";
}

TEST_F(Iam, WhatIsMadeWithTagsHasThem) {
  const Parameters tags{{"team", "red"}, {"Cost Center", "7"}};
  struct Row {
    std::string kind, get;
    Parameters made, named;
  };
  const std::string provider = kArn + "oidc-provider/id.example.com";
  const std::vector<Row> rows{{"User", "GetUser", {{"UserName", "u"}}, {{"UserName", "u"}}},
                              {"Role",
                               "GetRole",
                               {{"RoleName", "r"}, {"AssumeRolePolicyDocument", kTrust}},
                               {{"RoleName", "r"}}},
                              {"Policy",
                               "GetPolicy",
                               {{"PolicyName", "p"}, {"PolicyDocument", kAllowAll}},
                               {{"PolicyArn", kArn + "policy/p"}}},
                              {"OpenIDConnectProvider",
                               "GetOpenIDConnectProvider",
                               {{"Url", "https://id.example.com"}},
                               {{"OpenIDConnectProviderArn", provider}}}};
  const std::string shown =
      "<Tags><member><Key>Cost Center</Key><Value>7</Value></member>"
      "<member><Key>team</Key><Value>red</Value></member></Tags>";
  for (const Row& row : rows) {
    const Reply made = send("Create" + row.kind, tagged(row.made, tags));
    EXPECT_EQ(count(made.body, shown), 1U) << made.body;
    EXPECT_EQ(count(send(row.get, row.named).body, shown), 1U) << row.kind;
    Parameters first = row.named;
    first.push_back({"MaxItems", "1"});
    const Reply page = send("List" + row.kind + "Tags", first);
    EXPECT_EQ(text(page.body, "IsTruncated"), "true");
    EXPECT_EQ(text(page.body, "Marker"), "Cost Center") << page.body;
    first.push_back({"Marker", "Cost Center"});
    EXPECT_EQ(text(send("List" + row.kind + "Tags", first).body, "Value"), "red");
    works("Tag" + row.kind, tagged(row.named, {{"TEAM", "blue"}}));
    EXPECT_EQ(
        count(send("List" + row.kind + "Tags", row.named).body, "<Key>TEAM</Key><Value>blue<"), 1U);
    Parameters fewer = row.named;
    fewer.push_back({"TagKeys.member.1", "team"});
    fewer.push_back({"TagKeys.member.2", "not there"});
    works("Untag" + row.kind, fewer);
    EXPECT_EQ(count(send("List" + row.kind + "Tags", row.named).body, "<Key>"), 1U);
    fewer.push_back({"TagKeys.member.3", "cost center"});
    works("Untag" + row.kind, fewer);
    EXPECT_EQ(count(send(row.get, row.named).body, "<Tags"), 0U);
  }
  works("TagUser", tagged({{"UserName", "u"}}, tags));
  EXPECT_EQ(count(send("ListUsers").body, "<Tags"), 0U);  // as AWS
  EXPECT_EQ(count(send("GetAccountAuthorizationDetails").body, shown), 1U);
}

TEST_F(Iam, TagsThatAreRefused) {
  new_user("alice");
  const auto code = [&](const Parameters& more) {
    Parameters all{{"UserName", "alice"}};
    all.insert(all.end(), more.begin(), more.end());
    return failure("TagUser", all);
  };
  EXPECT_EQ(code({{"Tags.member.1.Key", "a"}}), "ValidationError");
  EXPECT_EQ(code({{"Tags.member.1.Value", "a"}}), "ValidationError");
  EXPECT_EQ(code({{"Tags.member.x.Key", "a"}}), "ValidationError");
  EXPECT_EQ(code({{"Tags.member.0.Key", "a"}}), "ValidationError");
  EXPECT_EQ(code({{"Tags.member.01.Key", "a"}, {"Tags.member.01.Value", "a"}}), "ValidationError");
  EXPECT_EQ(code({{"Tags.member.1.Key", "a"}, {"Tags.member.1.Size", "a"}}), "ValidationError");
  EXPECT_EQ(code(tagged({}, {{"a*", ""}})), "ValidationError");
  EXPECT_EQ(code(tagged({}, {{"aws:a", ""}})), "InvalidInput");
  EXPECT_EQ(code(tagged({}, {{"a", ""}, {"A", ""}})), "InvalidInput");
  Parameters fifty;
  for (std::size_t i = 0; i < identity::kMaxTags; ++i) {
    fifty.push_back({"k" + std::to_string(i), "v"});
  }
  works("TagUser", tagged({{"UserName", "alice"}}, fifty));
  EXPECT_EQ(code(tagged({}, {{"one more", ""}})), "LimitExceeded");
  fifty.push_back({"one more", ""});
  EXPECT_EQ(code(tagged({}, fifty)), "ValidationError");
  EXPECT_EQ(failure("TagPolicy",
                    tagged({{"PolicyArn", "arn:aws:iam::aws:policy/IAMFullAccess"}}, {{"a", "b"}})),
            "AccessDenied");
  EXPECT_EQ(failure("TagRole", tagged({{"RoleName", "nobody"}}, {{"a", "b"}})), "NoSuchEntity");
}

// Whoever may make users of his own team only.
TEST_F(Iam, ConditionsAskForTagsOfRequestCallerAndResource) {
  const Signer lead = new_user("lead", R"({"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":["iam:CreateUser","iam:TagUser"],"Resource":"*","Condition":{
           "StringEquals":{"aws:RequestTag/team":"${aws:PrincipalTag/team}"},
           "ForAllValues:StringEqualsIgnoreCase":{"aws:TagKeys":["team","note"]}}},
        {"Effect":"Allow","Action":["iam:GetUser","iam:UpdateUser","iam:DeleteUser"],"Resource":"*",
         "Condition":{"StringEquals":{"iam:ResourceTag/Team":"${aws:PrincipalTag/TEAM}"}}}]})");
  const auto make = [&](const std::string& name, const Parameters& tags) {
    const Reply reply = send("CreateUser", tagged({{"UserName", name}}, tags), lead);
    return reply.status == 200 ? "OK" : text(reply.body, "Code");
  };
  EXPECT_EQ(make("u1", {{"team", "red"}}), "AccessDenied") << "the caller has no team yet";
  works("TagUser", tagged({{"UserName", "lead"}}, {{"team", "red"}}));
  EXPECT_EQ(make("u1", {{"Team", "red"}, {"note", "x"}}), "OK");
  EXPECT_EQ(make("u2", {{"team", "blue"}}), "AccessDenied");
  EXPECT_EQ(make("u2", {{"team", "red"}, {"other", "x"}}), "AccessDenied");
  EXPECT_EQ(make("u2", {}), "AccessDenied");
  works("CreateUser", {{"UserName", "u3"}});
  EXPECT_EQ(send("GetUser", {{"UserName", "u1"}}, lead).status, 200);
  EXPECT_EQ(failure("GetUser", {{"UserName", "u3"}}, lead), "AccessDenied");
  // Under a new name he is the same user.
  EXPECT_EQ(send("UpdateUser", {{"UserName", "u1"}, {"NewUserName", "u4"}}, lead).status, 200);
  works("UntagUser", {{"UserName", "u4"}, {"TagKeys.member.1", "team"}});
  EXPECT_EQ(failure("DeleteUser", {{"UserName", "u4"}}, lead), "AccessDenied");
}

TEST_F(Iam, TaggingIsAPermissionOfItsOwn) {
  const Signer maker = new_user("maker", R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",
      "Action":["iam:Create*","iam:TagRole"],"Resource":"*"}})");
  EXPECT_EQ(send("CreateUser", {{"UserName", "a"}}, maker).status, 200);
  const Parameters tags{{"team", "red"}};
  EXPECT_EQ(failure("CreateUser", tagged({{"UserName", "b"}}, tags), maker), "AccessDenied");
  EXPECT_EQ(
      failure("CreateUser",
              {{"UserName", "b"}, {"Tags.member.7.Key", "k"}, {"Tags.member.7.Value", "v"}}, maker),
      "AccessDenied");
  EXPECT_EQ(send("CreateRole",
                 tagged({{"RoleName", "r"}, {"AssumeRolePolicyDocument", kTrust}}, tags), maker)
                .status,
            200);
  EXPECT_EQ(failure("TagUser", tagged({{"UserName", "a"}}, tags), maker), "AccessDenied");
}

TEST_F(Iam, SessionTags) {
  const Signer alice = new_user("alice", kAllowAll), bob = new_user("bob");
  works("CreateRole",
        tagged({{"RoleName", "r"},
                {"AssumeRolePolicyDocument",
                 R"({"Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},
      "Action":"sts:AssumeRole"},{"Effect":"Allow","Principal":{"AWS":["000000000000"]},
      "Action":"sts:TagSession","Condition":{"StringEquals":{"aws:RequestTag/team":["red","blue"],
      "aws:ResourceTag/open":"yes"}}}]})"}},
               {{"open", "yes"}, {"team", "none"}}));
  works("PutRolePolicy", {{"RoleName", "r"},
                          {"PolicyName", "p"},
                          {"PolicyDocument",
                           allow(R"(["iam:ListUsers","sts:*"])",
                                 R"({"StringEquals":{"aws:PrincipalTag/team":["red","none"]}})")}});
  const auto code = [&](const Parameters& tags, Parameters more = {}) {
    return text(assume("r", alice, tagged(std::move(more), tags)).body, "Code");
  };
  EXPECT_EQ(code({{"team", "green"}}), "AccessDenied") << "what the trust policy lets through";
  EXPECT_EQ(code({{"team", "red"}, {"TEAM", "red"}}), "InvalidInput");
  EXPECT_EQ(code({{"team", "red"}}, {{"TransitiveTagKeys.member.1", "other"}}), "ValidationError");
  EXPECT_EQ(
      text(assume("r", alice, {{"Tags.member.9.Key", "a"}, {"Tags.member.9.Value", "b"}}).body,
           "Code"),
      "AccessDenied")
      << "whatever number the tag has";
  const Signer plain = credentials_of(assume("r", alice));
  EXPECT_EQ(send("ListUsers", {}, plain).status, 200) << "the role's tag";
  const Signer blue = credentials_of(assume("r", alice, tagged({}, {{"Team", "blue"}})));
  EXPECT_EQ(failure("ListUsers", {}, blue), "AccessDenied") << "the session's tag goes first";
  const Signer red = credentials_of(
      assume("r", alice, tagged({{"TransitiveTagKeys.member.1", "TEAM"}}, {{"team", "red"}})));
  EXPECT_EQ(send("ListUsers", {}, red).status, 200);
  // The next session has it, and cannot have another.
  new_role("next", R"({"AWS":"arn:aws:iam::000000000000:role/r"})",
           allow(R"("iam:ListUsers")", R"({"StringEquals":{"aws:PrincipalTag/team":"red"}})"));
  const Signer next = credentials_of(assume("next", red));
  EXPECT_EQ(send("ListUsers", {}, next).status, 200);
  EXPECT_EQ(failure("ListUsers", {}, credentials_of(assume("next", plain))), "AccessDenied");
  EXPECT_EQ(text(assume("next", red, tagged({}, {{"team", "red"}})).body, "Code"),
            "ValidationError");
  Parameters large;
  for (int i = 0; i < 49; ++i) {
    large.push_back({"k" + std::to_string(i), std::string(256, 'v')});
  }
  large.push_back({"team", "red"});
  EXPECT_EQ(code(large), "PackedPolicyTooLarge");
}

}  // namespace
}  // namespace outcrop::iam::test
