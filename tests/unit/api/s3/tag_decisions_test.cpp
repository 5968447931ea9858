// Decisions by tags: those of the object, those that a request gives it, and what changes between a
// decision and what is done.
#include "storage/base/async.h"
#include "tests/unit/api/s3/tag_fixture.h"

namespace outcrop::s3::test {
namespace {

class TagDecisions : public TagTest {};

// A header that the operation does not read must not decide about it.
TEST_F(TagDecisions, TagsOfAHeaderCountOnlyWhereTheyAreGiven) {
  add_user("alice", {allow(R"(["s3:PutObject","s3:PutObjectTagging"])",
                           R"({"StringEquals":{"s3:RequestObjectTag/team":"red"}})"),
                     allow(R"(["s3:GetObject*","s3:DeleteObject"])", "{}")});
  ASSERT_EQ(put("src", "v").status, 200);
  const auto ask = [&](const std::string& method, const std::string& target, Headers headers) {
    headers.push_back({"x-test-user", "alice"});
    headers.push_back({"x-amz-tagging", "team=red"});
    return send(method, target, std::move(headers), {"0123456789"}).status;
  };
  const http::Header source{"x-amz-copy-source", "/bucket/src"};
  EXPECT_EQ(ask("PUT", "/bucket/k", {}), 200);
  EXPECT_EQ(ask("PUT", "/bucket/k", {source}), 403);
  EXPECT_EQ(ask("PUT", "/bucket/k", {source, {"x-amz-tagging-directive", "COPY"}}), 403);
  EXPECT_EQ(ask("PUT", "/bucket/k", {source, {"x-amz-tagging-directive", "REPLACE"}}), 200);
  EXPECT_EQ(tags("k"), (Tags{{"team", "red"}}));
  EXPECT_EQ(ask("PUT", "/bucket/new?renameObject", {{"x-amz-rename-source", "src"}}), 403);
  EXPECT_EQ(ask("POST", "/bucket/m?uploads", {}), 200);
  const std::string id = start_upload("m");
  EXPECT_EQ(ask("PUT", "/bucket/m?partNumber=1&uploadId=" + id, {}), 403);
  EXPECT_EQ(ask("PUT", "/bucket/m?partNumber=1&uploadId=" + id, {source}), 403);
  EXPECT_EQ(get("src").body, "v");
  // And nobody needs the right to set tags that he does not set.
  add_user("alice", {allow(R"(["s3:PutObject","s3:GetObject"])", "{}")});
  EXPECT_EQ(ask("PUT", "/bucket/k", {source}), 200);
  EXPECT_EQ(tags("k"), Tags{});
}

TEST_F(TagDecisions, ABoundaryAsksForTagsOfObjectAndCaller) {
  add_user("alice", {allow(R"("s3:*")", "{}")});
  auto bound = std::make_shared<auth::Identity>(*callers["alice"]);
  bound->boundary = identity::make_policy(
      "limit",
      allow(R"("s3:GetObject")",
            R"({"StringEquals":{"s3:ExistingObjectTag/team":"${aws:PrincipalTag/team}"}})"));
  bound->tags = identity::keep_tags({{"Team", "red"}});
  callers["alice"] = bound;
  ASSERT_EQ(put("red", "v", {{"x-amz-tagging", "team=red"}}).status, 200);
  ASSERT_EQ(put("blue", "v", {{"x-amz-tagging", "team=blue"}}).status, 200);
  const Headers alice{{"x-test-user", "alice"}};
  EXPECT_EQ(get("red", alice).status, 200);
  EXPECT_EQ(get("blue", alice).status, 403);
  EXPECT_EQ(put("red", "v", alice).status, 403);
}

TEST_F(TagDecisions, CopiedTagsAreThoseOfTheRequest) {
  ASSERT_EQ(put("secret", "v", {{"x-amz-tagging", "class=secret"}}).status, 200);
  ASSERT_EQ(put("plain", "v", {{"x-amz-tagging", "class=plain"}}).status, 200);
  const auto copy = [&](const std::string& from, Headers headers = {}) {
    headers.push_back({"x-amz-copy-source", "/bucket/" + from});
    return send("PUT", "/bucket/k", std::move(headers)).status;
  };
  for (const char* action : {"s3:PutObject", "s3:PutObjectTagging"}) {
    ASSERT_EQ(send("PUT", "/bucket?policy", {},
                   {R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*",
                       "Resource":"arn:aws:s3:::bucket/*","Condition":
                       {"StringEquals":{"s3:RequestObjectTag/class":"secret"}},"Action":")" +
                    std::string(action) + "\"}}"})
                  .status,
              204);
    EXPECT_EQ(copy("secret"), 403) << action;
    EXPECT_EQ(copy("secret", {{"x-amz-tagging", "class=plain"}}), 403) << action;
    EXPECT_EQ(copy("secret", {{"x-amz-tagging-directive", "REPLACE"}}), 200) << action;
    EXPECT_EQ(copy("plain"), 200) << action;
  }
}

/// Somebody else changes tags between the looks of a request at the object.
class TagRaces : public TagDecisions {
 protected:
  static constexpr const char* kLocked =
      R"({"StringEquals":{"s3:ExistingObjectTag/locked":"yes"}})";
  TagRaces() {
    deny(R"(["s3:GetObject","s3:PutObjectTagging","s3:DeleteObjectTagging"])", kLocked);
    EXPECT_EQ(put("k", "0123456789").status, 200);
  }
  ~TagRaces() override { ns.after_look = {}; }
  void deny(const std::string& actions, const std::string& condition) {
    const std::string text =
        R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":)" +
        actions + R"(,"Resource":"arn:aws:s3:::bucket/*","Condition":)" + condition + "}}";
    EXPECT_EQ(send("PUT", "/bucket?policy", {}, {text}).status, 204);
  }
  void give(const Tags& tags) { EXPECT_TRUE(run_sync(ns.set_tags("bucket", "k", tags, {}))); }
  Tags now() { return run_sync(ns.stat("bucket", "k")).value().attributes.tags; }
  /// What `request` answers when the n-th look is followed by these tags.
  template <class Request>
  int raced(int look, const Tags& after, const Request& request) {
    give({{"a", "1"}});
    int looks = 0;
    ns.after_look = [&] {
      if (++looks == look) {
        give(after);
      }
    };
    const int status = request().status;
    ns.after_look = {};
    EXPECT_GE(looks, look);
    return status;
  }
};

TEST_F(TagRaces, TagsAreReplacedThatWereDecidedOn) {
  const Tags locked{{"locked", "yes"}}, other{{"b", "2"}}, mine{{"c", "3"}};
  const auto replace = [&] { return set("k", mine); };
  const auto remove = [&] { return send("DELETE", "/bucket/k?tagging"); };
  EXPECT_EQ(raced(1, locked, replace), 403);
  EXPECT_EQ(now(), locked);
  EXPECT_EQ(raced(1, locked, remove), 403);
  EXPECT_EQ(now(), locked);
  EXPECT_EQ(raced(1, other, replace), 200);
  EXPECT_EQ(now(), mine);
  EXPECT_EQ(raced(1, other, remove), 204);
  EXPECT_EQ(now(), Tags{});
  int n = 0;
  ns.after_look = [&] { give({{"n", std::to_string(++n)}}); };
  EXPECT_EQ(code(set("k", mine)), "OperationAborted");
  EXPECT_EQ(code(send("PUT", "/bucket/to?renameObject", {{"x-amz-rename-source", "k"}})),
            "OperationAborted");
  EXPECT_EQ(code(send("PUT", "/bucket/to", {{"x-amz-copy-source", "/bucket/k"}})),
            "OperationAborted");
  ns.after_look = {};
  EXPECT_EQ(now(), (Tags{{"n", std::to_string(n)}}));
}

TEST_F(TagRaces, SourcesAreReadThatWereDecidedOn) {
  const Tags locked{{"locked", "yes"}}, other{{"b", "2"}};
  const std::string id = start_upload("m");
  const http::Header source{"x-amz-copy-source", "/bucket/k"};
  const auto copy = [&] { return send("PUT", "/bucket/to", {source}); };
  const auto bare = [&] {
    return send("PUT", "/bucket/to", {source, {"x-amz-tagging-directive", "REPLACE"}});
  };
  const auto summed = [&] {
    return send("PUT", "/bucket/to", {source, {"x-amz-checksum-algorithm", "SHA256"}});
  };
  const auto part = [&] { return send("PUT", "/bucket/m?partNumber=1&uploadId=" + id, {source}); };
  const auto rename = [&] {
    return send("PUT", "/bucket/new?renameObject", {{"x-amz-rename-source", "k"}});
  };
  // The first look is for the decision, the second one opens the source.
  EXPECT_EQ(raced(1, locked, copy), 403);
  EXPECT_EQ(raced(2, locked, copy), 403);
  EXPECT_EQ(raced(1, locked, bare), 403);
  EXPECT_EQ(raced(2, locked, bare), 403);
  EXPECT_EQ(raced(1, locked, summed), 403);
  EXPECT_EQ(raced(2, locked, summed), 200);  // what was opened is what is copied
  EXPECT_EQ(raced(1, locked, part), 403);
  EXPECT_EQ(raced(2, locked, part), 200);
  EXPECT_EQ(raced(1, locked, rename), 403);
  for (const int look : {1, 2}) {
    EXPECT_EQ(raced(look, other, copy), 200) << look;
    EXPECT_EQ(tags("to"), other) << look;
  }
  EXPECT_EQ(raced(1, other, rename), 200);
  EXPECT_EQ(tags("new"), other);
}

// No policy asks for the tags that are there, but for those that a copy gets.
TEST_F(TagRaces, TagsAreCopiedThatWereDecidedOn) {
  deny(R"("s3:PutObjectTagging")", R"({"StringEquals":{"s3:RequestObjectTag/class":"secret"}})");
  const auto copy = [&] { return send("PUT", "/bucket/to", {{"x-amz-copy-source", "/bucket/k"}}); };
  EXPECT_EQ(raced(1, {{"class", "secret"}}, copy), 403);
  EXPECT_EQ(raced(1, {{"class", "plain"}}, copy), 200);
  EXPECT_EQ(tags("to"), (Tags{{"class", "plain"}}));
}

TEST_F(TagDecisions, CopiedTagsOfAVersionNeedTheActionOfVersions) {
  ASSERT_EQ(put("src", "v", {{"x-amz-tagging", "a=1"}}).status, 200);
  const auto copy = [&](const std::string& actions) {
    add_user("alice", {allow(actions, "{}")});
    return send("PUT", "/bucket/to",
                {{"x-test-user", "alice"}, {"x-amz-copy-source", "/bucket/src?versionId=null"}})
        .status;
  };
  EXPECT_EQ(copy(R"(["s3:PutObject*","s3:GetObject*"])"), 200);
  EXPECT_EQ(copy(R"(["s3:PutObject*","s3:GetObjectVersion","s3:GetObjectTagging"])"), 403);
  EXPECT_EQ(copy(R"(["s3:PutObject*","s3:GetObjectVersion","s3:GetObjectVersionTagging"])"), 200);
}

// Each object below has tags of its own, which no decision about the directory can know.
TEST_F(TagDecisions, DirectoriesDoNotGetAroundTheTagsOfTheirObjects) {
  ASSERT_EQ(put("d/secret", "v", {{"x-amz-tagging", "class=secret"}}).status, 200);
  ASSERT_EQ(put("d/plain", "v").status, 200);
  const auto rename = [&](const std::string& from, const std::string& to) {
    return send("PUT", "/bucket/" + to + "?renameObject",
                {{"x-test-user", "alice"}, {"x-amz-rename-source", from}})
        .status;
  };
  const std::vector<std::pair<std::string, std::string>> denials{
      {R"("*")", R"({"StringEquals":{"s3:ExistingObjectTag/class":"secret"}})"},
      {R"("*")", R"({"Null":{"s3:ExistingObjectTag/class":"false"}})"},
      {R"("*")", R"({"StringEquals":{"aws:username":"${s3:ExistingObjectTag/class,'x'}lice"}})"},
      {R"("arn:aws:s3:::bucket/d/${s3:ExistingObjectTag/class,'x'}")", "{}"}};
  const auto deny_get = [](const std::string& resource, const std::string& condition) {
    return R"({"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:GetObject",)"
           R"("Resource":)" +
           resource + R"(,"Condition":)" + condition + "}}";
  };
  for (const auto& [resource, condition] : denials) {
    add_user("alice", {allow(R"("s3:*")", "{}"), deny_get(resource, condition)});
    EXPECT_EQ(rename("d/", "e/"), 403) << resource << condition;
  }
  EXPECT_EQ(rename("d/secret", "e/secret"), 403);
  for (const char* only : {R"({"StringNotEquals":{"s3:ExistingObjectTag/class":"secret"}})",
                           R"({"Null":{"s3:ExistingObjectTag/class":"true"}})"}) {
    add_user("alice", {allow(R"("s3:GetObject")", only),
                       allow(R"(["s3:PutObject","s3:DeleteObject"])", "{}")});
    EXPECT_EQ(rename("d/", "e/"), 403) << only;
  }
  EXPECT_EQ(rename("d/plain", "e/plain"), 200);
  add_user("alice", {allow(R"("s3:*")", "{}")});
  EXPECT_EQ(rename("d/", "f/"), 200);
}

}  // namespace
}  // namespace outcrop::s3::test
