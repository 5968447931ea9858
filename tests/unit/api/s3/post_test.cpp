// Uploads from browsers' forms: the body, the policy, the signature, what becomes of the fields.
#include "api/s3/form_reader.h"
#include "api/s3/post_policy.h"
#include "auth/amz_time.h"
#include "auth/crypto.h"
#include "auth/signing_key.h"
#include "storage/base/async.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

constexpr std::string_view kSecret = "secret";
constexpr std::string_view kDate = "20261121T230000Z", kDay = "20261121";

class OneKey final : public auth::KeyStore {
 public:
  std::optional<auth::Credential> find(std::string_view key) const override {
    return key == "ROOT" ? std::optional(auth::Credential{"ROOT", std::string(kSecret), true})
                         : std::nullopt;
  }
};

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string form(const Fields& fields,
                 const std::string& file,
                 const std::string& filename = "photo.png",
                 const std::string& after = "") {
  std::string out;
  for (const auto& [name, value] : fields) {
    out += "--XX\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
  }
  out += "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + filename +
         "\"\r\nContent-Type: image/png\r\n\r\n" + file + "\r\n";
  return out + after + "--XX--\r\n";
}

std::string signature(const std::string& policy) {
  const auth::SigningKey key = auth::derive_signing_key(kSecret, kDay, "us-east-1");
  return auth::to_hex(key.hmac.sign(policy));
}

class Post : public S3Test {
 protected:
  Post() {
    config.authenticate_post = [this](const auth::PostSignature& f) {
      return auth::authenticate_post(keys, f, 1);
    };
    handler = new_handler();
  }
  /// A body as it is; nobody signed the request around it.
  Reply post(const std::string& body, std::size_t slice = 16 * 1024) {
    return send("POST", "/bucket",
                {{"content-type", "multipart/form-data; boundary=XX"}, {"x-test-anonymous", "1"}},
                {body, slice});
  }
  /// `conditions` beside those of the fields that a signed form always has.
  static Fields signed_fields(Fields fields,
                              const std::string& conditions,
                              const std::string& expiration = "2026-11-22T00:00:00Z") {
    const std::string text =
        R"({"expiration":")" + expiration + R"(","conditions":[{"bucket":"bucket"},
           {"x-amz-algorithm":"AWS4-HMAC-SHA256"},["eq","$x-amz-date",")" +
        std::string(kDate) + R"("],["starts-with","$x-amz-credential",""])" + conditions + "]}";
    const std::string policy = base64(text);
    fields.insert(fields.end(),
                  {{"policy", policy},
                   {"X-Amz-Algorithm", "AWS4-HMAC-SHA256"},
                   {"X-Amz-Credential", "ROOT/" + std::string(kDay) + "/us-east-1/s3/aws4_request"},
                   {"X-Amz-Date", std::string(kDate)},
                   {"X-Amz-Signature", signature(policy)}});
    return fields;
  }
  Reply post_signed(Fields fields, const std::string& conditions, const std::string& file = "v") {
    return post(form(signed_fields(std::move(fields), conditions), file));
  }
  OneKey keys;
};

const std::string kAnyKey = R"(,["starts-with","$key",""])";

TEST_F(Post, ASignedForm) {
  const Reply reply = post_signed({{"key", "a b"}}, kAnyKey, "payload");
  EXPECT_EQ(reply.status, 204) << reply.body;
  EXPECT_EQ(reply.header("etag"), "\"321c3cf486ed509164edec1e1981fec8\"");
  EXPECT_EQ(reply.header("location"), "http://s3.test:9000/bucket/a%20b");
  EXPECT_EQ(get("a%20b").body, "payload");
  EXPECT_EQ(head("a%20b").header("content-type"), "binary/octet-stream");
}

