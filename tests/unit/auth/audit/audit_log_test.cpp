// The log as a whole: order, what has no room, full drives, kill -9.
#include "auth/audit/audit_log.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>

#include "tests/unit/auth/audit/folder.h"

namespace outcrop::audit {
namespace {

class ManualClock final : public Clock {
 public:
  std::int64_t wall_ns() const override { return 1; }
  std::int64_t steady_ns() const override { return steady; }
  std::atomic<std::int64_t> steady = 0;
};

class Audit : public test::Folder {
 protected:
  std::unique_ptr<AuditLog> open() { return AuditLog::open(options(), clock).value(); }
  Options options() const {
    return {.folder = folder, .limits = limits, .queue_bytes = queue_bytes, .sync = sync};
  }
  /// All lines of all files that hold `text`.
  std::size_t count(std::string_view text) const {
    std::size_t n = 0;
    for (const auto& path : files()) {
      for (const std::string& line : lines(path)) {
        n += line.find(text) != std::string::npos ? 1 : 0;
      }
    }
    return n;
  }

  FileLimits limits{.file_bytes = 100'000, .files = 32};
  std::size_t queue_bytes = 1 << 20;
  Sync sync = Sync::second;
  ManualClock clock;
};

/// No file grows beyond `bytes` while it lives: a full drive, for all that write() can tell.
class FullDrive {
 public:
  explicit FullDrive(rlim_t bytes) : x_old_handler(std::signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &x_old), 0);
    const rlimit tight{bytes, x_old.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &tight), 0);
  }
  ~FullDrive() {
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &x_old), 0);
    std::signal(SIGXFSZ, x_old_handler);
  }

 private:
  rlimit x_old{};
  void (*x_old_handler)(int);
};

