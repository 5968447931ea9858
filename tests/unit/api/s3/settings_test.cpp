// Settings of buckets that are documents: tags and CORS; how they are kept.
#include "api/s3/bucket_settings.h"
#include "api/s3/lifecycle_job.h"
#include "api/s3/payload.h"
#include "storage/base/async.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

std::string rule(const std::string& fields) {
  return "<CORSConfiguration><CORSRule>" + fields + "</CORSRule></CORSConfiguration>";
}
const std::string kAnyGet = "<AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod>";

/// Lifecycle rules, about 1 KiB each.
std::string expiring(std::size_t n) {
  std::string xml = "<LifecycleConfiguration>";
  for (std::size_t i = 0; i < n; ++i) {
    xml += "<Rule><Filter><Prefix>" + std::string(1000, 'p') +
           "</Prefix></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>"
           "</Rule>";
  }
  return xml + "</LifecycleConfiguration>";
}

class Settings : public S3Test {
 protected:
  Reply set_cors(const std::string& text) { return send("PUT", "/bucket?cors", {}, {text}); }
  Reply preflight(const std::string& origin, const std::string& method, Headers more = {}) {
    more.push_back({"origin", origin});
    more.push_back({"access-control-request-method", method});
    return send("OPTIONS", "/bucket/k", std::move(more));
  }
  /// The same server after a restart.
  void reopen(const access::BucketRoots& roots) {
    settings = run_sync(SettingsTable::open(meta, roots)).value();
    config.settings = settings.get();
    handler = new_handler();
  }
  std::size_t records() {
    const std::string first = bucket_settings_key(0).substr(0, 2);
    return run_sync(meta.scan({.lower = first, .upper = meta::prefix_end(first), .limit = 1000},
                              meta.snapshot()))
        .value()
        .entries.size();
  }
  access::BucketRoots roots() {
    return {{"bucket", run_sync(ns.get_bucket("bucket")).value().root}};
  }
};

TEST_F(Settings, BucketTags) {
  EXPECT_EQ(code(send("GET", "/bucket?tagging")), "NoSuchTagSet");
  const std::string tags =
      "<Tagging><TagSet><Tag><Key>b</Key><Value>2</Value></Tag>"
      "<Tag><Key>a</Key><Value>&lt;</Value></Tag></TagSet></Tagging>";
  EXPECT_EQ(code(send("PUT", "/bucket?tagging", {}, {tags})), "InvalidTag");
  const auto tagged = [](int n) {
    std::string xml = "<Tagging><TagSet>";
    for (int i = 0; i < n; ++i) {
      xml += "<Tag><Key>k" + std::to_string(100 + i) + "</Key><Value>v</Value></Tag>";
    }
    return xml + "</TagSet></Tagging>";
  };
  EXPECT_EQ(send("PUT", "/bucket?tagging", {}, {tagged(50)}).status, 204);
  EXPECT_EQ(code(send("PUT", "/bucket?tagging", {}, {tagged(51)})), "BadRequest");
  EXPECT_EQ(texts(send("GET", "/bucket?tagging").body, "Key").size(), 50u);
  reopen(roots());
  EXPECT_EQ(texts(send("GET", "/bucket?tagging").body, "Key").size(), 50u);
  EXPECT_EQ(send("DELETE", "/bucket?tagging").status, 204);
  EXPECT_EQ(code(send("GET", "/bucket?tagging")), "NoSuchTagSet");
  EXPECT_EQ(send("DELETE", "/bucket?tagging").status, 204);
  EXPECT_EQ(code(send("DELETE", "/absent?tagging")), "NoSuchBucket");
  EXPECT_EQ(code(send("PUT", "/absent?tagging", {}, {tagged(1)})), "NoSuchBucket");
}

