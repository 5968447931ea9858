// Versioning over S3: documents, headers, errors, and who may do what.
#include <array>
#include <set>

#include "api/s3/headers.h"
#include "api/s3/op_table.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

class Versions : public S3Test {
 protected:
  Reply set(const std::string& document) {
    return send("PUT", "/bucket?versioning", {},
                {"<VersioningConfiguration>" + document + "</VersioningConfiguration>"});
  }
  void enable() { ASSERT_EQ(set("<Status>Enabled</Status>").status, 200); }
  std::string put_id(const std::string& key, std::string data) {
    return put(key, std::move(data)).header("x-amz-version-id");
  }
  Reply erase(const std::string& key) { return send("DELETE", "/bucket/" + key); }
  Headers as(const std::string& user) { return {{"x-test-user", user}}; }
};

TEST_F(Versions, Configuration) {
  EXPECT_EQ(text(send("GET", "/bucket?versioning").body, "Status"), "(none)");
  enable();
  EXPECT_EQ(text(send("GET", "/bucket?versioning").body, "Status"), "Enabled");
  EXPECT_EQ(set("<Status>Suspended</Status><MfaDelete>Disabled</MfaDelete>").status, 200);
  EXPECT_EQ(text(send("GET", "/bucket?versioning").body, "Status"), "Suspended");
  EXPECT_EQ(code(set("")), "IllegalVersioningConfigurationException");
  EXPECT_EQ(code(set("<Status>On</Status>")), "MalformedXML");
  EXPECT_EQ(code(set("<Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>")), "NotImplemented");
  EXPECT_EQ(code(set("<Status>Enabled</Status><Other>x</Other>")), "MalformedXML");
  EXPECT_EQ(code(send("PUT", "/bucket?versioning", {{"x-amz-mfa", "s 1"}},
                      {"<VersioningConfiguration><Status>Enabled</Status>"
                       "</VersioningConfiguration>"})),
            "NotImplemented");
  EXPECT_EQ(code(send("PUT", "/absent?versioning", {},
                      {"<VersioningConfiguration><Status>Enabled</Status>"
                       "</VersioningConfiguration>"})),
            "NoSuchBucket");
}

TEST_F(Versions, NoIdsWithoutVersions) {
  EXPECT_FALSE(put("k", "v").has("x-amz-version-id"));
  EXPECT_FALSE(get("k").has("x-amz-version-id"));
  const Reply deleted = erase("k");
  EXPECT_FALSE(deleted.has("x-amz-version-id"));
  EXPECT_FALSE(deleted.has("x-amz-delete-marker"));
}

TEST_F(Versions, MarkersAnswerWithTheirHeaders) {
  enable();
  const std::string id = put_id("k", "v");
  EXPECT_EQ(get("k").header("x-amz-version-id"), id);
  EXPECT_EQ(head("k").header("x-amz-version-id"), id);
  const std::int64_t marked_at = clock.wall_ns();
  const Reply deleted = erase("k");
  clock.seconds += 3600;
  EXPECT_EQ(deleted.status, 204);
  EXPECT_EQ(deleted.header("x-amz-delete-marker"), "true");
  const std::string marker = deleted.header("x-amz-version-id");
  for (const Reply& missing : {get("k"), head("k")}) {
    EXPECT_EQ(missing.status, 404);
    EXPECT_EQ(missing.header("x-amz-delete-marker"), "true");
    EXPECT_EQ(missing.header("x-amz-version-id"), marker);
  }
  EXPECT_EQ(code(get("k")), "NoSuchKey");
  for (const Reply& refused : {get("k?versionId=" + marker), head("k?versionId=" + marker)}) {
    EXPECT_EQ(refused.status, 405);
    EXPECT_EQ(refused.header("x-amz-delete-marker"), "true");
    EXPECT_EQ(refused.header("x-amz-version-id"), marker);
    EXPECT_EQ(refused.header("last-modified"), format_http_date(marked_at));
    EXPECT_EQ(refused.header("Allow") + refused.header("allow"), "DELETE");
  }
  EXPECT_EQ(code(get("k?versionId=" + marker)), "MethodNotAllowed");
  const Reply undone = erase("k?versionId=" + marker);
  EXPECT_EQ(undone.header("x-amz-delete-marker"), "true");
  EXPECT_EQ(undone.header("x-amz-version-id"), marker);
  EXPECT_EQ(get("k").body, "v");
}

