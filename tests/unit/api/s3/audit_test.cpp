// Which requests leave a record, and what is in it.
#include "tests/support/recorded_events.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

using Lines = std::vector<std::string>;

class S3Audit : public S3Test {
 protected:
  S3Audit() {
    config.audit = &events;
    handler = new_handler();
  }
  /// The only record; the request id is not looked at.
  std::string only() {
    Lines all = events.take();
    EXPECT_EQ(all.size(), 1u) << ::testing::PrintToString(all);
    return all.empty() ? "" : without_request(all.front());
  }
  static std::string without_request(std::string line) {
    const std::size_t at = line.find(R"("request":")");
    if (at != std::string::npos) {
      line.erase(at, line.find("\",", at) + 2 - at);
    }
    return line;
  }
  testing::RecordedEvents events;
};

TEST_F(S3Audit, WritesAndWhyTheyWereLet) {
  ASSERT_EQ(put("a/k\"", "v").status, 200);
  EXPECT_EQ(only(), R"("protocol":"s3","identity":"ROOT","action":"s3:PutObject",)"
                    R"("resource":"bucket/a/k\"","result":"ok","status":"200",)"
                    R"("reason":"root")");
  ASSERT_EQ(send("PUT", "/bucket/b", {{"x-amz-copy-source", "/bucket/a/k%22"}}).status, 200);
  EXPECT_EQ(only(), R"("protocol":"s3","identity":"ROOT","action":"s3:CopyObject",)"
                    R"("resource":"bucket/b","target":"/bucket/a/k%22","result":"ok",)"
                    R"("status":"200","reason":"root")");
  ASSERT_EQ(send("PUT", "/another").status, 200);
  EXPECT_NE(only().find(R"("action":"s3:CreateBucket","resource":"another","result":"ok")"),
            std::string::npos);
}

TEST(HttpRequest, AddressOfTheClient) {
  const auto address = [](const std::string& remote) {
    http::Request request;
    request.remote = remote;
    return std::string(request.address());
  };
  EXPECT_EQ(address("192.0.2.7:51234"), "192.0.2.7");
  EXPECT_EQ(address("[2001:db8::1]:51234"), "2001:db8::1");
  EXPECT_EQ(address("2001:db8::1"), "2001:db8::1");
  EXPECT_EQ(address(""), "");
}

TEST_F(S3Audit, ReadsLeaveNone) {
  put("k", "v");
  events.take();
  get("k");
  head("k");
  get("none");
  send("GET", "/bucket?list-type=2");
  send("GET", "/bucket/k", {{"x-test-anonymous", "1"}});
  EXPECT_EQ(events.take(), Lines{});
}

TEST_F(S3Audit, RefusalsAndFailures) {
  EXPECT_EQ(send("PUT", "/bucket/k", {{"x-test-anonymous", "1"}}, {"v"}).status, 403);
  EXPECT_EQ(only(), R"("protocol":"s3","identity":"anonymous","action":"s3:PutObject",)"
                    R"("resource":"bucket/k","result":"denied","status":"403",)"
                    R"("reason":"AccessDenied: anonymous")");
  put("k", "v", {{"if-match", "\"x\""}});
  EXPECT_NE(only().find(R"("result":"failed","status":"404","reason":"NoSuchKey")"),
            std::string::npos);
  const http::Handler strict = make_handler(
      ns,
      [](const http::Request&) -> std::expected<auth::Authentication, auth::AuthFailure> {
        return std::unexpected(
            auth::AuthFailure{auth::AuthError::invalid_access_key_id, {}, {}, {}});
      },
      config);
  send_with(strict, "DELETE", "/bucket/k?versionId=null", {}, {});
  EXPECT_EQ(only(), R"("protocol":"s3","action":"s3:DELETE","resource":"/bucket/k",)"
                    R"("result":"denied","status":"403","reason":"InvalidAccessKeyId")");
  send_with(strict, "GET", "/bucket/k", {}, {});
  EXPECT_EQ(events.take(), Lines{});
}

TEST_F(S3Audit, FormsAndWhyTheyWereLet) {
  ASSERT_EQ(send("DELETE", "/bucket?publicAccessBlock").status, 204);
  ASSERT_EQ(send("PUT", "/bucket?policy", {},
                 {R"({"Version":"2012-10-17","Statement":{"Sid":"Inbox","Effect":"Allow",
                     "Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/*"}})"})
                .status,
            204);
  events.take();
  const std::string form =
      "--XX\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n"
      "--XX\r\nContent-Disposition: form-data; name=\"file\"; "
      "filename=\"f\"\r\n\r\nv\r\n--XX--\r\n";
  ASSERT_EQ(send("POST", "/bucket",
                 {{"content-type", "multipart/form-data; boundary=XX"}, {"x-test-anonymous", "1"}},
                 {form})
                .status,
            204);
  EXPECT_NE(only().find("bucket_policy (Inbox)"), std::string::npos);
}

