// Drives that do not answer: who waits gets an answer in bounded time, and what the kernel still
// works on stays alive. An eventfd that nobody writes to stands for a drive: reads of it never end.
#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <thread>

#include "storage/io/guarded_disk.h"
#include "storage/io/watch.h"
#include "tests/unit/storage/io/rig.h"

namespace outcrop::io {
namespace {

using std::chrono::milliseconds;

/// Calls block while the gate is shut.
struct Valve {
  void pass() {
    std::unique_lock lock(mutex);
    ++inside;
    changed.notify_all();
    changed.wait(lock, [this] { return open; });
    --inside;
    changed.notify_all();
  }
  void set(bool to) {
    const std::lock_guard lock(mutex);
    open = to;
    changed.notify_all();
  }
  void wait_inside(int n) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return inside == n; });
  }
  std::mutex mutex;
  std::condition_variable changed;
  bool open = true;
  int inside = 0;
};

/// A simulated drive behind a valve, which outlives all.
class SlowFile final : public File {
 public:
  SlowFile(std::unique_ptr<File> inner, Valve& valve) : x_inner(std::move(inner)), x_valve(valve) {}
  int fd() const override { return -1; }
  bool direct() const override { return x_inner->direct(); }
  Disk& disk() const override { return x_inner->disk(); }
  Result<std::uint64_t> size() const override { return x_inner->size(); }
  Result<bool> whole() const override { return x_inner->whole(); }
  Result<std::size_t> read_sync(std::uint64_t offset, MutBytes out) override {
    x_valve.pass();
    return x_inner->read_sync(offset, out);
  }
  Result<void> write_sync(std::uint64_t offset, ConstBytes data) override {
    x_valve.pass();
    return x_inner->write_sync(offset, data);
  }
  Result<void> truncate(std::uint64_t size) override { return x_inner->truncate(size); }
  Result<void> punch(std::uint64_t offset, std::uint64_t length) override {
    return x_inner->punch(offset, length);
  }
  Result<void> sync() override {
    x_valve.pass();
    return x_inner->sync();
  }

 private:
  std::unique_ptr<File> x_inner;
  Valve& x_valve;
};

class SlowDisk final : public Disk {
 public:
  SlowDisk(std::unique_ptr<Disk> inner, Valve& valve) : x_inner(std::move(inner)), x_valve(valve) {}
  std::string_view name() const override { return x_inner->name(); }
  DiskStats& stats() override { return x_inner->stats(); }
  Result<std::unique_ptr<File>> open(std::string_view path, Access access, Cache cache) override {
    x_valve.pass();
    TRY(auto file, x_inner->open(path, access, cache));
    return std::make_unique<SlowFile>(std::move(file), x_valve);
  }
  Result<void> prewrite(std::string_view path, std::uint64_t size) override {
    x_valve.pass();
    return x_inner->prewrite(path, size);
  }
  Result<void> rename(std::string_view from, std::string_view to) override {
    x_valve.pass();
    return x_inner->rename(from, to);
  }
  Result<void> remove(std::string_view path) override { return x_inner->remove(path); }
  Result<void> make_dir(std::string_view path) override { return x_inner->make_dir(path); }
  Result<void> remove_tree(std::string_view path) override { return x_inner->remove_tree(path); }
  Result<void> sync_dir(std::string_view path) override { return x_inner->sync_dir(path); }
  Result<std::vector<std::string>> list(std::string_view path) override {
    x_valve.pass();
    return x_inner->list(path);
  }
  Result<bool> exists(std::string_view path) override { return x_inner->exists(path); }
  Result<Space> space() override { return x_inner->space(); }
  Result<void> lock() override { return x_inner->lock(); }
  bool present() override {
    x_valve.pass();
    return x_inner->present();
  }
  std::string native_path(std::string_view path) const override {
    return x_inner->native_path(path);
  }
  std::uint64_t filesystem_id() const override { return x_inner->filesystem_id(); }

 private:
  std::unique_ptr<Disk> x_inner;
  Valve& x_valve;
};