TEST_F(Post, FieldsSayHowItIsEncrypted) {
  const std::string sse = "x-amz-server-side-encryption";
  const std::string any = kAnyKey + R"(,["starts-with","$x-amz-server-side-encryption",""])";
  const Reply reply = post_signed({{"key", "k"}, {sse, "AES256"}}, any, "payload");
  EXPECT_EQ(reply.status, 204) << reply.body;
  EXPECT_EQ(reply.header(sse), "AES256");
  EXPECT_EQ(reply.header("etag"), "\"321c3cf486ed509164edec1e1981fec8\"");
  EXPECT_EQ(get("k").body, "payload");
  EXPECT_FALSE(run_sync(ns.stat("bucket", "k")).value().attributes.envelope.empty());
  EXPECT_EQ(code(post_signed({{"key", "k"}, {sse, "AES128"}}, any)), "InvalidArgument");
  ASSERT_EQ(send("PUT", "/bucket?encryption", {},
                 {"<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
                  "<SSEAlgorithm>aws:kms</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>"
                  "</ServerSideEncryptionConfiguration>"})
                .status,
            200);
  const Reply by_default = post_signed({{"key", "k"}}, kAnyKey, "payload");
  EXPECT_EQ(by_default.header(sse), "aws:kms");
  EXPECT_NE(by_default.header("etag"), reply.header("etag")) << "no MD5 is told";
  EXPECT_EQ(get("k").body, "payload");
}

TEST_F(Post, LocationsAreWhereTheBucketWasAddressed) {
  const Reply reply = send_with(handler, "POST", "/",
                                {{"host", "bucket.s3.test:9000"},
                                 {"content-type", "multipart/form-data; boundary=XX"},
                                 {"x-test-anonymous", "1"}},
                                {form(signed_fields({{"key", "a b/c"}}, kAnyKey), "v")});
  EXPECT_EQ(reply.status, 204) << reply.body;
  EXPECT_EQ(reply.header("location"), "http://bucket.s3.test:9000/a%20b/c");
  const std::string id = start_upload("k");
  const std::string etag = put_part("k", id, 1, "0123456789").header("etag");
  const Reply done =
      send_with(handler, "POST", "/k?uploadId=" + id, {{"host", "bucket.s3.test:9000"}},
                {"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + etag +
                 "</ETag></Part></CompleteMultipartUpload>"});
  EXPECT_EQ(text(done.body, "Location"), "http://bucket.s3.test:9000/k");
}

TEST_F(Post, WhatTheFieldsBecome) {
  const Reply reply = post_signed(
      {{"Key", "dir/${filename}"},
       {"Content-Type", "image/png"},
       {"Cache-Control", "no-cache"},
       {"x-amz-meta-Colour", "blue"},
       {"acl", "private"},
       {"tagging",
        "<Tagging><TagSet><Tag><Key>a b</Key><Value>&lt;</Value></Tag></TagSet></Tagging>"},
       {"x-ignore-this", "whatever"},
       {"success_action_status", "201"}},
      kAnyKey + R"(,["starts-with","$Content-Type","image/"],{"cache-control":"no-cache"},
        {"x-amz-meta-colour":"blue"},{"acl":"private"},{"success_action_status":"201"},
        ["starts-with","$tagging","<Tagging>"])");
  EXPECT_EQ(code(reply), "InvalidTag");  // '<' is no character of tags
  const std::string tags =
      "<Tagging><TagSet><Tag><Key>a b</Key><Value>1</Value></Tag></TagSet></Tagging>";
  const Reply made = post_signed(
      {{"Key", "dir/${filename}"},
       {"Content-Type", "image/png"},
       {"Cache-Control", "no-cache"},
       {"x-amz-meta-Colour", "blue"},
       {"acl", "private"},
       {"tagging", tags},
       {"x-ignore-this", "whatever"},
       {"success_action_status", "201"}},
      kAnyKey + R"(,["starts-with","$Content-Type","image/"],{"cache-control":"no-cache"},
        {"x-amz-meta-colour":"blue"},{"acl":"private"},{"success_action_status":"201"},
        ["starts-with","$tagging","<Tagging>"])");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(text(made.body, "Key"), "dir/photo.png");
  EXPECT_EQ(text(made.body, "Bucket"), "bucket");
  EXPECT_EQ(text(made.body, "Location"), "http://s3.test:9000/bucket/dir/photo.png");
  EXPECT_EQ(text(made.body, "ETag"), "&quot;9e3669d19b675bd57058fd4664205d2a&quot;");
  const Reply object = head("dir/photo.png");
  EXPECT_EQ(object.header("content-type"), "image/png");
  EXPECT_EQ(object.header("cache-control"), "no-cache");
  EXPECT_EQ(object.header("x-amz-meta-colour"), "blue");
  EXPECT_EQ(object.header("x-amz-tagging-count"), "1");
}

