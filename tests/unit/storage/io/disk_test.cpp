// What every Disk and every IoBackend does, run against io_uring, threads and simulation.
#include "tests/unit/storage/io/rig.h"

namespace outcrop::io {
namespace {

constexpr std::size_t k4 = 4096;

class DiskTest : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (!rig.backend) {
      GTEST_SKIP() << "io_uring is blocked here";
    }
  }
  std::unique_ptr<File> create(std::string_view path, Cache cache = Cache::direct) {
    return std::move(*disk.open(path, Access::create, cache));
  }
  Rig rig{GetParam()};
  Disk& disk = *rig.disk;
};

TEST_P(DiskTest, back_end_says_its_name) {
  const std::map<Kind, std::string_view> names{{Kind::uring, "uring"},
                                               {Kind::threads, "threads"},
                                               {Kind::sim, "sim"},
                                               {Kind::faulty, "threads"}};
  EXPECT_EQ(rig.backend->name(), names.at(GetParam()));
}

TEST_P(DiskTest, what_is_written_is_read) {
  const auto file = create("a");
  EXPECT_TRUE(rig.run_op(write_op(*file, k4, filled(3 * k4, 'x'))));
  EXPECT_TRUE(rig.run_op(write_op(*file, 0, filled(k4, 'y'), true)));
  EXPECT_TRUE(rig.run_op(sync_op(*file)));
  std::vector<IoOp> ops{read_op(*file, 0, k4), read_op(*file, k4, 3 * k4)};
  rig.run_ops(ops);
  EXPECT_TRUE(ops[0].result && ops[1].result);
  EXPECT_TRUE(all_are(ops[0].buffer.view(), 'y'));
  EXPECT_TRUE(all_are(ops[1].buffer.view(), 'x'));
  EXPECT_EQ(*file->size(), 4 * k4);
}

TEST_P(DiskTest, synchronous_and_queued_transfers_see_each_other) {
  const auto file = create("a");
  const Buffer b = filled(k4, 's');
  ASSERT_TRUE(file->write_sync(2 * k4, b.view()));
  ASSERT_TRUE(file->sync());
  IoOp hole = read_op(*file, 0, 2 * k4);
  rig.run_ops({&hole, 1});
  EXPECT_TRUE(hole.result && all_are(hole.buffer.view(), '\0'));
  ASSERT_TRUE(rig.run_op(write_op(*file, 0, filled(k4, 'q'))));
  Buffer in = Buffer::make(4 * k4);
  EXPECT_EQ(*file->read_sync(0, in.writable()), 3 * k4);
  EXPECT_TRUE(all_are(in.view().first(k4), 'q'));
}

TEST_P(DiskTest, read_past_the_end_is_corrupt) {
  const auto file = create("a");
  ASSERT_TRUE(rig.run_op(write_op(*file, 0, filled(2 * k4, 'x'))));
  std::vector<IoOp> ops{read_op(*file, k4, 2 * k4), read_op(*file, 8 * k4, k4),
                        read_op(*file, k4, k4)};
  rig.run_ops(ops);
  EXPECT_EQ(code_of(ops[0].result), Errc::corrupt);
  EXPECT_EQ(code_of(ops[1].result), Errc::corrupt);
  EXPECT_TRUE(ops[2].result);
}

TEST_P(DiskTest, end_off_the_alignment) {
  const auto small = create("a", Cache::buffered);
  ASSERT_TRUE(small->write_sync(0, as_bytes("hello")));
  EXPECT_EQ(*small->size(), 5U);
  const auto direct = std::move(*disk.open("a", Access::read, Cache::direct));
  Buffer in = Buffer::make(k4);
  ASSERT_EQ(*direct->read_sync(0, in.writable()), 5U);
  EXPECT_EQ(as_text(in.view().first(5)), "hello");
  EXPECT_EQ(code_of(rig.run_op(read_op(*direct, 0, k4))), Errc::corrupt);
}

TEST_P(DiskTest, unaligned_transfer_on_a_direct_file_is_refused) {
  const auto file = create("a");
  if (!file->direct()) {
    GTEST_SKIP() << "no O_DIRECT on this filesystem";
  }
  EXPECT_EQ(code_of(rig.run_op(write_op(*file, 512, filled(k4, 'x')))), Errc::invalid_argument);
  EXPECT_EQ(code_of(rig.run_op(write_op(*file, 0, filled(100, 'x')))), Errc::invalid_argument);
  EXPECT_EQ(code_of(rig.run_op(write_op(*file, 0, filled(2 * k4, 'x').slice(512, k4)))),
            Errc::invalid_argument);
  EXPECT_EQ(code_of(file->write_sync(1, filled(k4, 'x').view())), Errc::invalid_argument);
  const auto buffered = create("b", Cache::buffered);
  EXPECT_FALSE(buffered->direct());
  EXPECT_TRUE(rig.run_op(write_op(*buffered, 3, filled(100, 'x'))));
}