class Guarded : public ::testing::Test {
 protected:
  std::unique_ptr<Disk> open(milliseconds limit) {
    return std::move(*open_guarded(
        "slow",
        [this]() -> Result<std::unique_ptr<Disk>> {
          valve.pass();
          TRY(auto disk, world.open_disk(0));
          return std::make_unique<SlowDisk>(std::move(disk), valve);
        },
        limit));
  }
  void TearDown() override { valve.wait_inside(0); }

  Valve valve;
  SimWorld world{1, 7};
};

TEST_F(Guarded, CallsGoThrough) {
  const auto disk = open(std::chrono::minutes(1));
  ASSERT_TRUE(disk->prewrite("a", 8192));
  const auto file = std::move(*disk->open("a", Access::read_write, Cache::direct));
  EXPECT_TRUE(file->direct());
  ASSERT_TRUE(file->write_sync(4096, filled(4096, 'x').view()));
  ASSERT_TRUE(file->sync());
  Buffer in = Buffer::make(4096);
  EXPECT_EQ(*file->read_sync(4096, in.writable()), 4096U);
  EXPECT_TRUE(all_are(in.view(), 'x'));
  EXPECT_EQ(*file->size(), 8192U);
  EXPECT_EQ(disk->list("").value(), std::vector<std::string>{"a"});
  EXPECT_EQ(disk->open("b", Access::read, Cache::buffered).error().code(), Errc::not_found);
  EXPECT_TRUE(disk->present());
  EXPECT_FALSE(disk->health()->given_up());
}

TEST_F(Guarded, WhoWaitsIsFreedWhenTheDriveIsGivenUp) {
  const auto disk = open(std::chrono::hours(1));
  ASSERT_TRUE(disk->prewrite("a", 8192));
  const auto file = std::move(*disk->open("a", Access::read_write, Cache::direct));
  valve.set(false);
  Buffer in = filled(4096, 'i');
  Result<std::size_t> got = 0U;
  Result<void> wrote = ok();
  std::thread reader([&] { got = file->read_sync(0, in.writable()); });
  std::thread writer([&] { wrote = file->write_sync(0, filled(4096, 'w').view()); });
  valve.wait_inside(2);
  disk->health()->give_up();
  reader.join();
  writer.join();
  EXPECT_EQ(got.error().code(), Errc::io_error);
  EXPECT_EQ(wrote.error().code(), Errc::io_error);
  EXPECT_FALSE(disk->present()) << "it is not asked any more";
  EXPECT_FALSE(file->size());
  valve.set(true);
  valve.wait_inside(0);
  EXPECT_TRUE(all_are(in.view(), 'i')) << "the caller's memory is the caller's again";
}

TEST_F(Guarded, ACallThatTakesTooLongGivesTheDriveUp) {
  auto disk = open(milliseconds(250));
  valve.set(false);
  EXPECT_EQ(disk->list("").error().code(), Errc::io_error);
  EXPECT_TRUE(disk->health()->given_up());
  disk.reset();  // does not wait for the call
  valve.set(true);
}

// As a transfer does: who judges drives that hang must hear of one that only such calls wait for.
TEST_F(Guarded, ASmallCallThatWaitsIsLate) {
  auto disk = open(std::chrono::seconds(30));
  const auto late = [&] {
    return disk->health()->late(std::chrono::steady_clock::now().time_since_epoch().count());
  };
  EXPECT_TRUE(disk->list(""));
  EXPECT_FALSE(late());
  valve.set(false);
  std::jthread caller([&] { EXPECT_TRUE(disk->list("")); });
  while (!late()) {
    std::this_thread::yield();
  }
  valve.set(true);
}

