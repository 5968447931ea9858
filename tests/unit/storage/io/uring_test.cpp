// What only the ring has: its ways of handing over completions, a full queue, registered buffers,
// and a kernel that refuses it.
#include <errno.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/storage/io/rig.h"

namespace outcrop::io {
namespace {

constexpr std::size_t k4 = 4096;

/// The pool as outcropd has it, before any test makes a Buffer.
const bool g_pool_configured = (configure_buffer_pool(std::size_t{64} << 20), true);

struct RingRig {
  explicit RingRig(UringOptions options) {
    disk = std::move(*open_posix_disk(dir.path()));
    OUTCROP_ASSERT(disk->prewrite("f", 16 << 20));
    file = std::move(*disk->open("f", Access::read_write, Cache::direct));
    auto made = make_uring_backend(io, options);
    if (made) {
      backend = std::move(*made);
    }
  }
  Result<void> run_ops(std::vector<IoOp>& ops) {
    auto body = [](IoBackend& b, std::span<IoOp> o) -> Task<> {
      co_await run(b, o);
      for (const IoOp& op : o) {
        CO_TRYV(op.result);
      }
      co_return ok();
    };
    return run_on(io, body(*backend, ops));
  }

  TempDir dir;
  asio::io_context io{1};
  std::unique_ptr<Disk> disk;
  std::unique_ptr<File> file;
  std::unique_ptr<UringBackend> backend;
};

class RingModes : public ::testing::TestWithParam<RingMode> {};

TEST_P(RingModes, a_full_ring_queues_and_drops_nothing) {
  RingRig rig({.entries = 8, .mode = GetParam()});
  if (!rig.backend) {
    GTEST_SKIP() << "this kernel has no such ring";
  }
  std::vector<IoOp> ops;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    ops.push_back(write_op(*rig.file, i * k4, filled(k4, static_cast<char>('a' + i % 26))));
  }
  ASSERT_TRUE(rig.run_ops(ops));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    ops[i] = read_op(*rig.file, i * k4, k4);
  }
  ASSERT_TRUE(rig.run_ops(ops));
  for (std::uint64_t i = 0; i < 1000; ++i) {
    ASSERT_TRUE(all_are(ops[i].buffer.view(), static_cast<char>('a' + i % 26))) << i;
  }
  EXPECT_EQ(rig.backend->counters().most_in_flight, 16U);
}

TEST_P(RingModes, an_idle_ring_lets_the_io_context_end) {
  RingRig rig({.mode = GetParam()});
  if (!rig.backend) {
    GTEST_SKIP() << "this kernel has no such ring";
  }
  std::vector<IoOp> ops{sync_op(*rig.file)};
  bool called = false;
  rig.backend->submit(ops, [&] { called = true; });
  rig.io.run();  // returns when there is nothing left to wait for
  EXPECT_TRUE(called && ops[0].result);
}

INSTANTIATE_TEST_SUITE_P(
    Modes,
    RingModes,
    ::testing::Values(RingMode::newest, RingMode::deferred, RingMode::cooperative, RingMode::plain),
    [](const auto& p) {
      return std::string(
          std::array{"newest", "deferred", "cooperative", "plain"}[static_cast<int>(p.param)]);
    });

TEST(Uring, pool_buffers_go_as_fixed_buffers) {
  RingRig rig({});
  if (!rig.backend) {
    GTEST_SKIP() << "io_uring is blocked here";
  }
  ASSERT_TRUE(g_pool_configured && buffer_pool_region().size >= std::size_t{64} << 20);
  std::vector<IoOp> ops{write_op(*rig.file, 0, filled(1 << 20, 'x'), true)};
  ASSERT_TRUE(rig.run_ops(ops));
  ops = {read_op(*rig.file, k4, k4)};
  ASSERT_TRUE(rig.run_ops(ops));
  EXPECT_TRUE(all_are(ops[0].buffer.view(), 'x'));
  EXPECT_EQ(rig.backend->counters().fixed_transfers, 2U);
  // Larger than any pooled block: outside the region, still transferred.
  ops = {write_op(*rig.file, 0, filled(4 << 20, 'z'))};
  ASSERT_TRUE(rig.run_ops(ops));
  EXPECT_EQ(rig.backend->counters().fixed_transfers, 2U);
  EXPECT_EQ(rig.backend->counters().plain_transfers, 1U);
}

TEST(Uring, ops_of_one_turn_are_submitted_together) {
  RingRig rig({});
  if (!rig.backend) {
    GTEST_SKIP() << "io_uring is blocked here";
  }
  std::vector<IoOp> ops;
  for (std::uint64_t i = 0; i < 100; ++i) {
    ops.push_back(write_op(*rig.file, i * k4, filled(k4, 'x')));
  }
  int left = 100;
  for (IoOp& op : ops) {
    rig.backend->submit({&op, 1}, [&left] { --left; });
  }
  rig.io.run();
  EXPECT_EQ(left, 0);
  EXPECT_EQ(rig.backend->counters().enters, 1U);
}

