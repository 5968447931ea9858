// Simulations over the wire.
#include "tests/unit/api/iam/iam_fixture.h"

namespace outcrop::iam::test {
namespace {

const std::string kArn = "arn:aws:iam::000000000000:";

std::string policy(const std::string& effect,
                   const std::string& action,
                   const std::string& more = "") {
  return R"({"Version":"2012-10-17","Statement":{"Effect":")" + effect + R"(","Action":")" +
         action + R"(","Resource":"*")" + more + "}}";
}

Parameters with(Parameters base, const Parameters& more) {
  base.insert(base.end(), more.begin(), more.end());
  return base;
}

Parameters entry(int n,
                 const std::string& name,
                 const std::string& type,
                 const std::string& value) {
  const std::string stem = "ContextEntries.member." + std::to_string(n);
  return {{stem + ".ContextKeyName", name},
          {stem + ".ContextKeyType", type},
          {stem + ".ContextKeyValues.member.1", value}};
}

const Parameters kGet{{"ActionNames.member.1", "s3:GetObject"}};

class Simulate : public Iam {
 protected:
  std::string custom(const std::string& document, const Parameters& more = {}) {
    const Reply reply = send("SimulateCustomPolicy",
                             with(with({{"PolicyInputList.member.1", document}}, kGet), more));
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.body;
  }
  std::string decision(const std::string& document, const Parameters& more = {}) {
    return text(custom(document, more), "EvalDecision");
  }
  std::string of_principal(const std::string& name, const Parameters& more) {
    const Reply reply =
        send("SimulatePrincipalPolicy", with({{"PolicySourceArn", kArn + name}}, more));
    EXPECT_EQ(reply.status, 200) << reply.body;
    return reply.body;
  }
};

TEST_F(Simulate, Decisions) {
  EXPECT_EQ(decision(policy("Allow", "s3:Get*")), "allowed");
  EXPECT_EQ(decision(policy("Allow", "s3:Put*")), "implicitDeny");
  EXPECT_EQ(decision(policy("Allow", "s3:*"), {{"PolicyInputList.member.2", policy("Deny", "*")}}),
            "explicitDeny");
  const std::string one =
      R"({"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::b/a"}})";
  EXPECT_EQ(decision(one), "implicitDeny") << "without a resource it is about everything";
  EXPECT_EQ(decision(one, {{"ResourceArns.member.1", "arn:aws:s3:::b/a"}}), "allowed");
}

TEST_F(Simulate, WhatDecided) {
  const std::string document = R"({"Version":"2012-10-17","Statement":[
{"Effect":"Allow","Action":"s3:Get*","Resource":"*"},
{"Effect":"Allow","Action":"s3:*","Resource":"*"}]})";
  const std::string both = custom(document);
  EXPECT_EQ(count(both, "<SourcePolicyId>PolicyInputList.1<"), 2U) << both;
  EXPECT_EQ(count(both, "<StartPosition><Line>1</Line><Column>38</Column></StartPosition>"), 1U);
  EXPECT_EQ(count(both, "<EndPosition><Line>3</Line><Column>50</Column></EndPosition>"), 1U);
  const std::string denied =
      custom(document, {{"PolicyInputList.member.2", policy("Deny", "s3:GetObject")}});
  EXPECT_EQ(count(denied, "<SourcePolicyId>"), 1U);
  EXPECT_EQ(text(denied, "SourcePolicyId"), "PolicyInputList.2");
  EXPECT_EQ(count(custom(policy("Allow", "s3:Put*")), "<SourcePolicyId>"), 0U);
}