// What was begun through it might reach the drive until then, under whoever opened it anew.
TEST_F(Guarded, ARetiredDiskIsReleasedWithItsLastFileAndCall) {
  auto disk = open(std::chrono::seconds(30));
  ASSERT_TRUE(disk->lock());
  auto file = std::move(*disk->open("f", Access::create, Cache::buffered));
  valve.set(false);
  std::jthread caller([&] { EXPECT_FALSE(file->sync()); });
  valve.wait_inside(1);
  disk->retire();
  caller.join();
  EXPECT_TRUE(disk->health()->given_up());
  EXPECT_FALSE(disk->list(""));
  EXPECT_FALSE(disk->released());
  const auto again = *world.open_disk(0);
  EXPECT_EQ(again->lock().error().code(), Errc::already_exists);
  file.reset();
  EXPECT_FALSE(disk->released()) << "a call is on its way";
  valve.set(true);
  while (!disk->released()) {
    std::this_thread::yield();
  }
  EXPECT_TRUE(again->lock());
}

TEST_F(Guarded, OpeningIsSuchACall) {
  valve.set(false);
  const auto disk = open_guarded(
      "slow",
      [this, inner = std::move(*world.open_disk(0))]() mutable -> Result<std::unique_ptr<Disk>> {
        valve.pass();  // the last that it needs of the test
        return std::move(inner);
      },
      milliseconds(250));
  EXPECT_EQ(disk.error().code(), Errc::io_error);
  valve.set(true);
}

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

TEST(Watch, WhatWaitsForItsTurnIsLateWithItsDriveOnly) {
  const auto slow = std::make_shared<DiskHealth>(), well = std::make_shared<DiskHealth>();
  Watch watch;
  watch.set_hedge(1);
  watch.begin();
  watch.add(slow, kLateTicks);
  watch.add(well, kLateTicks - 1);
  watch.end(now_ns());
  EXPECT_EQ(watch.verdict(*slow, 0, true), Watch::Verdict::late);
  EXPECT_EQ(watch.verdict(*slow, 0, false), Watch::Verdict::wait) << "nobody may do without it";
  EXPECT_EQ(watch.verdict(*slow, 1, true), Watch::Verdict::wait) << "it has an age of its own";
  EXPECT_EQ(watch.verdict(*well, 0, true), Watch::Verdict::wait);
  watch.begin();
  watch.add(slow, kLateTicks);
  watch.add(well, kLateTicks);
  watch.end(now_ns());
  EXPECT_EQ(watch.verdict(*slow, 0, true), Watch::Verdict::wait) << "more than may be";
}

class HungTransfers : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (GetParam() == Kind::threads) {
      use_threads(1);
      valve.set(false);
    }
    if (!rig->backend) {
      GTEST_SKIP() << "io_uring is blocked here";
    }
    event = std::make_shared<int>(::eventfd(0, EFD_CLOEXEC));
  }
  void TearDown() override {
    const std::uint64_t one = 1;
    for (int i = 0; i < 8; ++i) {
      ASSERT_EQ(::write(*event, &one, sizeof one), 8);
    }
    valve.set(true);
    valve.wait_inside(0);
    rig.reset();
    ::close(*event);
  }
  void use_threads(unsigned count) {
    rig->backend = make_thread_backend(rig->io, count, [this](const IoOp& op, int fd, bool direct) {
      if (fd == *event) {
        valve.pass();
        return ok();
      }
      return transfer(op, fd, direct);
    });
  }
  IoOp hanging(File& file, bool hedged) {
    IoOp op = read_op(file, 0, sizeof(std::uint64_t));
    op.hedged = hedged;
    return op;
  }
  /// Runs `op` and, beside it, `then` after its first tick or so.
  Result<void> run_with(IoOp op, std::move_only_function<void()> then) {
    asio::steady_timer timer(rig->io, milliseconds(150));
    timer.async_wait([&](const boost::system::error_code&) { then(); });
    return rig->run_op(std::move(op));
  }

  std::vector<IoOp> many_hanging(File& file, std::size_t count, bool hedged) {
    std::vector<IoOp> out(count, hanging(file, hedged));
    for (IoOp& op : out) {
      op.buffer = Buffer::make(sizeof(std::uint64_t));
    }
    return out;
  }
  /// Until `done` says so, but no longer than until the drive is to be given up.
  template <class Done>
  void run_until(Done done) {
    rig->io.restart();
    while (!done() && !rig->disk->health()->hung(now_ns())) {
      rig->io.run_one();
    }
  }

  void turn_twice() {
    asio::steady_timer timer(rig->io, 2 * kWatchTick);
    timer.async_wait([this](const boost::system::error_code&) { rig->io.stop(); });
    rig->io.restart();
    rig->io.run();
  }

  Valve valve;  // in the place of a system call that hangs
  std::unique_ptr<Rig> rig = std::make_unique<Rig>(GetParam());
  std::shared_ptr<int> event;
};

