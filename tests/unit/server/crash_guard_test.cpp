// Which crashes count, how long safe mode lasts, and what a crash leaves on record.
#include "server/crash_guard.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>
#include <fstream>

namespace outcrop::server {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kNow = 1'800'000'000;

TEST(CrashGuard, ReadsWhatACrashDidNotCutShort) {
  EXPECT_EQ(parse_crashes("1 11\n2 6\n"), (std::vector<CrashRecord>{{1, 11}, {2, 6}}));
  EXPECT_EQ(parse_crashes("1 11\n17\n \nx 1\n5 y\n5 6z\n5 -1\n99999999999999999999 1\n3 0"),
            (std::vector<CrashRecord>{{1, 11}, {3, 0}}));
  EXPECT_TRUE(parse_crashes("").empty());
}

std::chrono::seconds lasts(const std::vector<CrashRecord>& records) {
  return judge_crashes(records, kNow, 600s).lasts;
}

TEST(CrashGuard, ThreeCrashesWithinFiveMinutes) {
  EXPECT_EQ(lasts({}), 0s);
  EXPECT_EQ(lasts({{kNow - 2, 11}, {kNow - 1, 11}}), 0s);
  EXPECT_EQ(lasts({{kNow - 299, 11}, {kNow - 2, 6}, {kNow, 11}}), 600s);
  EXPECT_EQ(lasts({{kNow - 300, 11}, {kNow - 2, 6}, {kNow, 11}}), 0s);
  EXPECT_EQ(lasts({{kNow - 2, 0}, {kNow - 2, 0}, {kNow - 2, 0}}), 0s) << "those are no crashes";
  EXPECT_EQ(lasts({{kNow + 100, 11}, {kNow + 110, 11}, {kNow + 120, 11}}), 600s)
      << "the clock went back";
  EXPECT_EQ(lasts({{kNow + 9000, 11}, {kNow + 9000, 11}, {kNow + 9000, 11}}), 0s);
}

TEST(CrashGuard, EachSafeModeOfADayDoublesTheNext) {
  std::vector<CrashRecord> records{{kNow, 11}, {kNow, 11}, {kNow, 6}};
  for (const int times : {1, 2, 4, 8, 16, 32, 32, 32}) {
    EXPECT_EQ(lasts(records), 600s * times);
    records.push_back({kNow - 5000, 0});
  }
  EXPECT_EQ(lasts({{kNow - 86'400, 0}, {kNow, 11}, {kNow, 11}, {kNow, 6}}), 600s);
}

TEST(CrashGuard, SaysWhyAndCanBeOff) {
  const std::vector<CrashRecord> records{{kNow, 11}, {kNow, 11}, {kNow, 6}};
  EXPECT_EQ(judge_crashes(records, kNow, 600s).reason,
            "safe mode: the server crashed 3 times within 5 minutes, last by SIGABRT");
  EXPECT_EQ(judge_crashes(records, kNow, 0s).lasts, 0s);
}

class CrashGuardFile : public ::testing::Test {
 protected:
  CrashGuardFile() {
    std::string name = (std::filesystem::temp_directory_path() / "crash-guard-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    dir = name;
  }
  ~CrashGuardFile() override { std::filesystem::remove_all(dir); }
  std::vector<CrashRecord> records() const {
    std::ifstream in(dir / "crashes");
    return parse_crashes(std::string{std::istreambuf_iterator<char>(in), {}});
  }
  std::filesystem::path dir;
};

TEST_F(CrashGuardFile, SafeModeIsOnRecordAndTheRecordStaysShort) {
  EXPECT_EQ(arm_crash_guard(dir, kNow, 600s).lasts, 0s);
  EXPECT_TRUE(records().empty());
  struct stat status{};
  ASSERT_EQ(::stat((dir / "crashes").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  std::ofstream file(dir / "crashes", std::ios::app);
  for (int i = 0; i < 1000; ++i) {
    file << kNow - 1000 + i << " 11\n";
  }
  file.close();
  EXPECT_EQ(arm_crash_guard(dir, kNow, 600s).lasts, 600s);
  EXPECT_EQ(records().size(), 64U);
  EXPECT_EQ(records().back(), (CrashRecord{kNow, 0}));
  EXPECT_EQ(arm_crash_guard(dir, kNow + 1, 600s).lasts, 1200s);
  EXPECT_EQ(arm_crash_guard(dir, kNow + 500, 600s).lasts, 0s);
}

TEST_F(CrashGuardFile, ARecordThatIsOfNoUseStopsNoStart) {
  std::ofstream(dir / "crashes") << kNow << " 11\n" << kNow << " 11\n" << kNow << " 11\n";
  ::chmod((dir / "crashes").c_str(), 0644);
  EXPECT_EQ(arm_crash_guard(dir, kNow, 600s).lasts, 0s);
  std::filesystem::remove(dir / "crashes");
  std::filesystem::create_directory(dir / "crashes");
  EXPECT_EQ(arm_crash_guard(dir, kNow, 600s).lasts, 0s);
  EXPECT_EQ(arm_crash_guard(dir / "none", kNow, 600s).lasts, 0s);
}

// The sanitizers' handlers stay, so there is nothing to see under them.
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
TEST_F(CrashGuardFile, ACrashLeavesItsSignalAndTheTimeAndStillEndsTheProcess) {
  const std::int64_t before = std::time(nullptr);
  for (const int signal : {SIGSEGV, SIGABRT, SIGKILL}) {
    const pid_t child = ::fork();
    if (child == 0) {
      arm_crash_guard(dir, before, 600s);
      if (signal == SIGABRT) {
        std::abort();
      }
      ::raise(signal);
      ::_exit(2);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), signal);
  }
  const std::vector<CrashRecord> all = records();
  ASSERT_EQ(all.size(), 2U) << "being killed is no crash";
  EXPECT_EQ(all[0].signal, SIGSEGV);
  EXPECT_EQ(all[1].signal, SIGABRT);
  EXPECT_GE(all[0].seconds, before);
  EXPECT_LE(all[1].seconds, std::time(nullptr));
}
#endif

}  // namespace
}  // namespace outcrop::server
