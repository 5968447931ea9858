// Each kind of fault does what it says to synchronous calls and to transfers of a back end, on real
// directories and on simulated drives; and a plan strikes where it says.
#include "storage/io/faults.h"

#include <cerrno>

#include "tests/unit/storage/io/rig.h"

namespace outcrop::io {
namespace {

constexpr std::size_t k4 = 4096;

/// A drive whose files are written both ways.
class Faults : public ::testing::TestWithParam<std::tuple<Kind, bool>> {
 protected:
  Faults() : rig(std::get<0>(GetParam())) {
    disk = make_faulty(std::move(rig.disk), 3, plan);
    rig.backend = make_faulty(std::move(rig.backend), rig.io);
    EXPECT_TRUE(disk->make_dir("segments"));
    EXPECT_TRUE(disk->prewrite("segments/a", 8 * k4));
    file = std::move(*disk->open("segments/a", Access::read_write, Cache::buffered));
    EXPECT_TRUE(write(0, 'o', 8 * k4));
    plan->clear();
  }
  ~Faults() override {
    file.reset();
    disk.reset();
  }
  bool by_backend() const { return std::get<1>(GetParam()); }

  Result<void> write(std::uint64_t offset, char c, std::size_t size = k4) {
    const Buffer data = filled(size, c);
    return by_backend() ? rig.run_op(write_op(*file, offset, data))
                        : file->write_sync(offset, data.view());
  }
  Result<Buffer> read(std::uint64_t offset, std::size_t size = k4) {
    if (by_backend()) {
      IoOp op = read_op(*file, offset, size);
      rig.run_ops({&op, 1});
      TRYV(std::move(op.result));
      return op.buffer;
    }
    Buffer out = filled(size, '?');
    TRY(const std::size_t got, file->read_sync(offset, out.writable()));
    return out.slice(0, got);
  }
  Result<void> sync() { return by_backend() ? rig.run_op(sync_op(*file)) : file->sync(); }
  /// What is there, without faults: by how many bytes it differs from 'o'.
  std::size_t changed(std::uint64_t offset = 0, std::size_t size = 8 * k4) {
    plan->enable(false);
    const auto there = read(offset, size);
    plan->enable(true);
    EXPECT_TRUE(there);
    return static_cast<std::size_t>(
        std::ranges::count_if(there->view(), [](std::byte b) { return b != std::byte{'o'}; }));
  }
  void once(FaultKind kind, SimStep step, int error = EIO) {
    plan->add({.drive = 3,
               .step = step,
               .where = PathClass::segment,
               .kind = kind,
               .error_number = error});
  }

