// The simulated drives: what a power cut keeps, every crash mode, faults, clones.
#include "tests/unit/storage/io/rig.h"

namespace outcrop::io {
namespace {

constexpr std::size_t k4 = 4096;
constexpr std::size_t kSector = 512;

std::string slurp(Disk& disk, std::string_view path) {
  auto file = disk.open(path, Access::read, Cache::buffered);
  if (!file) {
    return "<" + std::string(to_string(file.error().code())) + ">";
  }
  std::string text(*(*file)->size(), '?');
  const auto got = (*file)->read_sync(0, {reinterpret_cast<std::byte*>(text.data()), text.size()});
  OUTCROP_ASSERT(got && *got == text.size());
  return text;
}

void put(Disk& disk, std::string_view path, std::string_view text) {
  const auto file = std::move(*disk.open(path, Access::create, Cache::buffered));
  OUTCROP_ASSERT(file->write_sync(0, as_bytes(text)));
  OUTCROP_ASSERT(file->sync());
  OUTCROP_ASSERT(disk.sync_dir(""));
}

/// Contents of `path` over many power cuts of the same world.
std::map<std::string, int> outcomes(const SimWorld& world, std::string_view path) {
  std::map<std::string, int> seen;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SimWorld w = world.clone(seed);
    w.reboot(seed);
    ++seen[slurp(**w.open_disk(0), path)];
  }
  return seen;
}

TEST(SimDisk, synced_data_survives_and_unsynced_may_not) {
  SimWorld world(1);
  const auto disk = std::move(*world.open_disk(0));
  put(*disk, "f", std::string(4 * kSector, 'a'));
  const auto file = std::move(*disk->open("f", Access::read_write, Cache::buffered));
  EXPECT_EQ(outcomes(world, "f").size(), 1U);
  ASSERT_TRUE(file->write_sync(0, as_bytes(std::string(4 * kSector, 'b'))));
  const auto unsynced = outcomes(world, "f");
  EXPECT_TRUE(unsynced.contains(std::string(4 * kSector, 'a')));
  EXPECT_TRUE(unsynced.contains(std::string(4 * kSector, 'b')));
  EXPECT_EQ(unsynced.size(), 16U) << "each of four sectors kept or dropped";
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(outcomes(world, "f"),
            (std::map<std::string, int>{{std::string(4 * kSector, 'b'), 200}}));
}

TEST(SimDisk, a_durable_write_makes_its_own_sectors_durable_and_no_others) {
  SimWorld world(1);
  const auto disk = std::move(*world.open_disk(0));
  put(*disk, "f", std::string(2 * k4, 'a'));
  const auto file = std::move(*disk->open("f", Access::read_write, Cache::direct));
  asio::io_context io(1);
  const auto backend = world.make_backend(io);
  std::vector<IoOp> ops{write_op(*file, 0, filled(k4, 'v')),
                        write_op(*file, k4, filled(k4, 'd'), true)};
  backend->submit(ops, [] {});
  io.run();
  ASSERT_TRUE(ops[0].result && ops[1].result);
  int lost = 0;
  for (const auto& [text, count] : outcomes(world, "f")) {
    EXPECT_EQ(text.substr(k4), std::string(k4, 'd'));
    lost += text.substr(0, k4) != std::string(k4, 'v') ? count : 0;
  }
  EXPECT_GT(lost, 0);
}

TEST(SimDisk, a_growing_file_may_keep_its_size_without_its_data) {
  SimWorld world(1);
  const auto disk = std::move(*world.open_disk(0));
  put(*disk, "f", "");
  const auto file = std::move(*disk->open("f", Access::read_write, Cache::buffered));
  ASSERT_TRUE(file->write_sync(0, as_bytes(std::string(kSector, 'x'))));
  const auto seen = outcomes(world, "f");
  EXPECT_TRUE(seen.contains(""));
  EXPECT_TRUE(seen.contains(std::string(kSector, '\0')));
  EXPECT_TRUE(seen.contains(std::string(kSector, 'x')));
}

TEST(SimDisk, truncation_is_lost_or_kept_as_a_whole) {
  SimWorld world(1);
  const auto disk = std::move(*world.open_disk(0));
  put(*disk, "f", std::string(3 * k4, 'a'));
  const auto file = std::move(*disk->open("f", Access::read_write, Cache::buffered));
  ASSERT_TRUE(file->truncate(0));
  EXPECT_EQ(slurp(*disk, "f"), "");
  const auto seen = outcomes(world, "f");
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_TRUE(seen.contains("") && seen.contains(std::string(3 * k4, 'a')));
}

TEST(SimDisk, directory_changes_are_lost_without_sync_dir_and_in_order) {
  SimWorld world(1);
  const auto disk = std::move(*world.open_disk(0));
  for (const std::string name : {"a", "b", "c"}) {
    const auto file = std::move(*disk->open(name, Access::create, Cache::buffered));
    ASSERT_TRUE(file->sync());
  }
  std::set<std::vector<std::string>> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SimWorld w = world.clone(seed);
    w.reboot(seed);
    seen.insert(*(*w.open_disk(0))->list(""));
  }
  EXPECT_EQ(seen, (std::set<std::vector<std::string>>{{}, {"a"}, {"a", "b"}, {"a", "b", "c"}}));
  ASSERT_TRUE(disk->sync_dir(""));
  world.reboot(5);
  EXPECT_EQ((*world.open_disk(0))->list("")->size(), 3U);
}