TEST_F(Post, EveryCutOfTheBodyIsTheSame) {
  std::string file = "\r\n--X\r\n--XY\r\n\r\n--";
  for (int i = 0; i < 3000; ++i) {
    file += static_cast<char>(i * 7);
  }
  file += "\r\n--X";
  for (const std::size_t slice : {1, 2, 3, 5, 7, 64, 1000, 100000}) {
    for (const std::string& payload :
         {file, std::string(), std::string("\r\n"), std::string("x")}) {
      const Fields fields = signed_fields({{"key", "k"}, {"x-ignore-empty", ""}}, kAnyKey);
      const Reply reply = post(form(fields, payload), slice);
      ASSERT_EQ(reply.status, 204) << slice << reply.body;
      ASSERT_EQ(get("k").body, payload) << slice;
    }
  }
}

TEST_F(Post, WhatComesBehindTheFileDoesNotCount) {
  const std::string after =
      "--XX\r\nContent-Disposition: form-data; name=\"acl\"\r\n\r\npublic-read\r\n";
  EXPECT_EQ(post(form(signed_fields({{"key", "k"}}, kAnyKey), "v", "f", after)).status, 204);
  EXPECT_EQ(get("k").body, "v");
}

TEST_F(Post, FileNames) {
  const auto stored = [&](const std::string& filename) {
    post(form(signed_fields({{"key", "n/${filename}"}}, kAnyKey), "v", filename));
    const auto keys = texts(send("GET", "/bucket?prefix=n/").body, "Key");
    const std::string key = keys.empty() ? "" : keys.front();
    send("DELETE", "/bucket/" + key);
    return key;
  };
  EXPECT_EQ(stored("a.txt"), "n/a.txt");
  EXPECT_EQ(stored("C:\\dir\\a.txt"), "n/a.txt");
  EXPECT_EQ(stored("/etc/a.txt"), "n/a.txt");
  EXPECT_EQ(stored("a\\\"b"), "n/a&quot;b");
  EXPECT_EQ(stored(""), "n/");
  // The policy sees the name that it becomes.
  const auto only = [&](const std::string& filename) {
    return post(form(signed_fields({{"key", "${filename}"}}, R"(,{"key":"good"})"), "v", filename))
        .status;
  };
  EXPECT_EQ(only("good"), 204);
  EXPECT_EQ(only("bad"), 403);
}

TEST_F(Post, Redirects) {
  const auto to = [&](const std::string& field, const std::string& url) {
    return post_signed({{"key", "k"}, {field, url}, {"success_action_status", "200"}},
                       kAnyKey + R"(,["starts-with","$)" + field +
                           R"(",""],["eq","$success_action_status","200"])");
  };
  const std::string etag = "%229e3669d19b675bd57058fd4664205d2a%22";
  const Reply reply = to("success_action_redirect", "http://app/done");
  EXPECT_EQ(reply.status, 303);
  EXPECT_EQ(reply.header("location"), "http://app/done?bucket=bucket&key=k&etag=" + etag);
  EXPECT_EQ(to("redirect", "https://app/?a=b").header("location"),
            "https://app/?a=b&bucket=bucket&key=k&etag=" + etag);
  EXPECT_EQ(to("success_action_redirect", "javascript:alert(1)").status, 200);
  EXPECT_EQ(to("success_action_redirect", "http://a b").status, 200);
}

