// T11: drives that are not what they seem: away while the others went on, in each other's places,
// of another cluster, a copy of another drive, blank, written half, not there. A start that goes
// through gives the right bytes; one that m good-natured cases cannot excuse may be refused, but
// never gives old ones.
#include <cstdio>

#include "tests/fault/fault_rig.h"

namespace outcrop::test {
namespace {

constexpr unsigned kDrives = 5, kParity = 2;
constexpr std::size_t kChunk = 64 << 10;

enum class Kind : std::uint8_t { stale, swapped, foreign, cloned, blank, half, missing };
constexpr std::array<const char*, 7> kNames{"stale", "swapped", "foreign", "cloned",
                                            "blank", "half",    "missing"};

using Files = std::map<std::string, std::string>;

/// Everything on a drive, by path.
void collect(io::Disk& disk, const std::string& dir, Files& out) {
  const auto names = disk.list(dir);
  ASSERT_TRUE(names) << dir << ": " << names.error().describe();
  for (const std::string& name : *names) {
    const std::string path = dir.empty() ? name : dir + "/" + name;
    const auto file = disk.open(path, io::Access::read, io::Cache::buffered);
    if (!file) {
      collect(disk, path, out);
      continue;
    }
    std::string& content = out[path];
    content.resize(*(*file)->size());
    for (std::size_t at = 0; at < content.size(); at += kChunk) {
      const std::size_t size = std::min(kChunk, content.size() - at);
      ASSERT_TRUE(
          (*file)->read_sync(at, std::as_writable_bytes(std::span(content).subspan(at, size))));
    }
  }
}

Files files_of(io::SimWorld& world, unsigned drive) {
  Files out;
  const auto disk = world.open_disk(drive);
  EXPECT_TRUE(disk);
  if (disk) {
    collect(**disk, "", out);
  }
  return out;
}

void erase(io::Disk& disk) {
  for (const std::string& name : *disk.list("")) {
    if (disk.open(name, io::Access::read, io::Cache::buffered)) {
      ASSERT_TRUE(disk.remove(name));
    } else {
      ASSERT_TRUE(disk.remove_tree(name));
    }
  }
}

void write(io::Disk& disk, const std::string& path, std::string_view content) {
  for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
    if (!disk.exists(path.substr(0, at)).value_or(false)) {
      ASSERT_TRUE(disk.make_dir(path.substr(0, at)));
    }
  }
  const auto file = disk.open(path, io::Access::create, io::Cache::buffered);
  ASSERT_TRUE(file);
  if (!content.empty()) {
    ASSERT_TRUE((*file)->write_sync(0, as_bytes(content)));
  }
  ASSERT_TRUE((*file)->sync());
  ASSERT_TRUE(disk.sync_dir(path.contains('/') ? path.substr(0, path.rfind('/')) : ""));
}

void replace(io::SimWorld& world, unsigned drive, const Files& files) {
  const auto disk = world.open_disk(drive);
  ASSERT_TRUE(disk);
  erase(**disk);
  for (const auto& [path, content] : files) {
    write(**disk, path, content);
  }
}

/// A box after its first writes, and the drives of a stranger.
struct Box {
  io::SimWorld world, other;
  Expected expected;
};

Box make_box() {
  Box box{world_with_bucket(kDrives, kParity, 1), world_with_bucket(kDrives, kParity, 99), {}};
  SimEngine engine(box.world, 1);
  EXPECT_TRUE(engine.open());
  Client client(engine, box.expected);
  for (unsigned i = 0; i < 6; ++i) {
    client.put("first/" + std::to_string(i), pattern(i, 500 + i * 9'000));
  }
  EXPECT_TRUE(engine.close());
  box.world.reboot(1);
  return box;
}

struct Tally {
  std::uint64_t cases = 0, started = 0, refused = 0, unreadable = 0;
  std::map<std::string, std::uint64_t> kinds;
};

class Case {
 public:
  Case(const Box& box, std::uint64_t seed)
      : x_seed(seed),
        x_random(seed),
        x_world(box.world.clone(seed)),
        x_other(box.other.clone(seed)),
        x_expected(box.expected) {
    x_world.reboot(seed);
    x_other.reboot(seed);
  }

  void run(Tally& tally) {
    go_on_without(static_cast<unsigned>(below(kParity + 1)));
    const unsigned more = 1 + static_cast<unsigned>(below(3));
    for (unsigned i = 0; i < more; ++i) {
      hurt(static_cast<Kind>(1 + below(kNames.size() - 1)));
    }
    for (const auto& [drive, kind] : x_bad) {
      ++tally.kinds[kNames[static_cast<unsigned>(kind)]];
    }
    ++tally.cases;
    judge(tally);
  }

 private:
  std::uint64_t below(std::uint64_t n) { return x_random.next() % n; }

  /// Some drives are pulled, the others take writes that make what is on them old.
  void go_on_without(unsigned count) {
    while (x_bad.size() < count) {
      x_bad[static_cast<unsigned>(below(kDrives))] = Kind::stale;
    }
    for (const auto& [drive, kind] : x_bad) {
      x_world.remove_drive(drive);
    }
    {
      SimEngine engine(x_world, x_seed);
      ASSERT_TRUE(engine.open()) << "seed " << x_seed;
      Client client(engine, x_expected);
      for (unsigned i = 0; i < 4; ++i) {
        client.put("first/" + std::to_string(below(6)), pattern(x_seed + i, 300 + i * 20'000));
      }
      client.remove("first/" + std::to_string(below(6)));
      client.put("second", pattern(x_seed, 70'000));
      ASSERT_EQ(client.problem(), "") << "seed " << x_seed;
      if (below(2) == 0) {
        ASSERT_TRUE(engine.close());
      }
    }
    x_world.reboot(x_seed);
    for (const auto& [drive, kind] : x_bad) {
      x_world.restore_drive(drive);
    }
  }

  void hurt(Kind kind) {
    const auto drive = static_cast<unsigned>(below(kDrives));
    const unsigned other = (drive + 1 + static_cast<unsigned>(below(kDrives - 1))) % kDrives;
    const auto gone = [&](unsigned d) {
      const auto at = x_bad.find(d);
      return at != x_bad.end() && at->second == Kind::missing;
    };
    if (gone(drive) || gone(other)) {
      return;
    }
    switch (kind) {
      case Kind::swapped: {
        const Files one = files_of(x_world, drive), two = files_of(x_world, other);
        replace(x_world, drive, two);
        replace(x_world, other, one);
        const auto state = [&](unsigned d) {
          const auto at = x_bad.find(d);
          return at == x_bad.end() ? std::nullopt : std::optional(at->second);
        };
        const auto a = state(drive), b = state(other);
        set(drive, b);
        set(other, a);
        ++x_swaps;
        return;
      }
      case Kind::foreign:
        replace(x_world, drive, files_of(x_other, drive));
        break;
      case Kind::cloned:
        replace(x_world, drive, files_of(x_world, other));
        break;
      case Kind::blank:
        replace(x_world, drive, {});
        break;
      case Kind::half: {
        Files files = files_of(x_world, drive);
        std::erase_if(files, [&](const auto&) { return below(2) == 0; });
        replace(x_world, drive, files);
        break;
      }
      case Kind::stale:
      case Kind::missing:
        x_world.remove_drive(drive);
        kind = Kind::missing;
        break;
    }
    x_bad[drive] = kind;
  }
  void set(unsigned drive, std::optional<Kind> kind) {
    if (kind) {
      x_bad[drive] = *kind;
    } else {
      x_bad.erase(drive);
    }
  }

  /// Old, blank or missing drives, up to m: the others are all that is needed.
  bool must_start() const {
    return x_bad.size() <= kParity && std::ranges::all_of(x_bad, [](const auto& bad) {
             return bad.second == Kind::stale || bad.second == Kind::blank ||
                    bad.second == Kind::missing;
           });
  }

  std::string describe() const {
    std::string out = "seed " + std::to_string(x_seed) + ", " + std::to_string(x_swaps) + " swaps";
    for (const auto& [drive, kind] : x_bad) {
      out += ", " + std::to_string(drive) + " " + kNames[static_cast<unsigned>(kind)];
    }
    return out;
  }

  void judge(Tally& tally) {
    SimEngine engine(x_world, x_seed + 1);
    const auto opened = engine.open();
    if (!opened) {
      ++tally.refused;
      EXPECT_FALSE(must_start()) << describe() << ": " << opened.error().describe();
      return;
    }
    ++tally.started;
    const auto found = engine.everything();
    if (!found) {
      ++tally.unreadable;
      EXPECT_FALSE(must_start()) << describe() << ": " << found.error().describe();
      return;
    }
    EXPECT_EQ(x_expected.judge(*found), "") << describe();
    SimEngine second(x_world, x_seed + 2);
    EXPECT_FALSE(second.open()) << describe() << ": started twice";
  }

  const std::uint64_t x_seed;
  SeededRandom x_random;
  io::SimWorld x_world, x_other;
  Expected x_expected;
  std::map<unsigned, Kind> x_bad;
  unsigned x_swaps = 0;
};

TEST(Identity, NoDriveIsTakenForWhatItIsNot) {
  const Box box = make_box();
  const std::uint64_t first = number_in("OUTCROP_FAULT_SEED", 1);
  const std::uint64_t count = number_in("OUTCROP_FAULT_COUNT", 500) / fault_stride(5);
  Tally tally;
  for (std::uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) {
    Case(box, seed).run(tally);
  }
  std::printf(
      "identity: %llu cases from seed %llu: %llu started, %llu refused, %llu not readable\n",
      static_cast<unsigned long long>(tally.cases), static_cast<unsigned long long>(first),
      static_cast<unsigned long long>(tally.started),
      static_cast<unsigned long long>(tally.refused),
      static_cast<unsigned long long>(tally.unreadable));
  for (const auto& [kind, times] : tally.kinds) {
    std::printf("  %s: %llu\n", kind.c_str(), static_cast<unsigned long long>(times));
  }
  EXPECT_GT(tally.started, count / 4);
  EXPECT_GT(tally.refused, count / 10);
}

}  // namespace
}  // namespace outcrop::test