TEST_F(Settings, ANewBucketHasNothingOfTheOldOne) {
  ASSERT_EQ(set_cors(rule(kAnyGet)).status, 200);
  ASSERT_EQ(send("DELETE", "/bucket").status, 204);
  ASSERT_EQ(send("PUT", "/bucket").status, 200);
  EXPECT_EQ(code(send("GET", "/bucket?cors")), "NoSuchCORSConfiguration");
  ASSERT_EQ(set_cors(rule(kAnyGet)).status, 200);
  // A crash between the deletion of the bucket and that of its settings.
  reopen({{"bucket", 4711}});
  EXPECT_EQ(code(send("GET", "/bucket?cors")), "NoSuchCORSConfiguration");
  reopen(roots());
  EXPECT_EQ(code(send("GET", "/bucket?cors")), "NoSuchCORSConfiguration");
}

TEST_F(Settings, RecordsAreCanonicalAndUnknownOnesSurvive) {
  BucketSettings s{.bucket = "b", .root = 7};
  ASSERT_TRUE(set_document(s, Setting::cors, rule(kAnyGet)));
  const std::string key = bucket_settings_key(7);
  const std::string record = encode(s);
  const BucketSettings again = decode_bucket_settings(key, record).value();
  EXPECT_EQ(again.bucket, "b");
  EXPECT_EQ(again.root, 7u);
  ASSERT_TRUE(again.cors);
  EXPECT_EQ(*again.cors, *s.cors);
  EXPECT_EQ(encode(again), record);
  s.documents[Setting::cors] = "<of a later version/>";
  const BucketSettings later = decode_bucket_settings(key, encode(s)).value();
  EXPECT_FALSE(later.cors);
  EXPECT_EQ(later.documents, s.documents);
  // Letters of a later version may be any bytes.
  for (const int letter : {0, 1, 0x80, 0xff}) {
    s.documents[static_cast<Setting>(letter)] = "later";
  }
  const std::string unknown = encode(s);
  const BucketSettings kept = decode_bucket_settings(key, unknown).value();
  EXPECT_EQ(kept.documents, s.documents);
  EXPECT_EQ(encode(kept), unknown);
  for (std::size_t n = 0; n < record.size(); ++n) {
    EXPECT_FALSE(decode_bucket_settings(key, record.substr(0, n))) << n;
  }
  EXPECT_FALSE(decode_bucket_settings(key, record + "x"));
  EXPECT_FALSE(decode_bucket_settings(key.substr(1), record));
}

TEST_F(Settings, LongRecordsAreCutAndJoined) {
  for (const std::size_t n : {1000, 500, 25, 26, 31, 60, 1}) {
    ASSERT_EQ(send("PUT", "/bucket?lifecycle", {}, {expiring(n)}).status, 200) << n;
    const std::string kept = send("GET", "/bucket?lifecycle").body;
    EXPECT_EQ(texts(kept, "ID").size(), n);
    reopen(roots());
    EXPECT_EQ(send("GET", "/bucket?lifecycle").body, kept) << n;
  }
  ASSERT_EQ(send("PUT", "/bucket?lifecycle", {}, {expiring(300)}).status, 200);
  ASSERT_EQ(send("DELETE", "/bucket?lifecycle").status, 204);
  EXPECT_EQ(records(), 0u);
  ASSERT_EQ(send("PUT", "/bucket?lifecycle", {}, {expiring(300)}).status, 200);
  EXPECT_GT(records(), 5u);
  reopen({{"bucket", 4711}});  // of a bucket that was deleted meanwhile
  EXPECT_EQ(records(), 0u);
}

