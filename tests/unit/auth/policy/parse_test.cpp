// What is refused when a policy is put, in AWS's words, and what is accepted.
#include "tests/unit/auth/policy/support.h"

namespace outcrop::policy::test {
namespace {

std::string statement(const std::string& fields) {
  return R"({"Version":"2012-10-17","Statement":[{)" + fields + "}]}";
}
const std::string kStar = R"("Effect":"Allow","Principal":"*",)";
const std::string kGet = R"("Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/*")";

TEST(PolicyDocument, MalformedBucketPolicies) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "Policies must be valid JSON and the first byte must be '{'"},
      {"[]", "Policies must be valid JSON and the first byte must be '{'"},
      {"{", "This policy contains invalid Json"},
      {R"({"Statement":[],"Statement":[]})", "This policy contains invalid Json"},
      {"{}", "Missing required field Statement"},
      {R"({"Statement":[]})", "Could not parse the policy: Statement is empty!"},
      {R"({"Statement":"x"})", "Could not parse the policy: Statement is empty!"},
      {R"({"Version":"2020-01-01","Statement":[{}]})",
       "The policy must contain a valid version string"},
      {R"({"Version":2,"Statement":[{}]})", "The policy must contain a valid version string"},
      {R"({"Extra":1,"Statement":[{}]})", "Unknown field Extra"},
      {statement(""), "Missing required field Effect"},
      {statement(R"("Effect":"Allow")"), "Missing required field Principal"},
      {statement(R"("Effect":"Allow","Principal":"*")"), "Missing required field Action"},
      {statement(kStar + R"("Action":"s3:GetObject")"), "Missing required field Resource"},
      {statement(R"("Effect":"allow","Principal":"*",)" + kGet), "Invalid effect: allow"},
      {statement(kStar + R"("Action":"s3:NoSuch","Resource":"arn:aws:s3:::photos/*")"),
       "Policy has invalid action"},
      {statement(kStar + R"("Action":"iam:GetUser","Resource":"arn:aws:s3:::photos/*")"),
       "Policy has invalid action"},
      {statement(kStar + R"("Action":[],"Resource":"arn:aws:s3:::photos/*")"),
       "Policy has invalid action"},
      {statement(kStar + R"("Action":"s3:GetObject","Resource":"arn:aws:s3:::other/*")"),
       "Policy has invalid resource"},
      {statement(kStar + R"("Action":"s3:GetObject","Resource":"photos/*")"),
       "Policy has invalid resource"},
      {statement(kStar + R"("Action":"s3:GetObject","Resource":"arn:aws:sqs:::photos/*")"),
       "Policy has invalid resource"},
      {statement(kStar + R"("Action":"s3:GetObject","Resource":"arn:aws:s3:::photos")"),
       "Action does not apply to any resource(s) in statement"},
      {statement(kStar + R"("Action":"s3:ListBucket","Resource":"arn:aws:s3:::photos/*")"),
       "Action does not apply to any resource(s) in statement"},
      {statement(kStar + kGet + R"(,"Extra":1)"), "Unknown field Extra"},
      {statement(kStar + kGet + R"(,"Condition":{"StringSame":{"s3:prefix":"a"}})"),
       "Invalid Condition type : StringSame"},
      {statement(kStar + kGet + R"(,"Condition":{"NullIfExists":{"s3:prefix":"true"}})"),
       "Invalid Condition type : NullIfExists"},
      {statement(kStar + kGet + R"(,"Condition":{"StringEquals":{"s3:nokey":"a"}})"),
       "Policy has an invalid condition key"},
      {statement(kStar + kGet + R"(,"Condition":{"StringEquals":{"s3:prefix":[]}})"),
       "Invalid policy syntax."},
      {statement(kStar + kGet + R"(,"Condition":{"NumericEquals":{"s3:max-keys":"ten"}})"),
       "Invalid number in condition: ten"},
      {statement(kStar + kGet + R"(,"Condition":{"IpAddress":{"aws:SourceIp":"1.2.3.4/33"}})"),
       "Invalid IP address in condition: 1.2.3.4/33"},
      {statement(kStar + kGet + R"(,"Condition":{"DateLessThan":{"aws:CurrentTime":"soon"}})"),
       "Invalid date in condition: soon"},
      {statement(kStar + kGet + R"(,"Condition":{"Bool":{"aws:SecureTransport":"yes"}})"),
       "Invalid boolean in condition: yes"},
  };
  for (const auto& [text, why] : cases) {
    EXPECT_EQ(refusal(text), why) << text;
  }
}

TEST(PolicyDocument, Principals) {
  const auto with = [](const std::string& principal) {
    return refusal(statement(R"("Effect":"Allow","Principal":)" + principal + "," + kGet));
  };
  for (const char* fine :
       {R"("*")", R"({"AWS":"*"})", R"({"AWS":["123456789012"]})",
        R"({"AWS":"arn:aws:iam::123456789012:root"})", R"({"AWS":"arn:aws:iam:::user/a/b"})",
        R"({"AWS":"arn:aws:sts::123456789012:assumed-role/r/s"})",
        R"({"AWS":"arn:aws:iam::s3tenant1:root"})", R"({"CanonicalUser":"75aa57f0"})",
        R"({"Service":"logging.s3.amazonaws.com"})"}) {
    EXPECT_EQ(with(fine), "(accepted)") << fine;
  }
  for (const char* bad :
       {R"("alice")", "{}", R"({"AWS":[]})", R"({"AWS":"alice"})", R"({"AWS":""})",
        R"({"AWS":"arn:aws:iam::123456789012:user/*"})", R"({"AWS":"arn:aws:iam::1*:root"})",
        R"({"AWS":"arn:aws:iam::123456789012:group/g"})", R"({"AWS":"arn:aws:s3:::photos"})",
        R"({"User":"alice"})", R"({"CanonicalUser":"*"})", "7"}) {
    EXPECT_EQ(with(bad), "Invalid principal in policy") << bad;
  }
}

TEST(PolicyDocument, IdentityPolicies) {
  const auto with = [](const std::string& fields) {
    return refusal(statement(fields), PolicyKind::identity);
  };
  EXPECT_EQ(with(R"("Effect":"Allow","Action":"*","Resource":"*")"), "(accepted)");
  EXPECT_EQ(with(R"("Effect":"Allow","Action":"ec2:Run*","Resource":"*")"), "(accepted)");
  EXPECT_EQ(with(R"("Effect":"Allow","NotAction":"iam:*","NotResource":"arn:aws:s3:::x")"),
            "(accepted)");
  EXPECT_EQ(with(R"("Effect":"Allow","Action":"*","Resource":"*","Principal":"*")"),
            "Policy document should not specify a principal.");
  EXPECT_EQ(with(R"("Effect":"Allow","Action":"GetObject","Resource":"*")"),
            "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.");
  EXPECT_EQ(with(R"("Effect":"Allow","Action":"s3:*","Resource":"photos")"),
            "Resource photos must be in ARN format or \"*\".");
  EXPECT_EQ(with(R"("Effect":"Allow","Action":"s3:*","Resource":[])"),
            "Policy statement must contain resources.");
  EXPECT_EQ(with(R"("Effect":"Allow","Action":"s3:*","NotAction":"s3:*","Resource":"*")"),
            "Statement has both Action and NotAction");
}

// A Deny of an action that does not exist would deny nothing, and nobody would know.
TEST(PolicyDocument, ActionsThatDoNotExist) {
  for (const char* element : {"Action", "NotAction"}) {
    const auto identity = [&](const std::string& action) {
      return refusal(statement(R"("Effect":"Deny","Resource":"*",")" + std::string(element) +
                               R"(":["s3:GetObject",")" + action + R"("])"),
                     PolicyKind::identity);
    };
    for (const char* bad : {"s3:DeleteObjekt", "S3:DeleteObjekt", "iam:Nope", "sts:Assume",
                            "s3:Delete*Objekt", "s?:DeleteObjekt", "*:DeleteObjekt"}) {
      EXPECT_EQ(identity(bad), "The action " + std::string(bad) + " is not known.");
    }
    // What AWS has, here or not, and what other services have.
    for (const char* fine :
         {"s3:deleteobject", "iam:PassRole", "s3:ListAccessPoints", "s3:*AccessPoint*",
          "sts:GetFederationToken", "IAM:tag*", "kms:Decrypt", "ec2:NoSuch", "*:*"}) {
      EXPECT_EQ(identity(fine), "(accepted)") << fine;
    }
  }
  EXPECT_EQ(refusal(statement(kStar + R"("Action":"sts:AsumeRole")"), PolicyKind::trust),
            "The action sts:AsumeRole is not known.");
}

// What was accepted once, by a version that knew more or checked less, must not lock its owner out.
TEST(PolicyDocument, StoredActionsThatDoNotExistMatchNothing) {
  const auto stored = [](const std::string& fields, PolicyKind kind) {
    auto policy = Policy::compile(statement(fields), kind, "photos", Origin::store);
    EXPECT_TRUE(policy) << fields;
    return policy ? *std::move(policy) : Policy();
  };
  const Question get{.action = "s3:GetObject", .resource = "arn:aws:s3:::photos/k"};
  const Question put{.action = "s3:PutObject", .resource = "arn:aws:s3:::photos/k"};
  const std::string everybody = R"("Principal":"*","Resource":"arn:aws:s3:::photos/*",)";
  for (const auto& [kind, start] : std::vector<std::pair<PolicyKind, std::string>>{
           {PolicyKind::identity, R"("Effect":"Allow","Resource":"*",)"},
           {PolicyKind::bucket, R"("Effect":"Allow",)" + everybody}}) {
    const Policy mixed = stored(start + R"("Action":["s3:GetObjekt","s3:GetObject"])", kind);
    EXPECT_TRUE(allows(mixed, get));
    EXPECT_FALSE(allows(mixed, put));
    EXPECT_FALSE(allows(stored(start + R"("Action":"s3:GetObjekt")", kind), get));
    EXPECT_TRUE(allows(stored(start + R"("NotAction":"s3:GetObjekt")", kind), get));
  }
  EXPECT_FALSE(Policy::compile(statement(R"("Effect":"Allow","Resource":"*","Action":"GetObject")"),
                               PolicyKind::identity, {}, Origin::store));
}

TEST(PolicyDocument, StoredActionsThatDoNotExistAreNamed) {
  const auto unknown = [](const char* actions, Origin origin = Origin::store) {
    const auto policy = Policy::compile(
        statement(R"("Effect":"Allow","Resource":"*","Action":)" + std::string(actions)),
        PolicyKind::identity, {}, origin);
    return policy ? policy->unknown_actions() : std::vector<std::string>{"(refused)"};
  };
  using Names = std::vector<std::string>;
  const char* fine = R"(["ec2:*","kms:Decrypt","s3:GetObject","s3:ListAccessPoints","s3:*","*"])";
  EXPECT_EQ(unknown(fine), Names{});
  EXPECT_EQ(unknown(fine, Origin::author), Names{});
  EXPECT_EQ(unknown(R"(["ec2:*","s3:GetObjekt","s3:GetObject","sts:Asume*"])"),
            (Names{"s3:GetObjekt", "sts:Asume*"}));
}

TEST(PolicyDocument, TheLogNamesOnlySoManyActionsAndNoLongOnes) {
  const auto logged = [](const std::vector<std::string>& actions) {
    std::string list;
    for (const std::string& action : actions) {
      list.append(list.empty() ? "" : ",").append("\"" + action + "\"");
    }
    const auto policy =
        Policy::compile(statement(R"("Effect":"Allow","Resource":"*","Action":[)" + list + "]"),
                        PolicyKind::identity, {}, Origin::store);
    EXPECT_TRUE(policy);
    ::testing::internal::CaptureStderr();
    log_unknown_actions(*policy, "p", "user/u");
    return ::testing::internal::GetCapturedStderr();
  };
  const std::string longest = "s3:" + std::string(97, 'x'), cut = "s3:" + std::string(96, 'x');
  EXPECT_NE(logged({longest}).find("=" + longest + " "), std::string::npos);
  EXPECT_NE(logged({longest + "y"}).find("=" + longest + "... "), std::string::npos);
  EXPECT_NE(logged({cut + "\u00e9"}).find("=" + cut + "... "), std::string::npos)
      << "no half of a character";
  std::vector<std::string> many;
  for (char c = 'a'; c < 'a' + 10; ++c) {
    many.push_back(std::string("s3:no-") + c);
  }
  EXPECT_NE(logged(many).find("s3:no-j"), std::string::npos);
  many.push_back("s3:no-k");
  EXPECT_EQ(logged(many).find("s3:no-k"), std::string::npos);
  EXPECT_NE(logged(many).find("count=11"), std::string::npos);
  EXPECT_EQ(logged({"s3:GetObject"}), "");
}

TEST(PolicyDocument, TrustPolicies) {
  EXPECT_EQ(refusal(statement(kStar + R"("Action":"sts:AssumeRole")"), PolicyKind::trust),
            "(accepted)");
  EXPECT_EQ(
      refusal(statement(kStar + R"("Action":"sts:AssumeRole","Resource":"*")"), PolicyKind::trust),
      "Has prohibited field Resource");
}

TEST(PolicyDocument, StatementIdsAreUnique) {
  const std::string one = R"({"Sid":"a",)" + kStar + kGet + "}";
  EXPECT_EQ(refusal(R"({"Statement":[)" + one + "," + one + "]}"),
            "Statement IDs (SID) in a single policy must be unique.");
  EXPECT_EQ(refusal(R"({"Statement":)" + one + "}"), "(accepted)");
}

TEST(PolicyDocument, SizeLimit) {
  const std::string start = R"({"Id":")";
  const std::string end = R"(","Statement":{)" + kStar + kGet + "}}";
  const std::string filler(kMaxPolicyBytes - start.size() - end.size(), 'x');
  EXPECT_EQ(refusal(start + filler + end), "(accepted)");
  EXPECT_EQ(refusal(start + filler + "x" + end),
            "Policy exceeds the maximum allowed document size.");
}

TEST(PolicyDocument, DepthLimit) {
  std::string deep = "1";
  for (std::size_t i = 0; i < 2 * kMaxPolicyDepth; ++i) {
    deep = "[" + deep + "]";
  }
  EXPECT_EQ(refusal(R"({"Statement":)" + deep + "}"), "This policy contains invalid Json");
}

TEST(PolicyDocument, OldVersionHasNoVariables) {
  const std::string fields =
      R"("Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::photos/${aws:username}")";
  const Policy old_policy = compiled(R"({"Version":"2008-10-17","Statement":{)" + fields + "}}");
  const Policy new_policy = compiled(R"({"Version":"2012-10-17","Statement":{)" + fields + "}}");
  Question q{"s3:GetObject", "arn:aws:s3:::photos/alice", kUser, {{"aws:username", {"alice"}}}};
  EXPECT_FALSE(allows(old_policy, q));
  EXPECT_TRUE(allows(new_policy, q));
  q.resource = "arn:aws:s3:::photos/${aws:username}";
  EXPECT_TRUE(allows(old_policy, q));
  EXPECT_FALSE(allows(new_policy, q));
}

TEST(PolicyStatus, WhatIsPublic) {
  const auto public_policy = [](const std::string& fields) {
    return is_public(compiled(statement(fields + "," + kGet), PolicyKind::bucket));
  };
  EXPECT_TRUE(public_policy(R"("Effect":"Allow","Principal":"*")"));
  EXPECT_TRUE(public_policy(R"("Effect":"Allow","Principal":{"AWS":"*"})"));
  EXPECT_FALSE(public_policy(R"("Effect":"Deny","Principal":"*")"));
  EXPECT_FALSE(
      public_policy(R"("Effect":"Allow","Principal":{"AWS":"arn:aws:iam::s3tenant1:root"})"));
  const auto with = [&](const std::string& condition) {
    return public_policy(R"("Effect":"Allow","Principal":"*","Condition":)" + condition);
  };
  EXPECT_FALSE(with(R"({"IpAddress":{"aws:SourceIp":"10.0.0.0/32"}})"));
  EXPECT_FALSE(with(R"({"IpAddress":{"aws:SourceIp":["10.0.0.0/8","fd00::/32"]}})"));
  EXPECT_TRUE(with(R"({"IpAddress":{"aws:SourceIp":["10.0.0.0/8","0.0.0.0/1"]}})"));
  EXPECT_TRUE(with(R"({"IpAddress":{"aws:SourceIp":"::/0"}})"));
  // IPv4 lies in ::ffff:0:0/96: a block around it lets in all of it.
  const auto block = [&](const std::string& text) {
    return with(R"({"IpAddress":{"aws:SourceIp":")" + text + "\"}}");
  };
  EXPECT_TRUE(block("::/32") && block("::/80") && block("::ffff:0:0/96"));
  EXPECT_TRUE(block("::ffff:0:0/103"));
  EXPECT_FALSE(block("::/81") || block("::ffff:a00:0/104"));
  EXPECT_TRUE(with(R"({"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}})"));
  EXPECT_TRUE(with(R"({"IpAddressIfExists":{"aws:SourceIp":"10.0.0.0/8"}})"));
  EXPECT_FALSE(with(R"({"StringEquals":{"aws:SourceVpce":"vpce-1"}})"));
  EXPECT_TRUE(with(R"({"StringLike":{"aws:SourceVpce":"vpce-*"}})"));
  EXPECT_TRUE(with(R"({"ForAllValues:StringEquals":{"aws:SourceVpce":"vpce-1"}})"));
  EXPECT_TRUE(with(R"({"StringEquals":{"aws:UserAgent":"curl"}})"));
}

}  // namespace
}  // namespace outcrop::policy::test