TEST_P(HungTransfers, OneOnADriveThatIsGivenUpEnds) {
  FakeFile file(*rig->disk, event);
  const auto health = rig->disk->health();
  const Result<void> done = run_with(hanging(file, false), [&] { health->give_up(); });
  EXPECT_EQ(done.error().code(), Errc::io_error);
  EXPECT_EQ(rig->disk->stats().in_flight.load(), 0U);
  EXPECT_EQ(rig->run_op(hanging(file, false)).error().code(), Errc::io_error) << "at once";
}

TEST_P(HungTransfers, AHedgedReadIsLateAndTheDriveStays) {
  rig->backend->set_hedge(1);
  FakeFile file(*rig->disk, event);
  EXPECT_EQ(rig->run_op(hanging(file, true)).error().code(), Errc::timed_out);
  EXPECT_TRUE(rig->disk->health()->late(now_ns()));
  EXPECT_FALSE(rig->disk->health()->given_up());
  // It still counts as being on its way, and is seen as hung in the end.
  ASSERT_TRUE(rig->disk->prewrite("a", 4096));
  const auto other = std::move(*rig->disk->open("a", Access::read_write, Cache::direct));
  EXPECT_TRUE(rig->run_op(read_op(*other, 0, 4096)));
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!rig->disk->health()->hung(now_ns()) && std::chrono::steady_clock::now() < until) {
    rig->io.restart();
    rig->io.run_one();
  }
  EXPECT_TRUE(rig->disk->health()->hung(now_ns()));
}

/// More than there are threads, or places for one drive.
TEST_P(HungTransfers, HedgedReadsThatWaitForTheirTurnAreLateAsWell) {
  rig->backend->set_hedge(1);
  FakeFile file(*rig->disk, event);
  std::vector<IoOp> many = many_hanging(file, 300, true);
  bool done = false;
  rig->backend->submit(many, [&] { done = true; });
  run_until([&] { return done; });
  EXPECT_TRUE(done) << "long before the drive is given up";
  rig->disk->health()->give_up();
  while (!done) {
    rig->io.run_one();
  }
  EXPECT_TRUE(std::ranges::all_of(many, [](const IoOp& op) {
    return !op.result && op.result.error().code() == Errc::timed_out;
  }));
  EXPECT_EQ(rig->disk->stats().in_flight.load(), 0U);
  EXPECT_EQ(rig->disk->stats().errors.load(), 0U) << "being late is no error";
}

TEST_P(HungTransfers, WhereMoreAreLateThanMayBeNobodyIsGivenUp) {
  rig->backend->set_hedge(0);
  FakeFile file(*rig->disk, event);
  const auto health = rig->disk->health();
  asio::steady_timer timer(rig->io, kWatchTick * (kLateTicks + 4));
  bool waited = false;
  timer.async_wait([&](const boost::system::error_code&) {
    waited = true;
    health->give_up();
  });
  EXPECT_EQ(rig->run_op(hanging(file, true)).error().code(), Errc::io_error);
  EXPECT_TRUE(waited);
}

