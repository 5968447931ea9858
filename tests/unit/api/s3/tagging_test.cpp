// Tags of objects: limits, the header and the document, copies, and policies that ask for them.
#include "tests/unit/api/s3/tag_fixture.h"

namespace outcrop::s3::test {
namespace {

Tags many(std::size_t n) {
  Tags out;
  for (std::size_t i = 0; i < n; ++i) {
    out.emplace_back("k" + std::to_string(i), "v");
  }
  return out;
}

std::string repeated(std::string_view unit, std::size_t n) {
  std::string out;
  for (std::size_t i = 0; i < n; ++i) {
    out += unit;
  }
  return out;
}

class Tagging : public TagTest {};

TEST_F(Tagging, RoundTripReplaceAndDelete) {
  const std::string etag = put("k", "v").header("etag");
  const std::string modified = head("k").header("last-modified");
  EXPECT_EQ(tags("k"), Tags{});
  EXPECT_FALSE(head("k").has("x-amz-tagging-count"));
  clock.seconds += 60;
  EXPECT_EQ(set("k", {{"b", "2"}, {"a", ""}}).status, 200);
  EXPECT_EQ(tags("k"), (Tags{{"a", ""}, {"b", "2"}}));
  EXPECT_EQ(head("k").header("x-amz-tagging-count"), "2");
  EXPECT_EQ(get("k").header("x-amz-tagging-count"), "2");
  EXPECT_EQ(head("k").header("etag"), etag);
  EXPECT_EQ(head("k").header("last-modified"), modified);
  EXPECT_EQ(set("k", {{"c", "3"}}).status, 200);
  EXPECT_EQ(tags("k"), (Tags{{"c", "3"}}));
  EXPECT_EQ(send("DELETE", "/bucket/k?tagging").status, 204);
  EXPECT_EQ(send("DELETE", "/bucket/k?tagging").status, 204);
  EXPECT_EQ(tags("k"), Tags{});
  EXPECT_EQ(get("k").body, "v");
}

TEST_F(Tagging, EachVersionHasItsOwn) {
  ASSERT_EQ(send("PUT", "/bucket?versioning", {},
                 {"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"})
                .status,
            200);
  const std::string old = put("k", "1").header("x-amz-version-id");
  ASSERT_EQ(set("k", {{"n", "1"}}).header("x-amz-version-id"), old);
  const std::string last = put("k", "2").header("x-amz-version-id");
  EXPECT_EQ(tags("k"), Tags{});
  ASSERT_EQ(set("k", {{"n", "2"}}).header("x-amz-version-id"), last);
  const std::string of_old = "/bucket/k?tagging&versionId=" + old;
  EXPECT_EQ(texts(send("GET", of_old).body, "Value"), std::vector<std::string>{"1"});
  const Reply changed = send("PUT", of_old, {}, {tagging({{"n", "3"}})});
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(changed.header("x-amz-version-id"), old);
  EXPECT_EQ(texts(send("GET", of_old).body, "Value"), std::vector<std::string>{"3"});
  EXPECT_EQ(send("GET", of_old).header("x-amz-version-id"), old);
  EXPECT_EQ(send("HEAD", "/bucket/k?versionId=" + old).header("x-amz-tagging-count"), "1");
  EXPECT_EQ(tags("k"), (Tags{{"n", "2"}}));
  EXPECT_EQ(texts(send("GET", "/bucket?versions").body, "VersionId").size(), 2u);
  const std::string marker = send("DELETE", "/bucket/k").header("x-amz-version-id");
  EXPECT_EQ(code(set("k", {})), "NoSuchKey");
  EXPECT_EQ(send("PUT", "/bucket/k?tagging&versionId=" + marker, {}, {tagging({})}).status, 405);
  EXPECT_EQ(send("DELETE", of_old).status, 204);
  EXPECT_EQ(texts(send("GET", of_old).body, "Value"), std::vector<std::string>{});
  EXPECT_EQ(texts(send("GET", "/bucket/k?tagging&versionId=" + last).body, "Value"),
            std::vector<std::string>{"2"});
  EXPECT_EQ(code(send("GET", "/bucket/k?tagging&versionId=null")), "NoSuchVersion");
  EXPECT_EQ(code(send("PUT", "/bucket/k?tagging&versionId=x", {}, {tagging({})})),
            "InvalidArgument");
}

TEST_F(Tagging, WhatIsNotThere) {
  EXPECT_EQ(code(set("absent", {})), "NoSuchKey");
  EXPECT_EQ(code(send("DELETE", "/bucket/absent?tagging")), "NoSuchKey");
  EXPECT_EQ(code(send("GET", "/bucket/absent?tagging")), "NoSuchKey");
  EXPECT_EQ(code(send("GET", "/other/k?tagging")), "NoSuchBucket");
  ASSERT_EQ(put("k", "v").status, 200);
  const std::string body = tagging({{"a", "1"}});
  EXPECT_EQ(send("PUT", "/bucket/k?tagging&versionId=null", {}, {body}).header("x-amz-version-id"),
            "null");
  EXPECT_EQ(code(send("PUT", "/bucket/k?tagging&versionId=x", {}, {body})), "InvalidArgument");
  EXPECT_EQ(code(send("GET", "/bucket/k?tagging&versionId=x")), "InvalidArgument");
  EXPECT_EQ(code(send("DELETE", "/bucket/k?tagging&versionId=x")), "InvalidArgument");
  EXPECT_EQ(tags("k"), (Tags{{"a", "1"}}));
}

TEST_F(Tagging, LimitsAreThoseOfAws) {
  ASSERT_EQ(put("k", "v").status, 200);
  EXPECT_EQ(set("k", many(10)).status, 200);
  EXPECT_EQ(code(set("k", many(11))), "BadRequest");
  EXPECT_EQ(code(set("k", many(100))), "BadRequest");
  EXPECT_EQ(set("k", {{std::string(128, 'k'), std::string(256, 'v')}}).status, 200);
  EXPECT_EQ(code(set("k", {{std::string(129, 'k'), ""}})), "InvalidTag");
  EXPECT_EQ(code(set("k", {{"k", std::string(257, 'v')}})), "InvalidTag");
  // Counted in UTF-16: one for each of these letters, two for each of these signs.
  EXPECT_EQ(set("k", {{repeated("\u00e4", 128), repeated("\U0001F5FB", 128)}}).status, 200);
  EXPECT_EQ(code(set("k", {{repeated("\u00e4", 129), ""}})), "InvalidTag");
  EXPECT_EQ(code(set("k", {{"k", repeated("\U0001F5FB", 129)}})), "InvalidTag");
  EXPECT_EQ(set("k", {{"a b+-=._:/@9", "a b+-=._:/@9"}}).status, 200);
  for (const char* bad : {"a&amp;b", "a#", "a,b", "a;b", "a(b)", "*", "a&#x9;", "a&#x85;"}) {
    EXPECT_EQ(code(set("k", {{bad, ""}})), "InvalidTag") << bad;
    EXPECT_EQ(code(set("k", {{"k", bad}})), "InvalidTag") << bad;
  }
  EXPECT_EQ(code(set("k", {{"", "v"}})), "InvalidTag");
  EXPECT_EQ(code(set("k", {{"aws:k", "v"}})), "InvalidTag");
  EXPECT_EQ(code(set("k", {{"a", "1"}, {"a", "2"}})), "InvalidTag");
  EXPECT_EQ(set("k", {{"a", "1"}, {"A", "2"}}).status, 200);
  EXPECT_EQ(tags("k"), (Tags{{"A", "2"}, {"a", "1"}}));
}

TEST_F(Tagging, MalformedDocuments) {
  ASSERT_EQ(put("k", "v").status, 200);
  for (const char* bad :
       {"", "x", "<Tagging/>",
        "<Tagging><TagSet><Tag><Key>\xff</Key><Value>b</Value></Tag></TagSet></Tagging>",
        "<TagSet/>", "<Tagging><TagSet/><TagSet/></Tagging>",
        "<Tagging><Tag><Key>a</Key><Value>b</Value></Tag></Tagging>",
        "<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>",
        "<Tagging><TagSet><Tag><Value>a</Value></Tag></TagSet></Tagging>",
        "<Tagging><TagSet><Tag><Key>a</Key><Key>b</Key><Value/></Tag></TagSet></Tagging>",
        "<Tagging><TagSet><Tag><Key>a</Key><Value/><More/></Tag></TagSet></Tagging>"}) {
    EXPECT_EQ(code(send("PUT", "/bucket/k?tagging", {}, {bad})), "MalformedXML") << bad;
  }
}

TEST_F(Tagging, TheHeader) {
  EXPECT_EQ(put("k", "v", {{"x-amz-tagging", "a=1&b=x%26y+z%2B&c"}}).status,
            400);  // '&' in a value
  EXPECT_EQ(put("k", "v", {{"x-amz-tagging", "a=1&b=x+z%2B&c&&d="}}).status, 200);
  EXPECT_EQ(tags("k"), (Tags{{"a", "1"}, {"b", "x z+"}, {"c", ""}, {"d", ""}}));
  for (const char* bad : {"a=1&a=2", "a=%zz", "%00=1", "a=%"}) {
    EXPECT_EQ(code(put("k2", "v", {{"x-amz-tagging", bad}})), "InvalidArgument") << bad;
  }
  EXPECT_EQ(code(put("k2", "v", {{"x-amz-tagging", "=v"}})), "InvalidTag");
  EXPECT_EQ(code(put("k2", "v", {{"x-amz-tagging", "a&b&c&d&e&f&g&h&i&j&k"}})), "BadRequest");
  EXPECT_EQ(get("k2").status, 404);
  EXPECT_EQ(put("k", "w", {}).status, 200);  // a new object has no tags of the old one
  EXPECT_EQ(tags("k"), Tags{});
}

TEST_F(Tagging, OfUploads) {
  const std::string id = start_upload("m", {{"x-amz-tagging", "a=1"}});
  const std::string etag = put_part("m", id, 1, "0123456789").header("etag");
  ASSERT_EQ(complete("m", id, {{1, etag}}).status, 200);
  EXPECT_EQ(tags("m"), (Tags{{"a", "1"}}));
  EXPECT_EQ(code(send("POST", "/bucket/m?uploads", {{"x-amz-tagging", "a=1&a=2"}})),
            "InvalidArgument");
}

TEST_F(Tagging, OfCopies) {
  ASSERT_EQ(put("src", "v", {{"x-amz-tagging", "a=1"}}).status, 200);
  const auto copy = [&](const std::string& to, Headers headers) {
    headers.push_back({"x-amz-copy-source", "/bucket/src"});
    return send("PUT", "/bucket/" + to, std::move(headers)).status;
  };
  EXPECT_EQ(copy("plain", {{"x-amz-tagging", "b=2"}}), 200);
  EXPECT_EQ(tags("plain"), (Tags{{"a", "1"}}));
  EXPECT_EQ(copy("meta", {{"x-amz-metadata-directive", "REPLACE"}}), 200);
  EXPECT_EQ(tags("meta"), (Tags{{"a", "1"}}));
  EXPECT_EQ(copy("tagged", {{"x-amz-tagging-directive", "REPLACE"}, {"x-amz-tagging", "b=2"}}),
            200);
  EXPECT_EQ(tags("tagged"), (Tags{{"b", "2"}}));
  EXPECT_EQ(copy("bare", {{"x-amz-tagging-directive", "REPLACE"}}), 200);
  EXPECT_EQ(tags("bare"), Tags{});
  EXPECT_EQ(copy("bad", {{"x-amz-tagging-directive", "MERGE"}}), 400);
  // Another checksum goes another way: through the bytes.
  const Headers sum{{"x-amz-checksum-algorithm", "SHA256"}};
  EXPECT_EQ(copy("summed", sum), 200);
  EXPECT_EQ(tags("summed"), (Tags{{"a", "1"}}));
  Headers both = sum;
  both.push_back({"x-amz-tagging-directive", "REPLACE"});
  both.push_back({"x-amz-tagging", "c=3"});
  EXPECT_EQ(copy("summed", both), 200);
  EXPECT_EQ(tags("summed"), (Tags{{"c", "3"}}));
}

TEST_F(Tagging, CopiedTagsAreReadAndWritten) {
  const Headers source{{"x-test-user", "alice"}, {"x-amz-copy-source", "/bucket/src"}};
  add_user("alice", {allow(R"(["s3:GetObject","s3:PutObject"])", "{}")});
  ASSERT_EQ(put("src", "v").status, 200);
  EXPECT_EQ(send("PUT", "/bucket/to", source).status, 200);
  ASSERT_EQ(put("src", "v", {{"x-amz-tagging", "a=1"}}).status, 200);
  EXPECT_EQ(send("PUT", "/bucket/to", source).status, 403);
  EXPECT_FALSE(get("src", {{"x-test-user", "alice"}}).has("x-amz-tagging-count"));
  EXPECT_EQ(get("src", {{"x-test-user", "alice"}}).body, "v");
  Headers replace = source;
  replace.push_back({"x-amz-tagging-directive", "REPLACE"});
  EXPECT_EQ(send("PUT", "/bucket/to", replace).status, 200);
  EXPECT_EQ(put("to", "v", {{"x-test-user", "alice"}, {"x-amz-tagging", "a=1"}}).status, 403);
  add_user("alice", {allow(R"(["s3:*ObjectTagging","s3:GetObject","s3:PutObject"])", "{}")});
  EXPECT_EQ(send("PUT", "/bucket/to", source).status, 200);
  EXPECT_EQ(get("src", {{"x-test-user", "alice"}}).header("x-amz-tagging-count"), "1");
}

TEST_F(Tagging, PoliciesAskForTheTagsThatAreThere) {
  add_user("alice", {allow(R"("s3:*")", R"({"StringEquals":{"s3:ExistingObjectTag/open":"yes"}})"),
                     allow(R"("s3:ListBucket")", "{}")});
  const Headers alice{{"x-test-user", "alice"}};
  ASSERT_EQ(put("open", "v", {{"x-amz-tagging", "open=yes&other=1"}}).status, 200);
  ASSERT_EQ(put("shut", "v", {{"x-amz-tagging", "open=no"}}).status, 200);
  ASSERT_EQ(put("bare", "v").status, 200);
  EXPECT_EQ(get("open", alice).status, 200);
  EXPECT_EQ(head("open", alice).status, 200);
  EXPECT_EQ(send("GET", "/bucket/open?tagging", alice).status, 200);
  EXPECT_EQ(set("open", {{"open", "yes"}}, alice).status, 200);
  for (const char* key : {"shut", "bare", "absent"}) {
    EXPECT_EQ(get(key, alice).status, 403) << key;
    EXPECT_EQ(set(key, {}, alice).status, 403) << key;
    EXPECT_EQ(send("DELETE", std::string("/bucket/") + key + "?tagging", alice).status, 403) << key;
  }
  EXPECT_EQ(put("open", "w", alice).status, 403);  // AWS has no such key for PutObject
  ASSERT_EQ(put("mine", "v").status, 200);
  add_user("bob",
           {allow(R"("s3:GetObject*")", R"({"StringEquals":{"s3:ExistingObjectTag/open":"yes"}})"),
            allow(R"(["s3:PutObject","s3:PutObjectTagging"])", "{}")});
  const auto copy = [&](const std::string& from) {
    return send("PUT", "/bucket/copy",
                {{"x-test-user", "bob"}, {"x-amz-copy-source", "/bucket/" + from}})
        .status;
  };
  EXPECT_EQ(copy("open"), 200);  // the tags are read by an action that asks for them once more
  EXPECT_EQ(tags("copy"), (Tags{{"open", "yes"}}));
  EXPECT_EQ(copy("open?versionId=null"), 200);
  EXPECT_EQ(copy("shut"), 403);
  EXPECT_EQ(send("PUT", "/bucket/copy",
                 {{"x-test-user", "bob"},
                  {"x-amz-copy-source", "/bucket/open"},
                  {"x-amz-tagging-directive", "REPLACE"}})
                .status,
            200);
}

TEST_F(Tagging, ADenyByTagHoldsForEverybody) {
  ASSERT_EQ(put("secret", "v", {{"x-amz-tagging", "class=secret"}}).status, 200);
  ASSERT_EQ(put("plain", "v", {{"x-amz-tagging", "class=plain"}}).status, 200);
  ASSERT_EQ(send("PUT", "/bucket?policy", {},
                 {R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*",
                     "Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*","Condition":
                     {"StringEquals":{"s3:ExistingObjectTag/class":"secret"}}}})"})
                .status,
            204);
  EXPECT_EQ(get("secret").status, 403);
  EXPECT_EQ(get("plain").status, 200);
  EXPECT_EQ(get("absent").status, 404);
}

TEST_F(Tagging, PoliciesAskForTheTagsOfTheRequest) {
  add_user("alice", {allow(R"(["s3:PutObject","s3:PutObjectTagging"])",
                           R"({"StringEquals":{"s3:RequestObjectTag/team":"red"},
                               "ForAllValues:StringEquals":{"s3:RequestObjectTagKeys":["team","x"]}})")});
  const Headers alice{{"x-test-user", "alice"}};
  const auto tagged = [&](const std::string& text) {
    return put("k", "v", {{"x-test-user", "alice"}, {"x-amz-tagging", text}}).status;
  };
  EXPECT_EQ(tagged("team=red"), 200);
  EXPECT_EQ(tagged("team=red&x=1"), 200);
  EXPECT_EQ(tagged("team=red&y=1"), 403);
  EXPECT_EQ(tagged("team=blue"), 403);
  EXPECT_EQ(put("k", "v", alice).status, 403);
  EXPECT_EQ(set("k", {{"team", "red"}}, alice).status, 200);
  EXPECT_EQ(set("k", {{"team", "red"}, {"y", ""}}, alice).status, 403);
  EXPECT_EQ(set("k", {{"team", "blue"}}, alice).status, 403);
  EXPECT_EQ(send("PUT", "/bucket/k?tagging", alice, {"broken"}).status, 403);
  EXPECT_EQ(send("PUT", "/bucket/k?tagging", {{"x-test-anonymous", "1"}}, {"broken"}).status, 403);
}

}  // namespace
}  // namespace outcrop::s3::test