TEST_F(Simulate, ContextAndWhatIsMissing) {
  const std::string document = policy(
      "Allow", "s3:*",
      R"(,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"StringEquals":{"aws:SourceVpc":"v"},
      "ForAnyValue:StringEquals":{"aws:TagKeys":["b"]},"DateGreaterThan":{"aws:CurrentTime":"2010-01-01"}})");
  const std::string none = custom(document);
  EXPECT_EQ(text(none, "EvalDecision"), "implicitDeny");
  EXPECT_EQ(text(none, "MissingContextValues"),
            "<member>aws:SourceIp</member><member>aws:TagKeys</member>");
  const std::string ip = R"(,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}})";
  EXPECT_EQ(decision(policy("Allow", "s3:*", ip), entry(1, "AWS:sourceip", "ip", "10.1.1.1")),
            "allowed");
  EXPECT_EQ(decision(policy("Allow", "s3:*", ip), entry(1, "aws:SourceIp", "ipList", "11.1.1.1")),
            "implicitDeny");
  const std::string tags =
      R"(,"Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["a","b"]}})";
  EXPECT_EQ(decision(policy("Allow", "s3:*", tags),
                     with(entry(1, "aws:TagKeys", "stringList", "a"),
                          {{"ContextEntries.member.1.ContextKeyValues.member.2", "c"}})),
            "implicitDeny");
  EXPECT_EQ(text(custom(policy("Allow", "s3:*", ip), entry(1, "aws:SourceIp", "ip", "10.1.1.1")),
                 "MissingContextValues"),
            "");
}

TEST_F(Simulate, WhatIsRefused) {
  const auto code = [&](const Parameters& more, bool action = true) {
    return failure(
        "SimulateCustomPolicy",
        with(with({{"PolicyInputList.member.1", kAllowAll}}, action ? kGet : Parameters{}), more));
  };
  EXPECT_EQ(code({}, false), "ValidationError");
  EXPECT_EQ(failure("SimulateCustomPolicy", kGet), "ValidationError");
  EXPECT_EQ(code({{"PolicyInputList.member.2", "{}"}}), "InvalidInput");
  EXPECT_EQ(code({{"ActionNames.member.2", "s3:GetObjekt"}}), "InvalidInput");
  EXPECT_EQ(code({{"ActionNames.member.2", "ec2:RunInstances"}}), "InvalidInput");
  EXPECT_EQ(code({{"ResourceArns.member.1", "b"}}), "InvalidInput");
  EXPECT_EQ(code({{"ResourceOwner", "me"}}), "InvalidInput");
  EXPECT_EQ(code({{"CallerArn", kArn + "user/nobody"}}), "InvalidInput");
  EXPECT_EQ(code({{"ResourcePolicy", "{}"}}), "InvalidInput");
  EXPECT_EQ(code({{"ResourceHandlingOption", "EC2-VPC"}}), "NotImplemented");
  EXPECT_EQ(code(entry(1, "aws:Nonsense", "string", "a")), "InvalidInput");
  EXPECT_EQ(code(entry(1, "aws:SourceVpc", "string", "a")), "InvalidInput");
  EXPECT_EQ(code(entry(1, "aws:SourceIp", "text", "a")), "InvalidInput");
  EXPECT_EQ(code(with(entry(1, "aws:SourceIp", "ip", "a"),
                      {{"ContextEntries.member.1.ContextKeyValues.member.2", "b"}})),
            "InvalidInput");
  EXPECT_EQ(code(with(entry(1, "aws:SourceIp", "ip", "a"), entry(2, "aws:sourceip", "ip", "a"))),
            "InvalidInput");
  EXPECT_EQ(code({{"ContextEntries.member.1.Size", "a"}}), "ValidationError");
  EXPECT_EQ(code({{"PermissionsBoundaryPolicyInputList.member.1", kAllowAll},
                  {"PermissionsBoundaryPolicyInputList.member.2", policy("Allow", "s3:*")}}),
            "InvalidInput");
  EXPECT_EQ(
      failure("SimulatePrincipalPolicy", with({{"PolicySourceArn", kArn + "user/nobody"}}, kGet)),
      "NoSuchEntity");
}

