// RocksDB without its log on our drives: what was flushed is there after any crash.
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <stdlib.h>

#include <filesystem>

#include "storage/io/sim_disk.h"
#include "storage/kvfs/disk_env.h"

namespace outcrop::kvfs {
namespace {

using rocksdb::Status;

/// A database as the metadata mirrors use it.
class Store {
 public:
  explicit Store(io::Disk& disk) : x_env(make_disk_env(disk)) {
    rocksdb::Options options;
    options.env = x_env.get();
    options.create_if_missing = true;
    options.atomic_flush = true;
    options.paranoid_checks = true;
    options.avoid_flush_during_shutdown = true;
    options.max_bgerror_resume_count = 0;
    options.stats_dump_period_sec = 0;
    options.stats_persist_period_sec = 0;
    options.level0_file_num_compaction_trigger = 3;
    rocksdb::DB* db = nullptr;
    status = rocksdb::DB::Open(options, "kv", &db);
    x_db.reset(db);
  }

  /// `count` keys of one generation, then a flush.
  Status write(int generation, int count) {
    rocksdb::WriteOptions no_log;
    no_log.disableWAL = true;
    for (int i = 0; i < count; ++i) {
      const Status s = x_db->Put(no_log, key(generation, i), value(generation));
      if (!s.ok()) {
        return s;
      }
    }
    return x_db->Flush({});
  }
  int missing(int generation, int count) {
    int missed = 0;
    for (int i = 0; i < count; ++i) {
      std::string found;
      const Status s = x_db->Get({}, key(generation, i), &found);
      missed += s.ok() && found == value(generation) ? 0 : 1;
    }
    return missed;
  }
  rocksdb::DB& db() { return *x_db; }

  Status status;

 private:
  static std::string key(int generation, int i) {
    return std::to_string(generation) + "/" + std::to_string(i);
  }
  static std::string value(int generation) {
    return std::string(200, static_cast<char>('a' + generation));
  }