TEST_F(Post, Conditions) {
  const auto status = [&](const std::string& conditions, Fields more = {}) {
    more.insert(more.begin(), {"key", "dir/k"});
    const Reply reply = post_signed(std::move(more), conditions);
    return reply.status == 204 ? "ok" : code(reply);
  };
  EXPECT_EQ(status(R"(,{"key":"dir/k"})"), "ok");
  EXPECT_EQ(status(R"(,["Eq","$KEY","dir/k"])"), "ok");
  EXPECT_EQ(status(R"(,["starts-with","$key","dir/"])"), "ok");
  EXPECT_EQ(status(R"(,["starts-with","$key","other/"])"), "AccessDenied");
  EXPECT_EQ(status(R"(,{"key":"dir/K"})"), "AccessDenied");
  EXPECT_EQ(status(""), "AccessDenied");  // an extra field: key
  EXPECT_EQ(status(kAnyKey, {{"x-amz-meta-a", "1"}}), "AccessDenied");
  EXPECT_EQ(status(kAnyKey + R"(,{"x-amz-meta-a":"1"})"), "AccessDenied");  // and it is missing
  EXPECT_EQ(status(kAnyKey + R"(,["starts-with","$Content-Type","image/"])",
                   {{"content-type", "image/png, image/gif"}}),
            "ok");
  EXPECT_EQ(status(kAnyKey + R"(,["starts-with","$Content-Type","image/"])",
                   {{"content-type", "image/png,text/html"}}),
            "AccessDenied");
  EXPECT_EQ(status(kAnyKey + R"(,["content-length-range",1,1])"), "ok");
  EXPECT_EQ(status(kAnyKey + R"(,["content-length-range","0","1"])"), "ok");
  EXPECT_EQ(status(kAnyKey + R"(,["content-length-range",2,5])"), "EntityTooSmall");
  EXPECT_EQ(status(kAnyKey + R"(,["content-length-range",0,0])"), "EntityTooLarge");
  for (const char* bad :
       {R"(,["content-length-range",2,1])", R"(,["content-length-range",0])",
        R"(,["content-length-range",-1,0])", R"(,["like","$key","a"])", R"(,["eq","key","a"])",
        R"(,["eq","$key"])", R"(,{})", R"(,{"a":"1","b":"2"})", R"(,{"a":1})", ",7"}) {
    EXPECT_EQ(status(kAnyKey + bad), "InvalidPolicyDocument") << bad;
  }
}

TEST_F(Post, AnUploadThatIsTooLargeLeavesNothing) {
  EXPECT_EQ(code(post_signed({{"key", "k"}}, kAnyKey + R"(,["content-length-range",0,100000])",
                             std::string(100001, 'x'))),
            "EntityTooLarge");
  EXPECT_EQ(get("k").status, 404);
  EXPECT_EQ(post_signed({{"key", "k"}}, kAnyKey + R"(,["content-length-range",0,100000])",
                        std::string(100000, 'x'))
                .status,
            204);
}

TEST_F(Post, PolicyDocuments) {
  const auto parsed = [](const std::string& json) {
    const auto policy = parse_post_policy(base64(json));
    return policy ? "ok" : std::string(row(policy.error().code).name);
  };
  EXPECT_EQ(parsed(R"({"expiration":"2026-01-01T00:00:00.000Z","conditions":[]})"), "ok");
  for (const char* bad :
       {"", "[]", "{", R"({"conditions":[]})", R"({"expiration":"2026-01-01T00:00:00Z"})",
        R"({"expiration":"2026-01-01T00:00:00Z","conditions":{}})",
        R"({"expiration":"2026-01-01","conditions":[]})",
        R"({"expiration":"2026-01-01T00:00:00","conditions":[]})",
        R"({"expiration":"2026-01-01T00:00:00.Z","conditions":[]})",
        R"({"expiration":7,"conditions":[]})",
        R"({"EXPIRATION":"2026-01-01T00:00:00Z","conditions":[]})",
        R"({"expiration":"2026-01-01T00:00:00Z","CONDITIONS":[]})",
        R"({"expiration":"2026-01-01T00:00:00Z","conditions":[],"more":1})"}) {
    EXPECT_EQ(parsed(bad), "InvalidPolicyDocument") << bad;
  }
  EXPECT_FALSE(parse_post_policy("not base64!"));
  const auto many = [](std::size_t n) {
    std::string list;
    for (std::size_t i = 0; i < n; ++i) {
      list += std::string(i == 0 ? "" : ",") + R"({"a":"b"})";
    }
    return R"({"expiration":"2026-01-01T00:00:00Z","conditions":[)" + list + "]}";
  };
  EXPECT_EQ(parsed(many(kMaxPostConditions)), "ok");
  EXPECT_EQ(parsed(many(kMaxPostConditions + 1)), "InvalidPolicyDocument");
}