TEST_F(Simulate, PagesAreOfActionsAndResources) {
  const Parameters ask{{"PolicyInputList.member.1", policy("Allow", "s3:Get*")},
                       {"ActionNames.member.1", "s3:GetObject"},
                       {"ActionNames.member.2", "s3:PutObject"},
                       {"ResourceArns.member.1", "arn:aws:s3:::b/1"},
                       {"ResourceArns.member.2", "arn:aws:s3:::b/2"},
                       {"MaxItems", "3"}};
  const Reply first = send("SimulateCustomPolicy", ask);
  EXPECT_EQ(text(first.body, "IsTruncated"), "true") << first.body;
  EXPECT_EQ(count(first.body, "<EvalDecision>"), 3U);
  EXPECT_EQ(count(first.body, "<EvalResourceDecision>allowed<"), 2U);
  EXPECT_EQ(count(first.body, "<EvalResourceName>arn:aws:s3:::b/1<"), 4U);
  const Reply last =
      send("SimulateCustomPolicy", with(ask, {{"Marker", text(first.body, "Marker")}}));
  EXPECT_EQ(text(last.body, "IsTruncated"), "false");
  EXPECT_EQ(text(last.body, "EvalActionName"), "s3:PutObject");
  EXPECT_EQ(text(last.body, "EvalResourceName"), "arn:aws:s3:::b/2");
  EXPECT_EQ(text(last.body, "EvalDecision"), "implicitDeny");
}

TEST_F(Simulate, UsersGroupsAndRoles) {
  new_user("alice", policy("Allow", "s3:GetObject"));
  works("CreateGroup", {{"GroupName", "g"}});
  works("AddUserToGroup", {{"GroupName", "g"}, {"UserName", "alice"}});
  works("AttachGroupPolicy",
        {{"GroupName", "g"}, {"PolicyArn", "arn:aws:iam::aws:policy/AmazonS3FullAccess"}});
  new_role("r", R"("*")", policy("Deny", "s3:GetObject"));
  const std::string get = of_principal("user/alice", kGet);
  EXPECT_EQ(
      count(get, "<SourcePolicyId>user_alice_p</SourcePolicyId><SourcePolicyType>IAM Policy<"), 1U)
      << get;
  EXPECT_EQ(count(get,
                  "<SourcePolicyId>AmazonS3FullAccess</SourcePolicyId>"
                  "<SourcePolicyType>IAM Policy<"),
            1U);
  EXPECT_EQ(text(of_principal("group/g", kGet), "EvalDecision"), "allowed");
  EXPECT_EQ(text(of_principal("role/r", kGet), "EvalDecision"), "explicitDeny");
  EXPECT_EQ(text(of_principal("role/r", kGet), "SourcePolicyId"), "role_r_p");
  // As the evaluator knows the caller.
  works("TagUser",
        {{"UserName", "alice"}, {"Tags.member.1.Key", "team"}, {"Tags.member.1.Value", "red"}});
  const std::string own = policy(
      "Deny", "s3:*",
      R"(,"Condition":{"StringEquals":{"aws:username":"alice","aws:PrincipalTag/Team":"red"}})");
  EXPECT_EQ(text(of_principal("user/alice", with(kGet, {{"PolicyInputList.member.1", own}})),
                 "EvalDecision"),
            "explicitDeny");
  EXPECT_EQ(text(of_principal("user/alice", with(with(kGet, {{"PolicyInputList.member.1", own}}),
                                                 entry(1, "aws:username", "string", "bob"))),
                 "EvalDecision"),
            "allowed")
      << "what is given goes first";
}

TEST_F(Simulate, Boundaries) {
  const std::string limit = policy("Allow", "s3:Get*");
  const std::string cut = custom(kAllowAll, {{"PermissionsBoundaryPolicyInputList.member.1", limit},
                                             {"ActionNames.member.2", "s3:PutObject"}});
  EXPECT_EQ(count(cut, "<EvalDecision>allowed<"), 1U) << cut;
  EXPECT_EQ(count(cut, "<EvalDecision>implicitDeny<"), 1U);
  EXPECT_EQ(count(cut, "<AllowedByPermissionsBoundary>true<"), 1U);
  EXPECT_EQ(count(cut, "<AllowedByPermissionsBoundary>false<"), 1U);
  new_user("alice", kAllowAll);
  works("CreatePolicy", {{"PolicyName", "limit"}, {"PolicyDocument", limit}});
  const Parameters put{{"ActionNames.member.1", "s3:PutObject"}};
  EXPECT_EQ(text(of_principal("user/alice", put), "EvalDecision"), "allowed");
  works("PutUserPermissionsBoundary",
        {{"UserName", "alice"}, {"PermissionsBoundary", kArn + "policy/limit"}});
  EXPECT_EQ(text(of_principal("user/alice", put), "EvalDecision"), "implicitDeny");
  EXPECT_EQ(
      text(of_principal("user/alice",
                        with(put, {{"PermissionsBoundaryPolicyInputList.member.1", kAllowAll}})),
           "EvalDecision"),
      "allowed");
}