TEST_F(Versions, IdsThatAreWrong) {
  enable();
  const std::string id = put_id("k", "v");
  EXPECT_EQ(code(get("k?versionId=")), "InvalidArgument");
  EXPECT_EQ(code(get("k?versionId=x")), "InvalidArgument");
  EXPECT_EQ(code(erase("k?versionId=")), "InvalidArgument");
  EXPECT_EQ(code(get("other?versionId=" + id)), "NoSuchVersion");
  EXPECT_EQ(code(get("k?versionId=null")), "NoSuchVersion");
  EXPECT_EQ(erase("other?versionId=" + id).status, 204);
  EXPECT_EQ(code(send("GET", "/bucket?versions&key-marker=k&version-id-marker=x")),
            "InvalidArgument");
  EXPECT_EQ(code(send("GET", "/bucket?versions&version-id-marker=" + id)), "InvalidArgument");
}

TEST_F(Versions, ListingShowsVersionsAndMarkersInOrder) {
  enable();
  const std::string first = put_id("a b", "1");
  const std::string second = put_id("a b", "22");
  const std::string marker = erase("a b").header("x-amz-version-id");
  put("d/x", "3");
  const std::string xml = send("GET", "/bucket?versions&encoding-type=url&delimiter=/").body;
  EXPECT_EQ(texts(xml, "VersionId"), (std::vector<std::string>{marker, second, first}));
  EXPECT_EQ(texts(xml, "IsLatest"), (std::vector<std::string>{"true", "false", "false"}));
  EXPECT_EQ(texts(xml, "Size"), (std::vector<std::string>{"2", "1"}));
  EXPECT_EQ(texts(xml, "Key"), (std::vector<std::string>{"a%20b", "a%20b", "a%20b"}));
  EXPECT_EQ(texts(xml, "DeleteMarker").size(), 1U);
  EXPECT_EQ(text(xml, "CommonPrefixes"), "<Prefix>d/</Prefix>");
  std::vector<std::string> ids;
  std::string from;
  for (int pages = 0; pages < 10; ++pages) {
    const std::string page = send("GET", "/bucket?versions&max-keys=1" + from).body;
    ids.push_back(text(page, "VersionId"));
    if (text(page, "IsTruncated") != "true") {
      break;
    }
    from = "&key-marker=" + (text(page, "NextKeyMarker") == "a b" ? std::string("a%20b") : "d/x") +
           "&version-id-marker=" + text(page, "NextVersionIdMarker");
  }
  ASSERT_EQ(ids.size(), 4U);
  EXPECT_EQ(ids[2], first);
}

TEST_F(Versions, DeleteObjectsSaysWhatItDid) {
  enable();
  const std::string id = put_id("k", "v");
  const std::string xml =
      send("POST", "/bucket?delete",
           {{"x-amz-checksum-crc32",
             digest_text(digest::Algorithm::crc32,
                         "<Delete><Object><Key>k</Key></Object><Object><Key>k</Key><VersionId>" +
                             id + "</VersionId></Object></Delete>")}},
           {"<Delete><Object><Key>k</Key></Object><Object><Key>k</Key><VersionId>" + id +
            "</VersionId></Object></Delete>"})
          .body;
  const auto deleted = texts(xml, "Deleted");
  ASSERT_EQ(deleted.size(), 2U) << xml;
  EXPECT_EQ(text(deleted[0], "DeleteMarker"), "true");
  EXPECT_EQ(text(deleted[0], "DeleteMarkerVersionId").size(), 32U);
  EXPECT_EQ(text(deleted[1], "VersionId"), id);
  EXPECT_EQ(text(deleted[1], "DeleteMarker"), "(none)");
}

TEST_F(Versions, ADeleteThatIsRepeatedSucceeds) {
  enable();
  const Reply made = put("k", "v");
  const std::string id = made.header("x-amz-version-id"), etag = made.header("etag");
  const auto erase_if = [&](const std::string& match, const std::string& query) {
    return send("DELETE", "/bucket/k" + query, {{"if-match", match}});
  };
  EXPECT_EQ(code(erase_if("\"other\"", "?versionId=" + id)), "PreconditionFailed");
  for (int i = 0; i < 2; ++i) {
    const Reply deleted = erase_if(etag, "?versionId=" + id);
    EXPECT_EQ(deleted.status, 204) << deleted.body;
    EXPECT_EQ(deleted.header("x-amz-version-id"), id);
  }
  EXPECT_EQ(erase_if("*", "?versionId=" + id).status, 204);
  EXPECT_EQ(code(erase_if("*", "")), "NoSuchKey") << "of a key AWS says that it is gone";
  put("k", "v");
  send("DELETE", "/bucket/k");
  EXPECT_EQ(code(erase_if(etag, "")), "NoSuchKey") << "below a delete marker there is no object";
}

