// ARNs without an account, and back.
#include "auth/policy/rgw_arn.h"

#include <gtest/gtest.h>

namespace outcrop::policy {
namespace {

TEST(RgwArn, OfTheFirstAccount) {
  const std::string text = R"({"AWS":["arn:aws:iam:::user/a","arn:aws:sts:::assumed-role/r/s"]})";
  const std::string with =
      R"({"AWS":["arn:aws:iam::000000000000:user/a","arn:aws:sts::000000000000:assumed-role/r/s"]})";
  EXPECT_EQ(with_account(text), with);
  EXPECT_EQ(with_account(with), with);
  EXPECT_EQ(without_account(with), text);
}

TEST(RgwArn, OthersStayAsTheyAre) {
  for (const char* text : {"arn:aws:iam::123456789012:user/a", "arn:aws:iam::aws:policy/x",
                           "arn:aws:s3:::bucket/key", "000000000000", ""}) {
    EXPECT_EQ(with_account(text), text);
    EXPECT_EQ(without_account(text), text);
  }
}

}  // namespace
}  // namespace outcrop::policy