  std::unique_ptr<rocksdb::Env> x_env;
  std::unique_ptr<rocksdb::DB> x_db;
};

constexpr int kKeys = 40;

TEST(DiskEnv, a_database_lives_on_a_simulated_drive) {
  io::SimWorld world(1);
  const auto disk = std::move(*world.open_disk(0));
  {
    Store store(*disk);
    ASSERT_TRUE(store.status.ok()) << store.status.ToString();
    ASSERT_TRUE(store.write(0, kKeys).ok());
  }
  Store again(*disk);
  ASSERT_TRUE(again.status.ok()) << again.status.ToString();
  EXPECT_EQ(again.missing(0, kKeys), 0);
}

TEST(DiskEnv, a_database_lives_in_a_directory) {
  std::string path = ::testing::TempDir() + "outcrop-kvfs-XXXXXX";
  ASSERT_NE(::mkdtemp(path.data()), nullptr);
  {
    const auto disk = std::move(*io::open_posix_disk(path));
    for (int generation = 0; generation < 5; ++generation) {
      Store store(*disk);
      ASSERT_TRUE(store.status.ok()) << store.status.ToString();
      ASSERT_TRUE(store.write(generation, kKeys).ok());
      for (int g = 0; g <= generation; ++g) {
        EXPECT_EQ(store.missing(g, kKeys), 0);
      }
    }
    EXPECT_TRUE(std::filesystem::exists(disk->native_path("kv/CURRENT")));
    EXPECT_GT(disk->stats().syncs, 0U);
  }
  std::filesystem::remove_all(path);
}

/// Opens, writes two generations and compacts, until the power goes; returns what was acked.
int run_until_crash(io::SimWorld& world) {
  const auto disk = std::move(*world.open_disk(0));
  int acked = 0;
  Store store(*disk);
  if (store.status.ok()) {
    for (const int generation : {1, 2}) {
      if (!store.write(generation, kKeys).ok()) {
        break;
      }
      acked = generation;
    }
    static_cast<void>(store.db().CompactRange({}, nullptr, nullptr).ok());
  }
  return acked;
}

/// Missing keys of acknowledged flushes and stores that do not open, over every crash point.
int losses(const std::function<bool(const io::SimStepInfo&)>& skip_sync, std::uint64_t stride) {
  io::SimWorld base(1);
  {
    const auto disk = std::move(*base.open_disk(0));
    Store store(*disk);
    OUTCROP_ASSERT(store.status.ok() && store.write(0, kKeys).ok());
  }
  int lost = 0;
  bool finished = false;
  for (std::uint64_t n = 1; !finished; n += stride) {
    for (const auto mode : {io::CrashMode::before, io::CrashMode::after, io::CrashMode::torn}) {
      io::SimWorld world = base.clone(n);
      world.skip_sync(skip_sync);
      world.crash_at(n, mode);
      const int acked = run_until_crash(world);
      finished = !world.crashed();
      world.reboot(n);
      const auto disk = std::move(*world.open_disk(0));
      Store store(*disk);
      if (!store.status.ok()) {
        ++lost;
        continue;
      }
      for (int g = 0; g <= acked; ++g) {
        lost += store.missing(g, kKeys);
      }
    }
  }
  return lost;
}

TEST(DiskEnv, flushed_data_survives_a_crash_at_every_step) { EXPECT_EQ(losses(nullptr, 1), 0); }

TEST(DiskEnv, its_twin_without_syncs_loses_data) {
  EXPECT_GT(losses([](const io::SimStepInfo& s) { return s.step == io::SimStep::sync; }, 7), 0);
}

TEST(DiskEnv, errors_keep_their_kind) {
  io::SimWorld world(1);
  const auto disk = std::move(*world.open_disk(0));
  Store store(*disk);
  ASSERT_TRUE(store.status.ok());
  world.add_error({.path_part = ".sst", .error = Errc::no_space});
  const Status s = store.write(0, kKeys);
  EXPECT_TRUE(s.IsNoSpace()) << s.ToString();
}

TEST(DiskEnv, files_and_directories) {
  io::SimWorld world(1);
  const auto disk = std::move(*world.open_disk(0));
  const auto env = make_disk_env(*disk);
  EXPECT_TRUE(env->CreateDir("/d").ok());
  EXPECT_FALSE(env->CreateDir("d/").ok());
  EXPECT_TRUE(env->CreateDirIfMissing("//d").ok());
  EXPECT_TRUE(rocksdb::WriteStringToFile(env.get(), "hello", "d/f", true).ok());
  std::uint64_t size = 0;
  EXPECT_TRUE(env->GetFileSize("d/f", &size).ok());
  EXPECT_EQ(size, 5U);
  std::string text;
  EXPECT_TRUE(rocksdb::ReadFileToString(env.get(), "/d/f", &text).ok());
  EXPECT_EQ(text, "hello");
  EXPECT_TRUE(rocksdb::WriteStringToFile(env.get(), "x", "d/f").ok()) << "truncates";
  EXPECT_TRUE(rocksdb::ReadFileToString(env.get(), "d/f", &text).ok());
  EXPECT_EQ(text, "x");
  EXPECT_TRUE(env->Truncate("d/f", 0).ok());
  EXPECT_TRUE(env->FileExists("d/g").IsNotFound());
  EXPECT_TRUE(env->DeleteFile("d/g").IsPathNotFound());
  EXPECT_TRUE(env->RenameFile("d/f", "d/g").ok());
  bool is_dir = false;
  EXPECT_TRUE(env->IsDirectory("d", &is_dir).ok() && is_dir);
  EXPECT_TRUE(env->IsDirectory("d/g", &is_dir).ok() && !is_dir);
  std::vector<std::string> names;
  EXPECT_TRUE(env->GetChildren("d", &names).ok());
  EXPECT_EQ(names, std::vector<std::string>{"g"});
  EXPECT_FALSE(env->DeleteDir("d").ok());
  EXPECT_TRUE(env->DeleteFile("d/g").ok());
  EXPECT_TRUE(env->DeleteDir("d").ok());
  rocksdb::FileLock* lock = nullptr;
  rocksdb::FileLock* second = nullptr;
  ASSERT_TRUE(env->LockFile("LOCK", &lock).ok());
  EXPECT_FALSE(env->LockFile("/LOCK", &second).ok());
  EXPECT_TRUE(env->UnlockFile(lock).ok());
}

}  // namespace
}  // namespace outcrop::kvfs
