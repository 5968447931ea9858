// The keys of identity providers: fetched, kept, and gone on with when nobody answers.
#include "server/oidc_keys.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "tests/support/oidc_signer.h"

namespace outcrop::server {
namespace {

namespace fs = std::filesystem;
using outcrop::test::OidcSigner;

const std::string kIssuer = "https://id.example.com/a";
const std::string kDiscovery = kIssuer + "/.well-known/openid-configuration";
const std::string kJwks = "https://keys.example.com/jwks";

class StillClock final : public Clock {
 public:
  std::int64_t wall_ns() const override { return now; }
  std::int64_t steady_ns() const override { return now; }
  std::int64_t now = std::chrono::nanoseconds(std::chrono::hours(100)).count();
  void pass(std::chrono::seconds time) { now += std::chrono::nanoseconds(time).count(); }
};

class OidcKeysTest : public ::testing::Test {
 protected:
  OidcKeysTest() {
    folder = fs::temp_directory_path() / ("outcrop-oidc-" + std::to_string(::getpid()));
    fs::remove_all(folder);
    sources = {{.issuer = kIssuer, .jwks = {}}};
    web[kDiscovery] = R"({"issuer":")" + kIssuer + R"(","jwks_uri":")" + kJwks + R"("})";
    web[kJwks] = OidcSigner::set_of(signer().jwk());
    start();
  }
  ~OidcKeysTest() override { fs::remove_all(folder); }

  static const OidcSigner& signer() {
    static const OidcSigner one(OidcSigner::Type::p256, "k1");
    return one;
  }
  /// As after a start: nothing in memory.
  void start() {
    keys = std::make_unique<OidcKeys>(OidcKeys::Parts{
        .pool = pool,
        .clock = clock,
        .folder = folder.string(),
        .fetch = [this](const std::string& url, const FetchTrust&) { return answer(url); },
        .sources = [this] { return sources; },
        .least = std::chrono::minutes(5),
        .plain_http = plain_http});
  }
  Task<std::string> answer(std::string url) {
    asked.push_back(url);
    const auto at = web.find(url);
    if (at == web.end()) {
      co_return fail(Errc::timed_out);
    }
    co_return at->second;
  }
  std::size_t pass() {
    asked.clear();
    EXPECT_TRUE(run_sync(keys->pass()));
    return asked.size();
  }
  bool knows(const std::string& id) {
    const oidc::KeySetPtr set = keys->keys(kIssuer);
    return set && set->contains(id, oidc::Algorithm::es256);
  }