TEST_F(Post, Expiration) {
  const auto at = [&](const std::string& expiration) {
    return post(form(signed_fields({{"key", "k"}}, kAnyKey, expiration), "v")).status;
  };
  EXPECT_EQ(at("2026-11-21T23:19:36Z"), 204);  // now
  EXPECT_EQ(at("2026-11-21T23:19:35.999Z"), 403);
  EXPECT_EQ(at("2026-11-21 23:19:36Z"), 400);
}

TEST_F(Post, Signatures) {
  const auto with = [&](const std::string& name, const std::optional<std::string>& value) {
    Fields fields = signed_fields({{"key", "k"}}, kAnyKey);
    for (auto field = fields.begin(); field != fields.end(); ++field) {
      if (field->first == name && value) {
        field->second = *value;
      } else if (field->first == name) {
        fields.erase(field);
        break;
      }
    }
    return code(post(form(fields, "v")));
  };
  EXPECT_EQ(with("X-Amz-Signature", std::string(64, '0')), "SignatureDoesNotMatch");
  EXPECT_EQ(with("X-Amz-Signature", ""), "SignatureDoesNotMatch");
  EXPECT_EQ(with("X-Amz-Credential", "NOBODY/20261121/us-east-1/s3/aws4_request"),
            "InvalidAccessKeyId");
  EXPECT_EQ(with("X-Amz-Credential", "ROOT/20261121/eu-west-1/s3/aws4_request"),
            "SignatureDoesNotMatch");
  for (const char* bad :
       {"ROOT", "ROOT/20261121/us-east-1/iam/aws4_request",
        "ROOT/20261120/us-east-1/s3/aws4_request", "ROOT/20261121/us-east-1/s3/aws4_request/x",
        "//us-east-1/s3/aws4_request"}) {
    EXPECT_EQ(with("X-Amz-Credential", bad), "AuthorizationHeaderMalformed") << bad;
  }
  EXPECT_EQ(with("X-Amz-Algorithm", "AWS3"), "InvalidRequest");
  for (const char* name :
       {"policy", "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature"}) {
    EXPECT_EQ(with(name, std::nullopt), "InvalidArgument") << name;
  }
  const Reply old = post(form({{"key", "k"}, {"AWSAccessKeyId", "ROOT"}, {"signature", "x"}}, "v"));
  EXPECT_EQ(code(old), "InvalidRequest");
  EXPECT_EQ(get("k").status, 404);
}

// Of advisories about POST policies: what was not signed must not get in by another way.
TEST_F(Post, NothingSlipsPastThePolicy) {
  EXPECT_EQ(code(post_signed({{"key", "k"}, {"KEY", "other"}}, kAnyKey)), "InvalidArgument");
  EXPECT_EQ(code(post_signed({{"key", "k"}, {"x-amz-meta-a\r\nx", "1"}}, kAnyKey)),
            "MalformedPOSTRequest");
  EXPECT_EQ(code(post_signed({{"key", "k"}, {"x-amz-meta-a", "1\r\nX: y"}},
                             kAnyKey + R"(,["starts-with","$x-amz-meta-a",""])")),
            "InvalidArgument");
  EXPECT_EQ(code(post_signed({{"key", "k"}, {"Content-Type", "a\r\nX: y"}},
                             kAnyKey + R"(,["starts-with","$content-type",""])")),
            "InvalidArgument");
  EXPECT_EQ(code(post_signed({{"key", "k"}, {"x-amz-object-lock-legal-hold", "ON"}},
                             kAnyKey + R"(,{"x-amz-object-lock-legal-hold":"ON"})")),
            "InvalidRequest")
      << "the bucket has no Object Lock";
  EXPECT_EQ(code(post_signed({{"key", "k"}, {"x-amz-object-lock-mode", "GOVERNANCE"}},
                             kAnyKey + R"(,{"x-amz-object-lock-mode":"GOVERNANCE"})")),
            "InvalidArgument")
      << "a mode without a date";
  EXPECT_EQ(code(post_signed({{"key", "k"}, {"acl", "public-read"}},
                             kAnyKey + R"(,{"acl":"public-read"})")),
            "AccessControlListNotSupported");
  EXPECT_EQ(code(post_signed({{"key", std::string(1025, 'k')}}, kAnyKey)), "KeyTooLongError");
  EXPECT_EQ(code(post_signed({{"key", "a\xff"}}, kAnyKey)), "InvalidArgument");
  EXPECT_EQ(code(post_signed({{"key", ""}}, kAnyKey)), "InvalidArgument");
  EXPECT_EQ(texts(send("GET", "/bucket").body, "Key").size(), 0u);
}

