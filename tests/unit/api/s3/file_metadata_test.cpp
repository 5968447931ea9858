// x-amz-meta-file-*: forms, and what comes back.
#include "api/s3/file_metadata.h"

#include "api/s3/headers.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

class FileMetadata : public S3Test {};

ns::FileFields fields(std::string name, std::string value) {
  return file_fields_of({{std::move(name), std::move(value)}});
}

TEST_F(FileMetadata, Forms) {
  const std::vector<std::pair<std::string, std::optional<std::uint32_t>>> modes{
      {"0100644", 0644}, {"100644", 0644},   {"0644", 0644},  {"750", 0750},   {"0104755", 0755},
      {"01777", 0777},   {"0", 0},           {"0040755", {}}, {"0120777", {}}, {"0200644", {}},
      {"rw-r--r--", {}}, {"0648", {}},       {"", {}},        {"-644", {}},    {" 644", {}},
      {"0100644 ", {}},  {"77777777777", {}}};
  for (const auto& [text, want] : modes) {
    EXPECT_EQ(fields("file-permissions", text).mode, want) << text;
  }
  const std::vector<std::pair<std::string, std::optional<std::uint32_t>>> ids{
      {"0", 0},           {"1000", 1000}, {"4294967294", 4294967294},
      {"4294967295", {}}, {"-1", {}},     {"root", {}},
      {"1.0", {}},        {"", {}}};
  for (const auto& [text, want] : ids) {
    EXPECT_EQ(fields("file-owner", text).uid, want) << text;
    EXPECT_EQ(fields("file-group", text).gid, want) << text;
  }
  const std::vector<std::pair<std::string, std::optional<std::int64_t>>> times{
      {"1595002920000000123ns", 1595002920000000123},
      {"1595002920001", 1595002920001000000},
      {"-1ns", -1},
      {"0", 0},
      {"9223372036854775807ns", INT64_MAX},
      {"9223372036854775808ns", {}},
      {"9223372036854775", {}},
      {"-9223372036854775", {}},
      {"1.5", {}},
      {"ns", {}},
      {"", {}},
      {"2026-01-01", {}}};
  for (const auto& [text, want] : times) {
    EXPECT_EQ(fields("file-mtime", text).mtime_ns, want) << text;
  }
  EXPECT_TRUE(fields("file-atime", "1ns").empty());
  EXPECT_TRUE(fields("mode", "0644").empty());
}

http::Response headers_of(const ns::ObjectInfo& info) {
  http::Response out;
  add_user_metadata(info, true, out);
  return out;
}

std::map<std::string, std::string> map_of(const http::Response& response) {
  std::map<std::string, std::string> out;
  for (const http::Header& h : response.headers) {
    EXPECT_TRUE(out.emplace(h.name, h.value).second) << h.name << " twice";
  }
  return out;
}

TEST_F(FileMetadata, StoredFormsStayUntilAFileClientChangesThem) {
  ns::ObjectInfo info;
  info.attributes.user_meta = {
      {"file-permissions", "0104640"}, {"file-owner", "01"}, {"file-mtime", "2"}, {"k", "v"}};
  EXPECT_EQ(map_of(headers_of(info)).at("x-amz-meta-file-owner"), "01");
  info.file = ns::FileFields{.mode = 0640, .uid = 1, .gid = {}, .mtime_ns = 2'000'000};
  const std::map<std::string, std::string> verbatim{{"x-amz-meta-file-permissions", "0104640"},
                                                    {"x-amz-meta-file-owner", "01"},
                                                    {"x-amz-meta-file-mtime", "2"},
                                                    {"x-amz-meta-k", "v"}};
  EXPECT_EQ(map_of(headers_of(info)), verbatim);
  info.file = ns::FileFields{.mode = 02755, .uid = 7, .gid = 8, .mtime_ns = 2'000'001};
  const std::map<std::string, std::string> changed{{"x-amz-meta-file-permissions", "0100755"},
                                                   {"x-amz-meta-file-owner", "7"},
                                                   {"x-amz-meta-file-group", "8"},
                                                   {"x-amz-meta-file-mtime", "2000001ns"},
                                                   {"x-amz-meta-k", "v"}};
  EXPECT_EQ(map_of(headers_of(info)), changed);
}

TEST_F(FileMetadata, WhatIsNoFieldIsPlainMetadata) {
  const Headers bad{{"x-amz-meta-file-owner", "alice"}, {"x-amz-meta-file-permissions", "u+x"}};
  ASSERT_EQ(put("k", "v", bad).status, 200);
  EXPECT_EQ(head("k").header("x-amz-meta-file-owner"), "alice");
  EXPECT_FALSE(head("k").has("x-amz-meta-file-mtime"));
}

TEST_F(FileMetadata, PutCopyAndUploadGiveThemToTheNamespace) {
  const Headers fields{{"x-amz-meta-file-owner", "5"}};
  ASSERT_EQ(put("put", "v", fields).status, 200);
  Headers copy = fields;
  copy.push_back({"x-amz-copy-source", "/bucket/put"});
  copy.push_back({"x-amz-metadata-directive", "REPLACE"});
  ASSERT_EQ(send("PUT", "/bucket/copy", copy).status, 200);
  const std::string id = start_upload("upload", fields);
  const std::string etag = put_part("upload", id, 1, "v").header("etag");
  ASSERT_EQ(complete("upload", id, {{1, etag}}).status, 200);
  for (const std::string key : {"put", "copy", "upload"}) {
    EXPECT_EQ(head(key).header("x-amz-meta-file-owner"), "5") << key;
    EXPECT_EQ(head(key).header("x-amz-meta-file-permissions"), "0100644") << key;
  }
  config.file_metadata = false;
  const http::Handler off = new_handler();
  ASSERT_EQ(send_with(off, "PUT", "/bucket/off", fields, {"v"}).status, 200);
  EXPECT_EQ(head("off").header("x-amz-meta-file-owner"), "5");
  EXPECT_FALSE(head("off").has("x-amz-meta-file-permissions"));
  const Reply there = send_with(off, "HEAD", "/bucket/put", {}, {});
  EXPECT_EQ(there.header("x-amz-meta-file-owner"), "5");
  EXPECT_FALSE(there.has("x-amz-meta-file-permissions")) << "it was not sent";
}

}  // namespace
}  // namespace outcrop::s3::test
