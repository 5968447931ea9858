// What is made for Ceph's gateway, in AWS's words, and back.
#include "auth/policy/rgw.h"

#include <gtest/gtest.h>

namespace outcrop::policy {
namespace {

TEST(Rgw, ArnsOfTheFirstAccount) {
  const std::string text = R"({"AWS":["arn:aws:iam:::user/a","arn:aws:sts:::assumed-role/r/s"]})";
  const std::string with =
      R"({"AWS":["arn:aws:iam::000000000000:user/a","arn:aws:sts::000000000000:assumed-role/r/s"]})";
  EXPECT_EQ(with_account(text), with);
  EXPECT_EQ(with_account(with), with);
  EXPECT_EQ(without_account("<Arn>arn:aws:iam::000000000000:role/r</Arn>"),
            "<Arn>arn:aws:iam:::role/r</Arn>");
}

TEST(Rgw, OtherArnsStayAsTheyAre) {
  for (const char* text : {"arn:aws:iam::123456789012:role/a", "arn:aws:iam::aws:policy/x",
                           "arn:aws:s3:::bucket/key", "000000000000", ""}) {
    EXPECT_EQ(with_account(text), text);
    EXPECT_EQ(without_account(text), text);
  }
  EXPECT_EQ(without_account("arn:aws:iam::000000000000:root"), "arn:aws:iam::000000000000:root");
}

TEST(Rgw, PrincipalsOfIdentityPolicies) {
  EXPECT_EQ(without_principal(R"({"Statement":{"Effect":"Allow","Principal":"*"},"Version":"x"})"),
            R"({"Statement":{"Effect":"Allow"},"Version":"x"})");
  EXPECT_EQ(without_principal(R"({"Statement":[{"Principal":{"AWS":"*"},"Sid":"a"},{},1]})"),
            R"({"Statement":[{"Sid":"a"},{},1]})");
  for (const char* text : {"", "{", "[]", R"({ "Statement" : { "Effect" : "Allow" } })",
                           R"({"Principal":"*"})", R"({"Statement":1})",
                           R"({"Statement":{"Principal":"*","Effect":"Deny","Effect":"Allow"}})"}) {
    EXPECT_EQ(without_principal(text), text);
  }
}

}  // namespace
}  // namespace outcrop::policy