TEST_F(Post, UnsignedFormsAreAnonymous) {
  EXPECT_EQ(code(post(form({{"key", "k"}}, "v"))), "AccessDenied");
  ASSERT_EQ(send("DELETE", "/bucket?publicAccessBlock").status, 204);
  ASSERT_EQ(send("PUT", "/bucket?policy", {},
                 {R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*",
                     "Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/open/*","Condition":
                     {"StringEquals":{"s3:x-amz-acl":"private"}}}})"})
                .status,
            204);
  EXPECT_EQ(code(post(form({{"key", "open/k"}}, "v"))), "AccessDenied");
  EXPECT_EQ(code(post(form({{"key", "k"}, {"acl", "private"}}, "v"))), "AccessDenied");
  // An ACL needs the right to set one, too; so do tags.
  EXPECT_EQ(code(post(form({{"key", "open/k"}, {"acl", "private"}}, "v"))), "AccessDenied");
  const auto allow = [&](const std::string& actions, const std::string& condition) {
    return send("PUT", "/bucket?policy", {},
                {R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*",
                    "Resource":"arn:aws:s3:::bucket/open/*","Action":)" +
                 actions + R"(,"Condition":)" + condition + "}}"})
        .status;
  };
  ASSERT_EQ(allow(R"(["s3:PutObject","s3:PutObjectAcl"])",
                  R"({"StringEquals":{"s3:x-amz-acl":"private"}})"),
            204);
  EXPECT_EQ(post(form({{"key", "open/k"}, {"acl", "private"}}, "v")).status, 204);
  EXPECT_EQ(code(post(form({{"key", "open/k"}}, "v"))), "AccessDenied");
  const auto tagged = [&](const std::string& value) {
    return post(form({{"key", "open/k"},
                      {"tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>" + value +
                                      "</Value></Tag></TagSet></Tagging>"}},
                     "v"))
        .status;
  };
  const std::string one = R"({"StringLike":{"s3:RequestObjectTag/a":"1"}})";
  ASSERT_EQ(allow(R"("s3:PutObject")", one), 204);
  EXPECT_EQ(code(post(form({{"key", "open/k"}}, "v"))), "AccessDenied");
  EXPECT_EQ(tagged("1"), 403);
  ASSERT_EQ(allow(R"(["s3:PutObject","s3:PutObjectTagging"])", one), 204);
  EXPECT_EQ(tagged("1"), 204);
  EXPECT_EQ(tagged("2"), 403);
  ASSERT_EQ(send("PUT", "/bucket?policy", {},
                 {R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*",
                     "Action":"s3:PutObject","Resource":"arn:aws:s3:::bucket/open/*"}})"})
                .status,
            204);
  EXPECT_EQ(post(form({{"key", "open/k"}, {"unknown", "field"}}, "v")).status, 204);
  EXPECT_EQ(get("open/k").body, "v");
  EXPECT_EQ(code(send("POST", "/absent", {{"content-type", "multipart/form-data; boundary=XX"}},
                      {form(signed_fields({{"key", "k"}}, kAnyKey), "v")})),
            "AccessDenied");  // another bucket than the policy's
}