// Which policy let a request through or refused it, with the Sid of the statement.
TEST_F(S3Audit, TheDecisionIsInTheReason) {
  const auto reason = [&](const std::string& method, const std::string& target, Headers headers,
                          Body body = {}) {
    headers.push_back({"x-test-user", "alice"});
    send(method, target, std::move(headers), std::move(body));
    const std::string line = only();
    const std::string name = R"("reason":")";
    const std::size_t at = line.find(name) + name.size();
    return line.substr(at, line.find('"', at) - at);
  };
  add_user("alice", {R"({"Version":"2012-10-17","Statement":[
      {"Sid":"Mine","Effect":"Allow","Action":"s3:*Object","Resource":"arn:aws:s3:::bucket/*"},
      {"Sid":"Keep","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::bucket/kept/*"},
      {"Sid":"Tags","Effect":"Allow","Action":"s3:PutObjectTagging","Resource":"*"},
      {"Effect":"Allow","Action":"s3:CreateBucket","Resource":"arn:aws:s3:::other"}]})"});
  EXPECT_EQ(reason("PUT", "/bucket/a", {}, {"v"}), "identity_policy (Mine)");
  EXPECT_EQ(reason("PUT", "/bucket/kept/a", {}, {"v"}), "AccessDenied: denied_by_identity (Keep)");
  EXPECT_EQ(reason("DELETE", "/bucket", {}), "AccessDenied: not_allowed");
  EXPECT_EQ(reason("PUT", "/other", {}), "identity_policy");
  EXPECT_EQ(reason("PUT", "/bucket/a?tagging", {}, {"<Tagging><TagSet/></Tagging>"}),
            "identity_policy (Tags)");
  EXPECT_EQ(reason("PUT", "/bucket/b", {{"x-amz-copy-source", "/bucket/kept/a"}}),
            "AccessDenied: denied_by_identity (Keep)");
  EXPECT_EQ(reason("PUT", "/bucket/b/?renameObject", {{"x-amz-rename-source", "/bucket/k/"}}),
            "NoSuchKey");
  EXPECT_EQ(reason("PUT", "/bucket/b/?renameObject", {{"x-amz-rename-source", "/bucket/kept/"}}),
            "AccessDenied: denied_by_identity (Keep)");
  EXPECT_EQ(reason("PUT", "/bucket/kept?renameObject", {{"x-amz-rename-source", "a"}}),
            "identity_policy (Mine)");
  const std::string body =
      "<Delete><Object><Key>kept</Key></Object><Object><Key>kept/a</Key></Object></Delete>";
  send("POST", "/bucket?delete",
       {{"x-amz-checksum-sha256", digest_text(digest::Algorithm::sha256, body)},
        {"x-test-user", "alice"}},
       {body});
  const Lines lines = events.take();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[0].find(R"x("status":"204","reason":"identity_policy (Mine)")x"),
            std::string::npos);
  EXPECT_NE(lines[1].find(R"x("status":"403","reason":"AccessDenied: denied_by_identity (Keep)")x"),
            std::string::npos);
}

TEST_F(S3Audit, OneRecordForEachDeletedKey) {
  put("a", "v");
  events.take();
  const std::string body =
      "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key>"
      "<VersionId>x</VersionId></Object></Delete>";
  const Headers headers{{"x-amz-checksum-sha256", digest_text(digest::Algorithm::sha256, body)}};
  ASSERT_EQ(send("POST", "/bucket?delete", headers, {body}).status, 200);
  const Lines lines = events.take();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_NE(lines[0].find(R"("action":"s3:DeleteObjects","resource":"bucket/a","result":"ok")"),
            std::string::npos);
  EXPECT_NE(lines[1].find(R"("resource":"bucket/b","result":"failed","status":"404",)"
                          R"("reason":"NoSuchVersion")"),
            std::string::npos);
  ASSERT_EQ(send("POST", "/bucket?delete", {}, {body}).status, 400);
  EXPECT_NE(only().find(R"("resource":"bucket","result":"failed","status":"400")"),
            std::string::npos);
}

}  // namespace
}  // namespace outcrop::s3::test