// What is kept is written anew: quotes become &quot;, and the text longer than the one that came.
TEST_F(Settings, WhatIsKeptHasABoundToo) {
  const auto rule_of = [](std::size_t number, const std::string& prefix) {
    return "<Rule><ID>" + std::to_string(1000 + number) + "</ID><Filter><Prefix>" + prefix +
           "</Prefix></Filter><Status>Enabled</Status><Expiration><Days>1</Days></Expiration>"
           "</Rule>";
  };
  const auto document = [&](std::size_t quoted, std::size_t filled) {
    std::string xml = "<LifecycleConfiguration>";
    for (std::size_t i = 0; i < quoted; ++i) {
      xml += rule_of(i, std::string(1000, '"'));
    }
    for (std::size_t i = 0; i < 10; ++i) {
      const std::size_t more = std::min<std::size_t>(filled, 1000);
      xml += rule_of(quoted + i, std::string(1 + more, 'p'));
      filled -= more;
    }
    return xml + "</LifecycleConfiguration>";
  };
  const auto kept = [](const std::string& text) {
    BucketSettings s;
    return set_document(s, Setting::lifecycle, text) ? s.bytes() : 0;
  };
  std::size_t quoted = 300;
  while (kept(document(quoted + 1, 0)) != 0 && kept(document(quoted + 1, 0)) <= kMaxDocumentBytes) {
    ++quoted;
  }
  const std::size_t room = kMaxDocumentBytes - kept(document(quoted, 0));
  const std::string most = document(quoted, room);
  ASSERT_EQ(kept(most), kMaxDocumentBytes);
  ASSERT_EQ(send("PUT", "/bucket?lifecycle", {}, {most}).status, 200);
  const std::string shown = send("GET", "/bucket?lifecycle").body;
  EXPECT_EQ(code(send("PUT", "/bucket?lifecycle", {}, {document(quoted, room + 1)})),
            "MaxMessageLengthExceeded");
  EXPECT_EQ(send("GET", "/bucket?lifecycle").body, shown);
  std::string many;
  for (std::size_t i = 0; i < 50; ++i) {
    many += "<CORSRule><ID>" + std::string(255, '"') + "</ID>" + kAnyGet + "</CORSRule>";
  }
  EXPECT_EQ(code(set_cors("<CORSConfiguration>" + many + "</CORSConfiguration>")), "MalformedXML");
  ASSERT_EQ(set_cors(rule(kAnyGet + "<ID>" + std::string(255, '"') + "</ID>")).status, 200);
  reopen(roots());
  EXPECT_EQ(send("GET", "/bucket?lifecycle").body, shown);
  EXPECT_EQ(preflight("http://a", "GET").status, 200);
}

// One record that is damaged is one bucket without settings, and no reason not to start.
TEST_F(Settings, ADamagedRecordIsOfOneBucketOnly) {
  ASSERT_EQ(send("PUT", "/other").status, 200);
  for (const char* bucket : {"/bucket", "/other"}) {
    ASSERT_EQ(send("PUT", std::string(bucket) + "?cors", {}, {rule(kAnyGet)}).status, 200);
    ASSERT_EQ(send("PUT", std::string(bucket) + "?lifecycle", {}, {expiring(300)}).status, 200);
  }
  ASSERT_EQ(put("k", "v").status, 200);
  clock.seconds += 100 * kSecondsPerDay;
  access::BucketRoots both = roots();
  both.emplace_back("other", run_sync(ns.get_bucket("other")).value().root);
  const std::string key = bucket_settings_key(both[0].second);
  const std::size_t all = records();
  const auto damage = [&](const std::string& at, std::optional<std::string> value) {
    meta::Batch batch;
    batch.mutations.push_back({at, std::move(value)});
    ASSERT_TRUE(run_sync(meta.commit(std::move(batch))));
  };
  const std::string second = key + std::string("\0\0\0\1", 4);
  for (const auto& [at, value] : std::vector<std::pair<std::string, std::optional<std::string>>>{
           {key, "junk"}, {key, std::nullopt}, {second, std::nullopt}, {second, "junk"}}) {
    ASSERT_EQ(send("PUT", "/bucket?cors", {}, {rule(kAnyGet)}).status, 200);
    ASSERT_EQ(send("PUT", "/bucket?lifecycle", {}, {expiring(300)}).status, 200);
    ASSERT_EQ(records(), all);
    damage(at, value);
    reopen(both);
    for (const char* what : {"cors", "lifecycle", "tagging"}) {
      EXPECT_EQ(code(send("GET", std::string("/bucket?") + what)), "InternalError") << what;
    }
    EXPECT_EQ(code(preflight("http://a", "GET")), "AccessForbidden");
    LifecycleJob job({.ns = ns, .settings = *settings, .clock = clock});
    ASSERT_TRUE(run_sync(job.pass()));
    EXPECT_EQ(job.expired(), 0u);
    EXPECT_EQ(get("k").body, "v");
    EXPECT_EQ(texts(send("GET", "/other?lifecycle").body, "ID").size(), 300u);
    reopen(both);  // it is as it was
    EXPECT_EQ(code(send("GET", "/bucket?cors")), "InternalError");
    // Whoever puts any of them begins anew.
    ASSERT_EQ(send("PUT", "/bucket?cors", {}, {rule(kAnyGet)}).status, 200);
    EXPECT_EQ(code(send("GET", "/bucket?lifecycle")), "NoSuchLifecycleConfiguration");
    reopen(both);
    EXPECT_EQ(preflight("http://a", "GET").status, 200);
    EXPECT_EQ(code(send("GET", "/bucket?lifecycle")), "NoSuchLifecycleConfiguration");
  }
  ASSERT_EQ(send("PUT", "/bucket?lifecycle", {}, {expiring(300)}).status, 200);
  damage(second, std::nullopt);
  reopen(both);
  ASSERT_EQ(send("DELETE", "/bucket?cors").status, 204);
  EXPECT_EQ(code(send("GET", "/bucket?lifecycle")), "NoSuchLifecycleConfiguration");
  ASSERT_EQ(send("PUT", "/bucket?lifecycle", {}, {expiring(300)}).status, 200);
  damage(second, std::nullopt);
  reopen(both);
  ASSERT_EQ(send("DELETE", "/other").status, 204);
  ASSERT_EQ(send("DELETE", "/bucket/k").status, 204);
  ASSERT_EQ(send("DELETE", "/bucket").status, 204);
  EXPECT_EQ(records(), 0u);
}