TEST_F(Versions, CopiesNameTheirSource) {
  enable();
  const std::string id = put_id("k", "old");
  put("k", "new");
  const Reply copied =
      send("PUT", "/bucket/k", {{"x-amz-copy-source", "/bucket/k?versionId=" + id}});
  EXPECT_EQ(copied.status, 200);
  EXPECT_EQ(copied.header("x-amz-copy-source-version-id"), id);
  EXPECT_EQ(copied.header("x-amz-version-id").size(), 32U);
  EXPECT_EQ(get("k").body, "old");
  const std::string marker = erase("k").header("x-amz-version-id");
  EXPECT_EQ(
      code(send("PUT", "/bucket/c", {{"x-amz-copy-source", "/bucket/k?versionId=" + marker}})),
      "InvalidRequest");
  EXPECT_EQ(code(send("PUT", "/bucket/c", {{"x-amz-copy-source", "/bucket/k"}})), "NoSuchKey");
  EXPECT_EQ(code(send("PUT", "/bucket/c", {{"x-amz-copy-source", "/bucket/k?versionId="}})),
            "InvalidArgument");
}

// Which version it is that goes while it is copied is not the client's business, unless he named
// it.
TEST_F(Versions, CopiesOfWhatGoesMeanwhile) {
  const http::Header current{"x-amz-copy-source", "/bucket/k"};
  const auto raced = [&](const http::Header& source, const std::string& query) {
    bool done = false;
    ns.after_look = [&] {
      if (!std::exchange(done, true)) {
        EXPECT_EQ(send("DELETE", "/bucket/k" + query).status, 204);
      }
    };
    const Reply reply = send("PUT", "/bucket/copy", {source});
    ns.after_look = {};
    return reply.status == 200 ? get("copy").body : code(reply);
  };
  enable();
  const std::string first = put_id("k", "1"), second = put_id("k", "2");
  EXPECT_EQ(raced(current, "?versionId=" + second), "1");
  EXPECT_EQ(raced(current, "?versionId=" + first), "NoSuchKey");
  const std::string named = put_id("k", "3");
  EXPECT_EQ(raced({"x-amz-copy-source", "/bucket/k?versionId=" + named}, "?versionId=" + named),
            "NoSuchVersion");
  set("<Status>Suspended</Status>");
  EXPECT_EQ(put_id("k", "4"), "");
  EXPECT_EQ(raced(current, ""), "NoSuchKey");
  EXPECT_EQ(put_id("k", "5"), "");
  EXPECT_EQ(raced({"x-amz-copy-source", "/bucket/k?versionId=null"}, ""), "InvalidRequest");
}

TEST_F(Versions, RenamesNameTheVersionTheyMake) {
  const auto rename = [&](const std::string& from, const std::string& to) {
    const Reply renamed =
        send("PUT", "/bucket/" + to + "?renameObject", {{"x-amz-rename-source", from}});
    EXPECT_EQ(renamed.status, 200);
    return renamed.header("x-amz-version-id");
  };
  put("before", "v");
  EXPECT_EQ(rename("before", "unversioned"), "");
  enable();
  const std::string from = put_id("from", "f"), to = put_id("to", "t");
  const std::string renamed = rename("from", "to");
  EXPECT_EQ(get("to").header("x-amz-version-id"), renamed);
  EXPECT_NE(renamed, from);
  EXPECT_NE(renamed, to);
  EXPECT_EQ(get("to?versionId=" + to).body, "t");
  EXPECT_EQ(get("from?versionId=" + from).body, "f");
  EXPECT_EQ(get("from").header("x-amz-delete-marker"), "true");
  put("d/k", "v");
  EXPECT_EQ(rename("d/", "e/"), "") << "a directory has no version";
  EXPECT_EQ(set("<Status>Suspended</Status>").status, 200);
  EXPECT_EQ(rename("to", "away"), "");
  EXPECT_EQ(head("away").header("x-amz-version-id"), "null");
}