TEST(Uring, buffers_are_held_until_the_completion) {
  RingRig rig({});
  if (!rig.backend) {
    GTEST_SKIP() << "io_uring is blocked here";
  }
  const std::size_t before = buffer_bytes_in_use();
  std::vector<IoOp> ops{write_op(*rig.file, 0, filled(1 << 20, 'x'))};
  bool called = false;
  rig.backend->submit(ops, [&] { called = true; });
  ops[0].buffer = {};  // the caller's share goes; the kernel's stays
  EXPECT_GE(buffer_bytes_in_use(), before + (1 << 20));
  rig.io.run();
  EXPECT_TRUE(called && ops[0].result);
  EXPECT_EQ(buffer_bytes_in_use(), before);
}

/// As many of a drive that hangs as it has places, then one more, then more than the ring has.
TEST(Uring, a_drive_that_hangs_leaves_places_to_the_others) {
  constexpr std::size_t kPlaces = 128, kRing = 256;
  RingRig rig({.entries = kRing / 2});
  if (!rig.backend) {
    GTEST_SKIP() << "io_uring is blocked here";
  }
  TempDir dir;
  const auto disk = std::move(*open_posix_disk(dir.path()));
  const auto event = std::make_shared<int>(::eventfd(0, EFD_CLOEXEC));
  FakeFile hung(*disk, event);
  std::vector<IoOp> hanging(kRing + 1);
  std::size_t submitted = 0;
  bool ended = false;
  for (const std::size_t upto : {kPlaces, kPlaces + 1, kRing + 1}) {
    const std::size_t first = std::exchange(submitted, upto);
    for (std::size_t i = first; i < upto; ++i) {
      hanging[i] = read_op(hung, 0, sizeof(std::uint64_t));
    }
    rig.backend->submit(std::span(hanging).subspan(first, upto - first), [&] { ended = true; });
    rig.io.restart();
    rig.io.poll();
    EXPECT_EQ(rig.backend->counters().most_in_flight, kPlaces) << upto;
  }

  std::vector<IoOp> other{read_op(*rig.file, 0, k4)};
  bool done = false;
  rig.backend->submit(other, [&] { done = true; });
  const auto hangs = [&] {
    return disk->health()->hung(std::chrono::steady_clock::now().time_since_epoch().count());
  };
  while (!done && !hangs()) {
    rig.io.run_one();
  }
  EXPECT_TRUE(done && other[0].result) << "while the others hang";
  EXPECT_FALSE(ended);
  EXPECT_EQ(disk->stats().in_flight.load(), kRing + 1);
  disk->health()->give_up();
  while (disk->stats().in_flight.load() > 0 || !done) {
    rig.io.run_one();
  }
  EXPECT_TRUE(std::ranges::all_of(hanging, [](const IoOp& op) { return !op.result; }));
  ::close(*event);
}

/// The kernel tells its limits by the ring's descriptor.
TEST(Uring, the_kernel_may_have_threads_for_drives_that_hang) {
  RingRig rig({});
  if (!rig.backend) {
    GTEST_SKIP() << "io_uring is blocked here";
  }
  std::vector<IoOp> ops{sync_op(*rig.file)};
  ASSERT_TRUE(rig.run_ops(ops));
  int ring = -1;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;  // the descriptor of this iteration
    if (std::filesystem::read_symlink(entry.path(), gone) == "anon_inode:[io_uring]") {
      ring = std::stoi(entry.path().filename());
    }
  }
  ASSERT_GE(ring, 0);
  std::array<unsigned, 2> most{0, 0};  // that are asked for, and not changed
  if (::syscall(SYS_io_uring_register, ring, IORING_REGISTER_IOWQ_MAX_WORKERS, most.data(), 2) !=
      0) {
    GTEST_SKIP() << "this kernel cannot be told";
  }
  rlimit processes{};
  ASSERT_EQ(::getrlimit(RLIMIT_NPROC, &processes), 0);
  EXPECT_EQ(most[0], std::min<rlim_t>(1024, processes.rlim_cur));
}

/// In a child: io_uring_setup fails with EPERM, as under Docker's default profile.
void run_without_io_uring() {
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog program{std::size(code), code};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    std::_Exit(3);
  }
  asio::io_context io(1);
  const auto refused = make_backend(BackendKind::uring, io);
  const auto first = make_backend(BackendKind::automatic, io);
  const auto second = make_backend(BackendKind::automatic, io);
  const bool good = !refused && refused.error().sys_errno() == EPERM && first && second &&
                    (*first)->name() == "threads" && (*second)->name() == "threads";
  std::_Exit(good ? 0 : 1);
}

TEST(UringDeathTest, blocked_io_uring_falls_back_to_threads) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(run_without_io_uring(), ::testing::ExitedWithCode(0), "io_uring is not available");
}

}  // namespace
}  // namespace outcrop::io