TEST_P(HungTransfers, OneThatWasForgottenMayStillEnd) {
  rig->backend->set_hedge(1);
  FakeFile file(*rig->disk, event);
  EXPECT_EQ(rig->run_op(hanging(file, true)).error().code(), Errc::timed_out);
  rig->disk->health()->give_up();
  turn_twice();  // the watch lets go of it
  const std::uint64_t one = 1;
  ASSERT_EQ(::write(*event, &one, sizeof one), 8);
  valve.set(true);
  valve.wait_inside(0);
  turn_twice();
  EXPECT_EQ(rig->disk->stats().in_flight.load(), 0U);
}

TEST_P(HungTransfers, TheBackEndGoesAndTheTransferKeepsItsMemory) {
  FakeFile file(*rig->disk, event);
  const auto health = rig->disk->health();
  IoOp op = hanging(file, false);
  ASSERT_FALSE(run_with(op, [&] { health->give_up(); }));
  rig->backend.reset();  // does not wait
  EXPECT_EQ(op.buffer.size(), sizeof(std::uint64_t));
}

class HungThreads : public HungTransfers {};

/// More than there are threads, and than may be lent before that.
TEST_P(HungThreads, ManyOfADriveThatIsGivenUpLeaveTheOthersTheirTurn) {
  use_threads(70);
  FakeFile file(*rig->disk, event);
  std::vector<IoOp> many = many_hanging(file, 300, false);
  asio::steady_timer timer(rig->io, kWatchTick * (kLateTicks + 4));
  timer.async_wait([&](const boost::system::error_code&) { rig->disk->health()->give_up(); });
  rig->run_ops(many);
  EXPECT_TRUE(std::ranges::none_of(many, [](const IoOp& op) { return op.result.has_value(); }));

  TempDir other_dir;
  const auto other = std::move(*open_posix_disk(other_dir.path()));
  ASSERT_TRUE(other->prewrite("a", 4096));
  const auto there = std::move(*other->open("a", Access::read_write, Cache::direct));
  EXPECT_TRUE(rig->run_op(read_op(*there, 0, 4096)));
}

// Threads: as many calls as may be are lent, and the threads that came for them are in others of
// the drive that nobody waits for. Then it is given up in the middle of a turn of the watch, by
// who waited for one that the watch comes to first.
TEST_P(HungThreads, ADriveThatIsGivenUpWithinATurnTakesNoneAlong) {
  constexpr unsigned kThreads = 64;  // all that may be lent
  use_threads(kThreads);
  rig->backend->set_hedge(1);
  FakeFile file(*rig->disk, event);
  const auto health = rig->disk->health();
  IoOp first = hanging(file, false);
  rig->backend->submit({&first, 1}, [&] { health->give_up(); });
  for (unsigned count = kThreads - 1; count <= kThreads; ++count) {
    std::vector<IoOp> many = many_hanging(file, count, true);
    bool done = false;
    rig->backend->submit(many, [&] { done = true; });
    valve.wait_inside(count < kThreads ? kThreads : 2 * kThreads);
    run_until([&] { return done; });
    ASSERT_TRUE(done);
  }
  first.hedged = true;
  run_until([&] { return health->given_up(); });
  ASSERT_TRUE(health->given_up());

  TempDir other_dir;
  const auto other = std::move(*open_posix_disk(other_dir.path()));
  ASSERT_TRUE(other->prewrite("a", 4096));
  const auto there = std::move(*other->open("a", Access::read_write, Cache::direct));
  IoOp read = read_op(*there, 0, 4096);
  bool done = false;
  rig->backend->submit({&read, 1}, [&] { done = true; });
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!done && std::chrono::steady_clock::now() < until) {
    rig->io.run_one();
  }
  EXPECT_TRUE(done) << "no thread is left";
  valve.set(true);
  while (!done) {
    rig->io.run_one();
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, HungThreads, ::testing::Values(Kind::threads), [](const auto&) {
  return "threads";
});

INSTANTIATE_TEST_SUITE_P(Kinds,
                         HungTransfers,
                         ::testing::Values(Kind::uring, Kind::threads),
                         [](const auto& info) {
                           return info.param == Kind::uring ? "uring" : "threads";
                         });

}  // namespace
}  // namespace outcrop::io
