// What is noted down when drives are added, and how they are shown.
#include "server/drive_admin.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "storage/engine/engine.h"

namespace outcrop::server {
namespace {

/// Knows drives by their paths only.
class FakeEngine final : public engine::Engine {
 public:
  ns::Namespace& ns() override { std::abort(); }
  ns::FileSystem& files() override { std::abort(); }
  ns::QuotaGroups& quota_groups() override { std::abort(); }
  meta::MetaStore& meta() override { std::abort(); }
  engine::EngineStats stats() override {
    engine::EngineStats out;
    out.drives = drives;
    out.rebalance = spreading;
    return out;
  }
  Task<> close() override { co_return ok(); }
  void resume() override {}
  Task<std::uint64_t> collect_garbage() override { co_return 0; }
  Task<> compact(double) override { co_return ok(); }
  Task<unsigned> add_drive(std::unique_ptr<io::Disk> disk,
                           std::optional<unsigned> replaces) override {
    for (const engine::DriveStatus& d : drives) {
      if (d.path == disk->name()) {
        co_return fail(Errc::conflict, d.path + " is in use");
      }
    }
    const auto slot = static_cast<unsigned>(drives.size());
    engine::DriveStatus made;
    made.slot = slot;
    made.path = disk->name();
    made.uuid = "uuid-" + std::to_string(slot);
    made.live = true;
    if (replaces) {
      drives.at(*replaces).draining = true;
    }
    drives.push_back(std::move(made));
    co_return slot;
  }
  Task<> drain_drive(unsigned slot, bool on) override {
    drives.at(slot).draining = on;
    co_return ok();
  }
  Task<> remove_drive(unsigned) override { co_return ok(); }
  Task<std::uint64_t> repair() override { co_return 0; }
  Task<> restripe() override { co_return ok(); }
  Task<> rebalance() override { co_return ok(); }
  Task<> scrub(std::uint64_t) override { co_return ok(); }
  Task<> judge_drives() override { co_return ok(); }
  Task<> look_for_drives() override { co_return ok(); }
  Task<> eject_given_up() override { co_return ok(); }

  std::vector<engine::DriveStatus> drives;
  engine::MoveStatus spreading;
};

class DriveAdminTest : public ::testing::Test {
 protected:
  DriveAdminTest() {
    std::filesystem::create_directory(dir / "d0");
    std::filesystem::create_directory(dir / "d1");
    EXPECT_TRUE(list.load());
    runtime.start();
  }
  ~DriveAdminTest() override {
    runtime.join();
    std::filesystem::remove_all(dir);
  }
  static std::filesystem::path new_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "drive-admin-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    return name;
  }
  Result<std::string> add(const std::string& path, const std::string& more = {}) {
    return runtime.run_on(0, admin.source().add(R"({"path":")" + path + "\"" + more + "}"));
  }
  /// The paths of the next start.
  std::vector<std::string> next() {
    DriveList after(dir, {});
    EXPECT_TRUE(after.load());
    return after.paths();
  }

  const std::filesystem::path dir = new_folder();
  DriveList list{dir, {}};
  Runtime runtime{1};
  FakeEngine fake;
  engine::Engine* open = &fake;
  DriveAdmin admin{runtime, list, [this] { return open; }};
};

TEST_F(DriveAdminTest, ADriveThatIsInUseIsStillListedWhenItIsAddedAgain) {
  const std::string d0 = dir / "d0";
  EXPECT_EQ(*add(d0), R"({"slot":0,"path":")" + d0 + "\"}\n");
  EXPECT_EQ(next(), std::vector{d0});
  for (const std::string& again : {d0, d0 + "/", dir.string() + "/./d0"}) {
    const Result<std::string> added = add(again);
    ASSERT_FALSE(added) << again;
    EXPECT_EQ(added.error().code(), Errc::conflict);
    EXPECT_EQ(next(), std::vector{d0}) << "the next start would be without it";
  }
}

TEST_F(DriveAdminTest, HowFarDataIsSpreadIsTold) {
  const auto shown = [this] {
    const std::string all = *runtime.run_on(0, admin.source().list());
    const std::size_t at = all.find("\"rebalance\":");
    return at == std::string::npos ? all : all.substr(at, all.find('}', at) + 1 - at);
  };
  EXPECT_EQ(
      shown(),
      R"("rebalance":{"state":"idle","segments":0,"wait_seconds":0E0,)"
      R"("bytes_left":0,"bytes_done":0,"bytes_per_second":0E0,"seconds_left":null,"shards":0})");
  fake.spreading = {.state = engine::MoveState::running,
                    .segments = 3,
                    .shards = 4,
                    .wait_seconds = 0,
                    .bytes_left = 50,
                    .bytes_done = 60,
                    .bytes_per_second = 5,
                    .seconds_left = 10};
  EXPECT_EQ(
      shown(),
      R"("rebalance":{"state":"running","segments":3,"wait_seconds":0E0,)"
      R"("bytes_left":50,"bytes_done":60,"bytes_per_second":5E0,"seconds_left":1E1,"shards":4})");
  fake.spreading.state = engine::MoveState::waiting;
  EXPECT_NE(shown().find(R"("state":"waiting")"), std::string::npos);
  fake.spreading.state = engine::MoveState::no_room;
  EXPECT_NE(shown().find(R"("state":"no_room")"), std::string::npos);
}

TEST_F(DriveAdminTest, ADriveThatDoesNotJoinIsNotListed) {
  fake.drives.emplace_back().path = dir / "d1";
  EXPECT_FALSE(add(dir / "d1"));
  EXPECT_TRUE(next().empty());
  EXPECT_EQ(add(dir / "none").error().code(), Errc::invalid_argument);
  EXPECT_TRUE(next().empty());
}

TEST_F(DriveAdminTest, BadRequestsChangeNothing) {
  EXPECT_EQ(add("d0").error().code(), Errc::invalid_argument) << "not absolute";
  EXPECT_EQ(add(dir / "d0", R"(,"replaces":"x")").error().code(), Errc::invalid_argument);
  EXPECT_EQ(add(dir / "d0", R"(,"replaces":3)").error().code(), Errc::not_found);
  EXPECT_EQ(add(dir / "d0", R"(,"other":3)").error().code(), Errc::invalid_argument);
  open = nullptr;
  EXPECT_EQ(add(dir / "d0").error().code(), Errc::unavailable);
  EXPECT_TRUE(fake.drives.empty());
  EXPECT_TRUE(next().empty());
}

TEST_F(DriveAdminTest, AMissingDriveIsShownWithItsLastPath) {
  ASSERT_TRUE(add(dir / "d0"));
  ASSERT_TRUE(add(dir / "d1", R"(,"replaces":0)"));
  EXPECT_TRUE(fake.drives.at(0).draining);
  fake.drives.at(0).live = false;
  fake.drives.at(0).path.clear();
  const std::string shown = *runtime.run_on(0, admin.source().list());
  const std::string d0 = dir / "d0", d1 = dir / "d1";
  EXPECT_NE(shown.find(R"("slot":0,"path":"","last_path":")" + d0 + R"(","uuid":"uuid-0")"),
            std::string::npos)
      << shown;
  EXPECT_NE(shown.find(R"("slot":1,"path":")" + d1 + R"(","last_path":")" + d1), std::string::npos)
      << shown;
}

}  // namespace
}  // namespace outcrop::server
