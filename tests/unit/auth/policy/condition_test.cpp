// Every condition operator, with absent keys, several values, and values that are none.
#include "tests/unit/auth/policy/support.h"

namespace outcrop::policy::test {
namespace {

/// Whether an Allow and a Deny with this condition apply.
struct Applies {
  bool allow, deny;
  bool operator==(const Applies&) const = default;
};
constexpr Applies kYes{true, true}, kNo{false, false}, kUnclear{false, true};
void PrintTo(const Applies& a, std::ostream* out) {
  *out << "allow " << a.allow << ", deny " << a.deny;
}

Applies ask(const std::string& condition, const MapContext& context = {}) {
  const auto with = [&](const std::string& effect) {
    return compiled(R"({"Version":"2012-10-17","Statement":{"Effect":")" + effect +
                    R"(","Action":"s3:ListBucket","Resource":"*","Condition":)" + condition + "}}");
  };
  const Question q{"s3:ListBucket", "arn:aws:s3:::photos", kUser, context};
  const Policy allow = with("Allow"), deny = with("Deny");
  return {allow.find(Effect::allow, q.request()) != nullptr,
          deny.find(Effect::deny, q.request()) != nullptr};
}

std::string one(const std::string& op, const std::string& key, const std::string& values) {
  return R"({")" + op + R"(":{")" + key + R"(":)" + values + "}}";
}

MapContext prefix(const std::string& value) { return {{"s3:prefix", {value}}}; }