TEST_P(DiskTest, empty_submission_completes) {
  bool called = false;
  rig.backend->submit({}, [&] { called = true; });
  EXPECT_FALSE(called);
  rig.io.restart();
  rig.io.run();
  EXPECT_TRUE(called);
}

TEST_P(DiskTest, prewrite_makes_zeros_and_recycles) {
  ASSERT_TRUE(disk.prewrite("seg", 3 << 20));
  const auto file = std::move(*disk.open("seg", Access::read_write, Cache::direct));
  EXPECT_EQ(*file->size(), 3U << 20);
  ASSERT_TRUE(rig.run_op(write_op(*file, 1 << 20, filled(1 << 20, 'x'), true)));
  ASSERT_TRUE(disk.prewrite("seg", 2 << 20));
  EXPECT_EQ(*file->size(), 2U << 20);
  IoOp in = read_op(*file, 0, 2 << 20);
  rig.run_ops({&in, 1});
  EXPECT_TRUE(in.result && all_are(in.buffer.view(), '\0'));
  ASSERT_TRUE(disk.prewrite("odd", 5000));
  EXPECT_EQ(*(*disk.open("odd", Access::read, Cache::buffered))->size(), 5000U);
}

TEST_P(DiskTest, names_and_directories) {
  EXPECT_TRUE(disk.make_dir("d"));
  EXPECT_TRUE(disk.make_dir("d"));
  EXPECT_EQ(code_of(disk.make_dir("no/d")), Errc::not_found);
  create("d/b");
  create("d/a");
  EXPECT_EQ(code_of(disk.open("d/a", Access::create, Cache::direct)), Errc::already_exists);
  EXPECT_EQ(code_of(disk.open("d/c", Access::read, Cache::direct)), Errc::not_found);
  EXPECT_EQ(*disk.list("d"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(*disk.list(""), (std::vector<std::string>{"d"}));
  EXPECT_EQ(code_of(disk.list("e")), Errc::not_found);
  EXPECT_TRUE(*disk.exists("d/a"));
  EXPECT_FALSE(*disk.exists("d/x"));
  EXPECT_FALSE(*disk.exists("x/x"));
  EXPECT_TRUE(disk.rename("d/a", "top"));
  EXPECT_TRUE(disk.rename("top", "d/b"));
  EXPECT_EQ(*disk.list("d"), (std::vector<std::string>{"b"}));
  EXPECT_EQ(code_of(disk.rename("none", "x")), Errc::not_found);
  EXPECT_TRUE(disk.remove("d/b"));
  EXPECT_EQ(code_of(disk.remove("d/b")), Errc::not_found);
  EXPECT_TRUE(disk.make_dir("d/e"));
  create("d/e/f");
  EXPECT_TRUE(disk.remove_tree("d"));
  EXPECT_TRUE(disk.remove_tree("d"));
  EXPECT_TRUE(disk.list("")->empty());
  EXPECT_TRUE(disk.sync_dir(""));
  EXPECT_EQ(code_of(disk.sync_dir("d")), Errc::not_found);
}

TEST_P(DiskTest, paths_cannot_leave_the_drive) {
  for (const std::string_view path : {"../x", "/etc/passwd", "a/../../x", ".."}) {
    EXPECT_EQ(code_of(disk.open(path, Access::read, Cache::buffered)), Errc::invalid_argument)
        << path;
  }
}

TEST_P(DiskTest, an_open_file_outlives_its_name) {
  const auto file = create("a");
  ASSERT_TRUE(rig.run_op(write_op(*file, 0, filled(k4, 'x'))));
  ASSERT_TRUE(disk.rename("a", "b"));
  ASSERT_TRUE(rig.run_op(write_op(*file, k4, filled(k4, 'y'))));
  ASSERT_TRUE(disk.remove("b"));
  IoOp in = read_op(*file, k4, k4);
  rig.run_ops({&in, 1});
  EXPECT_TRUE(in.result && all_are(in.buffer.view(), 'y'));
}

TEST_P(DiskTest, truncate_drops_what_was_behind) {
  const auto file = create("a", Cache::buffered);
  ASSERT_TRUE(file->write_sync(0, filled(3 * k4, 'x').view()));
  ASSERT_TRUE(file->truncate(100));
  EXPECT_EQ(*file->size(), 100U);
  ASSERT_TRUE(file->truncate(2 * k4));
  Buffer in = Buffer::make(2 * k4);
  ASSERT_EQ(*file->read_sync(0, in.writable()), 2 * k4);
  EXPECT_TRUE(all_are(in.view().first(100), 'x'));
  EXPECT_TRUE(all_are(in.view().subspan(100), '\0'));
}

TEST_P(DiskTest, punch_gives_blocks_back_and_keeps_the_size) {
  ASSERT_TRUE(disk.prewrite("a", 8 * k4));
  const auto file = std::move(*disk.open("a", Access::read_write, Cache::direct));
  EXPECT_TRUE(*file->whole());
  ASSERT_TRUE(rig.run_op(write_op(*file, 0, filled(8 * k4, 'x'), true)));
  EXPECT_TRUE(*file->whole());
  ASSERT_TRUE(file->punch(3 * k4, 5 * k4));
  EXPECT_FALSE(*file->whole());
  EXPECT_EQ(*file->size(), 8 * k4);
  IoOp in = read_op(*file, 0, 8 * k4);
  rig.run_ops({&in, 1});
  ASSERT_TRUE(in.result);
  EXPECT_TRUE(all_are(in.buffer.view().first(3 * k4), 'x'));
  EXPECT_TRUE(all_are(in.buffer.view().subspan(3 * k4), '\0'));
  ASSERT_TRUE(rig.run_op(write_op(*file, 6 * k4, filled(k4, 'y'), true)));
  IoOp again = read_op(*file, 6 * k4, k4);
  rig.run_ops({&again, 1});
  EXPECT_TRUE(again.result && all_are(again.buffer.view(), 'y'));
}

TEST_P(DiskTest, lock_is_exclusive_and_ends_with_its_disk) {
  std::unique_ptr<Disk> other = GetParam() == Kind::sim
                                    ? std::move(*rig.world.open_disk(0))
                                    : std::move(*open_posix_disk(rig.dir->path()));
  ASSERT_TRUE(disk.lock());
  EXPECT_TRUE(disk.lock());
  EXPECT_EQ(code_of(other->lock()), Errc::already_exists);
  rig.backend.reset();
  rig.disk.reset();
  EXPECT_TRUE(other->lock());
}

TEST_P(DiskTest, stats_are_kept) {
  const auto file = create("a");
  ASSERT_TRUE(rig.run_op(write_op(*file, 0, filled(2 * k4, 'x'))));
  ASSERT_TRUE(rig.run_op(read_op(*file, 0, k4)));
  ASSERT_TRUE(rig.run_op(sync_op(*file)));
  EXPECT_FALSE(rig.run_op(read_op(*file, 2 * k4, k4)));
  const DiskStats& s = disk.stats();
  EXPECT_EQ(s.writes, 1U);
  EXPECT_EQ(s.bytes_written, 2 * k4);
  EXPECT_EQ(s.reads, 2U);
  EXPECT_EQ(s.syncs, 1U);
  EXPECT_EQ(s.in_flight, 0U);
  EXPECT_TRUE(disk.present());
  EXPECT_GT(disk.space()->total_bytes, disk.space()->free_bytes / 2);
}

/// Many coroutines at once, each with its own region: more ops than any queue holds.
Task<> hammer(IoBackend& backend, File& file, std::uint64_t lane, unsigned rounds) {
  for (unsigned round = 0; round < rounds; ++round) {
    const char c = static_cast<char>('a' + (lane + round) % 26);
    std::vector<IoOp> ops;
    for (std::uint64_t i = 0; i < 4; ++i) {
      ops.push_back(write_op(file, (lane * 4 + i) * k4, filled(k4, c), i == 0));
    }
    co_await run(backend, ops);
    for (const IoOp& op : ops) {
      CO_TRYV(op.result);
    }
    IoOp in = read_op(file, lane * 4 * k4, 4 * k4);
    co_await run(backend, {&in, 1});
    CO_TRYV(in.result);
    if (!all_are(in.buffer.view(), c)) {
      co_return fail(Errc::corrupt, "lane " + std::to_string(lane));
    }
  }
  co_return ok();
}

TEST_P(DiskTest, thousands_of_ops_at_once) {
  constexpr std::uint64_t kLanes = 400;
  ASSERT_TRUE(disk.prewrite("big", kLanes * 4 * k4));
  const auto file = std::move(*disk.open("big", Access::read_write, Cache::direct));
  auto body = [&]() -> Task<> {
    TaskGroup group(rig.io.get_executor());
    for (std::uint64_t lane = 0; lane < kLanes; ++lane) {
      group.spawn(hammer(*rig.backend, *file, lane, 3));
    }
    co_return co_await group.join();
  };
  const auto result = run_on(rig.io, body());
  EXPECT_TRUE(result) << result.error().describe();
  EXPECT_EQ(disk.stats().in_flight, 0U);
}

TEST_P(DiskTest, destroying_a_busy_back_end_is_safe) {
  const auto file = create("a");
  std::vector<IoOp> ops;
  for (int i = 0; i < 64; ++i) {
    ops.push_back(write_op(*file, static_cast<std::uint64_t>(i) * k4, filled(k4, 'x'), true));
  }
  bool called = false;
  rig.backend->submit(ops, [&] { called = true; });
  rig.io.poll_one();
  rig.backend.reset();
  rig.io.restart();
  rig.io.run();
  EXPECT_FALSE(called);
}

INSTANTIATE_TEST_SUITE_P(Backends,
                         DiskTest,
                         ::testing::Values(Kind::uring, Kind::threads, Kind::sim, Kind::faulty),
                         [](const auto& p) {
                           return std::string(std::array{"uring", "threads", "sim",
                                                         "faulty"}[static_cast<int>(p.param)]);
                         });

}  // namespace
}  // namespace outcrop::io
