// Object Lock over S3: documents, headers, errors, and who may do what.
#include "api/s3/object_lock.h"

#include "api/s3/headers.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

using ns::RetentionMode;

TEST(RetainUntil, IsIsoAndRoundedUp) {
  EXPECT_EQ(parse_retain_until("2030-01-01T00:00:00Z"), 1'893'456'000);
  EXPECT_EQ(parse_retain_until("2030-01-01T00:00:00.000Z"), 1'893'456'000);
  EXPECT_EQ(parse_retain_until("2030-01-01T00:00:00.000000001Z"), 1'893'456'001);
  EXPECT_EQ(parse_retain_until("2030-01-01T01:30:00+01:30"), 1'893'456'000);
  EXPECT_EQ(parse_retain_until("2029-12-31T23:00:00-0100"), 1'893'456'000);
  EXPECT_EQ(parse_retain_until("2030-01-01"), 1'893'456'000);
  EXPECT_EQ(parse_retain_until("9999-12-31T23:59:59Z"), ns::kLastRetention);
  for (const char* bad :
       {"", "2030", "2030-02-30", "2030-01-01T", "2030-01-01T00:00:00", "2030-01-01 00:00:00Z",
        "2030-01-01T24:00:00Z", "2030-01-01T00:60:00Z", "2030-01-01T00:00:00.Z",
        "2030-01-01T00:00:00.0000000001Z", "2030-01-01T00:00:00ZZ", "2030-01-01T00:00:00+15:00",
        "2030-01-01T00:00:00+01:0", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59.1Z", "+030-01-01",
        "Tue, 01 Jan 2030 00:00:00 GMT"}) {
    EXPECT_EQ(parse_retain_until(bad), std::nullopt) << bad;
  }
}

std::string rule(const std::string& fields) {
  return "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>"
         "<DefaultRetention>" +
         fields + "</DefaultRetention></Rule></ObjectLockConfiguration>";
}

TEST(LockDocuments, Configuration) {
  const auto parsed = [](const std::string& text) { return parse_lock_configuration(text); };
  const auto lock = parsed(rule("<Mode>GOVERNANCE</Mode><Days>36500</Days>"));
  EXPECT_EQ(*lock, (ns::BucketLock{true, RetentionMode::governance, 36'500, 0}));
  EXPECT_EQ(*parsed(lock_configuration_document(*lock)), *lock);
  const ns::BucketLock years{true, RetentionMode::compliance, 0, 100};
  EXPECT_EQ(*parsed(lock_configuration_document(years)), years);
  EXPECT_EQ(*parsed(lock_configuration_document({.enabled = true})), ns::BucketLock{true});
  for (const char* period : {"<Days>0</Days>", "<Days>-1</Days>", "<Years>-1</Years>",
                             "<Years>101</Years>", "<Days>36501</Days>"}) {
    EXPECT_EQ(parsed(rule("<Mode>GOVERNANCE</Mode>" + std::string(period))).error().code,
              Code::invalid_retention_period)
        << period;
  }
  const std::string enabled = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>";
  for (const std::string& bad :
       {rule("<Mode>governance</Mode><Days>1</Days>"), rule("<Mode>GOVERNANCE</Mode>"),
        rule("<Days>1</Days>"), rule("<Mode>GOVERNANCE</Mode><Days>1</Days><Years>1</Years>"),
        rule("<Mode>GOVERNANCE</Mode><Days>x</Days>"), rule(""),
        rule("<Mode>GOVERNANCE</Mode><Days>1</Days><Days>2</Days>"),
        rule("<Mode>GOVERNANCE</Mode><Days>1</Days><Other/>"),
        std::string("<ObjectLockConfiguration/>"), std::string("<Other/>"), std::string(),
        "<ObjectLockConfiguration>" + enabled + "<Rule/></ObjectLockConfiguration>",
        "<ObjectLockConfiguration>" + enabled + enabled + "</ObjectLockConfiguration>",
        std::string("<ObjectLockConfiguration><ObjectLockEnabled>Disabled</ObjectLockEnabled>"
                    "</ObjectLockConfiguration>")}) {
    const auto result = parsed(bad);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().code, Code::malformed_xml) << bad;
  }
}

class Locks : public S3Test {
 protected:
  Locks() {
    EXPECT_EQ(send("PUT", "/locked", {{"x-amz-bucket-object-lock-enabled", "true"}}).status, 200);
  }
  std::string date(std::int64_t seconds) {
    return format_iso_seconds(clock.wall_ns() / 1'000'000'000 + seconds);
  }
  Headers lock(const std::string& mode, std::int64_t seconds) {
    return {{"x-amz-object-lock-mode", mode},
            {"x-amz-object-lock-retain-until-date", date(seconds)}};
  }
  std::string put_id(const std::string& key, Headers headers = {}) {
    const Reply done = send("PUT", "/locked/" + key, std::move(headers), {"v"});
    EXPECT_EQ(done.status, 200) << done.body;
    return done.header("x-amz-version-id");
  }
  Reply put_retention(const std::string& key,
                      const std::string& mode,
                      std::int64_t seconds,
                      Headers headers = {}) {
    const std::string body = mode.empty()
                                 ? "<Retention/>"
                                 : "<Retention><Mode>" + mode + "</Mode><RetainUntilDate>" +
                                       date(seconds) + "</RetainUntilDate></Retention>";
    const bool version = key.find('?') != key.npos;
    return send("PUT", "/locked/" + key + (version ? "&retention" : "?retention"),
                std::move(headers), {body});
  }
  Reply put_hold(const std::string& key, const std::string& status, Headers headers = {}) {
    return send("PUT", "/locked/" + key + "?legal-hold", std::move(headers),
                {"<LegalHold><Status>" + status + "</Status></LegalHold>"});
  }
  Reply erase(const std::string& key, const std::string& id, Headers headers = {}) {
    return send("DELETE", "/locked/" + key + "?versionId=" + id, std::move(headers));
  }
  static Headers with(Headers headers, const Headers& more) {
    headers.insert(headers.end(), more.begin(), more.end());
    return headers;
  }
  Headers as(const std::string& user) { return {{"x-test-user", user}}; }
  const Headers bypass{{"x-amz-bypass-governance-retention", "true"}};
};

TEST_F(Locks, ConfigurationOfBuckets) {
  const Reply fresh = send("GET", "/locked?object-lock");
  EXPECT_EQ(text(fresh.body, "ObjectLockEnabled"), "Enabled");
  EXPECT_EQ(text(fresh.body, "Rule"), "(none)");
  EXPECT_EQ(text(send("GET", "/locked?versioning").body, "Status"), "Enabled");
  EXPECT_EQ(code(send("GET", "/bucket?object-lock")), "ObjectLockConfigurationNotFoundError");
  const std::string body = rule("<Mode>COMPLIANCE</Mode><Years>1</Years>");
  EXPECT_EQ(code(send("PUT", "/bucket?object-lock", {}, {body})), "InvalidBucketState");
  EXPECT_EQ(send("PUT", "/locked?object-lock", {}, {body}).status, 200);
  EXPECT_EQ(text(send("GET", "/locked?object-lock").body, "Years"), "1");
  const Reply suspend = send("PUT", "/locked?versioning", {},
                             {"<VersioningConfiguration><Status>Suspended</Status>"
                              "</VersioningConfiguration>"});
  EXPECT_EQ(suspend.status, 409);
  EXPECT_EQ(code(suspend), "InvalidBucketState");
  EXPECT_EQ(code(send("PUT", "/odd", {{"x-amz-bucket-object-lock-enabled", "maybe"}})),
            "InvalidArgument");
  EXPECT_EQ(send("PUT", "/odd", {{"x-amz-bucket-object-lock-enabled", "False"}}).status, 200);
  EXPECT_EQ(code(send("GET", "/odd?object-lock")), "ObjectLockConfigurationNotFoundError");
}

TEST_F(Locks, HeadersOfWhatIsPut) {
  const auto refused = [&](const Headers& headers) {
    const Reply reply = send("PUT", "/locked/k", headers, {"v"});
    return code(reply);
  };
  EXPECT_EQ(refused({{"x-amz-object-lock-mode", "GOVERNANCE"}}), "InvalidArgument");
  EXPECT_EQ(refused({{"x-amz-object-lock-retain-until-date", date(9)}}), "InvalidArgument");
  EXPECT_EQ(refused(lock("governance", 9)), "InvalidArgument");
  EXPECT_EQ(refused(lock("GOVERNANCE", 0)), "InvalidArgument");
  EXPECT_EQ(refused({{"x-amz-object-lock-mode", "GOVERNANCE"},
                     {"x-amz-object-lock-retain-until-date", "tomorrow"}}),
            "InvalidArgument");
  EXPECT_EQ(refused({{"x-amz-object-lock-legal-hold", "on"}}), "InvalidArgument");
  EXPECT_EQ(code(send("PUT", "/bucket/k", lock("GOVERNANCE", 9), {"v"})), "InvalidRequest");
  EXPECT_EQ(code(send("POST", "/bucket/k?uploads", {{"x-amz-object-lock-legal-hold", "ON"}})),
            "InvalidRequest");
  EXPECT_EQ(code(send("GET", "/locked/k", lock("GOVERNANCE", 9))), "NotImplemented")
      << "a header without a meaning is not ignored";
  put_id("k", with(lock("COMPLIANCE", 9), {{"x-amz-object-lock-legal-hold", "ON"}}));
  for (const char* method : {"GET", "HEAD"}) {
    const Reply reply = send(method, "/locked/k");
    EXPECT_EQ(reply.header("x-amz-object-lock-mode"), "COMPLIANCE");
    EXPECT_EQ(reply.header("x-amz-object-lock-retain-until-date"), date(9));
    EXPECT_EQ(reply.header("x-amz-object-lock-legal-hold"), "ON");
  }
  Headers copy{{"x-amz-copy-source", "/locked/k"}};
  EXPECT_EQ(send("PUT", "/locked/copy", copy).status, 200);
  EXPECT_FALSE(send("HEAD", "/locked/copy").has("x-amz-object-lock-mode"));
  EXPECT_EQ(send("PUT", "/locked/copy", with(copy, lock("GOVERNANCE", 9))).status, 200);
  EXPECT_EQ(send("HEAD", "/locked/copy").header("x-amz-object-lock-mode"), "GOVERNANCE");
  copy.push_back({"x-amz-checksum-algorithm", "SHA256"});  // through the reader
  EXPECT_EQ(send("PUT", "/locked/read", copy).status, 200);
  EXPECT_FALSE(send("HEAD", "/locked/read").has("x-amz-object-lock-mode"));
}

TEST_F(Locks, Retention) {
  EXPECT_EQ(code(send("PUT", "/bucket/k?retention", {}, {"<Retention/>"})), "InvalidRequest");
  const std::string id = put_id("k");
  EXPECT_EQ(code(send("GET", "/locked/k?retention")), "NoSuchObjectLockConfiguration");
  EXPECT_EQ(code(put_retention("k", "governance", 9)), "MalformedXML");
  EXPECT_EQ(code(put_retention("k", "GOVERNANCE", 0)), "InvalidArgument");
  EXPECT_EQ(code(send("PUT", "/locked/k?retention", {},
                      {"<Retention><Mode>GOVERNANCE</Mode></Retention>"})),
            "MalformedXML");
  EXPECT_EQ(put_retention("k", "GOVERNANCE", 100).status, 200);
  const Reply got = send("GET", "/locked/k?retention&versionId=" + id);
  EXPECT_EQ(text(got.body, "Mode"), "GOVERNANCE");
  EXPECT_EQ(text(got.body, "RetainUntilDate"), date(100));
  EXPECT_EQ(code(put_retention("k", "GOVERNANCE", 99)), "AccessDenied");
  EXPECT_EQ(code(put_retention("k", "COMPLIANCE", 200)), "AccessDenied");
  EXPECT_EQ(code(put_retention("k", "", 0)), "AccessDenied");
  EXPECT_EQ(put_retention("k", "GOVERNANCE", 101).status, 200);
  EXPECT_EQ(put_retention("k", "", 0, bypass).status, 200);
  EXPECT_EQ(put_retention("k", "COMPLIANCE", 50).status, 200);
  EXPECT_EQ(code(put_retention("k", "COMPLIANCE", 49, bypass)), "AccessDenied");
  EXPECT_EQ(code(put_retention("k", "", 0, bypass)), "AccessDenied");
  const Reply refused = erase("k", id, bypass);
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(text(refused.body, "Message"),
            "Access Denied because object protected by object lock.");
  clock.seconds += 51;
  EXPECT_EQ(text(send("GET", "/locked/k?retention").body, "Mode"), "COMPLIANCE");
  EXPECT_EQ(erase("k", id).status, 204);
}

TEST_F(Locks, LegalHold) {
  EXPECT_EQ(code(send("GET", "/bucket/k?legal-hold")), "InvalidRequest");
  const std::string id = put_id("k");
  EXPECT_EQ(code(send("GET", "/locked/k?legal-hold")), "NoSuchObjectLockConfiguration");
  EXPECT_EQ(code(put_hold("k", "on")), "MalformedXML");
  EXPECT_EQ(code(put_hold("absent", "ON")), "NoSuchKey");
  EXPECT_EQ(put_hold("k", "ON").status, 200);
  EXPECT_EQ(text(send("GET", "/locked/k?legal-hold").body, "Status"), "ON");
  EXPECT_EQ(erase("k", id, bypass).status, 403);
  EXPECT_EQ(put_hold("k", "OFF").status, 200);
  EXPECT_EQ(text(send("GET", "/locked/k?legal-hold").body, "Status"), "OFF");
  EXPECT_EQ(erase("k", id).status, 204);
}

TEST_F(Locks, DeletesOfMany) {
  const std::string kept = put_id("kept", lock("GOVERNANCE", 9));
  const std::string free = put_id("free");
  const auto entry = [](const std::string& key, const std::string& id) {
    return "<Object><Key>" + key + "</Key><VersionId>" + id + "</VersionId></Object>";
  };
  const auto remove = [&](const std::string& entries, Headers headers) {
    const std::string body = "<Delete>" + entries + "</Delete>";
    headers.push_back({"content-md5", digest_text(digest::Algorithm::md5, body)});
    return send("POST", "/locked?delete", std::move(headers), {body});
  };
  const Reply first = remove(entry("kept", kept) + entry("free", free), {});
  EXPECT_EQ(texts(first.body, "Deleted").size(), 1U);
  EXPECT_EQ(text(first.body, "Code"), "AccessDenied");
  EXPECT_EQ(text(text(first.body, "Error"), "Key"), "kept");
  const Reply second = remove(entry("kept", kept), bypass);
  EXPECT_EQ(texts(second.body, "Error").size(), 0U) << second.body;
}

std::string allow(const std::string& action, const std::string& condition = {}) {
  return R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*", "Action": )" +
         action + condition + "}]}";
}

TEST_F(Locks, PermissionsOfTheirOwn) {
  add_user("writer", {allow(R"(["s3:PutObject", "s3:GetObject", "s3:DeleteObjectVersion"])")});
  add_user("locker", {allow(R"(["s3:PutObject", "s3:GetObject", "s3:DeleteObjectVersion",
      "s3:PutObjectRetention", "s3:GetObjectRetention", "s3:PutObjectLegalHold"])")});
  add_user("officer", {allow(R"(["s3:DeleteObjectVersion", "s3:BypassGovernanceRetention",
      "s3:PutObjectRetention", "s3:GetObjectLegalHold", "s3:GetObject"])")});
  add_user("maker", {allow(R"(["s3:CreateBucket", "s3:PutBucketVersioning"])")});
  EXPECT_EQ(
      code(send("PUT", "/made", with(as("maker"), {{"x-amz-bucket-object-lock-enabled", "true"}}))),
      "AccessDenied");
  EXPECT_EQ(send("PUT", "/made", as("maker")).status, 200);
  EXPECT_EQ(code(send("PUT", "/locked/k", with(as("writer"), lock("GOVERNANCE", 9)), {"v"})),
            "AccessDenied");
  EXPECT_EQ(code(send("PUT", "/locked/k",
                      with(as("writer"), {{"x-amz-object-lock-legal-hold", "OFF"}}), {"v"})),
            "AccessDenied");
  const std::string id = put_id("k", with(as("locker"), lock("GOVERNANCE", 9)));
  EXPECT_EQ(put_hold("k", "OFF", as("locker")).status, 200);
  EXPECT_EQ(code(put_hold("k", "OFF", as("writer"))), "AccessDenied");
  EXPECT_EQ(code(put_retention("k", "GOVERNANCE", 99, as("writer"))), "AccessDenied");
  EXPECT_EQ(code(send("GET", "/locked/k?legal-hold", as("locker"))), "AccessDenied");
  // What is not to be read is not in headers.
  const Reply writers = send("HEAD", "/locked/k", as("writer"));
  EXPECT_FALSE(writers.has("x-amz-object-lock-mode") ||
               writers.has("x-amz-object-lock-retain-until-date") ||
               writers.has("x-amz-object-lock-legal-hold"));
  const Reply lockers = send("HEAD", "/locked/k", as("locker"));
  EXPECT_TRUE(lockers.has("x-amz-object-lock-mode"));
  EXPECT_FALSE(lockers.has("x-amz-object-lock-legal-hold"));
  EXPECT_TRUE(send("HEAD", "/locked/k", as("officer")).has("x-amz-object-lock-legal-hold"));
  // The header alone lifts nothing, and hinders nothing.
  EXPECT_EQ(erase("k", id, with(as("locker"), bypass)).status, 403);
  EXPECT_EQ(put_retention("k", "GOVERNANCE", 5, with(as("locker"), bypass)).status, 403);
  EXPECT_EQ(put_retention("k", "GOVERNANCE", 5, with(as("officer"), bypass)).status, 200);
  EXPECT_EQ(erase("k", id, as("officer")).status, 403);
  EXPECT_EQ(erase("k", id, with(as("officer"), bypass)).status, 204);
  const std::string free = put_id("k");
  EXPECT_EQ(erase("k", free, with(as("writer"), bypass)).status, 204);
}

TEST_F(Locks, ConditionsOfPolicies) {
  const std::string actions =
      R"(["s3:PutObject", "s3:PutObjectRetention", "s3:PutObjectLegalHold"])";
  const auto user = [&](const std::string& name, const std::string& condition) {
    add_user(name, {allow(actions, R"(, "Condition": )" + condition)});
  };
  user("days",
       R"({"NumericLessThanEqualsIfExists": {"s3:object-lock-remaining-retention-days": "10"}})");
  user("mode", R"({"StringEqualsIfExists": {"s3:object-lock-mode": "GOVERNANCE"}})");
  user("hold", R"({"StringEqualsIfExists": {"s3:object-lock-legal-hold": "ON"}})");
  user("until",
       R"({"DateLessThanIfExists": {"s3:object-lock-retain-until-date": ")" + date(100) + "\"}}");
  constexpr std::int64_t kDay = 86'400;
  const auto by = [&](const std::string& name, const std::string& mode, std::int64_t seconds) {
    const int headers = send("PUT", "/locked/k", with(as(name), lock(mode, seconds)), {"v"}).status;
    put_id("body");
    EXPECT_EQ(put_retention("body", mode, seconds, as(name)).status, headers)
        << name << ": header and body";
    return headers;
  };
  EXPECT_EQ(by("days", "GOVERNANCE", 10 * kDay), 200);
  EXPECT_EQ(by("days", "GOVERNANCE", 10 * kDay + 1), 403);
  EXPECT_EQ(by("mode", "GOVERNANCE", 9), 200);
  EXPECT_EQ(by("mode", "COMPLIANCE", 9), 403);
  EXPECT_EQ(by("until", "COMPLIANCE", 99), 200);
  EXPECT_EQ(by("until", "COMPLIANCE", 100), 403);
  put_id("k");
  EXPECT_EQ(put_hold("k", "ON", as("hold")).status, 200);
  EXPECT_EQ(put_hold("k", "OFF", as("hold")).status, 403);
  EXPECT_EQ(put_hold("k", "ON", as("days")).status, 200);
}

}  // namespace
}  // namespace outcrop::s3::test
