// Which drive a name is of, and what is said about repair.
#include "tools/admin/drive_status.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <filesystem>

#include "tools/admin/answer.h"

namespace outcrop::tools {
namespace {

boost::json::object parse(const std::string& text) { return boost::json::parse(text).as_object(); }

class FindDrive : public ::testing::Test {
 protected:
  /// The uuid, or the error.
  std::string find(std::string_view name) const {
    const auto found = find_drive(status, name);
    return found ? text_of(*found, "uuid") : std::string(found.error().detail());
  }

  const boost::json::object status = parse(R"({"drives":[
    {"slot":0,"path":"/mnt/d0","last_path":"/mnt/d0","uuid":"00000000-a"},
    {"slot":1,"path":"","last_path":"/mnt/d1","uuid":"11111111-a"},
    {"slot":2,"path":"/mnt/d1","last_path":"/mnt/d1","uuid":"22222222-a"},
    {"slot":3,"path":"","last_path":"/mnt/d9","uuid":"33333333-a"},
    {"slot":4,"path":"","last_path":"/mnt/d9","uuid":"33333333-b"},
    {"slot":5,"path":"","last_path":"","uuid":"55555555-a"}, 7]})");
};

TEST_F(FindDrive, BySlotPathAndUuid) {
  EXPECT_EQ(find("1"), "11111111-a");
  EXPECT_EQ(find("/mnt/d0"), "00000000-a");
  EXPECT_EQ(find("/mnt/d0/"), "00000000-a");
  EXPECT_EQ(find("55555555"), "55555555-a") << "as lists show it";
  EXPECT_EQ(find("33333333-b"), "33333333-b");
}

TEST_F(FindDrive, APathIsThatOfTheDriveThatIsThere) {
  EXPECT_EQ(find("/mnt/d1"), "22222222-a");
  const boost::json::object missing =
      parse(R"({"drives":[{"slot":1,"path":"","last_path":"/mnt/d1","uuid":"u"}]})");
  EXPECT_TRUE(find_drive(missing, "/mnt/d1"));
}

TEST_F(FindDrive, OnlyOneIsMeant) {
  EXPECT_EQ(find("/mnt/d9"), "/mnt/d9: that is more than one drive; name it by its slot");
  EXPECT_EQ(find("33333333"), "33333333: that is more than one drive; name it by its slot");
  EXPECT_EQ(find("5555555"), "5555555: no such drive; see outcrop drive list") << "too short";
  EXPECT_EQ(find("9"), "9: no such drive; see outcrop drive list");
  EXPECT_EQ(find(""), ": no such drive; see outcrop drive list");
}

TEST_F(FindDrive, ARelativePathIsTheUsers) {
  const std::string here = std::filesystem::current_path() / "d0";
  const boost::json::object one =
      parse(R"({"drives":[{"slot":1,"path":")" + here + R"(","last_path":"","uuid":"u"}]})");
  EXPECT_TRUE(find_drive(one, "d0/"));
  EXPECT_TRUE(find_drive(one, "./d0"));
}

TEST(ViewRepair, SaysWhetherItIsDone) {
  const RepairView done = view_repair(parse(R"({"repair":{"segments":3,"degraded":0}})"));
  EXPECT_FALSE(done.busy);
  EXPECT_TRUE(done.whole);
  EXPECT_EQ(done.line, "repair: nothing left to do");
}

TEST(ViewRepair, BlockedIsNotDone) {
  for (const char* const what : {"degraded", "moving"}) {
    const RepairView stopped =
        view_repair(parse(R"({"repair":{"bytes_left":0,"running":false,"blocked":2,")" +
                          std::string(what) + R"(":3}})"));
    EXPECT_FALSE(stopped.busy);
    EXPECT_FALSE(stopped.whole);
    EXPECT_EQ(stopped.line,
              "repair: stopped: 2 segments blocked: no other drive can take them, add one");
  }
}