TEST_F(Audit, WritesInOrderFromManyThreadsAndOverRestarts) {
  constexpr int kThreads = 4, kEach = 500;
  for (int run = 0; run < 2; ++run) {
    const auto log = open();
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&log, t] {
        for (int i = 0; i < kEach; ++i) {
          log->record(
              {.protocol = "s3", .identity = std::to_string(t), .action = "a" + std::to_string(i)});
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    log->flush();
    EXPECT_EQ(log->stats().dropped, 0u);
    EXPECT_EQ(log->stats().written, kThreads * kEach + 1u);
    EXPECT_EQ(log->stats().queued_bytes, 0u);
  }
  const Verdict verdict = verify();
  EXPECT_TRUE(verdict.intact()) << why();
  EXPECT_EQ(verdict.lines, 2u * (kThreads * kEach + 2));
  EXPECT_EQ(verdict.starts, 2u);
  EXPECT_EQ(verdict.stops, 2u);
  EXPECT_GT(files().size(), 4u);
  EXPECT_EQ(count("\"action\":\"a499\""), 2u * kThreads);
}

TEST_F(Audit, WhatHasNoRoomIsCountedInTheLog) {
  queue_bytes = 4096;
  const auto log = open();
  for (int i = 0; i < 200; ++i) {
    log->record({.protocol = "s3", .action = "a"});
  }
  log->flush();
  log->record({.protocol = "s3", .action = "later"});
  log->flush();
  const Stats stats = log->stats();
  EXPECT_GT(stats.dropped, 100u);
  const Verdict verdict = verify();
  EXPECT_TRUE(verdict.intact()) << why();
  EXPECT_EQ(verdict.dropped, stats.dropped);
  EXPECT_EQ(count("\"action\":\"a\"") + stats.dropped, 200u);
}

TEST_F(Audit, DenialsCannotPushTheRestOut) {
  const auto log = open();
  for (unsigned i = 0; i < kMaxDenialsPerSecond + 50; ++i) {
    log->record({.action = "d", .result = Decision::denied});
  }
  log->record({.action = "ok"});
  clock.steady = 1'000'000'000;
  log->record({.action = "d", .result = Decision::denied});
  log->flush();
  EXPECT_EQ(log->stats().suppressed, 50u);
  EXPECT_EQ(verify().suppressed, 50u);
  EXPECT_EQ(count("\"action\":\"d\""), kMaxDenialsPerSecond + 1u);
  EXPECT_EQ(count("\"action\":\"ok\""), 1u);
}

// A PUT that is malformed enough is answered before anybody looks at who sent it.
TEST_F(Audit, MistakesOfStrangersCannotPushTheRestOut) {
  const auto log = open();
  for (unsigned i = 0; i < kMaxDenialsPerSecond; ++i) {
    log->record({.identity = i % 2 == 0 ? "" : kAnonymous,
                 .action = "stranger",
                 .result = i % 3 == 0 ? Decision::denied : Decision::failed});
  }
  log->record({.action = "stranger", .result = Decision::failed});
  log->record({.identity = kAnonymous, .action = "stranger", .result = Decision::failed});
  log->record({.identity = "key", .action = "known", .result = Decision::failed});
  log->record({.identity = kAnonymous, .action = "public", .result = Decision::ok});
  log->flush();
  EXPECT_EQ(log->stats().suppressed, 2u);
  EXPECT_EQ(count("\"action\":\"stranger\""), kMaxDenialsPerSecond);
  EXPECT_EQ(count("\"action\":\"known\""), 1u);
  EXPECT_EQ(count("\"action\":\"public\""), 1u);
}

TEST_F(Audit, AFullDriveIsRetriedAndSaid) {
  queue_bytes = 20'000;
  const auto log = open();
  log->flush();
  {
    const FullDrive full(1000);
    for (int i = 0; i < 200; ++i) {
      log->record({.protocol = "s3", .action = "a"});
    }
    log->flush();
    EXPECT_GT(log->stats().write_errors, 0u);
    EXPECT_GT(log->stats().dropped, 0u);
    EXPECT_TRUE(verify().intact()) << why();  // no half line is left behind
  }
  log->flush();
  log->record({.protocol = "s3", .action = "after"});
  log->flush();
  const Verdict verdict = verify();
  EXPECT_TRUE(verdict.intact()) << why();
  EXPECT_EQ(verdict.dropped, log->stats().dropped);
  EXPECT_EQ(count("\"action\":\"a\"") + verdict.dropped, 200u);
  EXPECT_EQ(count("\"action\":\"after\""), 1u);
}

TEST_F(Audit, KilledInTheMiddleItGoesOn) {
  for (int round = 1; round <= 3; ++round) {
    std::array<int, 2> flushed{};
    ASSERT_EQ(::pipe(flushed.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto log = AuditLog::open(options(), clock);
      for (int i = 0; log; ++i) {
        (*log)->record({.protocol = "s3", .action = "before the kill"});
        if (i % 100 == 99) {
          (*log)->flush();
          if (::write(flushed[1], "f", 1) != 1) {
            break;
          }
        }
      }
      std::_Exit(1);
    }
    char byte = 0;
    for (int i = 0; i < 3; ++i) {
      ASSERT_EQ(::read(flushed[0], &byte, 1), 1);
    }
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    ::close(flushed[0]);
    ::close(flushed[1]);
    EXPECT_GE(count("before the kill"), round * 300u);
    EXPECT_TRUE(verify().intact()) << why();
  }
  open();
  const Verdict verdict = verify();
  EXPECT_TRUE(verdict.intact()) << why();
  EXPECT_EQ(verdict.starts, 4u);
  EXPECT_EQ(verdict.stops, 1u);
}

TEST_F(Audit, ATornLineIsMarked) {
  open();
  std::string text = read(file());
  text.resize(text.size() - 5);
  write(file(), text);
  open();
  const Verdict verdict = verify();
  EXPECT_TRUE(verdict.intact()) << why();
  EXPECT_EQ(verdict.torn, 1u);
  EXPECT_EQ(verdict.starts, 2u);
}

TEST_F(Audit, ADamagedEndIsMarkedAndVerificationSaysSo) {
  open();
  std::string text = read(file());
  text[text.size() - 4] ^= 1;
  write(file(), text);
  open();
  EXPECT_EQ(count("audit.damaged"), 1u);
  EXPECT_FALSE(verify().intact());
}

class AuditSync : public Audit {
 protected:
  /// Writes so many times, one after the other.
  void write_each(AuditLog& log, unsigned times) {
    for (unsigned i = 0; i < times; ++i) {
      log.record({.action = "a"});
      log.flush();
      ++written;
    }
  }
  ~AuditSync() override { EXPECT_EQ(count("\"action\":\"a\""), written); }

  static constexpr unsigned kTimes = 10;
  unsigned written = 0;
};

// The sync of the last write may still be under way.
TEST_F(AuditSync, BatchSyncsEachWrite) {
  sync = Sync::batch;
  const auto log = open();
  write_each(*log, kTimes);
  EXPECT_GE(log->stats().syncs, kTimes - 1);
}

TEST_F(AuditSync, SecondSyncsOnceASecond) {
  sync = Sync::second;
  const auto log = open();
  write_each(*log, kTimes);
  const std::uint64_t before = log->stats().syncs;
  EXPECT_LT(before, kTimes - 1) << "no second has passed, but for that of an idle log";
  clock.steady = 1'000'000'000;
  write_each(*log, 2);
  EXPECT_GT(log->stats().syncs, before);
}

TEST_F(AuditSync, NeverDoesNotSync) {
  sync = Sync::never;
  const auto log = open();
  write_each(*log, kTimes);
  clock.steady = 1'000'000'000;
  write_each(*log, 2);
  EXPECT_EQ(log->stats().syncs, 0u);
}

}  // namespace
}  // namespace outcrop::audit