TEST_F(Versions, EachActionIsDecided) {
  enable();
  const std::string id = put_id("k", "v");
  const auto user_may = [&](const std::string& action) {
    add_user("u", {R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":")" + action +
                   R"(","Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"]}]})"});
  };
  user_may("s3:GetObject");
  EXPECT_EQ(get("k", as("u")).status, 200);
  EXPECT_EQ(get("k?versionId=" + id, as("u")).status, 403);
  user_may("s3:GetObjectVersion");
  EXPECT_EQ(get("k", as("u")).status, 403);
  EXPECT_EQ(get("k?versionId=" + id, as("u")).status, 200);
  user_may("s3:DeleteObject");
  EXPECT_EQ(send("DELETE", "/bucket/k?versionId=" + id, as("u")).status, 403);
  EXPECT_EQ(send("DELETE", "/bucket/k", as("u")).status, 204);
  user_may("s3:DeleteObjectVersion");
  EXPECT_EQ(send("DELETE", "/bucket/k", as("u")).status, 403);
  EXPECT_EQ(send("DELETE", "/bucket/k?versionId=" + id, as("u")).status, 204);
  user_may("s3:ListBucket");
  EXPECT_EQ(send("GET", "/bucket?versions", as("u")).status, 403);
  EXPECT_EQ(send("GET", "/bucket?versioning", as("u")).status, 403);
  EXPECT_EQ(send("PUT", "/bucket?versioning", as("u"), {"<x/>"}).status, 403);
  user_may("s3:ListBucketVersions");
  EXPECT_EQ(send("GET", "/bucket?versions", as("u")).status, 200);
  user_may("s3:PutBucketVersioning");
  EXPECT_EQ(send("PUT", "/bucket?versioning", as("u"),
                 {"<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"})
                .status,
            200);
}

// The action for a version's tags is another one: a Deny of one must not be got around by naming a
// version where none is read.
TEST_F(Versions, AnIdThatIsNotReadGetsAroundNoDeny) {
  add_user("u", {R"({"Version":"2012-10-17","Statement":[
      {"Effect":"Allow","Action":"s3:*","Resource":"*"},
      {"Effect":"Deny","Action":"s3:PutObjectTagging","Resource":"*"}]})"});
  const http::Header user{"x-test-user", "u"}, tags{"x-amz-tagging", "a=1"},
      source{"x-amz-copy-source", "/bucket/from"}, replace{"x-amz-tagging-directive", "REPLACE"};
  ASSERT_EQ(put("from", "v").status, 200);
  for (const std::string id : {"?versionId=null", "?versionId=x", "?versionId="}) {
    EXPECT_EQ(code(put("k" + id, "v", {user, tags})), "InvalidArgument") << id;
    EXPECT_EQ(code(put("k" + id, "", {user, tags, source, replace})), "InvalidArgument") << id;
    EXPECT_EQ(code(send("POST", "/bucket/k" + id + "&uploads", {user, tags})), "InvalidArgument");
  }
  EXPECT_EQ(put("k", "v", {user, tags}).status, 403);
  EXPECT_EQ(get("k").status, 404);
  EXPECT_EQ(texts(send("GET", "/bucket?uploads").body, "UploadId").size(), 0U);
}

TEST_F(Versions, AnIdIsRefusedWhereNoneIsRead) {
  enable();
  const std::string id = put_id("k", "v");
  constexpr std::array kMethods{"GET", "HEAD", "PUT", "POST", "DELETE"};
  constexpr std::array kResources{"/", "/bucket", "/bucket/k"};
  std::set<std::string_view> read;
  for (const Op& op : op_table()) {
    const bool select = !op.subresource.empty();
    const Reply reply =
        send(kMethods.at(static_cast<std::size_t>(op.method)),
             std::string(kResources.at(static_cast<std::size_t>(op.scope))) + "?versionId=" + id +
                 (select ? "&" : "") + std::string(op.subresource),
             op.header.empty() ? Headers{} : Headers{{std::string(op.header), "/bucket/k"}});
    ASSERT_EQ(observed.back().op, op.id) << op.name;
    const bool refused = op.method == Method::head
                             ? reply.status == 400
                             : reply.body.contains("does not accept a version-id");
    if (!refused && code(reply) != "NotImplemented") {
      read.insert(op.name);
    }
  }
  EXPECT_EQ(read, (std::set<std::string_view>{
                      "GetObject", "HeadObject", "DeleteObject", "GetObjectAttributes",
                      "GetObjectAcl", "PutObjectAcl", "GetObjectTagging", "PutObjectTagging",
                      "DeleteObjectTagging", "GetObjectRetention", "GetObjectLegalHold",
                      "PutObjectRetention", "PutObjectLegalHold"}));
}

}  // namespace
}  // namespace outcrop::s3::test