// Its key says whose a record is: one that names another bucket is damaged, and not left over.
TEST_F(Settings, ARecordThatNamesAnotherBucketIsNotErased) {
  ASSERT_EQ(send("PUT", "/bucket?policy", {},
                 {R"({"Version":"2012-10-17","Statement":{"Principal":"*","Effect":"Deny","Action":
                     "s3:PutObject","Resource":"arn:aws:s3:::bucket/*"}})"})
                .status,
            204);
  ASSERT_EQ(set_cors(rule(kAnyGet)).status, 200);
  ASSERT_EQ(put("k", "v").status, 403);
  meta::Batch batch;
  for (auto [key, value] : meta.dump()) {
    value.replace(value.find("bucket"), 6, "basket");
    batch.put(key, std::move(value));
  }
  ASSERT_TRUE(run_sync(meta.commit(std::move(batch))));
  const auto records = meta.dump();
  ASSERT_EQ(records.size(), 2u);
  access::BucketRoots both = roots();
  both.emplace_back("basket", both[0].second + 1);
  access = run_sync(access::AccessTable::open(meta, both, policy::PublicAccessBlock{})).value();
  config.access = access.get();
  reopen(both);
  EXPECT_EQ(get("k").status, 403);
  EXPECT_EQ(code(send("GET", "/bucket?policy")), "InternalError");
  EXPECT_TRUE(settings->find("bucket")->unreadable);
  EXPECT_FALSE(access->find("basket"));
  EXPECT_FALSE(settings->find("basket"));
  EXPECT_EQ(meta.dump(), records);
}

TEST_F(Settings, WhatAStoreThatTakesNoWritesKeepsGoesAtALaterStart) {
  ASSERT_EQ(set_cors(rule(kAnyGet)).status, 200);
  const access::BucketRoots others{{"bucket", roots()[0].second + 1}};
  meta.fail_next_commit(Errc::read_only);
  reopen(others);
  EXPECT_FALSE(settings->find("bucket"));
  EXPECT_EQ(records(), 1u);
  reopen(others);
  EXPECT_EQ(records(), 0u);
}

