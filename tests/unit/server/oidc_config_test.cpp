// [[auth.oidc]]: identity providers of the configuration, and mistakes in them.
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "server/config.h"

namespace outcrop::server {
namespace {

std::string mistake(const std::string& text) {
  const Result<Config> c = parse_config(text, "o.toml");
  return c ? "" : std::string(c.error().detail());
}

Result<Config> finished(const std::string& text) {
  Result<Config> c = parse_config("storage.drives = [\"/d\"]\n" + text, "o.toml");
  if (c) {
    if (Result<void> whole = finish_config(*c, "/etc/outcrop"); !whole) {
      return fail(whole.error());
    }
  }
  return c;
}

TEST(OidcConfig, EveryField) {
  const Result<Config> c = finished(R"(
[auth]
oidc_plain_http = false
oidc_refresh = "90s"
[[auth.oidc]]
issuer = "https://id.example.com/realms/edge"
client_ids = ["outcrop", "cli"]
jwks = "keys.json"
ca_file = "ca.pem"
[[auth.oidc]]
issuer = "https://k8s.example.com"
client_ids = "outcrop"
jwks = "https://k8s.example.com:6443/openid/v1/jwks"
)");
  ASSERT_TRUE(c) << c.error().detail();
  EXPECT_EQ(c->oidc_refresh, std::chrono::seconds(90));
  const std::vector<OidcProvider> want{{.issuer = "https://id.example.com/realms/edge",
                                        .client_ids = {"outcrop", "cli"},
                                        .jwks = "/etc/outcrop/keys.json",
                                        .ca_file = "/etc/outcrop/ca.pem"},
                                       {.issuer = "https://k8s.example.com",
                                        .client_ids = {"outcrop"},
                                        .jwks = "https://k8s.example.com:6443/openid/v1/jwks",
                                        .ca_file = ""}};
  EXPECT_EQ(c->oidc, want);
}

TEST(OidcConfig, Mistakes) {
  const std::string good = "[[auth.oidc]]\nissuer = \"https://a.example\"\nclient_ids = [\"c\"]\n";
  EXPECT_EQ(mistake(good), "");
  EXPECT_EQ(mistake(good + "isuer = \"x\""),
            "o.toml:4: auth.oidc.isuer: unknown key; did you mean issuer?");
  EXPECT_EQ(mistake("[[auth.oidc]]\nissuer = \"https://a.example\"\n"),
            "o.toml:1: auth.oidc: issuer and client_ids are needed");
  EXPECT_EQ(mistake("[[auth.oidc]]\nclient_ids = [\"c\"]\n"),
            "o.toml:1: auth.oidc: issuer and client_ids are needed");
  EXPECT_TRUE(mistake("[[auth.oidc]]\nissuer = \"a.example\"")
                  .starts_with("o.toml:2: auth.oidc.issuer: expected the URL"));
  EXPECT_TRUE(mistake("[[auth.oidc]]\nclient_ids = []")
                  .starts_with("o.toml:2: auth.oidc.client_ids: expected an array of 1 to 100"));
  EXPECT_TRUE(mistake("[[auth.oidc]]\njwks = \"ftp://a\"")
                  .starts_with("o.toml:2: auth.oidc.jwks: expected the path of a file"));
  EXPECT_EQ(mistake("[auth]\noidc = \"https://a.example\""),
            "o.toml:2: auth.oidc: expected tables: [[auth.oidc]]");
  EXPECT_EQ(mistake(good + "[[auth.oidc]]\nissuer = \"https://A.example\"\nclient_ids = [\"c\"]\n"),
            "o.toml:4: auth.oidc.issuer: this provider is there already");
}

// Keys that come over plain HTTP are anybody's.
TEST(OidcConfig, PlainHttpIsForTests) {
  const std::string issuer = "[[auth.oidc]]\nissuer = \"http://a.example\"\nclient_ids = [\"c\"]\n";
  const std::string keys =
      "[[auth.oidc]]\nissuer = \"https://a.example\"\nclient_ids = [\"c\"]\njwks = "
      "\"http://a.example/k\"\n";
  for (const std::string& text : {issuer, keys}) {
    const Result<Config> c = finished(text);
    ASSERT_FALSE(c);
    EXPECT_NE(c.error().detail().find("needs https"), std::string_view::npos) << c.error().detail();
    EXPECT_TRUE(finished("auth.oidc_plain_http = true\n" + text));
  }
  EXPECT_FALSE(finished("auth.oidc_refresh = \"0s\"\n"));
}

TEST(OidcConfig, ShippedFileShowsEveryField) {
  std::ifstream in(OUTCROP_SOURCE_DIR "/conf/outcrop.toml");
  const std::string text((std::istreambuf_iterator<char>(in)), {});
  const std::size_t from = text.find("# [[auth.oidc]]\n");
  ASSERT_NE(from, std::string::npos);
  std::string example;
  for (std::size_t at = from; text.substr(at, 2) == "# "; at = text.find('\n', at) + 1) {
    example += text.substr(at + 2, text.find('\n', at) - at - 1);
  }
  for (const std::string_view name : oidc_fields()) {
    EXPECT_NE(example.find("\n" + std::string(name) + " = "), std::string::npos) << name;
  }
  const Result<Config> c = parse_config(example, "example");
  ASSERT_TRUE(c) << c.error().detail();
  const OidcProvider want{
      .issuer = "https://id.example.com", .client_ids = {"outcrop"}, .jwks = "", .ca_file = ""};
  EXPECT_EQ(c->oidc, std::vector{want});
}

}  // namespace
}  // namespace outcrop::server
