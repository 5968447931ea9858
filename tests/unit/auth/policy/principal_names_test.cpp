// Names in the Principal elements of documents, exchanged without touching anything else.
#include "auth/policy/principal_names.h"

#include <gtest/gtest.h>

#include "tests/unit/auth/policy/support.h"

namespace outcrop::policy {
namespace {

std::string exchanged(std::string_view document) {
  return exchange_principals(document, [](std::string_view name) {
    return name == "old" ? std::optional<std::string>("n\"e\\w") : std::nullopt;
  });
}

TEST(PrincipalNames, InPrincipalsOfTypeAwsAlone) {
  const std::string document = R"({ "Statement" : [
    {"Sid":"old","Principal":{"AWS":"old","Service":"old"},"Resource":["old"],
     "Condition":{"StringEquals":{"aws:PrincipalArn":"old","AWS":["old"]}}},
    {"NotPrincipal" : {"Federated":["old"],"AWS" : [ "x", "old","ol\u0064" ] },"Action":"old"}]})";
  EXPECT_EQ(exchanged(document), R"({ "Statement" : [
    {"Sid":"old","Principal":{"AWS":"n\"e\\w","Service":"old"},"Resource":["old"],
     "Condition":{"StringEquals":{"aws:PrincipalArn":"old","AWS":["old"]}}},
    {"NotPrincipal" : {"Federated":["old"],"AWS" : [ "x", "n\"e\\w","n\"e\\w" ] },"Action":"old"}]})");
}

TEST(PrincipalNames, NamesOfMembersMayBeEscaped) {
  EXPECT_EQ(exchanged(R"({"Statement":{"Princip\u0061l":{"A\u0057S":"old"}}})"),
            R"({"Statement":{"Princip\u0061l":{"A\u0057S":"n\"e\\w"}}})");
  EXPECT_EQ(exchanged(R"({"Statement":{"Sid":"\"Principal\":{\"AWS\":\"old\"}"}})"),
            R"({"Statement":{"Sid":"\"Principal\":{\"AWS\":\"old\"}"}})");
  EXPECT_EQ(exchanged(R"({"Statement":{"Principal":"*"}})"), R"({"Statement":{"Principal":"*"}})");
}

TEST(PrincipalNames, Ids) {
  EXPECT_TRUE(is_principal_id("AIDAABCDEFGHIJKLMNOP"));
  EXPECT_TRUE(is_principal_id("AROAABCDEFGHIJKLMN27"));
  for (const char* other :
       {"", "AIDA", "AIDAABCDEFGHIJKLMNO", "AIDAABCDEFGHIJKLMNOPQ", "AGPAABCDEFGHIJKLMNOP",
        "aidaABCDEFGHIJKLMNOP", "AIDAABCDEFGHIJKLMNO*"}) {
    EXPECT_FALSE(is_principal_id(other)) << other;
  }
  PrincipalSet set;
  ASSERT_TRUE(set.add_aws("AIDAABCDEFGHIJKLMNOP"));
  const Subject him{.kind = Subject::Kind::user,
                    .account = kAccount,
                    .arn = "arn:aws:iam::000000000000:user/a",
                    .role_arn = {},
                    .canonical_id = {},
                    .id = "AIDAABCDEFGHIJKLMNOP"};
  Subject other = him, nobody;
  other.id = "AIDAABCDEFGHIJKLMNOQ";
  EXPECT_TRUE(set.contains(him, false));
  EXPECT_FALSE(set.contains(other, true));
  EXPECT_FALSE(set.contains(nobody, true));
}

}  // namespace
}  // namespace outcrop::policy