  BlockingPool pool{0};
  StillClock clock;
  fs::path folder;
  std::vector<OidcSource> sources;
  std::map<std::string, std::string> web;
  std::vector<std::string> asked;
  bool plain_http = false;
  std::unique_ptr<OidcKeys> keys;
};

TEST_F(OidcKeysTest, FetchedByDiscoveryAndAgainAfterAnHour) {
  EXPECT_EQ(keys->keys(kIssuer), nullptr);
  EXPECT_FALSE(keys->refresh(kIssuer));  // not known: nothing to fetch
  EXPECT_EQ(pass(), 2U);
  EXPECT_EQ(asked, (std::vector<std::string>{kDiscovery, kJwks}));
  EXPECT_TRUE(knows("k1"));
  EXPECT_EQ(pass(), 0U);
  clock.pass(OidcKeys::kRefresh - std::chrono::seconds(1));
  EXPECT_EQ(pass(), 0U);
  clock.pass(std::chrono::seconds(1));
  EXPECT_EQ(pass(), 2U);
}

TEST_F(OidcKeysTest, AnUnknownKeyMakesThemBeFetchedButNotTooOften) {
  pass();
  EXPECT_FALSE(keys->refresh(kIssuer));  // a moment ago
  clock.pass(std::chrono::minutes(5));
  const OidcSigner next(OidcSigner::Type::p256, "k2");
  web[kJwks] = OidcSigner::set_of(next.jwk());
  EXPECT_TRUE(keys->refresh(kIssuer));
  EXPECT_TRUE(keys->refresh(kIssuer));  // already on its way
  EXPECT_EQ(pass(), 2U);
  EXPECT_TRUE(knows("k2"));
  EXPECT_FALSE(knows("k1"));
  EXPECT_FALSE(keys->refresh(kIssuer));
  EXPECT_EQ(pass(), 0U);
}

TEST_F(OidcKeysTest, TheLastOnesAreUsedWhileNobodyAnswers) {
  pass();
  web.clear();
  clock.pass(OidcKeys::kRefresh);
  EXPECT_EQ(pass(), 1U);
  EXPECT_TRUE(knows("k1"));
  EXPECT_EQ(pass(), 0U);
  clock.pass(OidcKeys::kRetry);
  EXPECT_EQ(pass(), 1U);
  // A start without the network goes on with the kept copy.
  start();
  EXPECT_EQ(pass(), 1U);
  EXPECT_TRUE(knows("k1"));
  EXPECT_EQ(fs::status(folder).permissions() & fs::perms::all, fs::perms::owner_all);
  for (const fs::directory_entry& file : fs::directory_iterator(folder)) {
    EXPECT_EQ(file.status().permissions() & fs::perms::all,
              fs::perms::owner_read | fs::perms::owner_write);
    std::ofstream(file.path()) << "{}";
  }
  start();
  pass();
  EXPECT_EQ(keys->keys(kIssuer), nullptr);  // damaged: none at all
}

TEST_F(OidcKeysTest, WhatIsNotTheProvidersIsNotTaken) {
  const std::string good = web[kDiscovery];
  for (const std::string& bad :
       {R"({"issuer":"https://evil.example","jwks_uri":")" + kJwks + R"("})",
        R"({"issuer":")" + kIssuer + R"("})", R"({"issuer":")" + kIssuer + R"(","jwks_uri":7})",
        R"({"issuer":")" + kIssuer + R"(","jwks_uri":"file:///etc/passwd"})",
        R"({"issuer":")" + kIssuer + R"(","jwks_uri":"http://keys.example.com/jwks"})",
        std::string("<html>"), std::string()}) {
    web[kDiscovery] = bad;
    start();
    EXPECT_EQ(pass(), 1U) << bad;
    EXPECT_EQ(keys->keys(kIssuer), nullptr) << bad;
  }
  web[kDiscovery] = good;
  web[kJwks] = R"({"keys":[]})";
  start();
  EXPECT_EQ(pass(), 2U);
  EXPECT_EQ(keys->keys(kIssuer), nullptr);
  EXPECT_FALSE(fs::exists(folder));  // nor kept
}

TEST_F(OidcKeysTest, FromAUrlOrAFile) {
  sources = {{.issuer = kIssuer, .jwks = kJwks}};
  start();
  EXPECT_EQ(pass(), 1U);
  EXPECT_TRUE(knows("k1"));
  const fs::path file = folder / "keys.json";
  std::ofstream(file) << OidcSigner::set_of(signer().jwk());
  sources = {{.issuer = kIssuer, .jwks = file.string()}};
  start();
  EXPECT_EQ(pass(), 0U);
  EXPECT_TRUE(knows("k1"));
  std::ofstream(file) << std::string(oidc::kMaxKeySetBytes + 1, ' ');
  start();
  pass();
  EXPECT_EQ(keys->keys(kIssuer), nullptr);
}

TEST_F(OidcKeysTest, AProviderThatGoesTakesItsCopyAlong) {
  pass();
  EXPECT_FALSE(fs::is_empty(folder));
  sources.clear();
  EXPECT_EQ(pass(), 0U);
  EXPECT_EQ(keys->keys(kIssuer), nullptr);
  EXPECT_TRUE(fs::is_empty(folder));
}

// CVE-2026-73080: a server that fetches what it is told to shows its own network to strangers.
TEST(OidcFetch, CVE_2026_73080_PublicAddresses) {
  for (const char* inside :
       {"127.0.0.1",       "127.255.255.255", "10.0.0.1",        "172.16.0.1", "172.31.255.255",
        "192.168.1.1",     "169.254.169.254", "100.64.0.1",      "0.0.0.0",    "198.18.0.1",
        "192.0.0.1",       "224.0.0.1",       "255.255.255.255", "::",         "::1",
        "fe80::1",         "fc00::1",         "fd12::1",         "ff02::1",    "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::"}) {
    EXPECT_FALSE(is_public(asio::ip::make_address(inside))) << inside;
  }
  for (const char* outside :
       {"1.1.1.1", "9.255.255.255", "11.0.0.0", "172.15.0.1", "172.32.0.1", "100.63.255.255",
        "100.128.0.0", "223.255.255.255", "2606:4700::1", "::ffff:1.1.1.1"}) {
    EXPECT_TRUE(is_public(asio::ip::make_address(outside))) << outside;
  }
}

TEST(OidcFetch, NothingBeginsAfterStop) {
  BlockingPool pool(0);
  OidcFetcher fetcher(pool);
  EXPECT_EQ(run_sync(fetcher.get("ftp://a", {})).error().code(), Errc::invalid_argument);
  fetcher.stop();
  EXPECT_EQ(run_sync(fetcher.get("https://127.0.0.1:1/", {})).error().code(), Errc::cancelled);
}

}  // namespace
}  // namespace outcrop::server