TEST(ViewRepair, WhatIsBlockedIsWrittenAnew) {
  const auto view = [](const std::string& restripe) {
    return view_repair(
        parse(R"({"repair":{"degraded":2,"blocked":2},"restripe":{)" + restripe + "}}"));
  };
  const RepairView waits = view(R"("state":"waiting","wait_seconds":1500)");
  EXPECT_FALSE(waits.busy);
  EXPECT_FALSE(waits.whole);
  EXPECT_EQ(waits.line,
            "repair: stopped: 2 segments blocked: no other drive can take them, add one; else they "
            "are written anew over those that are left, in 25 min");
  const RepairView runs = view(
      R"("state":"running","bytes_left":1024,"bytes_done":1024,"bytes_per_second":512,
         "seconds_left":2)");
  EXPECT_TRUE(runs.busy);
  EXPECT_EQ(runs.line, "restripe:  50 %, 1.0 KiB of 2.0 KiB, 512 B/s, 2 s left");
  const RepairView full = view(R"("state":"no_room")");
  EXPECT_FALSE(full.busy);
  EXPECT_EQ(full.line,
            "repair: stopped: 2 segments blocked: no other drive can take them, and to write them "
            "anew over those that are left takes more room: add one, or delete");
}

TEST(ViewRepair, DataIsSpreadOnceItIsWhole) {
  const auto view = [](const std::string& rebalance) {
    return view_repair(parse(R"({"repair":{},"rebalance":{)" + rebalance + "}}"));
  };
  const RepairView waits = view(R"("state":"waiting","wait_seconds":590)");
  EXPECT_FALSE(waits.busy);
  EXPECT_TRUE(waits.whole);
  EXPECT_EQ(waits.line, "rebalance: begins in 9 min, if no further drive is added");
  const RepairView runs = view(
      R"("state":"running","bytes_left":1024,"bytes_done":1024,"bytes_per_second":512,
         "seconds_left":2)");
  EXPECT_TRUE(runs.busy);
  EXPECT_TRUE(runs.whole);
  EXPECT_EQ(runs.line, "rebalance:  50 %, 1.0 KiB of 2.0 KiB, 512 B/s, 2 s left");
  const RepairView full = view(R"("state":"no_room")");
  EXPECT_FALSE(full.busy);
  EXPECT_EQ(full.line, "rebalance: waits for room on the drives: delete, or add one");
  EXPECT_EQ(view(R"("state":"idle")").line, "repair: nothing left to do");
  const RepairView degraded = view_repair(
      parse(R"({"repair":{"degraded":2,"blocked":2},"rebalance":{"state":"running"}})"));
  EXPECT_FALSE(degraded.whole) << "that goes first";
}

TEST(ViewRepair, WhatStopsItIsWhatItSays) {
  const auto line = [](const std::string& repair) {
    const RepairView view = view_repair(parse(R"({"repair":{)" + repair + "}}"));
    EXPECT_FALSE(view.busy);
    EXPECT_FALSE(view.whole) << repair;
    return view.line;
  };
  const std::string damaged =
      "repair: stopped: 1 segment damaged beyond parity: put missing drives back, outcrop fsck "
      "says what";
  EXPECT_EQ(line(R"("degraded":1,"damaged":1,"blocked":0)"), damaged);
  EXPECT_EQ(line(R"("degraded":0,"damaged":1)"), damaged) << "with all its shards";
  EXPECT_EQ(line(R"("degraded":5,"unreadable":3,"blocked":2)"),
            "repair: stopped: 3 segments unreadable without the missing drives: put them back; "
            "2 segments blocked: no other drive can take them, add one");
  EXPECT_EQ(line(R"("degraded":4)"),
            "repair: stopped: 4 segments not whole: see the log of the server");
}

TEST(ViewRepair, WorkIsBusy) {
  const RepairView left = view_repair(parse(R"({"repair":{"bytes_left":1024,"degraded":3}})"));
  EXPECT_TRUE(left.busy);
  const RepairView running = view_repair(parse(
      R"({"repair":{"bytes_left":1024,"bytes_done":3072,"bytes_per_second":512,"running":true,
          "seconds_left":2}})"));
  EXPECT_TRUE(running.busy);
  EXPECT_EQ(running.line, "repair:  75 %, 3.0 KiB of 4.0 KiB, 512 B/s, 2 s left");
}

TEST(ViewRepair, AnOddAnswerIsNoReasonToFail) {
  EXPECT_FALSE(view_repair(parse("{}")).busy);
  EXPECT_FALSE(view_repair(parse(R"({"repair":[1]})")).busy);
  EXPECT_FALSE(find_drive(parse(R"({"drives":{}})"), "0"));
  EXPECT_TRUE(objects_in(parse(R"({"tokens":[1,"x",{"id":"t"}]})"), "tokens").size() == 1);
  EXPECT_EQ(json_of(parse("{}"), "scopes"), "");
  EXPECT_EQ(json_of(parse(R"({"scopes":["read"]})"), "scopes"), R"(["read"])");
}

}  // namespace
}  // namespace outcrop::tools
