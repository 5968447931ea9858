// Random damage to whatever lies on m drives: flipped bits, zeros, blocks from another place of the
// file or from an earlier time, files cut short or gone; shards, parity, small records, journals,
// RocksDB's files, superblocks, epochs. Every read gives the right bytes, and after a scrub and a
// repair any m of the other drives may go.
#include <cstdio>

#include "tests/fault/fault_rig.h"

namespace outcrop::test {
namespace {

constexpr unsigned kDrives = 5, kParity = 2;
constexpr std::size_t kBlock = 4096;
constexpr unsigned kPerRound = 50;

enum class Kind : std::uint8_t { flip, zero, misplaced, old, cut, gone };
constexpr std::array<const char*, 6> kNames{"flip", "zero", "misplaced", "old", "cut", "gone"};

struct Tally {
  std::map<std::string, std::uint64_t> kinds, areas;
  std::uint64_t done = 0, rounds = 0, healed = 0, lost_identity = 0;
  std::uint64_t corrupt_reads = 0, reconstructed = 0, chunks_repaired = 0, mirrors_out = 0;
};

class Damager {
 public:
  Damager(io::SimWorld& world, io::SimWorld& before, std::uint64_t seed)
      : x_world(world), x_before(before), x_random(seed) {}

  /// One random damage on the drive, counted if there was something to damage.
  void hit(unsigned drive, Tally& tally) {
    const auto disk = x_world.open_disk(drive);
    ASSERT_TRUE(disk);
    std::map<io::PathClass, std::vector<std::string>> areas;
    collect(**disk, "", areas);
    auto area = std::next(areas.begin(), static_cast<std::ptrdiff_t>(below(areas.size())));
    const std::string path = area->second[below(area->second.size())];
    const auto kind = static_cast<Kind>(below(kNames.size()));
    if (damage(drive, **disk, area->first, path, kind)) {
      ++tally.done;
      ++tally.kinds[kNames[static_cast<unsigned>(kind)]];
      ++tally.areas[std::string(io::to_string(area->first))];
    }
  }

 private:
  std::uint64_t below(std::uint64_t n) { return x_random.next() % n; }

  static void collect(io::Disk& disk,
                      const std::string& dir,
                      std::map<io::PathClass, std::vector<std::string>>& out) {
    for (const std::string& name : *disk.list(dir)) {
      const std::string path = dir.empty() ? name : dir + "/" + name;
      if (auto file = disk.open(path, io::Access::read, io::Cache::buffered)) {
        if (*(*file)->size() > 0) {
          out[io::path_class(path)].push_back(path);
        }
      } else {
        collect(disk, path, out);
      }
    }
  }

  /// Where it says who it is a drive has two copies; one of them is damaged, once.
  bool spared(unsigned drive, io::PathClass where, Kind kind) {
    if (where != io::PathClass::superblock && where != io::PathClass::epoch) {
      return false;
    }
    const bool both = kind == Kind::cut || kind == Kind::gone || kind == Kind::misplaced;
    return both || !x_hit.insert({drive, where}).second;
  }

  /// A block with something in it, as far as a few tries find one.
  std::uint64_t pick_block(io::File& file, std::uint64_t size) {
    const std::uint64_t blocks = align_up(size, kBlock) / kBlock;
    std::uint64_t at = 0;
    constexpr unsigned kTries = 32;
    for (unsigned i = 0; i < kTries; ++i) {
      at = below(i % 2 == 0 ? blocks : std::min<std::uint64_t>(blocks, 64)) * kBlock;
      const std::string there = read(file, at);
      if (there.find_first_not_of('\0') != std::string::npos) {
        break;
      }
    }
    return at;
  }

  static std::string read(io::File& file, std::uint64_t at) {
    std::string out(kBlock, '\0');
    const auto got = file.read_sync(at, std::as_writable_bytes(std::span(out)));
    out.resize(got ? *got : 0);
    return out;
  }

