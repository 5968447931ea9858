// Who may do what: identity, session and bucket policies on real requests, per-key decisions,
// anonymous callers and the public access block.
#include <algorithm>

#include "api/s3/op_table.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

std::string identity_policy(const std::string& effect,
                            const std::string& action,
                            const std::string& resource,
                            const std::string& more = "") {
  return R"({"Version":"2012-10-17","Statement":{"Effect":")" + effect + R"(","Action":)" + action +
         R"(,"Resource":)" + resource + more + "}}";
}
std::string bucket_policy(const std::string& effect,
                          const std::string& principal,
                          const std::string& action,
                          const std::string& more = "") {
  return R"({"Version":"2012-10-17","Statement":{"Sid":"s","Effect":")" + effect +
         R"(","Principal":)" + principal + R"(,"Action":)" + action +
         R"(,"Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"])" + more + "}}";
}
const std::string kAll = R"("s3:*")", kAny = R"("*")";
const std::string kObjects = R"("arn:aws:s3:::bucket/*")";

class Policies : public S3Test {
 protected:
  Headers as(const std::string& user, Headers more = {}) {
    more.push_back({"x-test-user", user});
    return more;
  }
  Headers anonymous(Headers more = {}) {
    more.push_back({"x-test-anonymous", "1"});
    return more;
  }
  Reply set_policy(const std::string& text, Headers headers = {}) {
    return send("PUT", "/bucket?policy", std::move(headers), {text});
  }
  void open_to_the_public() { ASSERT_EQ(send("DELETE", "/bucket?publicAccessBlock").status, 204); }
};

TEST_F(Policies, AUserWithoutPoliciesMayDoNothing) {
  add_user("alice", {});
  ASSERT_EQ(put("k", "v").status, 200);
  for (const Op& op : op_table()) {
    if (op.id == OpId::delete_objects || op.id == OpId::post_object) {
      continue;  // every key is answered by itself: below; a form says itself who it is from
    }
    std::string target = op.scope == Scope::service  ? "/"
                         : op.scope == Scope::bucket ? "/bucket"
                                                     : "/bucket/k";
    target += op.subresource.empty() ? "" : "?" + std::string(op.subresource);
    Headers headers = as("alice");
    if (!op.header.empty()) {
      headers.push_back({std::string(op.header), "/bucket/k"});
    }
    const char* const method = op.method == Method::get    ? "GET"
                               : op.method == Method::head ? "HEAD"
                               : op.method == Method::put  ? "PUT"
                               : op.method == Method::post ? "POST"
                                                           : "DELETE";
    EXPECT_EQ(send(method, target, headers).status, 403) << op.name;
    EXPECT_EQ(send(method, target, anonymous()).status, 403) << op.name;
  }
  EXPECT_EQ(get("k").body, "v");
}

TEST_F(Policies, EveryRowHasAKnownAction) {
  for (const Op& op : op_table()) {
    const auto action = policy::find_action(op.action);
    ASSERT_TRUE(action) << op.name;
    EXPECT_EQ(policy::action_name(action_of(op)), op.action) << op.name;
    const policy::Target target = policy::action_target(*action);
    if (op.scope == Scope::object) {
      EXPECT_EQ(target, policy::Target::object) << op.name;
    } else if (op.scope == Scope::service) {
      EXPECT_EQ(target, policy::Target::account) << op.name;
    }
  }
}

TEST_F(Policies, IdentityPolicies) {
  add_user("alice", {identity_policy("Allow", R"(["s3:GetObject","s3:PutObject"])",
                                     R"("arn:aws:s3:::bucket/home/${aws:username}/*")"),
                     identity_policy(
                         "Allow", R"("s3:ListBucket")", R"("arn:aws:s3:::bucket")",
                         R"(,"Condition":{"StringLike":{"s3:prefix":"home/${aws:username}/*"}})")});
  EXPECT_EQ(put("home/alice/a", "v", as("alice")).status, 200);
  EXPECT_EQ(get("home/alice/a", as("alice")).body, "v");
  EXPECT_EQ(put("home/bob/a", "v", as("alice")).status, 403);
  EXPECT_EQ(send("DELETE", "/bucket/home/alice/a", as("alice")).status, 403);
  EXPECT_EQ(send("GET", "/bucket?list-type=2&prefix=home%2Falice%2F", as("alice")).status, 200);
  EXPECT_EQ(send("GET", "/bucket?list-type=2", as("alice")).status, 403);
  EXPECT_EQ(send("GET", "/bucket?list-type=2&prefix=home", as("alice")).status, 403);
}

// VersityGW 67aaa80d: the same decoded key goes to policy and storage.
TEST_F(Policies, EncodedKeysAreTheKeysOfThePolicy) {
  add_user("alice", {identity_policy("Allow", kAll, kAny),
                     identity_policy("Deny", kAll, R"("arn:aws:s3:::bucket/secret/*")")});
  ASSERT_EQ(put("secret/a", "v").status, 200);
  for (const char* key : {"secret/a", "secret%2Fa", "%73ecret/a", "%73%65%63%72%65%74%2f%61"}) {
    EXPECT_EQ(get(key, as("alice")).status, 403) << key;
  }
  EXPECT_NE(get("secret/../secret/a", as("alice")).status, 200);
  EXPECT_EQ(get("secreT/a", as("alice")).status, 404);
}

// CVE-2025-62506: a session has at most its parent's rights.
TEST_F(Policies, CVE_2025_62506_SessionPolicies) {
  const std::string reader = identity_policy("Allow", R"("s3:GetObject")", kAny);
  const std::string everything = identity_policy("Allow", kAny, kAny);
  add_user("reader", {reader}, everything);
  add_user("limited", {everything}, reader);
  add_user("broken", {everything}, "{");
  ASSERT_EQ(put("k", "v").status, 200);
  for (const char* user : {"reader", "limited"}) {
    EXPECT_EQ(get("k", as(user)).status, 200) << user;
    EXPECT_EQ(put("k", "w", as(user)).status, 403) << user;
    EXPECT_EQ(send("DELETE", "/bucket?policy", as(user)).status, 403) << user;
  }
  EXPECT_EQ(get("k", as("broken")).status, 403);
}

TEST_F(Policies, BucketPolicyRoundTrip) {
  EXPECT_EQ(send("GET", "/bucket?policy").status, 404);
  const std::string text = bucket_policy("Deny", kAny, R"("s3:DeleteObject")");
  EXPECT_EQ(set_policy(text).status, 204);
  const Reply reply = send("GET", "/bucket?policy");
  EXPECT_EQ(reply.body, text);
  EXPECT_EQ(reply.header("content-type"), "application/json");
  EXPECT_NE(send("GET", "/bucket?policyStatus").body.find("<IsPublic>false</IsPublic>"),
            std::string::npos);
  ASSERT_EQ(put("k", "v").status, 200);
  EXPECT_EQ(send("DELETE", "/bucket/k").status,
            403);  // an explicit Deny holds for the root user too
  EXPECT_EQ(send("DELETE", "/bucket?policy").status, 204);
  EXPECT_EQ(send("DELETE", "/bucket?policy").status, 204);
  EXPECT_EQ(send("DELETE", "/bucket/k").status, 204);
  EXPECT_EQ(send("PUT", "/absent?policy", {}, {text}).status, 404);
}

TEST_F(Policies, MalformedBucketPolicies) {
  const Reply reply = set_policy("{\"Statement\":[]}");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(code(reply), "MalformedPolicy");
  EXPECT_EQ(text(reply.body, "Message"), "Could not parse the policy: Statement is empty!");
  EXPECT_EQ(code(set_policy("")), "MalformedPolicy");
  EXPECT_EQ(code(set_policy(R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",
                "NotPrincipal":{"AWS":"arn:aws:iam::000000000000:user/eve"},
                "Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}})")),
            "MalformedPolicy");
  EXPECT_EQ(code(set_policy(std::string(20 * 1024 + 1, ' '))), "MalformedPolicy");
  EXPECT_EQ(send("GET", "/bucket?policy").status, 404);
}

TEST_F(Policies, ABucketPolicyAllowsAUser) {
  add_user("alice", {});
  add_user("bob", {});
  ASSERT_EQ(put("k", "v").status, 200);
  ASSERT_EQ(set_policy(bucket_policy("Allow", R"({"AWS":"arn:aws:iam::000000000000:user/alice"})",
                                     R"("s3:GetObject")"))
                .status,
            204);
  EXPECT_EQ(get("k", as("alice")).body, "v");
  EXPECT_EQ(get("k", as("bob")).status, 403);
  EXPECT_EQ(get("k", anonymous()).status, 403);
  // Whether a key exists is told to those only who may list.
  EXPECT_EQ(get("absent", as("alice")).status, 403);
  EXPECT_EQ(get("absent").status, 404);
}

TEST_F(Policies, PoliciesOutliveARestartAndGoWithTheBucket) {
  ASSERT_EQ(set_policy(bucket_policy("Deny", kAny, R"("s3:GetObject")")).status, 204);
  const auto root = run_sync(ns.get_bucket("bucket"))->root;
  auto again =
      run_sync(access::AccessTable::open(meta, {{"bucket", root}}, policy::kBlockAll)).value();
  ASSERT_TRUE(again->find("bucket"));
  EXPECT_TRUE(again->find("bucket")->policy);
  EXPECT_EQ(send("DELETE", "/bucket").status, 204);
  EXPECT_EQ(send("PUT", "/bucket").status, 200);
  EXPECT_EQ(send("GET", "/bucket?policy").status, 404);
  EXPECT_TRUE(meta.dump().empty());
}

TEST_F(Policies, SettingsOfABucketThatIsGoneAreDropped) {
  ASSERT_EQ(set_policy(bucket_policy("Deny", kAny, R"("s3:GetObject")")).status, 204);
  auto again =
      run_sync(access::AccessTable::open(meta, {{"bucket", 999}}, policy::kBlockAll)).value();
  EXPECT_FALSE(again->find("bucket"));
  EXPECT_TRUE(meta.dump().empty());
}

// GHSA-j548-9grx-fh4f: settings that cannot be read are not taken for none.
TEST_F(Policies, GHSA_j548_9grx_fh4f_UnreadableSettingsAreNotIgnored) {
  ASSERT_EQ(set_policy(bucket_policy("Allow", kAny, R"("s3:GetObject")",
                                     R"(,"Condition":{"StringEquals":{"aws:username":"alice"}})"))
                .status,
            204);
  const std::string key = meta.dump().begin()->first, value = meta.dump().begin()->second;
  const auto root = run_sync(ns.get_bucket("bucket"))->root;
  const auto reopen = [&](const std::string& changed) {
    meta::Batch batch;
    batch.put(key, changed);
    EXPECT_TRUE(run_sync(meta.commit(std::move(batch))));
    return run_sync(access::AccessTable::open(meta, {{"bucket", root}}, policy::kBlockAll));
  };
  std::string other = value;
  other.replace(other.find("s3:GetObject"), 12, "s3:GetNothng");
  EXPECT_TRUE(reopen(other).value()->find("bucket")->policy);  // it just means nothing
  other.replace(other.find("s3:GetNothng"), 12, "s3-GetObject");
  const auto table = reopen(other);
  ASSERT_TRUE(table);
  EXPECT_TRUE((*table)->find("bucket")->unreadable());
  config.access = table->get();
  handler = make_handler(
      ns,
      [](const http::Request&) -> std::expected<auth::Authentication, auth::AuthFailure> {
        auth::Authentication root_user;
        root_user.principal = {"ROOT", true, {}};
        return root_user;
      },
      config);
  EXPECT_EQ(get("k").status, 403);
  EXPECT_EQ(send("DELETE", "/bucket?policy").status, 204);
  EXPECT_EQ(get("k").status, 404);
}

TEST_F(Policies, StrangersNeedAPolicyAndAnOpenBlock) {
  ASSERT_EQ(put("k", "v").status, 200);
  const std::string open = bucket_policy("Allow", kAny, R"("s3:GetObject")");
  EXPECT_EQ(code(set_policy(open)), "AccessDenied");  // BlockPublicPolicy, the default
  open_to_the_public();
  EXPECT_EQ(code(send("GET", "/bucket?publicAccessBlock")), "NoSuchPublicAccessBlockConfiguration");
  EXPECT_EQ(get("k", anonymous()).status, 403);
  ASSERT_EQ(set_policy(open).status, 204);
  EXPECT_NE(send("GET", "/bucket?policyStatus").body.find("<IsPublic>true</IsPublic>"),
            std::string::npos);
  EXPECT_EQ(get("k", anonymous()).body, "v");
  EXPECT_EQ(put("k", "w", anonymous()).status, 403);
  EXPECT_EQ(send("GET", "/bucket", anonymous()).status, 403);
  const std::string block =
      "<PublicAccessBlockConfiguration><RestrictPublicBuckets>true</RestrictPublicBuckets>"
      "</PublicAccessBlockConfiguration>";
  ASSERT_EQ(send("PUT", "/bucket?publicAccessBlock", {}, {block}).status, 200);
  const Reply shown = send("GET", "/bucket?publicAccessBlock");
  EXPECT_EQ(text(shown.body, "RestrictPublicBuckets"), "true");
  EXPECT_EQ(text(shown.body, "BlockPublicPolicy"), "false");
  EXPECT_EQ(get("k", anonymous()).status, 403);
  EXPECT_EQ(code(send("PUT", "/bucket?publicAccessBlock", {},
                      {"<PublicAccessBlockConfiguration><X/></PublicAccessBlockConfiguration>"})),
            "MalformedXML");
}

// CVE-2026-58372 and 54917: keys in a DeleteObjects body are authorised one by one.
TEST_F(Policies, CVE_2026_58372_DeleteObjectsDecidesForEachKey) {
  add_user("alice",
           {identity_policy("Allow", R"("s3:DeleteObject")", R"("arn:aws:s3:::bucket/mine/*")")});
  for (const char* key : {"mine/a", "mine/b", "yours"}) {
    ASSERT_EQ(put(key, "v").status, 200);
  }
  const auto remove = [&](const std::string& objects) {
    const std::string xml = "<Delete>" + objects + "</Delete>";
    return send("POST", "/bucket?delete",
                as("alice", {{"content-md5", digest_text(digest::Algorithm::md5, xml)}}), {xml});
  };
  const Reply reply = remove(
      "<Object><Key>mine/a</Key></Object><Object><Key>yours</Key></Object>"
      "<Object><Key>mine/b</Key><VersionId>null</VersionId></Object>");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(texts(reply.body, "Deleted").size(), 1U);
  EXPECT_EQ(texts(reply.body, "Code"), (std::vector<std::string>{"AccessDenied", "AccessDenied"}));
  EXPECT_EQ(get("yours").status, 200);
  EXPECT_EQ(get("mine/b").status, 200);  // a version needs s3:DeleteObjectVersion
  EXPECT_EQ(get("mine/a").status, 404);
}

// Whether a bucket exists is no business of those who may do nothing in it.
TEST_F(Policies, DeleteObjectsDoesNotTellWhetherABucketExists) {
  add_user("alice", {identity_policy("Allow", R"("s3:DeleteObject")", R"("arn:aws:s3:::*/mine")")});
  const std::string xml =
      "<Delete><Object><Key>yours</Key></Object><Object><Key>yours/2</Key></Object></Delete>";
  const std::string mine =
      "<Delete><Object><Key>yours</Key></Object><Object><Key>mine</Key></Object></Delete>";
  const auto remove = [&](const std::string& bucket, const std::string& body, Headers headers) {
    headers.push_back({"content-md5", digest_text(digest::Algorithm::md5, body)});
    return send("POST", "/" + bucket + "?delete", std::move(headers), {body});
  };
  for (const Headers& who : {anonymous(), as("alice")}) {
    const Reply here = remove("bucket", xml, who), absent = remove("absent", xml, who);
    EXPECT_EQ(here.status, 200);
    EXPECT_EQ(texts(here.body, "Code"), (std::vector<std::string>{"AccessDenied", "AccessDenied"}));
    EXPECT_EQ(absent.status, here.status);
    EXPECT_EQ(absent.body, here.body);
  }
  EXPECT_EQ(remove("bucket", mine, as("alice")).status, 200);
  EXPECT_EQ(code(remove("absent", mine, as("alice"))), "NoSuchBucket");
  EXPECT_EQ(code(remove("absent", xml, {})), "NoSuchBucket");
}

