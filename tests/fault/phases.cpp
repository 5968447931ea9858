#include "tests/fault/phases.h"

#include <thread>

namespace outcrop::test {
namespace {

/// Maintenance may fail for a fault; what it must not do shows afterwards.
template <class T>
void attempt(SimEngine& engine, Task<T> task) {
  [[maybe_unused]] const auto done = engine.run(std::move(task));
}

std::vector<Phase> writing() {
  return {
      {.name = "put inline", .run = [](Client& c) { c.put("new/inline", pattern(30, 900)); }},
      {.name = "put small", .run = [](Client& c) { c.put("new/small", pattern(31, 70'001)); }},
      {.name = "put striped", .run = [](Client& c) { c.put("new/striped", pattern(32, 400'000)); }},
      {.name = "overwrite", .run = [](Client& c) { c.put("striped", pattern(33, 5'000)); }},
      {.name = "multipart",
       .run =
           [](Client& c) {
             c.multipart("new/parts", {pattern(34, 140'000), pattern(35, 70'000), pattern(36, 9)});
           }},
      {.name = "copy", .run = [](Client& c) { c.copy("parts", "new/copy"); }},
      {.name = "rename", .run = [](Client& c) { c.rename("small/0", "new/name"); }},
      {.name = "delete", .run = [](Client& c) { c.remove("copied"); }},
      {.name = "versions",
       .run =
           [](Client& c) {
             c.enable_versions();
             c.put("striped", pattern(38, 5'000));
             c.remove("copied");
             c.rename("small/0", "new/name");
             c.write("small/3", 100, pattern(39, 60'000));
           }},
      {.name = "file write",
       .run = [](Client& c) { c.write("striped", 77'777, pattern(37, 180'000)); }},
      {.name = "many puts",  // the journal's files go round, segments fill up
       .run =
           [](Client& c) {
             for (unsigned i = 0; i < 24; ++i) {
               c.put("many/" + std::to_string(i), pattern(40 + i, 100'000));
             }
             attempt(c.engine(), c.engine().engine().collect_garbage());  // with a checkpoint
           }},
  };
}

std::vector<Phase> keeping() {
  return {
      {.name = "read", .run = [](Client& c) { c.read_all(); }},
      {.name = "collect",
       .run =
           [](Client& c) {
             c.remove("striped");
             c.remove("copied");
             attempt(c.engine(), c.engine().engine().collect_garbage());
             c.put("new/small", pattern(50, 9'000));
           }},
      {.name = "compact",
       .run =
           [](Client& c) {
             attempt(c.engine(), c.engine().engine().compact(0));
             attempt(c.engine(), c.engine().engine().collect_garbage());
             c.put("new/striped", pattern(51, 200'000));
           }},
      {.name = "scrub",
       .run = [](Client& c) { attempt(c.engine(), c.engine().engine().scrub(0)); }},
      {.name = "stop",
       .run = [](Client& c) { c.put("new/small", pattern(52, 9'000)); },
       .stops = true},
      {.name = "start", .run = [](Client&) {}, .from_start = true},
      {.name = "start after a kill",
       .run = [](Client&) {},
       .from_start = true,
       .closed_before = false},
  };
}

std::vector<Phase> drives() {
  return {
      {.name = "repair onto a new drive",
       .prepare =
           [](io::SimWorld& world) {
             world.remove_drive(4);
             world.add_drive();
           },
       .run = [](Client& c) { attempt(c.engine(), c.engine().engine().repair()); },
       .from_start = true,
       .already_lost = 4},
      {.name = "restripe",
       .prepare = [](io::SimWorld& world) { world.remove_drive(4); },
       .run =
           [](Client& c) {
             attempt(c.engine(), c.engine().engine().repair());
             attempt(c.engine(), c.engine().engine().restripe());
             attempt(c.engine(), c.engine().engine().collect_garbage());
           },
       .from_start = true,
       .already_lost = 4},
      {.name = "add a drive",
       .prepare =
           [](io::SimWorld& world) {
             world.add_drive();
             world.remove_drive(kDrives);
           },
       .run =
           [](Client& c) {
             if (auto disk = c.engine().open_disk(kDrives)) {
               attempt(c.engine(), c.engine().engine().add_drive(std::move(*disk)));
             }
             c.put("new/striped", pattern(60, 200'000));
             attempt(c.engine(), c.engine().engine().repair());
             attempt(c.engine(), c.engine().engine().rebalance());
             attempt(c.engine(), c.engine().engine().collect_garbage());
           }},
      {.name = "drain and remove",
       .run =
           [](Client& c) {
             attempt(c.engine(), c.engine().engine().drain_drive(3, true));
             attempt(c.engine(), c.engine().engine().repair());
             attempt(c.engine(), c.engine().engine().remove_drive(3));
             c.put("new/small", pattern(61, 20'000));
           }},
  };
}

}  // namespace

const std::vector<Phase>& phases() {
  static const std::vector<Phase> all = [] {
    std::vector<Phase> out = writing();
    for (auto& more : {keeping(), drives()}) {
      out.insert(out.end(), more.begin(), more.end());
    }
    return out;
  }();
  return all;
}

std::string phase_name(const testing::TestParamInfo<std::size_t>& info) {
  std::string name = phases()[info.param].name;
  std::ranges::replace(name, ' ', '_');
  return name;
}

Start start_of(const Phase& phase) {
  Start start{world_with_bucket(kDrives, kParity, 1), {}};
  {
    SimEngine engine(start.world, 1);
    EXPECT_TRUE(engine.open());
    Client client(engine, start.expected);
    populate(client);
    if (phase.closed_before) {
      EXPECT_TRUE(engine.close());
    }
  }
  start.world.reboot(1);
  if (phase.prepare) {
    phase.prepare(start.world);
  }
  return start;
}

namespace {

void look(const Phase& phase, io::SimWorld& world, SimEngine& engine, Client& client, Played& out) {
  client.read_all();
  out.problem = client.problem();
  if (!out.problem.empty()) {
    return;
  }
  if (const auto put = engine.put("afterwards", "x"); !put) {
    out.problem = "takes no writes any more: " + put.error().describe();
    return;
  }
  client.expected().put("afterwards", "x", true);
  for (unsigned drive = 0; drive < world.drives(); ++drive) {
    if (drive != phase.already_lost && !is_live(engine, drive)) {
      out.ejected.insert(drive);
    }
  }
}

}  // namespace

Played play(const Phase& phase,
            io::SimWorld& world,
            Expected& expected,
            const std::shared_ptr<io::FaultPlan>& plan,
            std::uint64_t seed,
            std::optional<unsigned> must_go) {
  Played out;
  plan->enable(phase.from_start);
  SimEngine engine(world, seed, nullptr, plan);
  if (const auto opened = engine.open(); !opened) {
    out.problem = "does not start: " + opened.error().describe();
    return out;
  }
  Client client(engine, expected);
  plan->enable(true);
  if (world.drives() > kDrives && phase.already_lost == kDrives) {
    world.restore_drive(kDrives);
  }
  phase.run(client);
  if (phase.stops) {
    [[maybe_unused]] const auto closed = engine.close();
    out.problem = client.problem();
    return out;
  }
  plan->enable(false);
  constexpr unsigned kTries = 20'000;
  for (unsigned i = 0; must_go && plan->strikes() > 0 && is_live(engine, *must_go) && i < kTries;
       ++i) {
    std::this_thread::yield();
    [[maybe_unused]] const auto turned = engine.get("inline");
  }
  look(phase, world, engine, client, out);
  return out;
}

}  // namespace outcrop::test
