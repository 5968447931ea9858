// Which bucket and key a request target names, and which targets name nothing.
#include <gtest/gtest.h>

#include "auth/target.h"
#include "auth/uri.h"

namespace outcrop::auth {
namespace {

const std::vector<std::string> kDomains{"s3.example.net", "eu.s3.example.net", "localhost"};

std::string read(std::string_view raw, std::string_view host = "192.0.2.1:9000") {
  const Result<Target> target = split_target(raw, host, kDomains);
  if (!target) {
    EXPECT_EQ(target.error().code(), Errc::invalid_argument);
    return "refused";
  }
  std::string text = (target->virtual_host ? "v:" : "") + target->bucket + "|" + target->key;
  for (const QueryParam& param : target->query) {
    text += "|" + param.name + "=" + param.value;
  }
  return text;
}

TEST(Target, PathStyle) {
  EXPECT_EQ(read("/"), "|");
  EXPECT_EQ(read("/?x-id=ListBuckets"), "||x-id=ListBuckets");
  EXPECT_EQ(read("/bucket"), "bucket|");
  EXPECT_EQ(read("/bucket/"), "bucket|");
  EXPECT_EQ(read("/bucket?acl"), "bucket||acl=");
  EXPECT_EQ(read("/bucket/a/b"), "bucket|a/b");
  EXPECT_EQ(read("/buck%65t/%61"), "bucket|a");
}

TEST(Target, KeysAreNotPaths) {
  EXPECT_EQ(read("/b//"), "b|/");
  EXPECT_EQ(read("/b//a//c/"), "b|/a//c/");
  EXPECT_EQ(read("/b/../c"), "b|../c");
  EXPECT_EQ(read("/b/./c/."), "b|./c/.");
  EXPECT_EQ(read("/b/a%2Fb"), "b|a/b");
  EXPECT_EQ(read("/b/a%252Fb"), "b|a%2Fb");
  EXPECT_EQ(read("/b/a+b%20c"), "b|a+b c");
  EXPECT_EQ(read("/b/%3Fx=1?y=%3F"), "b|?x=1|y=?");
  EXPECT_EQ(read("/b/\xc3\xa9"), "b|\xc3\xa9");
}

TEST(Target, Refused) {
  for (const char* raw : {"",
                          "b",
                          "*",
                          "http://h/b/k",
                          "//k",
                          "//",
                          "/b%2Fk",
                          "/b/%",
                          "/b/%4",
                          "/b/%zz",
                          "/b/%00",
                          "/%00",
                          "/b?p=%00",
                          "/b?%zz",
                          "/b/%ff",
                          "/b/%C3",
                          "/b/%C0%80",
                          "/b/%ED%A0%80",
                          "/b/%F4%90%80%80",
                          "/b/%E0%80%80",
                          "/b/%F0%80%80%80",
                          "/b/%80",
                          "/b?p=%ff"}) {
    EXPECT_EQ(read(raw), "refused") << raw;
  }
}

TEST(Target, Utf8Edges) {
  for (const char* raw : {"/b/%C2%80", "/b/%DF%BF", "/b/%E0%A0%80", "/b/%ED%9F%BF", "/b/%EE%80%80",
                          "/b/%EF%BF%BF", "/b/%F0%90%80%80", "/b/%F4%8F%BF%BF", "/b/%7F"}) {
    EXPECT_NE(read(raw), "refused") << raw;
  }
}

TEST(Target, VirtualHost) {
  EXPECT_EQ(read("/k", "bucket.s3.example.net"), "v:bucket|k");
  EXPECT_EQ(read("/k", "bucket.s3.example.net:9000"), "v:bucket|k");
  EXPECT_EQ(read("/k", "Bucket.S3.Example.NET."), "v:bucket|k");
  EXPECT_EQ(read("/", "my.dotted.bucket.s3.example.net"), "v:my.dotted.bucket|");
  EXPECT_EQ(read("//a", "bucket.localhost"), "v:bucket|/a");
  EXPECT_EQ(read("/b/k", "bucket.eu.s3.example.net"), "v:bucket|b/k");
  EXPECT_EQ(read("/b/k", "s3.example.net"), "b|k");
  EXPECT_EQ(read("/b/k", "eu.s3.example.net"), "b|k");
  EXPECT_EQ(read("/b/k", "evils3.example.net"), "b|k");
  EXPECT_EQ(read("/b/k", "[2001:db8::1]:9000"), "b|k");
  EXPECT_EQ(read("/b/k", ""), "b|k");
  EXPECT_EQ(read("/k", "a/b.s3.example.net"), "refused");
  EXPECT_EQ(read("/k", "a%2Fb.s3.example.net"), "refused");
}

TEST(Target, QueryKeepsOrderAndEmptyValues) {
  EXPECT_EQ(read("/b?b=2&a=1&a=0"), "b||b=2|a=1|a=0");
  EXPECT_EQ(read("/b?prefix=&delimiter"), "b||prefix=|delimiter=");
  EXPECT_EQ(read("/b?&&a=b=c&"), "b||a=b=c");
  EXPECT_EQ(read("/b?p=a+b%2Bc"), "b||p=a+b+c");
  const Result<Target> target = split_target("/b?x=1&x=2&acl", "h", kDomains);
  ASSERT_TRUE(target);
  EXPECT_EQ(target->param("x"), "1");
  EXPECT_EQ(target->param("acl"), "");
  EXPECT_FALSE(target->param("y"));
}

TEST(Target, EveryKeySurvivesEncoding) {
  for (int high = 1; high < 256; ++high) {
    const std::string key = high < 128 ? std::string(2, static_cast<char>(high))
                                       : "\xc3" + std::string(1, static_cast<char>(high & 0xbf));
    std::string raw = "/b/";
    uri_encode(key, Slash::keep, raw);
    const Result<Target> target = split_target(raw, "h", {});
    ASSERT_TRUE(target) << raw;
    EXPECT_EQ(target->key, key);
  }
}

TEST(CopySource, IsReadLikeATarget) {
  const auto source = split_copy_source("/b/a%20%3Fb+%252F?versionId=v%2F1");
  ASSERT_TRUE(source);
  EXPECT_EQ(source->bucket, "b");
  EXPECT_EQ(source->key, "a ?b+%2F");
  EXPECT_EQ(source->version_id, "v/1");
  EXPECT_EQ(split_copy_source("b/../k")->key, "../k");
  EXPECT_FALSE(split_copy_source("b/k")->version_id);
  for (const char* bad : {"", "/", "b", "/b", "b/", "//k", "b%2Fk", "b/%00", "b/%ff", "b/k?x=1",
                          "b/k?versionId=1&versionId=2", "b/k?", "b/%2"}) {
    EXPECT_FALSE(split_copy_source(bad)) << bad;
  }
}

TEST(CheckKey, BodiesFollowTheSameRules) {
  EXPECT_TRUE(check_key("a/../b%2F//"));
  EXPECT_FALSE(check_key(std::string_view("a\0b", 3)));
  EXPECT_FALSE(check_key("\xff"));
}

}  // namespace
}  // namespace outcrop::auth
