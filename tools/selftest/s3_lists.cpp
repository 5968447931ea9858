// Checks of what lists things: multipart uploads, listings, deleting many; and cleaning up.
#include <fmt/format.h>

#include <algorithm>

#include "storage/digest/digest.h"
#include "storage/digest/text.h"
#include "tools/selftest/s3_checks.h"
#include "tools/selftest/sample.h"

namespace outcrop::selftest {
namespace {

constexpr std::size_t kPartBytes = 5 << 20;  // the least that S3 allows
constexpr int kCleanRounds = 1000;           // of a page each

}  // namespace

std::vector<std::string> xml_texts(std::string_view xml, std::string_view tag) {
  static constexpr std::array<std::pair<std::string_view, char>, 5> kEntities{
      {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};
  const std::string open = fmt::format("<{}>", tag), close = fmt::format("</{}>", tag);
  std::vector<std::string> out;
  for (std::size_t at = xml.find(open); at != std::string_view::npos; at = xml.find(open, at)) {
    at += open.size();
    const std::size_t end = std::min(xml.find(close, at), xml.size());
    std::string& text = out.emplace_back();
    while (at < end) {
      const auto entity = std::ranges::find_if(
          kEntities, [&](const auto& e) { return xml.substr(at).starts_with(e.first); });
      text.push_back(entity == kEntities.end() ? xml[at] : entity->second);
      at += entity == kEntities.end() ? 1 : entity->first.size();
    }
  }
  return out;
}

std::string xml_escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

Task<std::string> S3Checks::create_upload(std::string_view key) {
  CO_TRY(const Reply reply, co_await call("POST", key, {{"uploads", ""}}));
  CO_TRYV(expect("CreateMultipartUpload", reply, 200));
  std::string id(bench::xml_text(reply.body, "UploadId"));
  if (id.empty()) {
    co_return differs("CreateMultipartUpload", "an UploadId", reply.body);
  }
  co_return id;
}

Task<std::string> S3Checks::upload_part(std::string_view key,
                                        const std::string& id,
                                        int number,
                                        std::string body) {
  CO_TRY(const Reply reply,
         co_await call("PUT", key, {{"partNumber", std::to_string(number)}, {"uploadId", id}}, {},
                       std::move(body)));
  CO_TRYV(expect("UploadPart", reply, 200));
  co_return reply.header("etag");
}

Task<> S3Checks::multipart() {
  const std::string_view key = "multi/part";
  const std::string first = sample(kPartBytes), second = sample(70'001);
  CO_TRY(const std::string id, co_await create_upload(key));
  CO_TRY(const std::string tag2, co_await upload_part(key, id, 2, second));
  CO_TRY(const std::string tag1, co_await upload_part(key, id, 1, first));
  CO_TRY(const Reply parts, co_await call("GET", key, {{"uploadId", id}}));
  CO_TRYV(expect("ListParts", parts, 200));
  CO_TRYV(expect_equal("parts", "1, 2",
                       fmt::format("{}", fmt::join(xml_texts(parts.body, "PartNumber"), ", "))));
  CO_TRY(const Reply uploads, co_await call("GET", "", {{"uploads", ""}}));
  CO_TRYV(expect("ListMultipartUploads", uploads, 200));
  const std::vector<std::string> ids = xml_texts(uploads.body, "UploadId");
  if (std::ranges::find(ids, id) == ids.end()) {
    co_return differs("ListMultipartUploads", id, fmt::format("{} others", ids.size()));
  }
  CO_TRYV(co_await expect_gone(key));  // until it is complete
  const std::string manifest = fmt::format(
      "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{}</ETag></Part>"
      "<Part><PartNumber>2</PartNumber><ETag>{}</ETag></Part></CompleteMultipartUpload>",
      xml_escape(tag1), xml_escape(tag2));
  CO_TRY(const Reply done, co_await call("POST", key, {{"uploadId", id}}, {}, manifest));
  CO_TRYV(expect("CompleteMultipartUpload", done, 200));
  if (!done.code().empty()) {
    co_return differs("CompleteMultipartUpload", "no error", done.text());
  }
  CO_TRYV(co_await expect_object(key, first + second));
  CO_TRY(const Reply head, co_await call("HEAD", key));
  co_return head.header("etag").ends_with("-2\"")
      ? ok()
      : Result<void>(differs("ETag", "one that ends with -2", head.header("etag")));
}

Task<> S3Checks::abort_upload() {
  CO_TRY(const std::string id, co_await create_upload("multi/aborted"));
  CO_TRYV(co_await upload_part("multi/aborted", id, 1, sample(100'000)));
  CO_TRY(const Reply aborted, co_await call("DELETE", "multi/aborted", {{"uploadId", id}}));
  CO_TRYV(expect("AbortMultipartUpload", aborted, 204));
  CO_TRY(const Reply parts, co_await call("GET", "multi/aborted", {{"uploadId", id}}));
  CO_TRYV(expect("ListParts of an aborted upload", parts, 404, "NoSuchUpload"));
  co_return co_await expect_gone("multi/aborted");
}

// Without a digest of the body only its length says that it is not all there.
Task<> S3Checks::put_half(std::string_view key, std::string body, Pairs query) {
  const std::size_t half = body.size() / 2;
  co_return co_await x_client.break_off({.method = "PUT",
                                         .path = fmt::format("/{}/{}", x_bucket, key),
                                         .query = std::move(query),
                                         .body = std::move(body),
                                         .payload_hash = std::string(bench::kUnsignedPayload)},
                                        half);
}

Task<> S3Checks::broken_off() {
  const std::string kept = sample(3000);
  CO_TRYV(co_await put("broken/kept", kept));
  CO_TRY(const std::string id, co_await create_upload("broken/parts"));
  CO_TRYV(co_await put_half("broken/parts", sample(kPartBytes),
                            {{"partNumber", "1"}, {"uploadId", id}}));
  for (const std::size_t size : {std::size_t{2000}, std::size_t{60'000}, std::size_t{1'500'000}}) {
    CO_TRYV(co_await put_half(fmt::format("broken/{}", size), sample(size)));
    CO_TRYV(co_await put_half("broken/kept", sample(size)));
  }
  // Meanwhile the server has seen the ends of all of them.
  CO_TRYV(co_await put("broken/whole", sample(1'500'000)));
  CO_TRYV(co_await expect_object("broken/whole", sample(1'500'000)));
  CO_TRYV(co_await expect_object("broken/kept", kept));
  CO_TRY(const Reply parts, co_await call("GET", "broken/parts", {{"uploadId", id}}));
  CO_TRYV(expect("ListParts", parts, 200));
  CO_TRYV(expect_equal("parts", "",
                       fmt::format("{}", fmt::join(xml_texts(parts.body, "PartNumber"), ", "))));
  CO_TRY(const auto keys, co_await list({{"prefix", "broken/"}}, "Key"));
  co_return expect_equal("keys", "broken/kept, broken/whole",
                         fmt::format("{}", fmt::join(keys, ", ")));
}

// Keys (or prefixes) of all pages.
Task<std::vector<std::string>> S3Checks::list(Pairs query, std::string_view tag) {
  std::vector<std::string> out;
  query.emplace_back("list-type", "2");
  std::string token;
  for (int page = 0; page < kCleanRounds; ++page) {
    Pairs asked = query;
    if (!token.empty()) {
      asked.emplace_back("continuation-token", token);
    }
    CO_TRY(const Reply reply, co_await call("GET", "", std::move(asked)));
    CO_TRYV(expect("ListObjectsV2", reply, 200));
    std::string_view body = reply.body;
    if (tag == "Prefix") {  // those of <CommonPrefixes>, not the one that was asked for
      body = body.substr(std::min(body.find("<CommonPrefixes>"), body.size()));
    }
    std::ranges::move(xml_texts(body, tag), std::back_inserter(out));
    token = bench::xml_text(reply.body, "NextContinuationToken");
    if (bench::xml_text(reply.body, "IsTruncated") != "true") {
      co_return out;
    }
    if (token.empty()) {
      co_return differs("ListObjectsV2", "a NextContinuationToken", "none");
    }
  }
  co_return differs("ListObjectsV2", "an end", "one page after the other");
}

Task<> S3Checks::listing() {
  std::vector<std::string> keys{"list/", "list/a", "list/a&<b>\"c\"", "list/a/b", "list/aa"};
  for (int i = 0; i < 20; ++i) {
    keys.push_back(fmt::format("list/sub{}/k{}", i % 3, i));
  }
  for (const std::string& key : keys) {
    CO_TRYV(co_await put(key, "x"));
  }
  std::ranges::sort(keys);
  CO_TRY(const std::vector<std::string> found,
         co_await list({{"prefix", "list/"}, {"max-keys", "7"}}, "Key"));
  CO_TRYV(expect_equal("keys in pages of 7", fmt::format("{}", fmt::join(keys, ", ")),
                       fmt::format("{}", fmt::join(found, ", "))));
  CO_TRY(const std::vector<std::string> after,
         co_await list({{"prefix", "list/"}, {"start-after", keys[20]}}, "Key"));
  const std::vector<std::string> rest(keys.begin() + 21, keys.end());
  co_return expect_equal("keys after one", fmt::format("{}", fmt::join(rest, ", ")),
                         fmt::format("{}", fmt::join(after, ", ")));
}

Task<> S3Checks::delimiter() {
  for (const char* key : {"tree/a", "tree/b/1", "tree/b/2", "tree/c/d/3", "tree/e"}) {
    CO_TRYV(co_await put(key, "x"));
  }
  const Pairs query{{"prefix", "tree/"}, {"delimiter", "/"}, {"max-keys", "2"}};
  CO_TRY(const std::vector<std::string> keys, co_await list(query, "Key"));
  CO_TRYV(expect_equal("keys", "tree/a, tree/e", fmt::format("{}", fmt::join(keys, ", "))));
  CO_TRY(const std::vector<std::string> prefixes, co_await list(query, "Prefix"));
  co_return expect_equal("common prefixes", "tree/b/, tree/c/",
                         fmt::format("{}", fmt::join(prefixes, ", ")));
}

Task<> S3Checks::delete_keys(const std::vector<std::string>& keys) {
  std::string body = "<Delete><Quiet>true</Quiet>";
  for (const std::string& key : keys) {
    body += "<Object><Key>" + xml_escape(key) + "</Key></Object>";
  }
  body += "</Delete>";
  const std::string md5 =
      digest::to_base64(as_bytes(digest::Digest::of(digest::Algorithm::md5, as_bytes(body))));
  CO_TRY(const Reply reply,
         co_await call("POST", "", {{"delete", ""}}, {{"content-md5", md5}}, std::move(body)));
  CO_TRYV(expect("DeleteObjects", reply, 200));
  co_return reply.code().empty() ? ok()
                                 : Result<void>(differs("DeleteObjects", "no error", reply.code()));
}

Task<> S3Checks::delete_many() {
  std::vector<std::string> keys;
  for (int i = 0; i < 12; ++i) {
    keys.push_back(fmt::format("many/{}/<&>{}", i % 2, i));
    CO_TRYV(co_await put(keys.back(), "x"));
  }
  CO_TRYV(co_await put("many/kept", "x"));
  keys.emplace_back("many/never-there");
  CO_TRYV(co_await delete_keys(keys));
  CO_TRY(const std::vector<std::string> left, co_await list({{"prefix", "many/"}}, "Key"));
  co_return expect_equal("what is left", "many/kept", fmt::format("{}", fmt::join(left, ", ")));
}

Task<> S3Checks::abort_all() {
  for (int round = 0; round < kCleanRounds; ++round) {
    CO_TRY(const Reply uploads, co_await call("GET", "", {{"uploads", ""}}));
    CO_TRYV(expect("ListMultipartUploads", uploads, 200));
    const std::vector<std::string> ids = xml_texts(uploads.body, "UploadId");
    const std::vector<std::string> keys = xml_texts(uploads.body, "Key");
    for (std::size_t i = 0; i < ids.size() && i < keys.size(); ++i) {
      CO_TRYV(co_await call("DELETE", keys[i], {{"uploadId", ids[i]}}));
    }
    if (ids.empty()) {
      co_return ok();
    }
  }
  co_return fail(Errc::conflict, "uploads cannot be aborted");
}

Task<> S3Checks::remove_all() {
  CO_TRYV(co_await abort_all());
  for (int round = 0; round < kCleanRounds; ++round) {
    CO_TRY(const Reply page, co_await call("GET", "", {{"list-type", "2"}, {"max-keys", "1000"}}));
    CO_TRYV(expect("ListObjectsV2", page, 200));
    const std::vector<std::string> keys = xml_texts(page.body, "Key");
    if (keys.empty()) {
      break;
    }
    CO_TRYV(co_await delete_keys(keys));
  }
  co_return ok();
}

// The server may still be at work for a request that was given up when time was over.
Task<> S3Checks::clean_up() {
  CO_TRY(const Reply there, co_await call("HEAD", ""));
  if (there.status == 404) {
    co_return ok();
  }
  Reply removed;
  for (int round = 0; round < kCleanRounds; ++round) {
    CO_TRYV(co_await remove_all());
    CO_TRY(removed, co_await call("DELETE", ""));
    if (removed.code() != "BucketNotEmpty") {
      break;
    }
  }
  CO_TRYV(expect("DeleteBucket " + x_bucket, removed, 204));
  CO_TRY(const Reply gone, co_await call("HEAD", ""));
  co_return expect("HeadBucket of the removed bucket", gone, 404);
}

}  // namespace outcrop::selftest
