// URLs of identity providers.
#include "auth/oidc/issuer.h"

#include <gtest/gtest.h>

namespace outcrop::oidc {
namespace {

TEST(OidcIssuer, PartsOfUrls) {
  const auto plain = split_url("https://id.example.com");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "id.example.com");
  EXPECT_EQ(plain->port, 443);
  EXPECT_EQ(plain->path, "");
  EXPECT_TRUE(plain->tls);
  const auto realm = split_url("https://id.example.com:8443/realms/edge");
  ASSERT_TRUE(realm);
  EXPECT_EQ(realm->host, "id.example.com");
  EXPECT_EQ(realm->port, 8443);
  EXPECT_EQ(realm->authority, "id.example.com:8443");
  EXPECT_EQ(realm->path, "/realms/edge");
  const auto six = split_url("https://[::1]:4443/");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->host, "::1");
  EXPECT_EQ(six->port, 4443);
  EXPECT_EQ(split_url("http://id.example.com/a")->tls, false);
  EXPECT_EQ(split_url("http://id.example.com/a")->port, 80);
  EXPECT_EQ(name_of("https://id.example.com/a"), "id.example.com/a");
  EXPECT_TRUE(split_url("https://x/" + std::string(kMaxUrl - 10, 'a')));
}

TEST(OidcIssuer, WhatIsNoUrlOfAnIssuer) {
  for (const char* bad : {"",
                          "id.example.com",
                          "ftp://id.example.com",
                          "HTTPS://id.example.com",
                          "https://",
                          "https:///a",
                          "https://user@host",
                          "https://host/a?b=c",
                          "https://host/a#b",
                          "https://host:0",
                          "https://host:65536",
                          "https://host:",
                          "https://host:a",
                          "https://[::1",
                          "https://[host]",
                          "https://host/a b",
                          "https://host/\r\nHost: other",
                          "https://host/a\\b",
                          "https://host/../b",
                          "https://host/a/..",
                          "https://host/./b",
                          "https://.host",
                          "https://-h",
                          "https://h%6fst"}) {
    EXPECT_FALSE(split_url(bad)) << bad;
  }
  EXPECT_FALSE(split_url("https://x/" + std::string(kMaxUrl - 9, 'a')));
}

}  // namespace
}  // namespace outcrop::oidc
