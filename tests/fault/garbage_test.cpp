// Random histories in which puts, deletes, copies by reference, long reads, multipart uploads that
// are given up, garbage collection, compaction, repair, restriping, rebalancing and scrub run side
// by side, in an order that comes from a seed; now and then the power goes in the middle. After
// each: the recount of references is what the table of references says, nothing that lives was
// freed, nothing that is dead stays. Every second history is one of a bucket with versions, of
// which none may be lost.
#include <cstdio>

#include "storage/ns/check.h"
#include "tests/fault/fault_rig.h"

namespace outcrop::test {
namespace {

constexpr unsigned kDrives = 4, kParity = 1, kClients = 4, kOpsPerBurst = 6;

struct Tally {
  std::uint64_t bursts = 0, operations = 0, crashes = 0, freed = 0, compacted = 0, references = 0;
  std::uint64_t restriped = 0, widened = 0;
};

/// Every content that a key may ever have had: what a copy from it may find. Noted before anything
/// is asked for, since others see it before the answer comes.
class Past {
 public:
  void put(const std::string& key, const std::string& content) { x_put[key].insert(content); }
  void copy(const std::string& from, const std::string& to) { x_from[to].insert(from); }
  std::set<std::string> of(const std::string& key) const {
    std::set<std::string> keys{key}, out;
    for (std::vector<std::string> todo{key}; !todo.empty();) {
      const std::string one = todo.back();
      todo.pop_back();
      if (const auto put = x_put.find(one); put != x_put.end()) {
        out.insert(put->second.begin(), put->second.end());
      }
      const auto from = x_from.find(one);
      for (const std::string& source :
           from == x_from.end() ? std::set<std::string>() : from->second) {
        if (keys.insert(source).second) {
          todo.push_back(source);
        }
      }
    }
    return out;
  }

 private:
  std::map<std::string, std::set<std::string>> x_put, x_from;
};

/// One that does one thing after the other, to keys that nobody else writes.
class Actor {
 public:
  Actor(const io::SimWorld& world,
        SimEngine& engine,
        Expected& expected,
        Past& past,
        unsigned number,
        std::uint64_t seed)
      : x_world(world),
        x_engine(engine),
        x_expected(expected),
        x_past(past),
        x_number(number),
        x_random(seed) {}

  Task<> run(unsigned operations) {
    for (unsigned i = 0; i < operations; ++i) {
      CO_TRYV(co_await one());
    }
    co_return ok();
  }
  const std::string& problem() const { return x_problem; }

 private:
  std::uint64_t below(std::uint64_t n) { return x_random.next() % n; }
  std::string key(unsigned client) {
    return std::to_string(client) + "/" + std::to_string(below(4));
  }

  Task<> one() {
    const std::uint64_t dice = below(10);
    if (dice < 4) {
      return put(key(x_number));
    }
    if (dice < 6) {
      return remove(key(x_number));
    }
    if (dice < 8) {
      return copy(key(static_cast<unsigned>(below(kClients))), key(x_number));
    }
    return dice == 8 ? give_up_an_upload(key(x_number)) : read_slowly(key(x_number));
  }

  /// Nobody hears what a machine without power says.
  bool heard(bool success) const { return success && !x_world.crashed(); }
  void note(const std::string& at, const std::string& content, bool acked) {
    x_expected.put(at, content, acked);
  }

