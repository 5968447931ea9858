// What only the ring has: its ways of handing over completions, a full queue, registered buffers,
// and a kernel that refuses it.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

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