// GHSA-3ppv-fx5m-m749: a version is read with the action for versions.
TEST_F(Policies, GHSA_3ppv_fx5m_m749_VersionsHaveActionsOfTheirOwn) {
  add_user("alice", {identity_policy("Allow", R"("s3:GetObject")", kObjects)});
  add_user("bob", {identity_policy("Allow", R"("s3:GetObjectVersion")", kObjects)});
  ASSERT_EQ(put("k", "v").status, 200);
  EXPECT_EQ(get("k", as("alice")).status, 200);
  EXPECT_EQ(get("k?versionId=null", as("alice")).status, 403);
  EXPECT_EQ(get("k", as("bob")).status, 403);
  EXPECT_EQ(get("k?versionId=null", as("bob")).status, 200);
}

// CVE-2026-27607 and GHSA-mx42-j6wv-px98: a copy reads its source with the caller's rights.
TEST_F(Policies, GHSA_mx42_j6wv_px98_CopiesNeedBothSides) {
  add_user("writer", {identity_policy("Allow", R"("s3:PutObject")", kObjects)});
  add_user("reader", {identity_policy("Allow", R"("s3:GetObject")", kObjects)});
  add_user("both", {identity_policy("Allow", R"(["s3:PutObject","s3:GetObject"])", kObjects)});
  ASSERT_EQ(put("from", std::string(20, 'v')).status, 200);
  const std::string id = start_upload("to");
  const auto copy = [&](const std::string& user, const std::string& source) {
    return send("PUT", "/bucket/to", as(user, {{"x-amz-copy-source", source}})).status;
  };
  const auto copy_part = [&](const std::string& user, const std::string& source) {
    return send("PUT", "/bucket/to?partNumber=1&uploadId=" + id,
                as(user, {{"x-amz-copy-source", source}}))
        .status;
  };
  for (const char* user : {"writer", "reader"}) {
    EXPECT_EQ(copy(user, "/bucket/from"), 403) << user;
    EXPECT_EQ(copy_part(user, "/bucket/from"), 403) << user;
  }
  EXPECT_EQ(copy("both", "/bucket/from"), 200);
  EXPECT_EQ(copy_part("both", "bucket/from"), 200);
  EXPECT_EQ(copy("both", "/bucket/from?versionId=null"), 403);
  // Whether a source exists is told to those only who may list its bucket.
  EXPECT_EQ(copy("both", "/bucket/absent"), 403);
  EXPECT_EQ(copy_part("both", "/bucket/absent"), 403);
  EXPECT_EQ(send("PUT", "/bucket/to", {{"x-amz-copy-source", "/bucket/absent"}}).status, 404);
}