  bool damage(
      unsigned drive, io::Disk& disk, io::PathClass where, const std::string& path, Kind kind) {
    if (spared(drive, where, kind)) {
      return false;
    }
    if (kind == Kind::gone) {
      return disk.remove(path).has_value();
    }
    auto file = disk.open(path, io::Access::read_write, io::Cache::buffered);
    const std::uint64_t size = *(*file)->size();
    const std::uint64_t at = pick_block(**file, size);
    if (kind == Kind::cut) {
      return (*file)->truncate(at + below(kBlock)).has_value() && (*file)->sync().has_value();
    }
    const std::string was = read(**file, at);
    std::string now = was;
    if (kind == Kind::flip) {
      now[below(now.size())] ^= static_cast<char>(1U << below(8));
    } else if (kind == Kind::zero) {
      now.assign(now.size(), '\0');
    } else if (kind == Kind::misplaced) {
      now = read(**file, pick_block(**file, size));
    } else {
      now = earlier(drive, path, at);
    }
    now.resize(std::min(now.size(), was.size()));
    if (now.empty() || now == was.substr(0, now.size())) {
      return false;
    }
    return (*file)->write_sync(at, as_bytes(now)).has_value() && (*file)->sync().has_value();
  }

  std::string earlier(unsigned drive, const std::string& path, std::uint64_t at) {
    const auto disk = x_before.open_disk(drive);
    const auto file = (*disk)->open(path, io::Access::read, io::Cache::buffered);
    return file ? read(**file, at) : std::string();
  }

