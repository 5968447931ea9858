// Power cuts at every I/O: acked transactions are there, others whole or not at all.
#include "tests/unit/storage/meta/rig.h"

namespace outcrop::meta {
namespace {

constexpr unsigned kRounds = 12;

struct Outcome {
  std::set<unsigned> acked;
  std::map<unsigned, Extent> fresh;
  int hot = -1;  ///< last acked round
  unsigned started = 0;
};

std::string name(const char* prefix, unsigned n) { return prefix + std::to_string(n); }

/// Three transactions at once, round after round; each writes two keys, one writes a payload, one
/// overwrites a key that the round before wrote. A checkpoint in the middle.
void work(Process& p, Outcome& out) {
  for (unsigned round = 0; round < kRounds; ++round) {
    unsigned finished = 0;
    bool hot = false;
    for (unsigned i = 0; i < 3; ++i) {
      const unsigned n = round * 3 + i;
      Batch b;
      const std::string value = name("v", n) + std::string(n % 3 == 0 ? 3000 : 10, 'x');
      b.put(name("dx", n), value);
      b.put(name("dy", n), value);
      if (i == 0) {
        b.put("hot", std::to_string(round));
      }
      if (i == 1) {
        out.fresh[n] = p.companion->place(n);
        b.fresh.push_back(out.fresh[n]);
      }
      out.started = n + 1;
      asio::co_spawn(p.io.get_executor(), p.store->commit(std::move(b)),
                     [&, n, i](std::exception_ptr, Result<void> r) {
                       ++finished;
                       if (r) {
                         out.acked.insert(n);
                         hot = hot || i == 0;
                       }
                     });
    }
    p.io.restart();
    while (finished < 3 && p.io.run_one() > 0) {
    }
    p.settle();
    if (hot) {
      out.hot = static_cast<int>(round);
    }
    if (round == kRounds / 2) {
      (void)run_on(p.io, p.store->checkpoint());
    }
    if (out.acked.size() < out.started) {
      return;
    }
  }
}

/// Empty if all is well.
std::string problem(Process& p, const Outcome& out) {
  if (!p.store) {
    return "does not open: " + p.error->describe();
  }
  const auto all = p.all();
  for (unsigned n = 0; n < out.started; ++n) {
    const auto x = all.find(name("dx", n));
    const auto y = all.find(name("dy", n));
    const bool acked = out.acked.contains(n);
    if ((x == all.end()) != (y == all.end())) {
      return "torn transaction " + std::to_string(n);
    }
    if (acked && x == all.end()) {
      return "lost transaction " + std::to_string(n);
    }
    if (x != all.end() && (x->second != y->second || !x->second.starts_with(name("v", n) + "x"))) {
      return "wrong value in transaction " + std::to_string(n);
    }
    if (x != all.end() && out.fresh.contains(n)) {
      const Extent e = out.fresh.at(n);
      if (!p.companion->holds(e, 0) && !p.companion->holds(e, 1)) {
        return "a transaction without its payload: " + std::to_string(n);
      }
    }
  }
  const auto hot = all.find("hot");
  const int value = hot == all.end() ? -1 : std::stoi(hot->second);
  if (value < out.hot || value > out.hot + 1) {
    return "hot is " + std::to_string(value) + " after " + std::to_string(out.hot);
  }
  return {};
}

MetaConfig crash_config() {
  MetaConfig c = small_config();
  c.journal_file_bytes = 32 << 10;  // wraps within the workload
  return c;
}

struct Base {
  io::SimWorld world{3};
  std::uint64_t steps = 0;
  Base() {
    format(world, 1);
    io::SimWorld dry = world.clone(1);
    Process p(dry, crash_config());
    EXPECT_TRUE(p.store) << p.error->describe();
    Outcome out;
    work(p, out);
    EXPECT_EQ(out.acked.size(), kRounds * 3);
    EXPECT_TRUE(p.close());
    steps = dry.io_count();
  }
};

/// Runs the workload with a power cut at step `at`, restarts, and reports what is wrong. With
/// `again`, the restart is cut too, at a step of its own.
std::string cut_once(const io::SimWorld& base, std::uint64_t at, io::CrashMode mode,
                     std::uint64_t again, const std::function<bool(const io::SimStepInfo&)>& skip) {
  io::SimWorld world = base.clone(at);
  if (skip) {
    world.skip_sync(skip);
  }
  Outcome out;
  world.crash_at(at, mode);
  {
    Process p(world, crash_config());
    if (p.store) {
      work(p, out);
    }
  }
  world.reboot(at * 7 + 1);
  if (again > 0) {
    world.crash_at(again, mode);
    { const Process interrupted(world, crash_config()); }
    world.crash_at(0, mode);
    world.reboot(at * 11 + 2);
  }
  Process p(world, crash_config());
  return problem(p, out);
}

class CrashTest : public ::testing::TestWithParam<io::CrashMode> {};

TEST_P(CrashTest, NothingAckedIsLost) {
  const Base base;
  for (std::uint64_t at = 1; at <= base.steps; ++at) {
    const std::string wrong = cut_once(base.world, at, GetParam(), 0, {});
    ASSERT_EQ(wrong, "") << "power cut at step " << at << " of " << base.steps;
  }
}

TEST_P(CrashTest, NorWhenTheReplayIsCutToo) {
  const Base base;
  for (std::uint64_t at = base.steps / 2; at <= base.steps; at += 29) {
    for (std::uint64_t again = 1; again < 120; again += 9) {
      const std::string wrong = cut_once(base.world, at, GetParam(), again, {});
      ASSERT_EQ(wrong, "") << "power cuts at step " << at << " and then " << again;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Modes, CrashTest,
                         ::testing::Values(io::CrashMode::before, io::CrashMode::after,
                                           io::CrashMode::torn),
                         [](const auto& p) {
                           return p.param == io::CrashMode::before  ? "before"
                                  : p.param == io::CrashMode::after ? "after"
                                                                    : "torn";
                         });

TEST(CrashTwin, WithoutDurableJournalWritesThingsAreLost) {
  const Base base;
  unsigned caught = 0;
  for (std::uint64_t at = 1; at <= base.steps && caught == 0; at += 3) {
    const auto skip = [](const io::SimStepInfo& s) {
      return s.step == io::SimStep::write && s.durable && s.path.starts_with("journal/");
    };
    caught += cut_once(base.world, at, io::CrashMode::before, 0, skip).empty() ? 0 : 1;
  }
  EXPECT_GT(caught, 0U) << "the harness would not notice a journal that is not durable";
}

}  // namespace
}  // namespace outcrop::meta