TEST_F(Simulate, PoliciesOfBuckets) {
  new_user("alice", policy("Allow", "s3:ListBucket"));
  const auto bucket = [](const std::string& effect, const std::string& principal) {
    return R"({"Statement":{"Effect":")" + effect + R"(","Principal":{"AWS":")" + principal +
           R"("},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}})";
  };
  const Parameters ask = with(kGet, {{"ResourceArns.member.1", "arn:aws:s3:::b/a"}});
  const auto code = [&](const std::string& document, const Parameters& more = {}) {
    return text(of_principal("user/alice", with(with(ask, {{"ResourcePolicy", document}}), more)),
                "EvalDecision");
  };
  EXPECT_EQ(code(bucket("Allow", kArn + "user/alice")), "allowed");
  EXPECT_EQ(code(bucket("Allow", kArn + "user/bob")), "implicitDeny");
  EXPECT_EQ(code(bucket("Deny", "*")), "explicitDeny");
  const Parameters elsewhere{{"ResourceOwner", "arn:aws:iam::123456789012:root"}};
  EXPECT_EQ(code(bucket("Allow", "*"), elsewhere), "implicitDeny") << "his own side is silent";
  EXPECT_EQ(code(bucket("Allow", "*"),
                 with(elsewhere, {{"PolicyInputList.member.1", policy("Allow", "s3:*")}})),
            "allowed");
  EXPECT_EQ(failure("SimulatePrincipalPolicy",
                    with(with(kGet, {{"ResourcePolicy", bucket("Allow", "*")}}),
                         {{"PolicySourceArn", kArn + "user/alice"}})),
            "InvalidInput")
      << "of which bucket?";
}

TEST_F(Simulate, ContextKeys) {
  new_user("alice", policy("Allow", "s3:*", R"(,"Condition":{"Null":{"s3:prefix":"true"}})"));
  const std::string more =
      policy("Allow", "s3:*", R"(,"Condition":{"Bool":{"aws:SecureTransport":"true"}})");
  EXPECT_EQ(text(send("GetContextKeysForCustomPolicy", {{"PolicyInputList.member.1", more}}).body,
                 "ContextKeyNames"),
            "<member>aws:SecureTransport</member>");
  EXPECT_EQ(text(send("GetContextKeysForPrincipalPolicy", {{"PolicySourceArn", kArn + "user/alice"},
                                                           {"PolicyInputList.member.1", more}})
                     .body,
                 "ContextKeyNames"),
            "<member>aws:SecureTransport</member><member>s3:prefix</member>");
  EXPECT_EQ(failure("GetContextKeysForCustomPolicy", {}), "ValidationError");
}

TEST_F(Simulate, IsAPermission) {
  const Signer alice = new_user("alice", R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",
      "Action":"iam:Simulate*","Resource":"arn:aws:iam::000000000000:user/${aws:username}"}})");
  const auto ask = [&](const std::string& who) {
    return send("SimulatePrincipalPolicy", with(kGet, {{"PolicySourceArn", kArn + who}}), alice)
        .status;
  };
  EXPECT_EQ(ask("user/alice"), 200);
  EXPECT_EQ(ask("user/bob"), 403);
  EXPECT_EQ(
      failure("SimulateCustomPolicy", with(kGet, {{"PolicyInputList.member.1", kAllowAll}}), alice),
      "AccessDenied");
}

}  // namespace
}  // namespace outcrop::iam::test