TEST_F(Post, MalformedForms) {
  const auto type = [&](const std::string& content_type) {
    return code(send("POST", "/bucket", {{"content-type", content_type}}, {"x"}));
  };
  EXPECT_EQ(type("application/x-www-form-urlencoded"), "PreconditionFailed");
  EXPECT_EQ(type("multipart/form-data"), "PreconditionFailed");
  EXPECT_EQ(type("multipart/form-data; boundary="), "PreconditionFailed");
  EXPECT_EQ(type("multipart/form-data; boundary=" + std::string(71, 'b')), "PreconditionFailed");
  EXPECT_EQ(form_boundary("Multipart/Form-Data ;charset=utf-8; boundary=\"a b\"").value(), "a b");
  EXPECT_EQ(form_boundary("multipart/form-data; boundary=" + std::string(70, 'b')).value().size(),
            70u);
  const std::string head = "Content-Disposition: form-data; name=";
  for (const std::string& bad :
       {std::string(), std::string("--XX"), std::string("--XX\r\n"), std::string("--XXy\r\n"),
        "--XX\r\n" + head + "\"key\"\r\n\r\nk", std::string("--XX\r\n\r\nk\r\n--XX--\r\n"),
        std::string("--XX\r\nno colon\r\n\r\nk\r\n--XX--\r\n"),
        std::string("--XX\r\nContent-Disposition: attachment; name=key\r\n\r\nk\r\n--XX--"),
        "--XX\r\n" + head + "\"\"\r\n\r\nk\r\n--XX--\r\n",
        form({{"key", "k"}}, "v").substr(0, 150)}) {
    EXPECT_EQ(code(post(bad)), "MalformedPOSTRequest") << bad;
  }
  EXPECT_EQ(code(post("--XX--\r\n")), "InvalidArgument");  // no key
  EXPECT_EQ(code(post("--XX\r\n" + head + "key\r\n\r\nk\r\n--XX--\r\n")), "InvalidArgument");
  const std::string open = form(signed_fields({{"key", "k"}}, kAnyKey), "v");
  EXPECT_EQ(code(post(open.substr(0, open.size() - 7))), "MalformedPOSTRequest");
  EXPECT_EQ(get("k").status, 404);
}

TEST_F(Post, TheFormHasABound) {
  const auto padded = [](std::size_t bytes) {
    const Fields fields = signed_fields({{"key", "k"}, {"x-ignore-a", ""}}, kAnyKey);
    const std::string plain = form(fields, "");
    const std::size_t around = plain.size() - std::string("\r\n--XX--\r\n").size();
    return form(
        signed_fields({{"key", "k"}, {"x-ignore-a", std::string(bytes - around, 'p')}}, kAnyKey),
        std::string(100'000, 'f'));
  };
  for (const std::size_t slice : {1000, 100'000}) {
    EXPECT_EQ(post(padded(kMaxFormBytes), slice).status, 204);
    EXPECT_EQ(code(post(padded(kMaxFormBytes + 2), slice)), "MaxPostPreDataLengthExceededError");
  }
}

TEST_F(Post, Checksums) {
  const std::string crc = digest_text(digest::Algorithm::crc32c, "v");
  const auto sum = [&](const std::string& value) {
    return post_signed({{"key", "k"}, {"x-amz-checksum-crc32c", value}},
                       kAnyKey + R"(,["starts-with","$x-amz-checksum-crc32c",""])");
  };
  const Reply good = sum(crc);
  EXPECT_EQ(good.status, 204) << good.body;
  EXPECT_EQ(good.header("x-amz-checksum-crc32c"), crc);
  EXPECT_EQ(code(sum(digest_text(digest::Algorithm::crc32c, "w"))), "BadDigest");
  EXPECT_EQ(code(sum("x")), "InvalidRequest");
  EXPECT_EQ(code(post_signed({{"key", "k"}, {"content-md5", base64(std::string(16, 'x'))}},
                             kAnyKey + R"(,["starts-with","$content-md5",""])")),
            "BadDigest");
}

}  // namespace
}  // namespace outcrop::s3::test
