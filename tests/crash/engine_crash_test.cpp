// Power cut at every I/O of a scripted workload, and again during the recovery from it: what is
// found afterwards is the state before or after the operation in flight, never a mix, and every
// operation that was acknowledged is there. A twin without one sync must fail, or the test proves
// nothing.
#include <gtest/gtest.h>

#include <cstdlib>

#include "storage/ns/check.h"
#include "tests/support/sim_engine.h"

namespace outcrop::test {
namespace {

using Contents = std::map<std::string, std::string>;

struct Step {
  const char* name;
  std::function<Result<void>(SimEngine&)> run;
  std::function<void(Contents&)> model;
};

Step put(const char* name, std::string key, std::uint64_t seed, std::size_t size) {
  const std::string content = pattern(seed, size);
  return {name, [=](SimEngine& e) { return e.put(key, content); },
          [=](Contents& m) { m[key] = content; }};
}

Result<ns::FileId> file_id(SimEngine& e, std::string_view key) {
  TRY(const ns::BucketInfo bucket, e.run(e.ns().get_bucket(SimEngine::kBucket)));
  TRY(const ns::ObjectInfo info, e.run(e.ns().stat(SimEngine::kBucket, key)));
  return ns::FileId{bucket.root, info.ino};
}

struct FileWrite {
  std::uint64_t offset, seed;
  std::size_t size;
};

/// Writes through the file view that are durable when the step is done: all of them or none.
Step write_file(const char* name, std::string key, std::vector<FileWrite> writes, bool stable) {
  return {name,
          [=](SimEngine& e) -> Result<void> {
            TRY(const ns::FileId id, file_id(e, key));
            for (const FileWrite& w : writes) {
              const std::string data = pattern(w.seed, w.size);
              TRYV(e.run(e.engine().files().write(id, w.offset, {Buffer::copy_of(as_bytes(data))},
                                                  stable)));
            }
            TRYV(e.run(e.engine().files().commit(id)));
            return ok();
          },
          [=](Contents& m) {
            std::string& content = m[key];
            for (const FileWrite& w : writes) {
              content.resize(std::max<std::size_t>(content.size(), w.offset + w.size));
              content.replace(w.offset, w.size, pattern(w.seed, w.size));
            }
          }};
}

/// Changes of files whose stored content moves: sizes, holes, clones.
void add_file_changes(std::vector<Step>& steps) {
  steps.push_back({"file_grow_and_cut",
                   [](SimEngine& e) -> Result<void> {
                     TRY(const ns::FileId id, file_id(e, "copy/of/p"));
                     ns::SetAttributes set;
                     set.size = 100'000;
                     TRYV(e.run(e.engine().files().set_attributes(id, set)));
                     return ok();
                   },
                   [](Contents& m) { m["copy/of/p"].resize(100'000); }});
  steps.push_back({"file_clone",
                   [](SimEngine& e) -> Result<void> {
                     TRY(const ns::FileId from, file_id(e, "copy/of/p"));
                     TRY(const ns::FileId to, file_id(e, "a"));
                     TRYV(e.run(e.engine().files().clone(from, 7, to, 50, 90'000)));
                     return ok();
                   },
                   [](Contents& m) {
                     m["a"].resize(std::max<std::size_t>(m["a"].size(), 90'050));
                     m["a"].replace(50, 90'000, m["copy/of/p"].substr(7, 90'000));
                   }});
  steps.push_back({"file_hole",
                   [](SimEngine& e) -> Result<void> {
                     TRY(const ns::FileId id, file_id(e, "a"));
                     TRYV(e.run(e.engine().files().deallocate(id, 1000, 20'000)));
                     return ok();
                   },
                   [](Contents& m) { m["a"].replace(1000, 20'000, std::string(20'000, '\0')); }});
}

/// Runs `change` with the bucket's root directory.
Step file_names(const char* name,
                std::function<Result<void>(SimEngine&, ns::FileSystem&, ns::FileId)> change,
                std::function<void(Contents&)> model) {
  return {name,
          [change](SimEngine& e) -> Result<void> {
            ns::FileSystem& fs = e.engine().files();
            TRY(const ns::FileAttributes root, e.run(fs.bucket_root(SimEngine::kBucket)));
            return change(e, fs, root.id);
          },
          std::move(model)};
}

/// Changes of names through the file view. A name stands for what it did, so that a state between
/// two of the transactions of one step would show.
void add_name_changes(std::vector<Step>& steps) {
  steps.push_back(file_names(
      "file_mkdir_and_create",
      [](SimEngine& e, ns::FileSystem& fs, ns::FileId root) -> Result<void> {
        const auto made = e.run(fs.make_directory(root, "files", {}));
        if (!made && made.error().code() != Errc::already_exists) {
          return fail(made.error());
        }
        TRY(const ns::FileAttributes directory, e.run(fs.lookup(root, "files")));
        ns::CreateRequest request;
        request.attributes.size = 3;
        TRYV(e.run(fs.create(directory.id, "f", request)));
        return ok();
      },
      [](Contents& m) { m["files/f"] = std::string(3, '\0'); }));
  steps.push_back(file_names(
      "file_link",
      [](SimEngine& e, ns::FileSystem& fs, ns::FileId root) -> Result<void> {
        TRY(const ns::FileAttributes moved, e.run(fs.lookup(root, "moved")));
        TRYV(e.run(fs.link(moved.id, root, "linked")));
        return ok();
      },
      [](Contents& m) { m["linked"] = m["moved"]; }));
  steps.push_back(file_names(
      "file_unlink_one_name",
      [](SimEngine& e, ns::FileSystem& fs, ns::FileId root) -> Result<void> {
        TRYV(e.run(fs.remove(root, "moved", ns::RemoveKind::file)));
        return ok();
      },
      [](Contents& m) { m.erase("moved"); }));
  steps.push_back(file_names(
      "file_rename_over",
      [](SimEngine& e, ns::FileSystem& fs, ns::FileId root) -> Result<void> {
        TRY(const ns::FileAttributes directory, e.run(fs.lookup(root, "files")));
        TRYV(e.run(fs.rename(root, "linked", directory.id, "f")));
        return ok();
      },
      [](Contents& m) {
        m["files/f"] = m["linked"];
        m.erase("linked");
      }));
  steps.push_back(file_names(
      "file_rename_directory",
      [](SimEngine& e, ns::FileSystem& fs, ns::FileId root) -> Result<void> {
        TRYV(e.run(fs.rename(root, "files", root, "renamed")));
        return ok();
      },
      [](Contents& m) {
        m["renamed/f"] = m["files/f"];
        m.erase("files/f");
      }));
  steps.push_back(file_names(
      "file_unlink_while_held",
      [](SimEngine& e, ns::FileSystem& fs, ns::FileId root) -> Result<void> {
        TRY(const ns::FileAttributes directory, e.run(fs.lookup(root, "renamed")));
        TRY(const ns::FileAttributes file, e.run(fs.lookup(directory.id, "f")));
        TRY(const ns::OpenHoldPtr open, e.run(fs.hold(file.id)));
        TRYV(e.run(fs.remove(directory.id, "f", ns::RemoveKind::file)));
        return ok();
      },
      [](Contents& m) { m.erase("renamed/f"); }));
}

Result<void> rename(SimEngine& engine, std::string_view from, std::string_view to) {
  TRYV(engine.run(engine.ns().rename(SimEngine::kBucket, from, to)));
  return ok();
}

// What is at the key becomes its newest version that is not current.
void keep_version(Contents& m, const std::string& key, std::string content) {
  for (std::size_t n = 1;; ++n) {
    std::string& slot = m[key + "#" + std::to_string(n)];
    std::swap(slot, content);
    if (content.empty()) {
      return;
    }
  }
}

/// In a bucket with versions: what is kept, what comes back, and the directories that leave the
/// tree and return with it. Each step is one transaction.
void add_versions(std::vector<Step>& steps) {
  steps.push_back({"versions_enable",
                   [](SimEngine& e) {
                     return e.run(
                         e.ns().put_versioning(SimEngine::kBucket, ns::Versioning::enabled));
                   },
                   [](Contents&) {}});
  steps.push_back(put("versions_put", "v/w/k", 30, 5'000));
  const auto overwrite = [](const char* name, std::uint64_t seed, std::size_t size) {
    const std::string content = pattern(seed, size);
    return Step{name, [=](SimEngine& e) { return e.put("v/w/k", content); },
                [=](Contents& m) {
                  keep_version(m, "v/w/k", m["v/w/k"]);
                  m["v/w/k"] = content;
                }};
  };
  steps.push_back(overwrite("versions_overwrite", 31, 150'000));
  steps.push_back(overwrite("versions_overwrite_again", 32, 50));
  steps.push_back({"versions_delete", [](SimEngine& e) { return e.remove("v/w/k"); },
                   [](Contents& m) {
                     keep_version(m, "v/w/k", m["v/w/k"]);
                     keep_version(m, "v/w/k", "(delete marker)");
                     m.erase("v/w/k");
                   }});
  steps.push_back(
      {"versions_undelete",
       [](SimEngine& e) -> Result<void> {
         const auto gone = e.get("v/w/k");
         if (gone || gone.error().code() != Errc::key_deleted) {
           return gone ? ok() : Result<void>(fail(gone.error()));
         }
         TRYV(e.run(e.ns().remove_version(SimEngine::kBucket, "v/w/k", gone.error().detail(), {})));
         return ok();
       },
       [](Contents& m) {
         m["v/w/k"] = m["v/w/k#2"];
         m["v/w/k#1"] = m["v/w/k#3"];
         m["v/w/k#2"] = m["v/w/k#4"];
         m.erase("v/w/k#3");
         m.erase("v/w/k#4");
       }});
  steps.push_back({"versions_rename", [](SimEngine& e) { return rename(e, "v/w/k", "v/r"); },
                   [](Contents& m) {
                     m["v/r"] = m["v/w/k"];
                     keep_version(m, "v/w/k", m["v/w/k"]);
                     keep_version(m, "v/w/k", "(delete marker)");
                     m.erase("v/w/k");
                   }});
}

std::vector<Step> workload() {
  std::vector<Step> steps{
      put("put_inline", "a", 1, 100),
      put("put_small", "dir/b", 2, 5'000),
      put("put_small_unaligned", "dir/sub/c", 3, 70'001),
      put("put_large", "dir/large", 4, 300'000),
      put("overwrite_small_by_large", "dir/b", 5, 150'000),
      put("overwrite_large_by_inline", "dir/large", 6, 10),
  };
  steps.push_back(
      {"multipart",
       [](SimEngine& e) { return e.multipart("m/p", {pattern(7, 200'000), pattern(8, 9)}); },
       [](Contents& m) { m["m/p"] = pattern(7, 200'000) + pattern(8, 9); }});
  steps.push_back({"put_sealed",
                   [](SimEngine& e) { return e.put("sealed/one", pattern(9, 150'000), true); },
                   [](Contents& m) { m["sealed/one"] = pattern(9, 150'000); }});
  steps.push_back({"multipart_sealed",
                   [](SimEngine& e) {
                     return e.multipart("sealed/m", {pattern(10, 70'000), pattern(11, 9)}, true);
                   },
                   [](Contents& m) { m["sealed/m"] = pattern(10, 70'000) + pattern(11, 9); }});
  steps.push_back({"copy", [](SimEngine& e) { return e.copy("m/p", "copy/of/p"); },
                   [](Contents& m) { m["copy/of/p"] = m["m/p"]; }});
  steps.push_back({"delete", [](SimEngine& e) { return e.remove("m/p"); },
                   [](Contents& m) { m.erase("m/p"); }});
  steps.push_back({"rename_key", [](SimEngine& e) { return rename(e, "dir/b", "moved"); },
                   [](Contents& m) {
                     m["moved"] = m["dir/b"];
                     m.erase("dir/b");
                   }});
  steps.push_back({"rename_directory", [](SimEngine& e) { return rename(e, "dir/", "new/"); },
                   [](Contents& m) {
                     Contents out;
                     for (auto& [key, content] : m) {
                       out[key.starts_with("dir/") ? "new/" + key.substr(4) : key] = content;
                     }
                     m = std::move(out);
                   }});
  steps.push_back(write_file("file_inline", "a", {{90, 20, 500}, {2, 21, 7}}, false));
  steps.push_back(
      write_file("file_small_runs", "moved", {{5, 22, 9'000}, {140'000, 23, 30'000}}, false));
  steps.push_back(write_file("file_striped", "new/large", {{3, 24, 300'000}}, false));
  steps.push_back(write_file("file_stable", "new/sub/c", {{69'990, 25, 3'000}}, true));
  add_file_changes(steps);
  add_name_changes(steps);
  add_versions(steps);
  steps.push_back({"compact",
                   [](SimEngine& e) -> Result<void> {
                     TRYV(e.run(e.engine().compact(0)));
                     TRYV(e.run(e.engine().collect_garbage()));
                     return ok();
                   },
                   [](Contents&) {}});
  steps.push_back({"collect_garbage",
                   [](SimEngine& e) -> Result<void> {
                     TRYV(e.run(e.engine().collect_garbage()));
                     return ok();
                   },
                   [](Contents&) {}});
  return steps;
}

std::uint64_t number_in(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text ? std::strtoul(text, nullptr, 10) : otherwise;
}

/// How many crash points to skip between two that are run: 1 in the full run. The full run can be
/// dealt out: processes with OUTCROP_CRASH_STRIDE=n and OUTCROP_CRASH_OFFSET=0 .. n-1 run all.
std::uint64_t stride(std::uint64_t otherwise) {
  return std::max<std::uint64_t>(1, number_in("OUTCROP_CRASH_STRIDE", otherwise));
}

struct Tally {
  std::uint64_t states = 0;
  std::uint64_t violations = 0;
};

/// Opens the world as a fresh process and reads everything; a failed start is a violation, and so
/// is a tree that is not whole, or a bucket that holds something else than its tally says.
Result<Contents> recover(io::SimWorld& world, std::uint64_t seed) {
  SimEngine engine(world, seed);
  TRYV(engine.open());
  TRYV(engine.run(engine.engine().files().reap_orphans()));
  TRY(Contents found, engine.everything());
  TRY(const ns::TreeReport tree, engine.run(ns::check_tree(engine.engine().meta())));
  if (!tree.clean()) {
    return fail(Errc::corrupt, tree.problems.front().text());
  }
  TRYV(engine.put("after-recovery", "x"));
  TRYV(engine.close());
  found.erase("after-recovery");
  return found;
}

bool check(io::SimWorld& world,
           const Contents& before,
           const Contents& after,
           bool acked,
           std::uint64_t seed,
           Tally& tally) {
  ++tally.states;
  const auto found = recover(world, seed);
  const bool good = found && (*found == after || (!acked && *found == before));
  if (!good) {
    ++tally.violations;
  }
  return good;
}

class CrashRun {
 public:
  CrashRun(const Step& step, io::SimWorld start, Contents before)
      : x_step(step), x_start(std::move(start)), x_before(before), x_after(std::move(before)) {
    step.model(x_after);
  }

  /// Crashes at I/O `n`; false when the step finished before it.
  bool at(std::uint64_t n, io::CrashMode mode, Tally& tally) {
    io::SimWorld world = x_start.clone(n);
    bool acked = false, crashed = false;
    {
      world.reboot(n);
      if (skip_sync) {
        world.skip_sync(skip_sync);
      }
      SimEngine engine(world, n);
      world.crash_at(n, mode);
      if (engine.open()) {
        acked = x_step.run(engine).has_value() && !world.crashed();
        if (!world.crashed()) {
          [[maybe_unused]] const auto closed = engine.close();
        }
      }
      crashed = world.crashed();
    }
    io::SimWorld second = world.clone(n + 1);
    world.reboot(n * 31 + static_cast<unsigned>(mode));
    const bool good = check(world, x_before, x_after, acked, n, tally);
    if (!skip_sync) {
      EXPECT_TRUE(good) << x_step.name << " I/O " << n << " mode " << static_cast<int>(mode);
      again(std::move(second), n, mode, acked, tally);
    }
    return crashed;
  }

  std::function<bool(const io::SimStepInfo&)> skip_sync;

 private:
  /// The same crash, then another one at a seeded I/O of the recovery, then a clean recovery.
  void again(io::SimWorld world, std::uint64_t n, io::CrashMode mode, bool acked, Tally& tally) {
    world.reboot(n * 31 + static_cast<unsigned>(mode));
    {
      SimEngine engine(world, n);
      world.crash_at(1 + (n * 7 + static_cast<unsigned>(mode)) % 60, mode);
      [[maybe_unused]] const auto opened = engine.open();
    }
    world.reboot(n * 37);
    EXPECT_TRUE(check(world, x_before, x_after, acked, n, tally))
        << x_step.name << " I/O " << n << ", recovery crashed too";
  }

  const Step& x_step;
  io::SimWorld x_start;
  Contents x_before, x_after;
};

constexpr std::array kModes{io::CrashMode::before, io::CrashMode::after, io::CrashMode::torn};

/// Runs the workload; at each step hands the world and model before it to `visit`.
template <class Visit>
void each_step(unsigned drives, unsigned parity, Visit visit) {
  io::SimWorld world = world_with_bucket(drives, parity, 1);
  Contents model;
  const auto steps = workload();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    visit(steps[i], world, model);
    {
      SimEngine engine(world, i);
      ASSERT_TRUE(engine.open());
      ASSERT_TRUE(steps[i].run(engine)) << steps[i].name;
      if (i % 2 == 0) {  // every other step leaves a journal to replay
        ASSERT_TRUE(engine.close());
      }
    }
    steps[i].model(model);
    world.reboot(i);
  }
}

struct Box {
  unsigned drives, parity;
  std::uint64_t stride;  ///< when the environment says nothing
};
class EveryIo : public testing::TestWithParam<Box> {};

TEST_P(EveryIo, IsOldOrNew) {
  Tally tally;
  const std::uint64_t skip = stride(GetParam().stride);
  const std::uint64_t offset = number_in("OUTCROP_CRASH_OFFSET", 0);
  each_step(GetParam().drives, GetParam().parity,
            [&](const Step& step, io::SimWorld& world, const Contents& model) {
              CrashRun run(step, world.clone(1), model);
              for (const io::CrashMode mode : kModes) {
                for (std::uint64_t n = 1 + (offset + static_cast<unsigned>(mode)) % skip;
                     run.at(n, mode, tally); n += skip) {
                  if (testing::Test::HasFailure()) {
                    return;
                  }
                }
              }
            });
  EXPECT_EQ(tally.violations, 0U);
  std::printf("%u+%u drives: %llu crash states, %llu violations\n",
              GetParam().drives - GetParam().parity, GetParam().parity,
              static_cast<unsigned long long>(tally.states),
              static_cast<unsigned long long>(tally.violations));
}

INSTANTIATE_TEST_SUITE_P(Boxes, EveryIo, testing::Values(Box{3, 1, 7}, Box{6, 2, 49}));

// The harness itself: without the journal's durable writes acknowledged operations must get lost.
TEST(EngineCrash, TwinWithoutJournalSyncLosesData) {
  Tally tally;
  each_step(3, 1, [&](const Step& step, io::SimWorld& world, const Contents& model) {
    if (std::string_view(step.name) != "put_small" || tally.violations > 0) {
      return;
    }
    CrashRun run(step, world.clone(1), model);
    run.skip_sync = [](const io::SimStepInfo& info) {
      return info.path.starts_with("journal/") || info.path.starts_with("meta/");
    };
    for (std::uint64_t n = 1; run.at(n, io::CrashMode::after, tally); ++n) {
    }
  });
  EXPECT_GT(tally.violations, 0U);
}

}  // namespace
}  // namespace outcrop::test
