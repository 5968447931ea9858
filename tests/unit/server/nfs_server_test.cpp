// What NFS answers the admin API while the store is not open.
#include "server/nfs_server.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace outcrop::server {
namespace {

class NfsServerTest : public ::testing::Test {
 protected:
  NfsServerTest() {
    std::string name = (std::filesystem::temp_directory_path() / "nfs-server-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    config.state_dir = name;
    config.nfs = HostPort{"127.0.0.1", 0};
  }
  ~NfsServerTest() override { std::filesystem::remove_all(config.state_dir); }

  Config config;
  SystemClock clock;
  SeededRandom random{1};
  Runtime runtime{1};
  ByteBudget budget{1 << 20};
};

// The admin listener serves before the store is open, when no access keys are known yet.
TEST_F(NfsServerTest, ExportsAreRefusedWhileTheStoreOpens) {
  NfsServer server(runtime, config, MemoryPlan(), budget, clock, random, nullptr);
  ASSERT_TRUE(server.prepare());
  const std::string plain = R"({"bucket":"b","clients":["127.0.0.1"])";
  for (const std::string& wanted : {plain + "}", plain + R"(,"identity":"NOPE"})"}) {
    const Result<std::string> added = server.add_export(wanted);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().code(), Errc::invalid_argument);
    EXPECT_EQ(added.error().detail(), "the server is starting or stopping");
  }
  EXPECT_EQ(server.list_exports(), "{\"exports\":[]}\n");
  EXPECT_EQ(server.port(), 0);
}

}  // namespace
}  // namespace outcrop::server