TEST(Conditions, Strings) {
  EXPECT_EQ(ask(one("StringEquals", "s3:prefix", R"("a")"), prefix("a")), kYes);
  EXPECT_EQ(ask(one("stringequals", "S3:PREFIX", R"(["b","a"])"), prefix("a")), kYes);
  EXPECT_EQ(ask(one("StringEquals", "s3:prefix", R"("a")"), prefix("A")), kNo);
  EXPECT_EQ(ask(one("StringEquals", "s3:prefix", R"("*")"), prefix("A")), kNo);
  EXPECT_EQ(ask(one("StringEquals", "s3:prefix", R"("")"), prefix("")), kYes);
  EXPECT_EQ(ask(one("StringNotEquals", "s3:prefix", R"(["b","a"])"), prefix("a")), kNo);
  EXPECT_EQ(ask(one("StringNotEquals", "s3:prefix", R"(["b","a"])"), prefix("c")), kYes);
  EXPECT_EQ(ask(one("StringEqualsIgnoreCase", "s3:prefix", R"("aB")"), prefix("Ab")), kYes);
  EXPECT_EQ(ask(one("StringNotEqualsIgnoreCase", "s3:prefix", R"("aB")"), prefix("Ab")), kNo);
  EXPECT_EQ(ask(one("StringLike", "s3:prefix", R"("home/*")"), prefix("home/x")), kYes);
  EXPECT_EQ(ask(one("StringNotLike", "s3:prefix", R"("home/*")"), prefix("home/x")), kNo);
}

TEST(Conditions, AbsentKeys) {
  EXPECT_EQ(ask(one("StringEquals", "s3:prefix", R"("a")")), kNo);
  EXPECT_EQ(ask(one("StringNotEquals", "s3:prefix", R"("a")")), kYes);
  EXPECT_EQ(ask(one("StringEqualsIfExists", "s3:prefix", R"("a")")), kYes);
  EXPECT_EQ(ask(one("StringEqualsIfExists", "s3:prefix", R"("a")"), prefix("b")), kNo);
  EXPECT_EQ(ask(one("NumericLessThan", "s3:max-keys", "10")), kNo);
  EXPECT_EQ(ask(one("Bool", "aws:SecureTransport", "false")), kNo);
  EXPECT_EQ(ask(one("BoolIfExists", "aws:SecureTransport", "false")), kYes);
  EXPECT_EQ(ask(one("Null", "s3:prefix", "true")), kYes);
  EXPECT_EQ(ask(one("Null", "s3:prefix", "false")), kNo);
  EXPECT_EQ(ask(one("Null", "s3:prefix", R"("false")"), prefix("")), kYes);
  EXPECT_EQ(ask(one("Null", "s3:prefix", R"(["true","false"])"), prefix("")), kYes);
  EXPECT_EQ(ask(one("StringEquals", "aws:SourceVpc", R"("vpc-1")")), kNo);
}

TEST(Conditions, Numbers) {
  const MapContext ten{{"s3:max-keys", {"10"}}};
  EXPECT_EQ(ask(one("NumericEquals", "s3:max-keys", "10"), ten), kYes);
  EXPECT_EQ(ask(one("NumericEquals", "s3:max-keys", R"("10.0")"), ten), kYes);
  EXPECT_EQ(ask(one("NumericNotEquals", "s3:max-keys", R"(["9","10"])"), ten), kNo);
  EXPECT_EQ(ask(one("NumericLessThan", "s3:max-keys", "10"), ten), kNo);
  EXPECT_EQ(ask(one("NumericLessThanEquals", "s3:max-keys", "10"), ten), kYes);
  EXPECT_EQ(ask(one("NumericGreaterThan", "s3:max-keys", "9.5"), ten), kYes);
  EXPECT_EQ(ask(one("NumericGreaterThanEquals", "s3:max-keys", "10.5"), ten), kNo);
  const MapContext huge{{"s3:max-keys", {"9007199254740993"}}};
  EXPECT_EQ(ask(one("NumericEquals", "s3:max-keys", R"("9007199254740992")"), huge), kNo);
  for (const char* odd : {"", "ten", "1e3", "0x10", "1.", ".5", "+1", " 1", "nan", "inf"}) {
    const MapContext context{{"s3:max-keys", {odd}}};
    EXPECT_EQ(ask(one("NumericGreaterThan", "s3:max-keys", "1"), context), kUnclear) << odd;
    EXPECT_EQ(ask(one("NumericNotEquals", "s3:max-keys", "1"), context), kUnclear) << odd;
  }
}

TEST(Conditions, Dates) {
  const MapContext now{{"aws:CurrentTime", {"2026-11-21T23:19:36Z"}}};
  EXPECT_EQ(ask(one("DateEquals", "aws:CurrentTime", R"("2026-11-22T00:19:36+01:00")"), now), kYes);
  EXPECT_EQ(ask(one("DateEquals", "aws:CurrentTime", R"("1795303176")"), now), kYes);
  EXPECT_EQ(ask(one("DateLessThan", "aws:CurrentTime", R"("2026-11-21T23:19:36.5Z")"), now), kYes);
  EXPECT_EQ(ask(one("DateGreaterThan", "aws:CurrentTime", R"("2026-11-21")"), now), kYes);
  EXPECT_EQ(ask(one("DateNotEquals", "aws:CurrentTime", R"("2026-11-21")"), now), kYes);
  const MapContext epoch{{"aws:EpochTime", {"1795303176"}}};
  EXPECT_EQ(ask(one("NumericGreaterThan", "aws:EpochTime", "1795303175"), epoch), kYes);
  EXPECT_EQ(ask(one("DateLessThanEquals", "aws:EpochTime", R"("2026-11-21T23:19:36Z")"), epoch),
            kYes);
  const MapContext odd{{"aws:CurrentTime", {"2026-13-01T00:00:00Z"}}};
  EXPECT_EQ(ask(one("DateLessThan", "aws:CurrentTime", R"("2030-01-01")"), odd), kUnclear);
}

TEST(Conditions, BooleansAndBinaries) {
  const MapContext secure{{"aws:SecureTransport", {"true"}}};
  EXPECT_EQ(ask(one("Bool", "aws:SecureTransport", R"("TRUE")"), secure), kYes);
  EXPECT_EQ(ask(one("Bool", "aws:SecureTransport", "false"), secure), kNo);
  EXPECT_EQ(ask(one("Bool", "aws:SecureTransport", "true"), {{"aws:SecureTransport", {"maybe"}}}),
            kUnclear);
  EXPECT_EQ(ask(one("BinaryEquals", "aws:userid", R"("QUJD")"), {{"aws:userid", {"QUJD"}}}), kYes);
  EXPECT_EQ(ask(one("BinaryEquals", "aws:userid", R"("QUJD")"), {{"aws:userid", {"QUJE"}}}), kNo);
  EXPECT_EQ(ask(one("BinaryEquals", "aws:userid", R"("QUJD")"), {{"aws:userid", {"?"}}}), kUnclear);
}

TEST(Conditions, Addresses) {
  const auto from = [](const std::string& address) {
    return MapContext{{"aws:SourceIp", {address}}};
  };
  EXPECT_EQ(ask(one("IpAddress", "aws:SourceIp", R"("10.1.0.0/16")"), from("10.1.2.3")), kYes);
  EXPECT_EQ(ask(one("IpAddress", "aws:SourceIp", R"("10.1.0.0/16")"), from("10.2.0.0")), kNo);
  EXPECT_EQ(ask(one("IpAddress", "aws:SourceIp", R"("10.1.2.3/9")"), from("10.127.0.1")), kYes);
  EXPECT_EQ(ask(one("IpAddress", "aws:SourceIp", R"("10.1.2.3")"), from("::ffff:10.1.2.3")), kYes);
  EXPECT_EQ(ask(one("IpAddress", "aws:SourceIp", R"("0.0.0.0/0")"), from("2001:db8::1")), kNo);
  EXPECT_EQ(ask(one("IpAddress", "aws:SourceIp", R"("2001:db8::/32")"), from("2001:db8::1")), kYes);
  EXPECT_EQ(ask(one("NotIpAddress", "aws:SourceIp", R"(["10.0.0.0/8","::1"])"), from("::1")), kNo);
  EXPECT_EQ(ask(one("NotIpAddress", "aws:SourceIp", R"("10.0.0.0/8")"), from("11.0.0.1")), kYes);
  for (const char* odd : {"10.1.2", "10.1.2.3, 1.1.1.1", "localhost", ""}) {
    EXPECT_EQ(ask(one("IpAddress", "aws:SourceIp", R"("0.0.0.0/0")"), from(odd)), kUnclear) << odd;
    EXPECT_EQ(ask(one("NotIpAddress", "aws:SourceIp", R"("10.0.0.0/8")"), from(odd)), kUnclear);
  }
}

TEST(Conditions, Arns) {
  const MapContext who{{"aws:PrincipalArn", {"arn:aws:iam::000000000000:user/dev/alice"}}};
  const auto arn = [](const std::string& op, const std::string& value) {
    return one(op, "aws:PrincipalArn", "\"" + value + "\"");
  };
  EXPECT_EQ(ask(arn("ArnLike", "arn:aws:iam::*:user/dev/*"), who), kYes);
  EXPECT_EQ(ask(arn("ArnEquals", "arn:aws:iam::*:user/dev/*"), who), kYes);
  EXPECT_EQ(ask(arn("ArnLike", "arn:aws:*:user/dev/*:*:*"), who), kNo);
  EXPECT_EQ(ask(arn("ArnNotLike", "arn:aws:iam::*:user/ops/*"), who), kYes);
  EXPECT_EQ(ask(arn("ArnNotEquals", "arn:aws:iam::*:user/*"), who), kNo);
}

// GHSA-v9cp-qfw9-9pfp: ForAnyValue and ForAllValues with a negated operator.
TEST(Conditions, Quantifiers) {
  const auto keys = [](std::vector<std::string> list) {
    return MapContext{{"s3:RequestObjectTagKeys", std::move(list)}};
  };
  const auto tags = [](const std::string& op) {
    return one(op, "s3:RequestObjectTagKeys", R"(["a","b"])");
  };
  EXPECT_EQ(ask(tags("ForAllValues:StringEquals"), keys({"a", "b"})), kYes);
  EXPECT_EQ(ask(tags("ForAllValues:StringEquals"), keys({"a", "c"})), kNo);
  EXPECT_EQ(ask(tags("ForAllValues:StringEquals"), keys({})), kYes);
  EXPECT_EQ(ask(tags("ForAnyValue:StringEquals"), keys({"c", "b"})), kYes);
  EXPECT_EQ(ask(tags("ForAnyValue:StringEquals"), keys({"c"})), kNo);
  EXPECT_EQ(ask(tags("ForAnyValue:StringEquals"), keys({})), kNo);
  EXPECT_EQ(ask(tags("ForAnyValue:StringNotEquals"), keys({"a", "c"})), kYes);
  EXPECT_EQ(ask(tags("ForAnyValue:StringNotEquals"), keys({"a", "b"})), kNo);
  EXPECT_EQ(ask(tags("ForAnyValue:StringNotEquals"), keys({})), kNo);
  EXPECT_EQ(ask(tags("ForAllValues:StringNotEquals"), keys({"c", "d"})), kYes);
  EXPECT_EQ(ask(tags("ForAllValues:StringNotEquals"), keys({"c", "a"})), kNo);
  EXPECT_EQ(ask(tags("StringNotEquals"), keys({"c", "a"})), kNo);
  EXPECT_EQ(ask(tags("StringEquals"), keys({"c", "a"})), kYes);
  EXPECT_EQ(ask(tags("ForAnyValue:StringEqualsIfExists"), keys({})), kYes);
  EXPECT_EQ(ask(tags("ForAllValues:StringLike"), keys({"a", "b", "a", "b", "a", "x"})), kNo);
}

TEST(Conditions, VariablesWithoutValueCountAgainstTheRequest) {
  EXPECT_EQ(ask(one("StringLike", "s3:prefix", R"("${aws:username}/*")"), prefix("alice/")),
            kUnclear);
  EXPECT_EQ(ask(one("StringNotLike", "s3:prefix", R"("${aws:username}/*")"), prefix("alice/")),
            kUnclear);
  MapContext context = prefix("alice/x");
  context.set("aws:username", {"alice"});
  EXPECT_EQ(ask(one("StringLike", "s3:prefix", R"("${aws:username}/*")"), context), kYes);
  EXPECT_EQ(ask(one("StringNotLike", "s3:prefix", R"("${aws:username}/*")"), context), kNo);
}

TEST(Conditions, AllLinesMustHold) {
  const std::string two =
      R"({"StringEquals":{"s3:prefix":"a","s3:delimiter":"/"},"Bool":{"aws:SecureTransport":true}})";
  MapContext context{
      {"s3:prefix", {"a"}}, {"s3:delimiter", {"/"}}, {"aws:SecureTransport", {"true"}}};
  EXPECT_EQ(ask(two, context), kYes);
  context.set("s3:delimiter", {"|"});
  EXPECT_EQ(ask(two, context), kNo);
}

TEST(Conditions, TagNamesAreExact) {
  const std::string team = one("StringEquals", "s3:ExistingObjectTag/Team", R"("x")");
  EXPECT_EQ(ask(team, {{"s3:ExistingObjectTag/Team", {"x"}}}), kYes);
  EXPECT_EQ(ask(team, {{"s3:ExistingObjectTag/team", {"x"}}}), kNo);
  EXPECT_FALSE(find_key("s3:ExistingObjectTag/"));
  EXPECT_FALSE(find_key("s3:ExistingObjectTag"));
  EXPECT_TRUE(find_key("s3:ExistingObjectTag/" + std::string(128, 'k')));
  EXPECT_FALSE(find_key("s3:ExistingObjectTag/" + std::string(129, 'k')));
  // Claims of tokens, by the provider that vouches for them; its name may hold slashes and a port.
  EXPECT_EQ(find_key("id.example.com:8443/realms/a:sub"),
            (KeyName{Key::token_sub, "id.example.com:8443/realms/a"}));
  EXPECT_EQ(find_key("id.example.com:AUD"), (KeyName{Key::token_aud, "id.example.com"}));
  EXPECT_EQ(find_key("id.example.com/a:azp")->key, Key::token_azp);
  EXPECT_EQ(find_key("id.example.com/a:amr")->key, Key::token_amr);
  EXPECT_EQ(find_key("id.example.com/a:email")->key, Key::never);
  EXPECT_EQ(find_key(std::string(256, 'a') + ":sub")->key, Key::never);
  for (const char* none : {"aws:sub", "s3:aud", "STS:x:sub", ":sub", "id.example.com:"}) {
    EXPECT_FALSE(find_key(none)) << none;
  }
}

}  // namespace
}  // namespace outcrop::policy::test