  Task<> put(std::string at) {
    constexpr std::array<std::size_t, 4> kSizes{700, 9'000, 90'000, 260'000};
    const std::string content = pattern(x_random.next() % 100'000, kSizes[below(kSizes.size())]);
    x_past.put(at, content);
    auto writer = co_await filled_writer(x_engine.ns(), SimEngine::kBucket, at, content);
    bool acked = false;
    if (writer) {
      ns::PutRequest request;
      request.etag = std::string(32, '0');
      acked = (co_await x_engine.ns().put(SimEngine::kBucket, at, std::move(*writer),
                                          std::move(request)))
                  .has_value();
    }
    note(at, content, heard(acked));
    co_return ok();
  }

  Task<> remove(std::string at) {
    const auto removed = co_await x_engine.ns().remove(SimEngine::kBucket, at, {});
    x_expected.remove(at, heard(removed.has_value()));
    co_return ok();
  }

  /// Of another's key, perhaps, who changes it meanwhile.
  Task<> copy(std::string from, std::string to) {
    if (from == to) {
      co_return ok();
    }
    x_past.copy(from, to);
    ns::CopyRequest request;
    request.source_bucket = SimEngine::kBucket;
    request.source_key = from;
    const auto copied = co_await x_engine.ns().copy(SimEngine::kBucket, to, std::move(request));
    const std::set<std::string> may_be = x_past.of(from);
    if (!heard(copied.has_value())) {
      for (const std::string& content : may_be) {
        note(to, content, false);
      }
      co_return ok();
    }
    // It is there and nobody else changes it: what it is can be seen, unless the power goes.
    const auto found = co_await read_all(x_engine.ns(), SimEngine::kBucket, to);
    if (found && !may_be.contains(*found)) {
      x_problem = "a copy of " + from + " is what that never was";
    }
    x_expected.remove(to, true);
    for (const std::string& content : may_be) {
      note(to, content, found && *found == content);
      if (found && *found == content) {
        break;
      }
    }
    if (!found) {
      x_expected.never_gone(to);
    }
    co_return ok();
  }

  /// Parts are stored and nobody ever names them.
  Task<> give_up_an_upload(std::string at) {
    const auto upload = co_await x_engine.ns().create_upload(
        SimEngine::kBucket, at, {}, digest::Algorithm::none, digest::ChecksumType::full_object);
    if (!upload) {
      co_return ok();
    }
    auto writer = co_await filled_writer(x_engine.ns(), SimEngine::kBucket, at,
                                         pattern(below(1000), 150'000));
    if (writer) {
      [[maybe_unused]] const auto part =
          co_await x_engine.ns().put_part(SimEngine::kBucket, at, upload->upload_id, 1,
                                          std::move(*writer), std::string(32, '0'), {});
    }
    [[maybe_unused]] const auto aborted =
        co_await x_engine.ns().abort_upload(SimEngine::kBucket, at, upload->upload_id);
    co_return ok();
  }

  /// Opens, deletes or overwrites the object under the reader, and reads on.
  Task<> read_slowly(std::string at) {
    const auto reader = co_await x_engine.ns().open_read(SimEngine::kBucket, at);
    if (!reader) {
      co_return ok();
    }
    CO_TRYV(below(2) == 0 ? co_await remove(at) : co_await put(at));
    std::string out;
    for (;;) {
      const auto slices = co_await (*reader)->next();
      if (!slices || slices->empty()) {
        if (slices && !x_past.of(at).contains(out)) {
          x_problem = "a reader of " + at + " got what it never was";
        }
        co_return ok();
      }
      for (const Buffer& slice : *slices) {
        out.append(as_text(slice.view()));
      }
    }
  }

  const io::SimWorld& x_world;
  SimEngine& x_engine;
  Expected& x_expected;
  Past& x_past;
  const unsigned x_number;
  SeededRandom x_random;
  std::string x_problem;
};

/// What runs beside them.
Task<> keep_house(SimEngine& engine, std::uint64_t seed, unsigned operations) {
  SeededRandom random(seed);
  for (unsigned i = 0; i < operations; ++i) {
    switch (random.next() % 5) {
      case 0:
      case 1: {
        [[maybe_unused]] const auto freed = co_await engine.engine().collect_garbage();
        break;
      }
      case 2: {
        [[maybe_unused]] const auto moved = co_await engine.engine().compact(0);
        break;
      }
      case 3: {
        [[maybe_unused]] const auto repaired = co_await engine.engine().repair();
        break;
      }
      default: {
        [[maybe_unused]] const auto scrubbed = co_await engine.engine().scrub(0);
        break;
      }
    }
  }
  co_return ok();
}

/// Beside that, as the server does it: they may be at the same segment.
Task<> write_anew(SimEngine& engine, unsigned times) {
  for (unsigned i = 0; i < times; ++i) {
    [[maybe_unused]] const auto restriped = co_await engine.engine().restripe();
    [[maybe_unused]] const auto rebalanced = co_await engine.engine().rebalance();
    co_await asio::post(co_await asio::this_coro::executor, use_async);
  }
  co_return ok();
}

class History {
 public:
  explicit History(std::uint64_t seed)
      : x_seed(seed), x_random(seed), x_world(world_with_bucket(kDrives, kParity, seed)) {}

  void run(unsigned bursts, Tally& tally) {
    if (x_seed % 2 == 0) {
      enable_versions();
    }
    for (unsigned i = 0; i < bursts && !testing::Test::HasFailure(); ++i) {
      burst(i, tally);
      if (i == kChangesAfter) {
        change_drives();
      }
    }
    empty(tally);
  }

 private:
  static constexpr unsigned kChangesAfter = 2;

  /// One of three histories loses a drive, which nobody replaces, and one gets another drive.
  void change_drives() {
    if (x_seed % 3 == 0) {
      x_world.remove_drive(static_cast<unsigned>(x_seed % kDrives));
    } else if (x_seed % 3 == 1) {
      x_world.add_drive();
    }
  }

  std::string where(const char* what) const {
    return "seed " + std::to_string(x_seed) + ", burst " + std::to_string(x_burst) + ", " + what;
  }

  void enable_versions() {
    {
      SimEngine engine(x_world, x_seed);
      ASSERT_TRUE(engine.open());
      Client(engine, x_expected).enable_versions();
      EXPECT_TRUE(engine.close());
    }
    x_world.reboot(x_seed);
  }

  /// Everybody at once; the power may go in the middle. Then the tree is checked and read.
  void burst(unsigned number, Tally& tally) {
    x_burst = number;
    {
      SimEngine engine(x_world, x_random.next());
      ASSERT_TRUE(engine.open()) << where("start");
      if (x_random.next() % 3 == 0) {
        x_world.crash_at(1 + x_random.next() % 600, io::CrashMode::torn);
      }
      all_at_once(engine, tally);
      if (!x_world.crashed()) {
        x_world.crash_at(0, io::CrashMode::before);
        check(engine, "afterwards", tally);
        if (x_random.next() % 2 == 0) {
          EXPECT_TRUE(engine.close()) << where("stop");
        }
      }
      tally.crashes += x_world.crashed() ? 1 : 0;
      ++tally.bursts;
    }
    x_world.reboot(x_random.next());
    SimEngine engine(x_world, x_random.next());
    ASSERT_TRUE(engine.open()) << where("restart");
    check(engine, "after a restart", tally);
    EXPECT_TRUE(engine.close());
    x_world.reboot(x_random.next());
  }

  void all_at_once(SimEngine& engine, Tally& tally) {
    std::vector<std::unique_ptr<Actor>> actors;
    for (unsigned client = 0; client < kClients; ++client) {
      actors.push_back(
          std::make_unique<Actor>(x_world, engine, x_expected, x_past, client, x_random.next()));
    }
    const std::uint64_t house = x_random.next();
    ASSERT_TRUE(engine.run(spawn_all(engine, actors, house)));
    tally.operations += kClients * kOpsPerBurst;
    for (const auto& actor : actors) {
      EXPECT_EQ(actor->problem(), "") << where("side by side");
    }
    tally.freed += engine.engine().stats().segments_recycled;
    tally.compacted += engine.engine().stats().segments_compacted;
    tally.restriped += engine.engine().stats().segments_restriped;
    tally.widened += engine.engine().stats().segments_widened;
  }

  static Task<> spawn_all(SimEngine& engine,
                          std::vector<std::unique_ptr<Actor>>& actors,
                          std::uint64_t house) {
    TaskGroup group(co_await asio::this_coro::executor);
    for (const auto& actor : actors) {
      group.spawn(actor->run(kOpsPerBurst));
    }
    group.spawn(keep_house(engine, house, kOpsPerBurst / 2));
    group.spawn(write_anew(engine, kOpsPerBurst / 2));
    co_return co_await group.join();
  }

  void check(SimEngine& engine, const char* what, Tally& tally) {
    const auto report = engine.run(ns::check_tree(engine.engine().meta()));
    ASSERT_TRUE(report) << where(what) << ": " << report.error().describe();
    EXPECT_TRUE(report->clean()) << where(what) << ": " << report->problems.front().text();
    tally.references += report->extent_refs;
    const auto found = engine.everything();
    ASSERT_TRUE(found) << where(what) << ": " << found.error().describe();
    EXPECT_EQ(x_expected.judge(*found), "") << where(what);
    x_expected.settle(*found);  // what is there now is what must be there
  }

  /// Without objects there is no reference, and no segment keeps its space.
  void empty(Tally& tally) {
    SimEngine engine(x_world, x_seed);
    ASSERT_TRUE(engine.open());
    ns::Namespace& ns = engine.ns();
    const auto versions = engine.run(ns.list_versions(SimEngine::kBucket, {.max_keys = 1U << 30}));
    ASSERT_TRUE(versions);
    for (const ns::VersionEntry& v : versions->entries) {
      EXPECT_TRUE(engine.run(ns.remove_version(SimEngine::kBucket, v.entry.key, v.version_id, {})));
    }
    end_uploads(engine);
    EXPECT_TRUE(engine.run(engine.engine().repair()));  // closes what a crash left open
    EXPECT_TRUE(engine.run(engine.engine().collect_garbage()));
    const auto report = engine.run(ns::check_tree(engine.engine().meta()));
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->clean()) << where("empty") << ": " << report->problems.front().text();
    EXPECT_EQ(report->extent_refs, 0U) << where("empty");
    EXPECT_EQ(engine.engine().stats().segments_sealed, 0U) << where("empty");
    tally.freed += engine.engine().stats().segments_recycled;
    EXPECT_TRUE(engine.close());
  }

  /// Uploads that a crash left under way.
  static void end_uploads(SimEngine& engine) {
    const auto uploads = engine.run(engine.ns().list_uploads(SimEngine::kBucket, {}));
    ASSERT_TRUE(uploads);
    for (const auto& upload : uploads->uploads) {
      EXPECT_TRUE(
          engine.run(engine.ns().abort_upload(SimEngine::kBucket, upload.key, upload.upload_id)));
    }
  }

  const std::uint64_t x_seed;
  SeededRandom x_random;
  io::SimWorld x_world;
  Expected x_expected;
  Past x_past;
  unsigned x_burst = 0;
};

TEST(Garbage, ReferencesAreExactWhateverRunsSideBySide) {
  const std::uint64_t histories = number_in("OUTCROP_FAULT_COUNT", 25);
  const std::uint64_t first = number_in("OUTCROP_FAULT_SEED", 1);
  constexpr unsigned kBursts = 8;
  Tally tally;
  for (std::uint64_t seed = first; seed < first + histories && !HasFailure(); ++seed) {
    History(seed).run(kBursts, tally);
  }
  std::printf(
      "garbage: %llu histories from seed %llu: %llu bursts, %llu operations, %llu power "
      "cuts, %llu segments freed, %llu compacted, %llu restriped, %llu widened, %llu references "
      "recounted\n",
      static_cast<unsigned long long>(histories), static_cast<unsigned long long>(first),
      static_cast<unsigned long long>(tally.bursts),
      static_cast<unsigned long long>(tally.operations),
      static_cast<unsigned long long>(tally.crashes), static_cast<unsigned long long>(tally.freed),
      static_cast<unsigned long long>(tally.compacted),
      static_cast<unsigned long long>(tally.restriped),
      static_cast<unsigned long long>(tally.widened),
      static_cast<unsigned long long>(tally.references));
  EXPECT_GT(tally.crashes, 0U);
  EXPECT_GT(tally.freed, 0U);
  EXPECT_GT(tally.compacted, 0U);
  EXPECT_GT(tally.restriped, 0U);
  EXPECT_GT(tally.widened, 0U);
}

}  // namespace
}  // namespace outcrop::test
