// The admin token and the key file in state_dir.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "server/admin_token.h"
#include "server/seal_key.h"
#include "storage/base/random.h"

namespace outcrop::server {
namespace {

namespace fs = std::filesystem;

class StateFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    dir = fs::temp_directory_path() / ("outcrop-state-" + std::to_string(::getpid()));
    fs::create_directories(dir);
  }
  void TearDown() override { fs::remove_all(dir); }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(dir / name, std::ios::trunc) << text;
    ::chmod((dir / name).c_str(), 0600);
  }

  SeededRandom random{1};
  fs::path dir;
};

TEST_F(StateFiles, AdminTokenIsMadeOnceAndPrivate) {
  const std::string token = load_admin_token(dir, random).value();
  EXPECT_EQ(token.size(), 64u);
  EXPECT_EQ(load_admin_token(dir, random).value(), token);
  struct stat status{};
  ASSERT_EQ(::stat((dir / "admin-token").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(StateFiles, AdminTokenOfTheOperator) {
  write("admin-token", std::string(32, 'a') + "\n");
  EXPECT_EQ(load_admin_token(dir, random).value(), std::string(32, 'a'));
  for (const std::string& bad : {std::string(31, 'a'), std::string(), std::string(32, ' '),
                                 std::string(32, 'a') + "\nb\n"}) {
    write("admin-token", bad);
    EXPECT_EQ(load_admin_token(dir, random).error().code(), Errc::config) << bad;
  }
}

TEST_F(StateFiles, SealKeyIsMadeOnDemandAndPrivate) {
  const fs::path file = dir / "seal-key";
  EXPECT_FALSE(read_seal_key(file).value());
  const SealKeyBytes made = make_seal_key(file, random).value();
  EXPECT_EQ(read_seal_key(file).value(), made);
  struct stat status{};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(StateFiles, ABrokenSealKeyIsNotReplaced) {
  for (const std::string& bad : {std::string(), std::string(63, 'a'), std::string(65, 'a'),
                                 std::string(64, 'g'), std::string(64, 'A')}) {
    write("seal-key", bad);
    EXPECT_EQ(read_seal_key(dir / "seal-key").error().code(), Errc::config) << bad;
  }
}

}  // namespace
}  // namespace outcrop::server
