// The admin token and the client records of NFSv4 in state_dir.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "server/admin_token.h"
#include "server/recovery_file.h"

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
  Result<std::vector<nfs::RecoveryRecord>> load() {
    RecoveryFile file(dir / "nfs-clients", pool);
    return run_sync(file.load());
  }

  SeededRandom random{1};
  BlockingPool pool{0};
  fs::path dir;
};

nfs::RecoveryChange keep(const std::string& owner) {
  nfs::RecoveryChange c;
  c.record.owner = owner;
  return c;
}

nfs::RecoveryChange erase(const std::string& owner) {
  nfs::RecoveryChange c = keep(owner);
  c.erase = true;
  return c;
}

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

TEST_F(StateFiles, ClientRecordsSurvive) {
  EXPECT_EQ(load()->size(), 0u);
  RecoveryFile file(dir / "nfs-clients", pool);
  ASSERT_TRUE(run_sync(file.load()).has_value());
  ASSERT_TRUE(run_sync(file.apply({keep("a"), keep("b"), keep(std::string("\0\n", 2))})));
  EXPECT_EQ(load()->size(), 3u);
  ASSERT_TRUE(run_sync(file.apply({erase("a"), erase("none"), keep("b")})));
  const auto records = load();
  ASSERT_EQ(records->size(), 2u);
  EXPECT_EQ(records->front().owner, std::string("\0\n", 2));
  EXPECT_EQ(records->back().owner, "b");
  // Another run goes on from what is there.
  RecoveryFile again(dir / "nfs-clients", pool);
  ASSERT_TRUE(run_sync(again.load()).has_value());
  ASSERT_TRUE(run_sync(again.apply({keep("c")})));
  EXPECT_EQ(load()->size(), 3u);
}

TEST_F(StateFiles, DamagedClientRecordsAreNotTakenForNone) {
  RecoveryFile file(dir / "nfs-clients", pool);
  ASSERT_TRUE(run_sync(file.apply({keep("a"), keep("b")})));
  std::ifstream in(dir / "nfs-clients");
  const std::string good(std::istreambuf_iterator<char>(in), {});
  for (std::size_t n = 0; n < good.size(); ++n) {
    write("nfs-clients", good.substr(0, n));
    EXPECT_EQ(load().error().code(), Errc::config) << n;
  }
  write("nfs-clients", good + "x");
  EXPECT_EQ(load().error().code(), Errc::config);
}

}  // namespace
}  // namespace outcrop::server