// The version of the source is a condition of reading it, and of nothing that is asked later.
TEST_F(Policies, TheVersionOfASourceIsForgottenBehindIt) {
  const std::string version = R"(,"Condition":{"StringEquals":{"s3:VersionId":"null"}})";
  const std::string any_version = R"(,"Condition":{"Null":{"s3:VersionId":"false"}})";
  add_user("alice", {identity_policy("Allow", R"(["s3:PutObject","s3:ListBucket"])", kAny),
                     identity_policy("Allow", R"("s3:GetObjectVersion")", kObjects, version),
                     identity_policy("Deny", R"("s3:ListBucket")", R"("arn:aws:s3:::bucket")",
                                     any_version)});
  ASSERT_EQ(put("from", "v").status, 200);
  const auto copy = [&](const std::string& source) {
    return send("PUT", "/bucket/to", as("alice", {{"x-amz-copy-source", source}})).status;
  };
  EXPECT_EQ(copy("/bucket/from?versionId=null"), 200);
  EXPECT_EQ(copy("/bucket/absent?versionId=null"), 404);
}

TEST_F(Policies, TheCopySourceIsACondition) {
  const std::string only =
      R"(,"Condition":{"StringNotLike":{"s3:x-amz-copy-source":"/bucket/public/*"}})";
  add_user("alice", {identity_policy("Allow", kAll, kAny),
                     identity_policy("Deny", R"("s3:PutObject")", kObjects, only)});
  ASSERT_EQ(put("public/a", "v").status, 200);
  ASSERT_EQ(put("private/a", "v").status, 200);
  const auto copy = [&](const std::string& source) {
    return send("PUT", "/bucket/to", as("alice", {{"x-amz-copy-source", source}})).status;
  };
  EXPECT_EQ(copy("/bucket/public/a"), 200);
  EXPECT_EQ(copy("bucket/public%2Fa"), 200);
  EXPECT_EQ(copy("/bucket/private/a"), 403);
  EXPECT_EQ(copy("/bucket/private/a?x=/bucket/public/a"), 403);
}

// A directory moves in one step with what it has by then: no key below may be denied, whether it is
// there or not.
TEST_F(Policies, RenamesNeedEveryKeyBelow) {
  const std::string by_robot = R"(,"Condition":{"StringLike":{"aws:UserAgent":"robot*"}})";
  add_user("alice",
           {identity_policy("Allow", kAll, kAny),
            identity_policy("Deny", R"("s3:DeleteObject")", R"("arn:aws:s3:::bucket/d/kept")"),
            identity_policy("Deny", R"("s3:GetObject")", R"("arn:aws:s3:::bucket/g/later")"),
            identity_policy("Deny", R"("s3:PutObject")", R"("arn:aws:s3:::bucket/*/no")"),
            identity_policy("Deny", kAll, kAny, by_robot)});
  add_user("bob", {identity_policy("Allow", kAll,
                                   R"(["arn:aws:s3:::bucket/h/*","arn:aws:s3:::bucket/k"])"),
                   identity_policy("Allow", R"("s3:PutObject")", R"("arn:aws:s3:::bucket/x/?*")")});
  for (const char* key : {"d/a", "d/kept", "e/a", "g/a", "h/a"}) {
    ASSERT_EQ(put(key, "v").status, 200);
  }
  const auto rename = [&](const std::string& from, const std::string& to,
                          const std::string& who = "alice", const std::string& agent = "x") {
    return send("PUT", "/bucket/" + to + "?renameObject",
                as(who, {{"x-amz-rename-source", "/bucket/" + from}, {"user-agent", agent}}))
        .status;
  };
  EXPECT_EQ(rename("d/", "new"), 400);
  EXPECT_EQ(rename("d/", "k/"), 403);
  EXPECT_EQ(rename("d/kept", "k"), 403);
  EXPECT_EQ(rename("g/", "k/"), 403);
  EXPECT_EQ(rename("e/", "k/"), 403);
  EXPECT_EQ(rename("e/a", "k", "alice", "robot/1"), 403);
  EXPECT_EQ(rename("h/", "x/", "bob"), 403);
  EXPECT_EQ(rename("h/", "h2/", "bob"), 403);
  EXPECT_EQ(rename("h/a", "k", "bob"), 200);
  EXPECT_EQ(get("d/kept").status, 200);
  EXPECT_EQ(get("e/a").status, 200);
  add_user("alice", {identity_policy("Allow", kAll, kAny),
                     identity_policy("Deny", kAll, R"("arn:aws:s3:::bucket/d/*")"),
                     identity_policy("Deny", kAll, kAny, by_robot)});
  EXPECT_EQ(rename("e/", "f/", "alice", "robot/1"), 403);
  EXPECT_EQ(rename("e/", "f/"), 200);
  EXPECT_EQ(get("f/a").status, 200);
}

TEST_F(Policies, ConditionsOfTheRequest) {
  const auto allowed = [&](const std::string& condition, const std::string& target,
                           Headers headers = {}) {
    add_user("alice", {identity_policy("Allow", kAll, kAny, R"(,"Condition":)" + condition)});
    return send("GET", target, as("alice", std::move(headers))).status == 200;
  };
  const std::string list = "/bucket?list-type=2&max-keys=10&delimiter=%2F&prefix=p";
  EXPECT_TRUE(allowed(R"({"NumericLessThanEquals":{"s3:max-keys":"10"}})", list));
  EXPECT_FALSE(allowed(R"({"NumericLessThan":{"s3:max-keys":"10"}})", list));
  EXPECT_FALSE(allowed(R"({"NumericLessThan":{"s3:max-keys":"10"}})", "/bucket?list-type=2"));
  EXPECT_TRUE(allowed(R"({"StringEquals":{"s3:delimiter":"/","s3:prefix":"p"}})", list));
  EXPECT_FALSE(allowed(R"({"Bool":{"aws:SecureTransport":"true"}})", list));
  EXPECT_TRUE(
      allowed(R"({"StringLike":{"aws:UserAgent":"test*"}})", list, {{"user-agent", "testing"}}));
  EXPECT_FALSE(allowed(R"({"StringLike":{"aws:UserAgent":"test*"}})", list));
  EXPECT_TRUE(
      allowed(R"({"StringEquals":{"aws:Referer":"http://x/"}})", list, {{"referer", "http://x/"}}));
  EXPECT_TRUE(allowed(R"({"DateGreaterThan":{"aws:CurrentTime":"2026-11-21T23:00:00Z"}})", list));
  EXPECT_FALSE(allowed(R"({"DateGreaterThan":{"aws:CurrentTime":"2026-11-22T00:00:00Z"}})", list));
  EXPECT_TRUE(
      allowed(R"({"StringEquals":{"aws:PrincipalType":"User","aws:username":"alice"}})", list));
  EXPECT_TRUE(allowed(R"({"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::*:user/alice"}})", list));
  EXPECT_TRUE(allowed(R"({"StringEquals":{"s3:authType":"REST-HEADER"}})", list));
  EXPECT_FALSE(allowed(R"({"StringEquals":{"s3:authType":"REST-HEADER"}})", list,
                       {{"x-test-presigned", "1"}}));
  // GHSA-6r96-hmgc-726c and GHSA-fc6g-2gcp-2qrq: no header stands for another key's value.
  const Headers liar{
      {"x-forwarded-for", "10.0.0.1"}, {"aws-sourceip", "10.0.0.1"}, {"prefix", "q"}};
  EXPECT_FALSE(allowed(R"({"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}})", list, liar));
  EXPECT_FALSE(allowed(R"({"StringEquals":{"s3:prefix":"q"}})", list, liar));
}

TEST_F(Policies, HeadersThatNeedMore) {
  add_user("alice", {identity_policy("Allow", R"(["s3:PutObject","s3:CreateBucket"])", kAny)});
  add_user("bob", {identity_policy("Allow", R"(["s3:PutObject","s3:PutObjectAcl"])", kAny)});
  EXPECT_EQ(put("k", "v", as("alice")).status, 200);
  EXPECT_EQ(put("k", "v", as("alice", {{"x-amz-acl", "private"}})).status, 403);
  EXPECT_EQ(put("k", "v", as("bob", {{"x-amz-acl", "private"}})).status, 200);
  EXPECT_EQ(
      send("PUT", "/bucket/k?x-amz-acl=private", as("alice", {{"x-test-presigned", "1"}})).status,
      403);
  EXPECT_EQ(send("PUT", "/made", as("alice")).status, 200);
  EXPECT_EQ(send("PUT", "/other", as("alice", {{"x-amz-acl", "private"}})).status, 403);
}

TEST_F(Policies, WhereABucketMayBe) {
  const std::string elsewhere =
      R"(,"Condition":{"StringEquals":{"s3:LocationConstraint":"eu-west-1"}})";
  add_user("alice", {identity_policy("Allow", kAll, kAny),
                     identity_policy("Deny", R"("s3:CreateBucket")", kAny, elsewhere)});
  const auto create = [&](const std::string& name, const std::string& region) {
    return send("PUT", "/" + name, as("alice"),
                {"<CreateBucketConfiguration><LocationConstraint>" + region +
                 "</LocationConstraint></CreateBucketConfiguration>"})
        .status;
  };
  EXPECT_EQ(create("one", "eu-west-1"), 403);
  EXPECT_EQ(create("one", "eu-west-2"), 200);
  // An Allow with a condition is met by what the body says, and by nothing else.
  add_user("alice", {identity_policy("Allow", R"("s3:CreateBucket")", kAny, elsewhere)});
  EXPECT_EQ(create("two", "eu-west-2"), 403);
  EXPECT_EQ(send("PUT", "/two", as("alice")).status, 403);
  EXPECT_EQ(send("PUT", "/two", as("alice", {{"x-amz-acl", "private"}})).status, 403);
  EXPECT_EQ(send("PUT", "/two", anonymous()).status, 403);
  EXPECT_EQ(create("B", "eu-west-1"), 400);
  EXPECT_EQ(create("two", "eu-west-1"), 200);
}

TEST_F(Policies, NobodyLocksHimselfOutByAccident) {
  add_user("alice", {identity_policy("Allow", kAll, kAny)});
  const std::string deny = bucket_policy("Deny", kAny, R"("s3:PutBucketPolicy")");
  EXPECT_EQ(set_policy(deny, as("alice")).status, 403);
  EXPECT_EQ(
      set_policy(deny, as("alice", {{"x-amz-confirm-remove-self-bucket-access", "true"}})).status,
      204);
  EXPECT_EQ(set_policy(deny, as("alice")).status, 403);
  EXPECT_EQ(set_policy(deny).status, 204);  // the root user always can
}

}  // namespace
}  // namespace outcrop::s3::test