TEST(SimDisk, rename_across_directories_shows_the_file_once_at_every_crash) {
  SimWorld base(1);
  {
    const auto disk = std::move(*base.open_disk(0));
    ASSERT_TRUE(disk->make_dir("d"));
    put(*disk, "f", "text");
  }
  for (const CrashMode mode : {CrashMode::before, CrashMode::after, CrashMode::torn}) {
    for (std::uint64_t n = 1; n <= 3; ++n) {
      for (std::uint64_t seed = 0; seed < 20; ++seed) {
        SimWorld world = base.clone(seed);
        world.crash_at(n, mode);
        EXPECT_FALSE((*world.open_disk(0))->rename("f", "d/g"));
        EXPECT_TRUE(world.crashed());
        world.reboot(seed);
        const auto disk = std::move(*world.open_disk(0));
        EXPECT_NE(*disk->exists("f"), *disk->exists("d/g"));
      }
    }
  }
}

/// Old or new, never a mix, at every crash point and mode: write beside, sync, rename.
void replace(Disk& disk, std::string_view text) {
  auto file = disk.open("tmp", Access::create, Cache::buffered);
  if (file && (*file)->write_sync(0, as_bytes(text)) && (*file)->sync()) {
    static_cast<void>(disk.rename("tmp", "f").has_value());
  }
}

int torn_replacements(bool skip_file_sync) {
  const std::string before(3 * kSector, 'a');
  const std::string after(3 * kSector, 'b');
  SimWorld base(1);
  put(**base.open_disk(0), "f", before);
  int bad = 0;
  for (const CrashMode mode : {CrashMode::before, CrashMode::after, CrashMode::torn}) {
    for (std::uint64_t n = 1; n < 10; ++n) {
      for (std::uint64_t seed = 1; seed < 10; ++seed) {
        SimWorld world = base.clone(seed);
        if (skip_file_sync) {
          world.skip_sync([](const SimStepInfo& s) { return s.step == SimStep::sync; });
        }
        world.crash_at(n, mode);
        replace(**world.open_disk(0), after);
        const bool finished = !world.crashed();
        world.reboot(seed);
        const std::string found = slurp(**world.open_disk(0), "f");
        bad += found != after && (finished || found != before) ? 1 : 0;
      }
    }
  }
  return bad;
}

TEST(SimDisk, atomic_replacement_holds_and_its_twin_without_sync_fails) {
  EXPECT_EQ(torn_replacements(false), 0);
  EXPECT_GT(torn_replacements(true), 0);
}