std::string owned_by(const std::string& id) {
  return "<AccessControlPolicy><Owner><ID>" + id +
         "</ID></Owner><AccessControlList><Grant><Grantee><ID>" + id +
         "</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant></AccessControlList>"
         "</AccessControlPolicy>";
}

// A damaged record closes its bucket, and no other one.
TEST_F(Settings, GHSA_j548_9grx_fh4f_DamagedSettingsCloseTheirBucket) {
  const auto set_policy = [&](const std::string& effect, const std::string& action) {
    return send("PUT", "/bucket?policy", {},
                {R"({"Version":"2012-10-17","Statement":{"Principal":"*","Resource":
                    ["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"],"Effect":")" +
                 effect + R"(","Action":")" + action + "\"}}"})
        .status;
  };
  const Headers alice{{"x-test-user", "alice"}}, nobody{{"x-test-anonymous", "1"}};
  ASSERT_EQ(send("DELETE", "/bucket?publicAccessBlock").status, 204);
  ASSERT_EQ(set_policy("Allow", "s3:GetObject"), 204);
  ASSERT_EQ(put("k", "v").status, 200);
  ASSERT_EQ(send("PUT", "/other").status, 200);
  ASSERT_EQ(send("PUT", "/other/k", {}, {"w"}).status, 200);
  add_user(
      "alice",
      {R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}})"});
  const std::string key = meta.dump().begin()->first, value = meta.dump().begin()->second;
  const access::BucketRoots both{{"bucket", run_sync(ns.get_bucket("bucket"))->root},
                                 {"other", run_sync(ns.get_bucket("other"))->root}};
  const auto reopen_access = [&] {
    access = run_sync(access::AccessTable::open(meta, both, policy::PublicAccessBlock{})).value();
    config.access = access.get();
    handler = new_handler();
  };
  const auto damage = [&] {
    meta::Batch batch;
    batch.put(key, value.substr(0, 5));
    ASSERT_TRUE(run_sync(meta.commit(std::move(batch))));
    reopen_access();
  };
  damage();
  for (const Headers& who : {Headers{}, alice, nobody}) {
    EXPECT_EQ(get("k", who).status, 403);
    EXPECT_EQ(send("PUT", "/bucket?publicAccessBlock", who, {}).status, 403);
    EXPECT_EQ(send("DELETE", "/bucket?publicAccessBlock", who).status, 403);
  }
  EXPECT_EQ(send("PUT", "/bucket?policy", alice, {"{}"}).status, 403);
  EXPECT_EQ(send("GET", "/other/k", alice).body, "w");
  EXPECT_EQ(code(send("GET", "/bucket?policy")), "InternalError");
  reopen_access();  // nothing has changed it
  EXPECT_EQ(get("k").status, 403);
  ASSERT_EQ(set_policy("Deny", "s3:PutObject"), 204);
  EXPECT_EQ(get("k").body, "v");
  EXPECT_EQ(get("k", alice).status, 403);  // nobody knows whose it was, until the root user says it
  EXPECT_EQ(send("PUT", "/bucket?acl", {}, {owned_by(config.owner_id)}).status, 200);
  EXPECT_EQ(get("k", alice).body, "v");
  EXPECT_EQ(put("k", "w", alice).status, 403);
  const std::string block = send("GET", "/bucket?publicAccessBlock").body;
  EXPECT_EQ(text(block, "RestrictPublicBuckets"), "true");  // whatever it was
  damage();
  EXPECT_EQ(set_policy("Allow", "s3:GetObject"), 403);
  EXPECT_EQ(send("DELETE", "/bucket?policy").status, 204);
  EXPECT_EQ(get("k").body, "v");
  EXPECT_EQ(set_policy("Allow", "s3:GetObject"), 403);  // everybody is public
  EXPECT_EQ(send("DELETE", "/bucket?publicAccessBlock").status, 204);
  EXPECT_EQ(get("k", nobody).status, 403);
  EXPECT_EQ(set_policy("Allow", "s3:GetObject"), 204);
  EXPECT_EQ(get("k", nobody).body, "v");
  damage();
  EXPECT_EQ(send("DELETE", "/bucket?policy").status, 204);
  ASSERT_EQ(send("DELETE", "/bucket/k").status, 204);
  ASSERT_EQ(send("DELETE", "/bucket").status, 204);
  EXPECT_TRUE(meta.dump().empty());
}

