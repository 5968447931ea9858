// What only a real directory has: it can be renamed or replaced, and lie where O_DIRECT is missing.
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "storage/io/guarded_disk.h"
#include "tests/unit/storage/io/rig.h"

namespace outcrop::io {
namespace {

namespace fs = std::filesystem;

TEST(PosixDisk, a_renamed_directory_is_noticed_by_present_only) {
  TempDir dir;
  const std::string path = dir.path() + "/drive";
  fs::create_directory(path);
  const auto disk = std::move(*open_posix_disk(path));
  ASSERT_TRUE(disk->open("a", Access::create, Cache::direct));
  EXPECT_TRUE(disk->present());
  fs::rename(path, dir.path() + "/elsewhere");
  EXPECT_FALSE(disk->present());
  EXPECT_TRUE(*disk->exists("a"));
  fs::create_directory(path);
  EXPECT_FALSE(disk->present()) << "another directory took its place";
  EXPECT_TRUE(*disk->exists("a"));
  fs::remove(path);
  fs::rename(dir.path() + "/elsewhere", path);
  EXPECT_TRUE(disk->present());
  fs::remove_all(path);
  EXPECT_FALSE(disk->present());
  EXPECT_FALSE(disk->open("b", Access::create, Cache::direct));
}

TEST(PosixDisk, what_is_no_directory_is_not_opened) {
  TempDir dir;
  EXPECT_EQ(code_of(open_posix_disk(dir.path() + "/none")), Errc::not_found);
  std::ofstream(dir.path() + "/file") << "x";
  EXPECT_FALSE(open_posix_disk(dir.path() + "/file"));
}

TEST(PosixDisk, links_in_the_drive_are_not_followed) {
  TempDir dir;
  TempDir outside;
  std::ofstream(outside.path() + "/precious") << "x";
  const auto disk = std::move(*open_posix_disk(dir.path()));
  fs::create_symlink(outside.path() + "/precious", dir.path() + "/file");
  EXPECT_FALSE(disk->open("file", Access::read_write, Cache::buffered));
  fs::create_directory_symlink(outside.path(), dir.path() + "/tree");
  EXPECT_TRUE(disk->remove_tree("tree"));
  EXPECT_TRUE(fs::exists(outside.path() + "/precious"));
}

TEST(PosixDisk, native_path_and_ids) {
  TempDir dir;
  const auto disk = std::move(*open_posix_disk(dir.path()));
  EXPECT_EQ(disk->name(), dir.path());
  EXPECT_TRUE(fs::path(disk->native_path("a/b")).is_absolute());
  EXPECT_EQ(disk->filesystem_id(), disk->parent_filesystem_id());
}

TEST(PosixDisk, a_second_process_cannot_lock) {
  TempDir dir;
  const auto disk = std::move(*open_posix_disk(dir.path()));
  ASSERT_TRUE(disk->lock());
  const pid_t child = ::fork();
  if (child == 0) {
    const auto again = open_plain_disk(dir.path());  // a forked child must not start threads
    const auto locked = again ? (*again)->lock() : Result<void>{};
    std::_Exit(!locked && locked.error().code() == Errc::already_exists ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(PosixDisk, works_on_tmpfs) {
  if (!fs::is_directory("/dev/shm") || ::access("/dev/shm", W_OK) != 0) {
    GTEST_SKIP() << "no tmpfs here";
  }
  TempDir dir("/dev/shm");
  for (const BackendKind kind : {BackendKind::automatic, BackendKind::threads}) {
    Rig rig(Kind::sim);
    const auto disk = std::move(*open_posix_disk(dir.path()));
    rig.backend.reset();
    rig.backend = std::move(*make_backend(kind, rig.io));
    ASSERT_TRUE(disk->prewrite("f", 1 << 20));
    const auto file = std::move(*disk->open("f", Access::read_write, Cache::direct));
    ASSERT_TRUE(rig.run_op(write_op(*file, 8192, filled(8192, 'x'), true)));
    IoOp in = read_op(*file, 4096, 12288);
    rig.run_ops({&in, 1});
    EXPECT_TRUE(in.result && all_are(in.buffer.view().subspan(4096), 'x'));
    EXPECT_EQ(code_of(rig.run_op(read_op(*file, 1 << 20, 4096))), Errc::corrupt);
  }
}

TEST(PosixDisk, without_o_direct_it_falls_back_and_says_so_once) {
  const auto disk = std::move(*open_posix_disk("/proc/self"));  // procfs has no O_DIRECT
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 2; ++i) {
    const auto file = std::move(*disk->open("comm", Access::read, Cache::direct));
    EXPECT_FALSE(file->direct());
    std::array<std::byte, 3> unaligned;
    EXPECT_EQ(*file->read_sync(1, unaligned), 3U);
  }
  const std::string said = ::testing::internal::GetCapturedStderr();
  const std::size_t first = said.find("no O_DIRECT");
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(said.find("no O_DIRECT", first + 1), std::string::npos);
}

TEST(PosixDisk, a_full_drive_is_no_space_and_other_refusals_are_io_errors) {
  for (const BackendKind kind : {BackendKind::automatic, BackendKind::threads}) {
    Rig rig(Kind::sim);
    rig.backend.reset();
    rig.backend = std::move(*make_backend(kind, rig.io));
    const auto devices = std::move(*open_posix_disk("/dev"));
    auto full = devices->open("full", Access::read_write, Cache::buffered);
    if (!full) {
      GTEST_SKIP() << "no /dev/full here";
    }
    EXPECT_EQ(code_of(rig.run_op(write_op(**full, 0, filled(4096, 'x')))), Errc::no_space);
    EXPECT_EQ(code_of((*full)->write_sync(0, as_bytes("x"))), Errc::no_space);
    EXPECT_EQ(devices->stats().errors, 2U);
    TempDir dir;
    const auto disk = std::move(*open_posix_disk(dir.path()));
    ASSERT_TRUE(disk->prewrite("f", 4096));
    const auto read_only = std::move(*disk->open("f", Access::read, Cache::buffered));
    const auto refused = rig.run_op(write_op(*read_only, 0, filled(4096, 'x')));
    EXPECT_EQ(code_of(refused), Errc::io_error);
    EXPECT_EQ(refused.error().sys_errno(), EBADF);
  }
}

}  // namespace
}  // namespace outcrop::io