TEST(SimDisk, crash_modes_at_a_durable_write) {
  SimWorld base(1);
  put(**base.open_disk(0), "f", std::string(k4, 'a'));
  const auto crash = [&](CrashMode mode, std::uint64_t seed) {
    SimWorld world = base.clone(seed);
    const auto disk = std::move(*world.open_disk(0));
    const auto file = std::move(*disk->open("f", Access::read_write, Cache::direct));
    asio::io_context io(1);
    const auto backend = world.make_backend(io);
    world.crash_at(1, mode);
    IoOp op = write_op(*file, 0, filled(k4, 'b'), true);
    backend->submit({&op, 1}, [] {});
    io.run();
    EXPECT_EQ(code_of(op.result), Errc::io_error);
    EXPECT_FALSE(file->sync());
    EXPECT_FALSE(disk->list(""));
    world.reboot(seed);
    EXPECT_FALSE(file->sync()) << "handles of the dead process stay dead";
    return slurp(**world.open_disk(0), "f");
  };
  std::set<std::string> torn;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    EXPECT_EQ(crash(CrashMode::before, seed), std::string(k4, 'a'));
    EXPECT_EQ(crash(CrashMode::after, seed), std::string(k4, 'b'));
    torn.insert(crash(CrashMode::torn, seed));
  }
  EXPECT_GT(torn.size(), 20U);
}

TEST(SimDisk, writes_in_flight_at_a_torn_crash_may_leave_sectors) {
  SimWorld base(1);
  put(**base.open_disk(0), "f", std::string(8 * k4, 'a'));
  int touched_beside = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    SimWorld world = base.clone(seed);
    const auto disk = std::move(*world.open_disk(0));
    const auto file = std::move(*disk->open("f", Access::read_write, Cache::direct));
    asio::io_context io(1);
    const auto backend = world.make_backend(io);
    std::vector<IoOp> ops;
    for (std::uint64_t i = 0; i < 8; ++i) {
      ops.push_back(write_op(*file, i * k4, filled(k4, 'b'), true));
    }
    world.crash_at(1, CrashMode::torn);
    bool called = false;
    backend->submit(ops, [&] { called = true; });
    io.run();
    EXPECT_TRUE(called) << "errors are delivered so that coroutines unwind";
    world.reboot(seed);
    const std::string text = slurp(**world.open_disk(0), "f");
    int pages = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      pages += text.substr(i * k4, k4) != std::string(k4, 'a') ? 1 : 0;
    }
    touched_beside += pages > 1 ? 1 : 0;
  }
  EXPECT_GT(touched_beside, 10);
}

TEST(SimDisk, errors_follow_their_rules) {
  SimWorld world(2);
  const auto disks = world.open_disks();
  ASSERT_EQ(disks.size(), 2U);
  for (const auto& disk : disks) {
    put(*disk, "journal-1", "x");
  }
  const auto file = std::move(*disks[0]->open("journal-1", Access::read_write, Cache::buffered));
  world.add_error({.drive = 0,
                   .step = SimStep::write,
                   .path_part = "journal",
                   .error = Errc::no_space,
                   .once = true});
  EXPECT_EQ(code_of(file->write_sync(0, as_bytes("y"))), Errc::no_space);
  EXPECT_TRUE(file->write_sync(0, as_bytes("y")));
  world.add_error({.drive = 0, .step = SimStep::sync, .skip = 1});
  EXPECT_TRUE(file->sync());
  EXPECT_EQ(code_of(file->sync()), Errc::io_error);
  EXPECT_EQ(code_of(file->sync()), Errc::io_error);
  EXPECT_TRUE(disks[1]->sync_dir(""));
  EXPECT_EQ(disks[0]->stats().errors, 3U);
  world.clear_errors();
  EXPECT_TRUE(file->sync());
}

TEST(SimDisk, a_removed_drive_fails_until_it_returns) {
  SimWorld world(2);
  const auto disk = std::move(*world.open_disk(1));
  put(*disk, "f", "x");
  world.remove_drive(1);
  EXPECT_FALSE(disk->present());
  EXPECT_FALSE(disk->list(""));
  EXPECT_EQ(world.open_disks().size(), 1U);
  world.restore_drive(1);
  EXPECT_TRUE(disk->present());
  EXPECT_EQ(slurp(*disk, "f"), "x");
  EXPECT_EQ(world.add_drive(), 2U);
  EXPECT_TRUE((*world.open_disk(2))->list("")->empty());
}