TEST_F(Settings, CorsRoundTrip) {
  const std::string fields =
      "<ID>one</ID><AllowedMethod>PUT</AllowedMethod><AllowedMethod>HEAD</AllowedMethod>"
      "<AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedHeader>x-*</AllowedHeader>"
      "<ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>30</MaxAgeSeconds>";
  ASSERT_EQ(set_cors(rule(fields)).status, 200);
  EXPECT_NE(send("GET", "/bucket?cors").body.find(rule(fields).substr(19)), std::string::npos);
  EXPECT_EQ(send("DELETE", "/bucket?cors").status, 204);
  EXPECT_EQ(code(send("GET", "/bucket?cors")), "NoSuchCORSConfiguration");
}

TEST_F(Settings, CorsValidation) {
  const std::string origin = "<AllowedOrigin>*</AllowedOrigin>";
  const std::string method = "<AllowedMethod>GET</AllowedMethod>";
  for (const std::string& bad :
       {std::string(), std::string("<CORSConfiguration/>"), rule(""), rule(origin), rule(method),
        rule(kAnyGet + "<More/>"), rule(kAnyGet + "<MaxAgeSeconds>x</MaxAgeSeconds>"),
        rule(kAnyGet + "<MaxAgeSeconds>1</MaxAgeSeconds><MaxAgeSeconds>1</MaxAgeSeconds>"),
        rule(kAnyGet + "<AllowedOrigin></AllowedOrigin>"),
        rule(kAnyGet + "<ExposeHeader>a&#xa;b</ExposeHeader>"),
        rule(kAnyGet + "<ID>" + std::string(256, 'i') + "</ID>"),
        rule(kAnyGet + "<ExposeHeader>" + std::string(65536, 'h') + "</ExposeHeader>")}) {
    EXPECT_EQ(code(set_cors(bad)), "MalformedXML") << bad.substr(0, 200);
  }
  for (const std::string& bad : {rule(origin + "<AllowedMethod>PATCH</AllowedMethod>"),
                                 rule(origin + "<AllowedMethod>get</AllowedMethod>"),
                                 rule(method + "<AllowedOrigin>http://*.*</AllowedOrigin>"),
                                 rule(kAnyGet + "<AllowedHeader>*-*</AllowedHeader>"),
                                 rule(kAnyGet + "<ExposeHeader>x-*</ExposeHeader>")}) {
    EXPECT_EQ(code(set_cors(bad)), "InvalidRequest") << bad;
  }
  EXPECT_EQ(set_cors(rule(kAnyGet + "<ID>" + std::string(255, 'i') + "</ID>")).status, 200);
  std::string many;
  for (std::size_t i = 0; i < kMaxCorsRules; ++i) {
    many += "<CORSRule>" + kAnyGet + "</CORSRule>";
  }
  EXPECT_EQ(set_cors("<CORSConfiguration>" + many + "</CORSConfiguration>").status, 200);
  many += "<CORSRule>" + kAnyGet + "</CORSRule>";
  EXPECT_EQ(code(set_cors("<CORSConfiguration>" + many + "</CORSConfiguration>")),
            "InvalidRequest");
}