  io::SimWorld& x_world;
  io::SimWorld& x_before;
  SeededRandom x_random;
  std::set<std::pair<unsigned, io::PathClass>> x_hit;
};

/// A box, as it was a while ago and as it is.
struct Box {
  io::SimWorld before, now;
  Expected expected;
};

Box make_box(bool closed) {
  Box box{world_with_bucket(kDrives, kParity, 1), io::SimWorld(1), {}};
  {
    SimEngine engine(box.before, 1);
    EXPECT_TRUE(engine.open());
    Client client(engine, box.expected);
    populate(client);
    EXPECT_TRUE(engine.close());
  }
  box.before.reboot(1);
  box.now = box.before.clone(2);
  {
    SimEngine engine(box.now, 2);
    EXPECT_TRUE(engine.open());
    Client client(engine, box.expected);
    for (unsigned i = 0; i < 12; ++i) {
      client.put("later/" + std::to_string(i), pattern(100 + i, 1'000 + i * 20'000));
    }
    client.put("small/3", pattern(150, 44'000));
    client.remove("small/4");
    if (closed) {
      EXPECT_TRUE(engine.close());
    }
  }
  box.now.reboot(2);
  return box;
}

unsigned mirrors(SimEngine& engine) {
  const auto drives = engine.engine().stats().drives;
  return static_cast<unsigned>(std::ranges::count_if(drives, &engine::DriveStatus::mirror));
}

bool whole(SimEngine& engine) {
  const engine::RepairStatus r = engine.engine().stats().repair;
  return r.degraded + r.moving + r.unreadable + r.damaged == 0 && mirrors(engine) == kParity + 1;
}

class Round {
 public:
  Round(const Box& box, std::uint64_t seed)
      : x_seed(seed),
        x_world(box.now.clone(seed)),
        x_before(box.before.clone(seed)),
        x_expected(box.expected) {
    SeededRandom random(seed);
    while (x_victims.size() < kParity) {
      x_victims.insert(static_cast<unsigned>(random.next() % kDrives));
    }
  }

  void run(Tally& tally) {
    Damager damager(x_world, x_before, x_seed);
    const bool while_running = x_seed % 2 == 1;
    if (!while_running) {
      hurt(damager, tally);
    }
    {
      SimEngine engine(x_world, x_seed);
      const auto opened = engine.open();
      ASSERT_TRUE(opened) << "seed " << x_seed << ": " << opened.error().describe();
      if (while_running) {
        hurt(damager, tally);
      }
      look_and_heal(engine, tally);
    }
    ++tally.rounds;
    x_world.reboot(x_seed);
    if (while_running) {
      // RocksDB does not look again at the small files that it has read; the next start does.
      SimEngine engine(x_world, x_seed);
      const auto opened = engine.open();
      ASSERT_TRUE(opened) << "seed " << x_seed << ": " << opened.error().describe();
      look_and_heal(engine, tally);
      x_world.reboot(x_seed);
    }
    if (x_healed) {
      ++tally.healed;
      for (unsigned drive = 0; drive < kDrives; ++drive) {
        lose_all_others_but(drive);
      }
    }
  }

 private:
  void hurt(Damager& damager, Tally& tally) {
    const std::vector<unsigned> victims(x_victims.begin(), x_victims.end());
    for (unsigned i = 0; i < kPerRound; ++i) {
      damager.hit(victims[i % victims.size()], tally);
    }
  }

  void look_and_heal(SimEngine& engine, Tally& tally) {
    Client client(engine, x_expected);
    client.read_all();
    EXPECT_EQ(client.problem(), "") << "seed " << x_seed;
    const auto scrubbed = engine.run(engine.engine().scrub(0));
    EXPECT_TRUE(scrubbed) << "seed " << x_seed << ": " << scrubbed.error().describe();
    constexpr unsigned kPasses = 4;
    for (unsigned pass = 0; pass < kPasses && !whole(engine); ++pass) {
      EXPECT_TRUE(engine.run(engine.engine().repair())) << "seed " << x_seed;
      client.put("turn", pattern(pass, 100));
      EXPECT_TRUE(engine.run(engine.engine().scrub(0)));
    }
    client.read_all();
    EXPECT_EQ(client.problem(), "") << "seed " << x_seed << ", healed";
    const engine::EngineStats stats = engine.engine().stats();
    tally.corrupt_reads += stats.corrupt_reads;
    tally.reconstructed += stats.reconstructed_reads;
    tally.chunks_repaired += stats.repair.chunks_repaired;
    bool all_here = true;
    for (unsigned drive = 0; drive < kDrives; ++drive) {
      all_here = all_here && is_live(engine, drive);
    }
    tally.lost_identity += all_here ? 0 : 1;
    EXPECT_TRUE(!all_here || whole(engine)) << "seed " << x_seed << ": not whole";
    x_healed = all_here && whole(engine);
    const auto closed = engine.close();
    EXPECT_TRUE(closed) << "seed " << x_seed << ": " << closed.error().describe();
  }

  /// The drives that were damaged, and one of the others, are enough.
  void lose_all_others_but(unsigned kept) {
    if (x_victims.contains(kept)) {
      return;
    }
    std::set<unsigned> lost;
    for (unsigned drive = 0; drive < kDrives; ++drive) {
      if (drive != kept && !x_victims.contains(drive)) {
        lost.insert(drive);
      }
    }
    EXPECT_EQ(judge_without(x_world, lost, x_expected, x_seed), "") << "seed " << x_seed;
  }

  const std::uint64_t x_seed;
  io::SimWorld x_world, x_before;
  Expected x_expected;
  std::set<unsigned> x_victims;
  bool x_healed = false;
};

TEST(Corruption, OfUpToMDrivesIsFoundAndRepaired) {
  const std::uint64_t count = number_in("OUTCROP_FAULT_COUNT", 600);
  const std::uint64_t first = number_in("OUTCROP_FAULT_SEED", 1);
  const std::array boxes{make_box(true), make_box(false)};
  Tally tally;
  for (std::uint64_t seed = first; tally.done < count && !HasFailure(); ++seed) {
    Round(boxes[seed / 2 % 2], seed).run(tally);
  }
  std::printf("corruption: %llu damages in %llu rounds from seed %llu;",
              static_cast<unsigned long long>(tally.done),
              static_cast<unsigned long long>(tally.rounds),
              static_cast<unsigned long long>(first));
  for (const auto* counts : {&tally.kinds, &tally.areas}) {
    for (const auto& [name, n] : *counts) {
      std::printf(" %s %llu", name.c_str(), static_cast<unsigned long long>(n));
    }
    std::printf(";");
  }
  std::printf(
      " %llu corrupt reads, %llu reads rebuilt, %llu chunks repaired, %llu rounds healed, "
      "%llu with a drive out\n",
      static_cast<unsigned long long>(tally.corrupt_reads),
      static_cast<unsigned long long>(tally.reconstructed),
      static_cast<unsigned long long>(tally.chunks_repaired),
      static_cast<unsigned long long>(tally.healed),
      static_cast<unsigned long long>(tally.lost_identity));
  EXPECT_GT(tally.corrupt_reads, 0U) << "nothing was found, so nothing was tested";
  EXPECT_GT(tally.chunks_repaired, 0U);
  EXPECT_GT(tally.healed, 0U);
}

}  // namespace
}  // namespace outcrop::test