TEST(SimDisk, corruption_hits_cache_and_platter) {
  SimWorld world(1);
  const auto disk = std::move(*world.open_disk(0));
  put(*disk, "f", "abc");
  EXPECT_TRUE(world.corrupt(0, "f", 1, 1));
  EXPECT_EQ(slurp(*disk, "f"), std::string("a\x9d") + "c");
  world.reboot(1);
  EXPECT_EQ(slurp(**world.open_disk(0), "f"), std::string("a\x9d") + "c");
  EXPECT_FALSE(world.corrupt(0, "f", 3, 1));
  EXPECT_FALSE(world.corrupt(0, "g", 0, 1));
}

TEST(SimDisk, clones_are_worlds_of_their_own) {
  SimWorld world(1);
  const auto disk = std::move(*world.open_disk(0));
  put(*disk, "f", std::string(2 * k4, 'a'));
  ASSERT_TRUE(disk->lock());
  SimWorld copy = world.clone(1);
  EXPECT_EQ(copy.io_count(), 0U);
  const auto copied = std::move(*copy.open_disk(0));
  EXPECT_TRUE(copied->lock());
  const auto file = std::move(*copied->open("f", Access::read_write, Cache::buffered));
  ASSERT_TRUE(file->write_sync(0, as_bytes("b")));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(copied->remove_tree("lock"));
  EXPECT_EQ(slurp(*disk, "f"), std::string(2 * k4, 'a'));
  EXPECT_EQ(slurp(*copied, "f")[0], 'b');
  EXPECT_TRUE(*disk->exists("lock"));
}

TEST(SimDisk, the_same_seeds_give_the_same_world) {
  const auto run_once = [] {
    SimWorld world(1, 42);
    const auto disk = std::move(*world.open_disk(0));
    OUTCROP_ASSERT(disk->prewrite("f", 64 * k4));
    const auto file = std::move(*disk->open("f", Access::read_write, Cache::direct));
    asio::io_context io(1);
    const auto backend = world.make_backend(io);
    std::vector<IoOp> ops;
    for (std::uint64_t i = 0; i < 64; ++i) {
      ops.push_back(write_op(*file, i * k4, filled(k4, 'x'), i % 2 == 0));
    }
    world.crash_at(20, CrashMode::torn);
    backend->submit(ops, [] {});
    io.run();
    world.reboot(9);
    return slurp(**world.open_disk(0), "f");
  };
  EXPECT_EQ(run_once(), run_once());
}

TEST(SimDisk, prewrite_is_two_steps) {
  SimWorld world(1);
  const auto disk = std::move(*world.open_disk(0));
  ASSERT_TRUE(disk->prewrite("f", std::uint64_t{1} << 30));
  EXPECT_EQ(world.io_count(), 2U);
  world.reboot(3);
  const auto again = std::move(*world.open_disk(0));
  const auto file = std::move(*again->open("f", Access::read, Cache::direct));
  EXPECT_EQ(*file->size(), std::uint64_t{1} << 30);
}

TEST(SimWorld, ADriveThatIsPluggedInAgainKeepsWhatWasSyncedAndItsHandlesAreDead) {
  SimWorld world(2, 1);
  const auto disk = std::move(*world.open_disk(0)), other = std::move(*world.open_disk(1));
  ASSERT_TRUE(disk->prewrite("kept", kIoAlign));
  const auto file = std::move(*disk->open("lost", Access::create, Cache::buffered));
  ASSERT_TRUE(disk->lock());
  world.remove_drive(0);
  EXPECT_FALSE(disk->exists("kept"));
  world.replug_drive(0, 3);
  EXPECT_FALSE(disk->exists("kept"));
  EXPECT_FALSE(file->sync());
  EXPECT_TRUE(other->prewrite("f", kIoAlign)) << "the others go on";
  const auto again = std::move(*world.open_disk(0));
  EXPECT_TRUE(*again->exists("kept"));
  EXPECT_EQ(again->lock().error().code(), Errc::already_exists) << "its holder goes on";
  disk->retire();
  EXPECT_FALSE(disk->released()) << "a file is open";
}

}  // namespace
}  // namespace outcrop::io