  Rig rig;
  std::shared_ptr<FaultPlan> plan = std::make_shared<FaultPlan>(5);
  std::unique_ptr<Disk> disk;
  std::unique_ptr<File> file;
};

TEST_P(Faults, ErrorsHaveNoEffect) {
  for (const auto& [number, code] : std::vector<std::pair<int, Errc>>{
           {EIO, Errc::io_error}, {EINTR, Errc::io_error}, {ENOSPC, Errc::no_space}}) {
    once(FaultKind::error, SimStep::write, number);
    const auto written = write(k4, 'n');
    ASSERT_FALSE(written);
    EXPECT_EQ(written.error().code(), code);
    EXPECT_EQ(written.error().sys_errno(), number);
    EXPECT_EQ(changed(), 0U);
    plan->clear();
  }
  once(FaultKind::error, SimStep::read);
  EXPECT_EQ(code_of(read(0)), Errc::io_error);
  once(FaultKind::error, SimStep::sync);
  EXPECT_EQ(code_of(sync()), Errc::io_error);
  EXPECT_TRUE(sync());
  EXPECT_TRUE(read(0));
  EXPECT_EQ(plan->strikes(), 2U);
}

TEST_P(Faults, ShortTransfersDoPart) {
  once(FaultKind::short_count, SimStep::write);
  EXPECT_EQ(code_of(write(0, 'n', 8 * k4)), Errc::io_error);
  EXPECT_LT(changed(), 8 * k4);
  EXPECT_EQ(changed() % k4, 0U);
  once(FaultKind::short_count, SimStep::read);
  const auto got = read(0, 8 * k4);
  if (by_backend()) {
    EXPECT_EQ(code_of(got), Errc::corrupt);
  } else {
    EXPECT_LT(got->size(), 8 * k4);
  }
}

TEST_P(Faults, SilentWritesClaimSuccess) {
  once(FaultKind::lost, SimStep::write);
  EXPECT_TRUE(write(0, 'n'));
  EXPECT_EQ(changed(), 0U);

  once(FaultKind::misdirected, SimStep::write);
  EXPECT_TRUE(write(0, 'n'));
  EXPECT_EQ(changed(0, k4), 0U);
  EXPECT_EQ(changed(), k4);
  EXPECT_TRUE(write(0, 'o', 8 * k4));

  once(FaultKind::flip, SimStep::write);
  EXPECT_TRUE(write(0, 'o'));
  EXPECT_EQ(changed(0, k4), 1U);
  EXPECT_TRUE(write(0, 'o'));

  once(FaultKind::torn, SimStep::write);
  EXPECT_TRUE(write(0, 'n', 8 * k4));
  EXPECT_GT(changed(), 0U);
  EXPECT_LT(changed(), 8 * k4);
  EXPECT_EQ(changed() % 512, 0U);
  EXPECT_EQ(plan->strikes(), 4U);
}

TEST_P(Faults, SilentReadsGiveWrongBytes) {
  once(FaultKind::flip, SimStep::read);
  const auto flipped = read(0);
  ASSERT_TRUE(flipped);
  EXPECT_FALSE(all_are(flipped->view(), 'o'));
  EXPECT_TRUE(write(0, 'n'));
  once(FaultKind::misdirected, SimStep::read);
  const auto other = read(0);
  ASSERT_TRUE(other);
  EXPECT_TRUE(all_are(other->view(), 'o'));
  EXPECT_TRUE(all_are(read(0)->view(), 'n'));
}

TEST_P(Faults, ADelayChangesNothingElse) {
  plan->add({.kind = FaultKind::delay, .times = kAlways, .delay_ms = 1});
  EXPECT_TRUE(write(0, 'n'));
  EXPECT_TRUE(sync());
  EXPECT_TRUE(all_are(read(0)->view(), 'n'));
  EXPECT_TRUE(disk->rename("segments/a", "segments/b"));
  EXPECT_EQ(plan->strikes(), 5U);  // the sync of the directory is one
}

// A lost sync shows only when the power goes.
TEST(FaultsOfSim, ALostSyncIsNone) {
  SimWorld world(1, 1);
  const auto plan = std::make_shared<FaultPlan>();
  bool lost = false;
  for (std::uint64_t seed = 0; seed < 32 && !lost; ++seed) {
    SimWorld copy = world.clone(seed);
    {
      const auto disk = make_faulty(std::move(*copy.open_disk(0)), 0, plan);
      const auto file = std::move(*disk->open("a", Access::create, Cache::buffered));
      ASSERT_TRUE(disk->sync_dir(""));
      plan->clear();
      plan->add({.step = SimStep::sync, .kind = FaultKind::lost});
      ASSERT_TRUE(file->write_sync(0, filled(k4, 'x').view()));
      ASSERT_TRUE(file->sync());
      ASSERT_EQ(plan->strikes(), 1U);
    }
    copy.reboot(seed);
    const auto disk = std::move(*copy.open_disk(0));
    lost = *(*disk->open("a", Access::read, Cache::buffered))->size() == 0;
  }
  EXPECT_TRUE(lost);
}

TEST_P(Faults, ADirectorySyncFailsAfterTheChange) {
  plan->add({.step = SimStep::sync_dir});
  EXPECT_EQ(code_of(disk->rename("segments/a", "segments/b")), Errc::io_error);
  EXPECT_TRUE(*disk->exists("segments/b"));
  plan->add({.step = SimStep::rename});
  EXPECT_EQ(code_of(disk->rename("segments/b", "segments/a")), Errc::io_error);
  EXPECT_TRUE(*disk->exists("segments/b"));
}

TEST_P(Faults, TheNthMatchAndAsManyAsAsked) {
  plan->add({.step = SimStep::read, .nth = 3, .times = 2});
  std::string seen;
  for (int i = 0; i < 6; ++i) {
    seen += read(0) ? '.' : 'x';
  }
  EXPECT_EQ(seen, "..xx..");
  const FaultSite site{3, SimStep::read, PathClass::segment, true};
  EXPECT_EQ(plan->sites().at(site), 6U);
  EXPECT_EQ(plan->retries(), 3U);
}

INSTANTIATE_TEST_SUITE_P(,
                         Faults,
                         ::testing::Combine(::testing::Values(Kind::sim, Kind::threads),
                                            ::testing::Bool()),
                         [](const auto& i) {
                           return std::string(std::get<0>(i.param) == Kind::sim ? "sim" : "posix") +
                                  (std::get<1>(i.param) ? "_backend" : "_sync");
                         });

TEST(FaultPlan, OnlyWhatMatches) {
  FaultPlan plan;
  plan.add({.drive = 1, .step = SimStep::write, .where = PathClass::journal, .times = kAlways});
  EXPECT_FALSE(plan.decide({0, SimStep::write, "journal/0"}, true));
  EXPECT_FALSE(plan.decide({1, SimStep::read, "journal/0"}, true));
  EXPECT_FALSE(plan.decide({1, SimStep::write, "segments/0"}, true));
  EXPECT_TRUE(plan.decide({1, SimStep::write, "journal/0"}, true));
  plan.enable(false);
  EXPECT_FALSE(plan.decide({1, SimStep::write, "journal/0"}, true));
  EXPECT_EQ(plan.strikes(), 1U);
}

TEST(FaultPlan, ChanceComesFromTheSeed) {
  const auto run = [](std::uint64_t seed) {
    FaultPlan plan(seed);
    plan.add({.times = kAlways, .probability = 0.25});
    std::string out;
    for (int i = 0; i < 1000; ++i) {
      out += plan.decide({0, SimStep::read, "journal/0"}, true) ? 'x' : '.';
    }
    return out;
  };
  const std::string one = run(1);
  EXPECT_EQ(one, run(1));
  EXPECT_NE(one, run(2));
  const auto hits = std::ranges::count(one, 'x');
  EXPECT_GT(hits, 180);
  EXPECT_LT(hits, 330);
}

TEST(FaultPlan, PathsHaveClasses) {
  for (const auto& [path, where] : std::vector<std::pair<std::string_view, PathClass>>{
           {"superblock", PathClass::superblock},
           {"superblock.new", PathClass::superblock},
           {"epoch", PathClass::epoch},
           {"lock", PathClass::lock},
           {"journal/17", PathClass::journal},
           {"journal", PathClass::journal},
           {"segments/0000000000000001-00", PathClass::segment},
           {"spare/partial", PathClass::spare},
           {"meta/1/000012.sst", PathClass::table},
           {"meta/1/MANIFEST-000004", PathClass::manifest},
           {"meta/1/CURRENT", PathClass::manifest},
           {"meta/1/000001.dbtmp", PathClass::manifest},
           {"meta/1/OPTIONS-000004.dbtmp", PathClass::options},
           {"meta/current", PathClass::mirror},
           {"meta", PathClass::mirror},
           {"", PathClass::root},
           {"journalist", PathClass::root}}) {
    EXPECT_EQ(path_class(path), where) << path;
  }
}

TEST(FaultText, IsReadOrRefused) {
  const auto two = parse_faults(
      "seed=9,drive=1,step=write,where=journal,kind=error,error=ENOSPC,nth=3,times=always;"
      "step=read,path=.sst,kind=flip,probability=0.5");
  ASSERT_TRUE(two);
  EXPECT_EQ(two->seed, 9U);
  ASSERT_EQ(two->rules.size(), 2U);
  EXPECT_EQ(two->rules[0].drive, 1U);
  EXPECT_EQ(two->rules[0].where, PathClass::journal);
  EXPECT_EQ(two->rules[0].error_number, ENOSPC);
  EXPECT_EQ(two->rules[0].nth, 3U);
  EXPECT_EQ(two->rules[0].times, kAlways);
  EXPECT_EQ(two->rules[1].kind, FaultKind::flip);
  EXPECT_EQ(two->rules[1].path_part, ".sst");
  EXPECT_EQ(two->rules[1].probability, 0.5);
  for (const std::string_view bad :
       {"drive=x", "step=chew", "where=moon", "kind=evil", "error=EPERM", "nth=0", "times=-1",
        "probability=2", "nonsense=1", "drive", "drive=", "seed=x", "step=rename,kind=torn"}) {
    EXPECT_EQ(code_of(parse_faults(bad)), Errc::invalid_argument) << bad;
  }
}

}  // namespace
}  // namespace outcrop::io