TEST_F(Settings, Preflight) {
  EXPECT_EQ(code(preflight("http://a", "GET")), "AccessForbidden");
  ASSERT_EQ(set_cors("<CORSConfiguration><CORSRule>"
                     "<AllowedOrigin>http://*.example.com</AllowedOrigin>"
                     "<AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod>"
                     "<AllowedHeader>X-Amz-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader>"
                     "<ExposeHeader>x-amz-id-2</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds>"
                     "</CORSRule><CORSRule>" +
                     kAnyGet + "</CORSRule></CORSConfiguration>")
                .status,
            200);
  observed.clear();
  const Reply reply = preflight(
      "http://w.example.com", "PUT",
      {{"access-control-request-headers", "x-amz-Date ,, X-AMZ-acl"}, {"x-test-anonymous", "1"}});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "");
  EXPECT_EQ(reply.header("access-control-allow-origin"), "http://w.example.com");
  EXPECT_EQ(reply.header("access-control-allow-methods"), "PUT, GET");
  EXPECT_EQ(reply.header("access-control-allow-headers"), "x-amz-date, x-amz-acl");
  EXPECT_EQ(reply.header("access-control-expose-headers"), "ETag, x-amz-id-2");
  EXPECT_EQ(reply.header("access-control-max-age"), "60");
  EXPECT_EQ(reply.header("access-control-allow-credentials"), "true");
  EXPECT_EQ(reply.header("vary"),
            "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
  ASSERT_EQ(observed.size(), 1u);
  EXPECT_EQ(observed[0].op, OpId::cors_preflight);
  const Reply any = preflight("http://elsewhere", "GET");
  EXPECT_EQ(any.header("access-control-allow-origin"), "*");
  EXPECT_EQ(any.header("access-control-allow-methods"), "GET");
  EXPECT_FALSE(any.has("access-control-allow-credentials"));
  EXPECT_FALSE(any.has("access-control-max-age"));
  EXPECT_EQ(code(preflight("http://elsewhere", "PUT")), "AccessForbidden");
  EXPECT_EQ(code(preflight("http://example.com", "PUT")), "AccessForbidden");
  EXPECT_EQ(code(preflight("https://w.example.com", "PUT")), "AccessForbidden");
  EXPECT_EQ(
      code(preflight("http://w.example.com", "PUT", {{"access-control-request-headers", "range"}})),
      "AccessForbidden");
  EXPECT_EQ(code(preflight("http://a", "PATCH")), "BadRequest");
  EXPECT_EQ(code(preflight("", "GET")), "BadRequest");
  EXPECT_EQ(code(send("OPTIONS", "/bucket", {{"origin", "http://a"}})), "BadRequest");
  EXPECT_EQ(code(send("OPTIONS", "/absent",
                      {{"origin", "http://a"}, {"access-control-request-method", "GET"}})),
            "AccessForbidden");
  EXPECT_EQ(send("OPTIONS", "/", {{"origin", "http://a"}}).status, 405);
}

TEST_F(Settings, AnswersThatBrowsersMayRead) {
  ASSERT_EQ(put("k", "v").status, 200);
  const Headers origin{{"origin", "http://a"}};
  EXPECT_FALSE(get("k", origin).has("access-control-allow-origin"));
  ASSERT_EQ(
      set_cors(rule("<AllowedOrigin>http://a</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
                    "<ExposeHeader>ETag</ExposeHeader>"))
          .status,
      200);
  const Reply reply = get("k", origin);
  EXPECT_EQ(reply.body, "v");
  EXPECT_EQ(reply.header("access-control-allow-origin"), "http://a");
  EXPECT_EQ(reply.header("access-control-allow-methods"), "GET");
  EXPECT_EQ(reply.header("access-control-expose-headers"), "ETag");
  EXPECT_EQ(reply.header("access-control-allow-credentials"), "true");
  EXPECT_TRUE(reply.has("vary"));
  for (const auto& [key, headers] : std::vector<std::pair<std::string, Headers>>{
           {"absent", origin}, {"k", {{"origin", "http://a"}, {"x-test-anonymous", "1"}}}}) {
    const Reply refused = get(key, headers);
    EXPECT_NE(refused.status, 200);
    EXPECT_EQ(refused.header("access-control-allow-origin"), "http://a");
  }
  EXPECT_FALSE(get("k", {{"origin", "http://b"}}).has("access-control-allow-origin"));
  EXPECT_FALSE(put("k", "w", origin).has("access-control-allow-origin"));
  EXPECT_FALSE(get("k").has("access-control-allow-origin"));
}

}  // namespace
}  // namespace outcrop::s3::test
