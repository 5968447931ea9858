// The recovery file: what comes back after a restart, a torn tail, damage, and failures to write.
#include "api/nfs/v4state/recovery_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "tests/unit/api/nfs/v4state/support.h"

namespace outcrop::nfs::test {
namespace {

namespace fs = std::filesystem;

RecoveryRecord record(int n, std::size_t owner_bytes = 4) {
  std::string owner = std::to_string(n);
  owner.resize(owner_bytes, '.');
  return {.sessions = n % 2 == 0, .owner = owner, .principal = principal(static_cast<unsigned>(n))};
}

struct RecoveryFile : ::testing::Test {
  RecoveryFile() { fs::create_directories(directory); }
  ~RecoveryFile() override { fs::remove_all(directory); }

  static std::vector<RecoveryRecord> load(FileRecoveryStore& store) {
    auto records = run_sync(store.load());
    EXPECT_TRUE(records);
    return records ? *records : std::vector<RecoveryRecord>{};
  }
  std::vector<RecoveryRecord> reload() {
    FileRecoveryStore store(path, pool);
    return load(store);
  }
  static Result<void> apply(FileRecoveryStore& store, std::vector<RecoveryChange> changes) {
    return run_sync(store.apply(std::move(changes)));
  }
  std::string text() const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(std::string_view bytes) const { std::ofstream(path, std::ios::binary) << bytes; }

  const fs::path directory =
      fs::temp_directory_path() / ("outcrop_recovery_" + std::to_string(::getpid()));
  const fs::path path = directory / "nfs-clients";
  BlockingPool pool{0};
};

TEST_F(RecoveryFile, KeepsWhatWasPutAndNotErased) {
  {
    FileRecoveryStore store(path, pool);
    EXPECT_TRUE(load(store).empty());
    ASSERT_TRUE(apply(store, {{false, record(1)}, {false, record(2)}, {false, record(3)}}));
    ASSERT_TRUE(apply(store, {{true, record(2)}, {true, record(9)}}));
    RecoveryRecord other = record(3);
    other.principal.uid = 77;
    ASSERT_TRUE(apply(store, {{false, other}}));
  }
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  for (int round = 0; round < 2; ++round) {
    const auto records = reload();
    ASSERT_EQ(records.size(), 2u);
    EXPECT_EQ(records[0], record(1));
    EXPECT_EQ(records[1].principal.uid, 77u);
  }
}

TEST_F(RecoveryFile, EveryTornTailLosesOnlyTheLastWrite) {
  {
    FileRecoveryStore store(path, pool);
    load(store);
    ASSERT_TRUE(apply(store, {{false, record(1)}}));
  }
  const std::string before = text();
  {
    FileRecoveryStore store(path, pool);
    load(store);
    ASSERT_TRUE(apply(store, {{false, record(2)}}));
  }
  const std::string whole = text();
  for (std::size_t n = before.size(); n < whole.size(); ++n) {
    write(std::string_view(whole).substr(0, n));
    EXPECT_EQ(reload().size(), 1u) << n;
    EXPECT_EQ(text(), before);
  }
  std::string garbled = whole;
  garbled.back() ^= 1;
  write(garbled);
  EXPECT_EQ(reload().size(), 1u);
  write(before + std::string(4096, '\0'));
  EXPECT_EQ(reload().size(), 1u);
  EXPECT_FALSE(fs::exists(path.string() + ".damaged"));
}

TEST_F(RecoveryFile, DamageElsewhereIsPutAside) {
  {
    FileRecoveryStore store(path, pool);
    load(store);
    ASSERT_TRUE(apply(store, {{false, record(1)}, {false, record(2)}}));
  }
  const std::string whole = text();
  const std::size_t entry = (whole.size() - 8) / 2;
  for (std::size_t at = 0; at < 8 + entry; at += 3) {
    std::string damaged = whole;
    damaged[at] ^= 0x20;
    write(damaged);
    fs::remove(path.string() + ".damaged");
    EXPECT_TRUE(reload().empty()) << at;
    EXPECT_TRUE(fs::exists(path.string() + ".damaged")) << at;
    EXPECT_TRUE(reload().empty());
  }
  write("something else");
  EXPECT_TRUE(reload().empty());
}

TEST_F(RecoveryFile, IsRewrittenWhenMostOfItIsOutdated) {
  FileRecoveryStore store(path, pool);
  load(store);
  ASSERT_TRUE(apply(store, {{false, record(1)}}));
  std::uint64_t most = 0;
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(apply(store, {{false, record(2, kMaxOwnerBytes)}}));
    ASSERT_TRUE(apply(store, {{true, record(2, kMaxOwnerBytes)}}));
    most = std::max(most, store.file_bytes());
    ASSERT_EQ(fs::file_size(path), store.file_bytes());
  }
  EXPECT_LT(most, 80u << 10);
  EXPECT_GT(most, 60u << 10);
  EXPECT_EQ(reload().size(), 1u);
}

TEST_F(RecoveryFile, AFailureIsToldAndMadeUpFor) {
  FileRecoveryStore store(path, pool);
  load(store);
  ASSERT_TRUE(apply(store, {{false, record(1)}}));
  // More than fits: the next write rewrites, and the directory is not there.
  const fs::path away = directory.string() + ".away";
  fs::rename(directory, away);
  std::vector<RecoveryChange> many;
  for (int i = 0; i < 100; ++i) {
    many.push_back({false, record(2, kMaxOwnerBytes)});
  }
  EXPECT_FALSE(apply(store, many));
  EXPECT_FALSE(apply(store, {{false, record(3)}}));
  fs::rename(away, directory);
  ASSERT_TRUE(apply(store, {{false, record(3)}}));
  EXPECT_EQ(reload().size(), 3u);
}

TEST_F(RecoveryFile, CarriesAServerOverARestart) {
  ManualClock clock;
  SystemRandom random;
  FileRecoveryStore store(path, pool);
  {
    StateManager manager({}, clock, random, store);
    ASSERT_TRUE(run_sync(manager.start()));
    EXPECT_FALSE(manager.in_grace());
    const auto made = manager.set_client_id({.owner = "c"}, principal(0));
    ASSERT_EQ(manager.confirm_client_id(made->client, made->confirm, principal(0)), Status::ok);
    const StateContext context{.client = *manager.find_client(made->client), .minor = 0};
    ASSERT_TRUE(wait_for(manager.open(context, {.owner = "o", .file = file(1), .access = 1})));
  }
  FileRecoveryStore again(path, pool);
  StateManager manager({}, clock, random, again);
  ASSERT_TRUE(run_sync(manager.start()));
  EXPECT_TRUE(manager.in_grace());
}

}  // namespace
}  // namespace outcrop::nfs::test
