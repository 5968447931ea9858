// Admin tokens: what lets in, what is kept, and what is not taken.
#include "server/token_registry.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <fstream>

#include "server/admin_token.h"

namespace outcrop::server {
namespace {

namespace fs = std::filesystem;

class SetClock final : public Clock {
 public:
  std::int64_t wall_ns() const override { return seconds * 1'000'000'000; }
  std::int64_t steady_ns() const override { return 0; }
  std::int64_t seconds = 1'800'000'000;
};

class TokenRegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    dir = fs::temp_directory_path() / ("outcrop-tokens-" + std::to_string(::getpid()));
    fs::create_directories(dir);
  }
  void TearDown() override { fs::remove_all(dir); }
  std::unique_ptr<TokenRegistry> open() { return TokenRegistry::open(dir, random, clock).value(); }
  struct Made {
    std::string id, token;
  };
  static Made create(TokenRegistry& tokens, const std::string& scopes, int seconds = 60) {
    const std::string text = tokens
                                 .create(R"({"name":"ci","scopes":[)" + scopes +
                                         R"(],"expires_in":)" + std::to_string(seconds) + "}")
                                 .value();
    const auto o = boost::json::parse(text).as_object();
    return {std::string(o.at("id").as_string()), std::string(o.at("token").as_string())};
  }
  std::string read(const std::string& name) const {
    std::ifstream in(dir / name);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  SeededRandom random{1};
  SetClock clock;
  fs::path dir;
};

TEST_F(TokenRegistryTest, TheBootstrapTokenMayEverything) {
  const auto tokens = open();
  const std::string bootstrap = load_admin_token(dir, random).value();
  ASSERT_TRUE(tokens->find(bootstrap));
  EXPECT_EQ(tokens->find(bootstrap)->id, "bootstrap");
  EXPECT_TRUE(tokens->find(bootstrap)->may(admin::kScopeDrives));
  for (const std::string& wrong :
       {std::string(), bootstrap.substr(1), bootstrap + "0", std::string(64, '0')}) {
    EXPECT_FALSE(tokens->find(wrong)) << wrong;
  }
}

TEST_F(TokenRegistryTest, TokensHaveScopesAndAnEndAndSurviveARestart) {
  const Made made = create(*open(), R"("read","exports")", 60);
  EXPECT_EQ(made.token.size(), 68u);
  const auto tokens = open();
  const auto caller = tokens->find(made.token);
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->id, made.id);
  EXPECT_TRUE(caller->may(admin::kScopeRead));
  EXPECT_TRUE(caller->may(admin::kScopeExports));
  EXPECT_FALSE(caller->may(admin::kScopeDrives));
  EXPECT_FALSE(caller->may(admin::kScopeFull));
  clock.seconds += 59;
  EXPECT_TRUE(tokens->find(made.token));
  clock.seconds += 1;
  EXPECT_FALSE(tokens->find(made.token));
}

TEST_F(TokenRegistryTest, RevokedIsRevokedAtOnceAndForGood) {
  const auto tokens = open();
  const Made a = create(*tokens, R"("full")"), b = create(*tokens, R"("drives")");
  ASSERT_TRUE(tokens->revoke(a.id));
  EXPECT_FALSE(tokens->find(a.token));
  EXPECT_FALSE(open()->find(a.token));
  EXPECT_TRUE(open()->find(b.token));
  EXPECT_EQ(tokens->revoke(a.id).error().code(), Errc::not_found);
}

TEST_F(TokenRegistryTest, TheFileAndTheListLetNobodyIn) {
  const auto tokens = open();
  const Made made = create(*tokens, R"("full")");
  struct stat status{};
  ASSERT_EQ(::stat((dir / "admin-tokens.json").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  const std::string file = read("admin-tokens.json");
  EXPECT_EQ(file.find(made.token), std::string::npos);
  EXPECT_EQ(file.find(made.token.substr(4)), std::string::npos);
  EXPECT_NE(tokens->list().find(made.id), std::string::npos);
  EXPECT_EQ(tokens->list().find("hash"), std::string::npos);
}

TEST_F(TokenRegistryTest, RefusesWhatMakesNoSense) {
  const auto tokens = open();
  for (const std::string text : {"", "[]", "{", R"({"name":"x","scopes":["read"]})",
                                 R"({"name":"x","scopes":[],"expires_in":1})",
                                 R"({"name":"x","scopes":["all"],"expires_in":1})",
                                 R"({"name":"x","scopes":["read"],"expires_in":0})",
                                 R"({"name":"x","scopes":["read"],"expires_in":31622401})",
                                 R"({"name":"","scopes":["read"],"expires_in":1})",
                                 R"({"name":"\u0001","scopes":["read"],"expires_in":1})",
                                 R"({"name":"x","scopes":["read"],"expires_in":1,"more":1})"}) {
    EXPECT_EQ(tokens->create(text).error().code(), Errc::invalid_argument) << text;
  }
  const std::string most(kMaxTokenName, 'n');
  EXPECT_TRUE(
      tokens->create(R"({"name":")" + most + R"(","scopes":["read"],"expires_in":31622400})"));
  EXPECT_FALSE(tokens->create(R"({"name":"n)" + most + R"(","scopes":["read"],"expires_in":1})"));
}

TEST_F(TokenRegistryTest, AsManyAsThereIsRoomForAndEndedOnesMakeRoom) {
  const auto tokens = open();
  create(*tokens, R"("read")", 1);
  for (std::size_t i = 1; i < kMaxTokens; ++i) {
    create(*tokens, R"("read")", 100);
  }
  EXPECT_EQ(tokens->create(R"({"name":"x","scopes":["read"],"expires_in":1})").error().code(),
            Errc::conflict);
  clock.seconds += 1;
  create(*tokens, R"("read")");
}

TEST_F(TokenRegistryTest, ADamagedFileIsNotReplaced) {
  create(*open(), R"("read")");
  const std::string good = read("admin-tokens.json");
  for (const std::string& bad : {std::string("{}"), good.substr(0, good.size() / 2),
                                 std::string(R"({"format":2,"tokens":[]})")}) {
    std::ofstream(dir / "admin-tokens.json", std::ios::trunc) << bad;
    EXPECT_EQ(TokenRegistry::open(dir, random, clock).error().code(), Errc::config) << bad;
    EXPECT_EQ(read("admin-tokens.json"), bad);
  }
}

TEST_F(TokenRegistryTest, OnlyATokenThatIsKeptIsMade) {
  const auto tokens = open();
  const auto said = [&] {
    ::testing::internal::CaptureStderr();
    const bool made =
        tokens->create(R"({"name":"ci","scopes":["read"],"expires_in":60})").has_value();
    const std::string log = ::testing::internal::GetCapturedStderr();
    return std::pair(made, log.find("admin token made") != std::string::npos);
  };
  EXPECT_EQ(said(), std::pair(true, true));
  fs::remove_all(dir);
  EXPECT_EQ(said(), std::pair(false, false));
}

}  // namespace
}  // namespace outcrop::server
