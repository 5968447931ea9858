// Random histories of S3 and file operations of several clients over one store, against the model
// of what both must show (cross_model.h): after every operation its answer, from time to time the
// whole tree seen from both sides, over clean restarts and crashes. Now and then two operations run
// at once, and must look as if one came after the other. OUTCROP_MODEL_OPS says how many,
// OUTCROP_SEED which history, OUTCROP_MODEL_TRACE how many operations are shown before a failure.
#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>

#include "tests/property/cross_driver.h"
#include "tests/property/cross_generator.h"
#include "tests/support/file_fixture.h"

namespace outcrop::test {
namespace {

constexpr std::uint64_t kMinPart = 50;
constexpr std::uint64_t kPerHistory = 5000;
constexpr std::uint64_t kCheckEvery = 250;
constexpr std::uint64_t kPairOneIn = 12;

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

// Every second history has caches and tables that are too small for it.
ns::NamespaceConfig config(std::uint64_t seed) {
  ns::NamespaceConfig out;
  const bool tight = seed % 2 == 0;
  out.object_cache_bytes = tight ? 20'000 : 1 << 20;
  out.directory_cache_bytes = tight ? 4'000 : 1 << 18;
  out.directory_times = tight ? 1 : 1 << 15;
  out.extent_cache_bytes = 1 << 20;
  out.write_buffer_bytes = tight ? 64 << 10 : 1 << 20;
  out.fragmented_pieces = 20;
  out.min_part_bytes = kMinPart;
  out.inode_block = 5000;
  return out;
}

// And two in four a bucket that keeps versions: nobody may notice.
bool versioned(std::uint64_t seed) { return seed % 4 >= 2; }

class CrossHistory {
 public:
  explicit CrossHistory(std::uint64_t seed)
      : x_driver(
            config(seed), static_cast<unsigned>(seed % 3 == 0 ? 0 : 1 + seed % 3), versioned(seed)),
        x_generator(seed, x_driver.root),
        x_model({.root = x_driver.root,
                 .min_part_bytes = kMinPart,
                 .exact_times = config(seed).directory_times > 1000,
                 .versioned = versioned(seed)}) {}

  /// Empty: all is as it must be.
  std::string step() {
    if (x_generator.pick(kPairOneIn) == 0) {
      return pair();
    }
    const Op op = x_generator.next(x_model);
    const std::string wrong = perform(x_model, op);
    return wrong.empty() && op.kind == OpKind::crash ? look_at_survivors() : wrong;
  }

  std::string check_everything() {
    std::string wrong = check(x_model);
    if (wrong.empty()) {
      x_driver.expect_clean();
      x_driver.blobs.collect();
    }
    return wrong;
  }

  std::string trace() const {
    std::string out;
    for (const std::string& line : x_trace) {
      out += line + "\n";
    }
    return out;
  }

 private:
  std::string perform(CrossModel& model, const Op& op) {
    const Answer answer = x_driver.perform(op);
    std::string wrong = answer.refused ? std::string() : model.judge(op, answer);
    if (!x_checking || !wrong.empty()) {
      note(describe(op) + " -> " + describe(answer) + (wrong.empty() ? "" : "   <<< " + wrong));
    }
    return wrong;
  }
  void note(std::string line) {
    x_trace.push_back(std::move(line));
    if (x_trace.size() > x_traced) {
      x_trace.pop_front();
    }
  }

  // One after the other, in whichever order; the tree tells which if the answers do not.
  std::string pair() {
    const auto [a, b] = x_generator.pair(x_model);
    const auto [first, second] = x_driver.perform_pair(a, b);
    note("at once: " + describe(a) + " -> " + describe(first));
    note("    with " + describe(b) + " -> " + describe(second));
    std::string wrong;
    for (const bool in_order : {true, false}) {
      CrossModel model = x_model;
      model.set_at_once(true);
      std::string now;
      for (const bool of_a : {in_order, !in_order}) {
        const Answer& answer = of_a ? first : second;
        if (now.empty() && !answer.refused) {
          now = model.judge(of_a ? a : b, answer);
        }
      }
      model.set_at_once(false);
      if (now.empty()) {
        now = check(model);
      }
      if (now.empty()) {
        x_model = std::move(model);
        return {};
      }
      wrong += (in_order ? "one order: " : "; the other: ") + now;
    }
    return wrong;
  }

  std::string look_at_survivors() {
    std::vector<InodeId> dirty;
    for (const auto& [id, node] : x_model.nodes()) {
      if (node.dirty) {
        dirty.push_back(node.ino);
      }
    }
    for (const InodeId ino : dirty) {
      Op op;
      op.kind = OpKind::read;
      op.file = {x_driver.root.root, ino};
      op.length = 1 << 20;
      const Answer answer = x_driver.perform(op);
      if (answer.error) {
        return "a file is gone after a crash: " + describe(answer);
      }
      std::string wrong = x_model.survived(ino, joined(answer.as<ns::ReadResult>().data));
      if (!wrong.empty()) {
        return wrong;
      }
    }
    return {};
  }

  std::string check(CrossModel& model) {
    x_checking = true;
    std::string wrong = look_around(model);
    x_checking = false;
    return wrong;
  }

  std::string look_around(CrossModel& model) {
    std::string wrong = walk_keys(model);
    for (std::string delimiter : {"/", "a"}) {
      if (wrong.empty() && model.keys().size() == model.paths().size()) {
        Op op;
        op.kind = OpKind::list;
        op.list.delimiter = delimiter;
        wrong = perform(model, op);
      }
    }
    wrong = wrong.empty() ? walk_directory(model, model.root()) : wrong;
    return wrong.empty() ? walk_handles(model) : wrong;
  }

  // Handles of what is there resolve, without a name too; those of what is gone do not.
  std::string walk_handles(CrossModel& model) {
    std::vector<InodeId> all = model.gone();
    for (const auto& [id, node] : model.nodes()) {
      if (node.ino != 0) {
        all.push_back(node.ino);
      }
    }
    for (const InodeId ino : all) {
      Op op;
      op.kind = OpKind::get_attributes;
      op.file = {x_driver.root.root, ino};
      std::string wrong = perform(model, op);
      const Node* node = model.find(ino);
      if (wrong.empty() && node && node->regular()) {
        op.kind = OpKind::read;
        op.length = 1 << 20;
        wrong = perform(model, op);
      }
      if (!wrong.empty()) {
        return wrong;
      }
    }
    return {};
  }

  std::string walk_keys(CrossModel& model) {
    const auto keys = model.keys();
    Op list;
    list.kind = OpKind::list;
    list.list.max_keys = 23;
    for (std::size_t done = 0; done <= keys.size(); done += list.list.max_keys) {
      list.list.start_after = done == 0 ? "" : keys[done - 1];
      if (std::string wrong = perform(model, list); !wrong.empty()) {
        return wrong;
      }
    }
    for (const std::string& key : keys) {
      Op get;
      get.kind = OpKind::get;
      get.key = key;
      get.length = UINT64_MAX;
      if (std::string wrong = perform(model, get); !wrong.empty()) {
        return wrong;
      }
    }
    return {};
  }

  // Reads it in pages, looks all its names up, and goes on below.
  std::string walk_directory(CrossModel& model, NodeId id) {
    Op op;
    op.kind = OpKind::read_directory;
    op.file = {x_driver.root.root, model.node(id).ino};
    op.length = 1 + x_generator.pick(30);
    for (bool eof = false; !eof;) {
      const Answer answer = x_driver.perform(op);
      std::string wrong = model.judge(op, answer);
      if (!wrong.empty()) {
        for (const ns::DirectoryEntry& entry : answer.as<ns::DirectoryPage>().entries) {
          wrong += " [" + std::to_string(entry.attributes.id.ino) + " " + entry.name + "]";
        }
        return describe(op) + ": " + wrong;
      }
      const auto& page = answer.as<ns::DirectoryPage>();
      op.offset = page.entries.empty() ? op.offset : page.entries.back().cookie;
      eof = page.eof;
    }
    const auto entries = model.node(id).entries;
    for (const auto& [dirent, child] : entries) {
      if (dirent.empty()) {
        continue;
      }
      Op look;
      look.kind = OpKind::lookup;
      look.file = op.file;
      look.name = model.shown(model.node(id), dirent);
      std::string wrong = perform(model, look);
      if (wrong.empty() && model.node(child).directory()) {
        wrong = walk_directory(model, child);
      }
      if (!wrong.empty()) {
        return wrong;
      }
    }
    return {};
  }

  CrossDriver x_driver;
  CrossGenerator x_generator;
  CrossModel x_model;
  std::deque<std::string> x_trace;
  const std::size_t x_traced = setting("OUTCROP_MODEL_TRACE", 40);
  bool x_checking = false;  ///< what a check does is in the trace only if it is wrong
};

TEST(CrossModel, RandomHistories) {
  const std::uint64_t total = setting("OUTCROP_MODEL_OPS", 20'000);
  std::uint64_t seed = setting("OUTCROP_SEED", 1);
  for (std::uint64_t done = 0; done < total; done += kPerHistory, ++seed) {
    SCOPED_TRACE("OUTCROP_SEED=" + std::to_string(seed));
    CrossHistory history(seed);
    const std::uint64_t steps = std::min(kPerHistory, total - done);
    for (std::uint64_t i = 0; i < steps; ++i) {
      std::string wrong = history.step();
      if (wrong.empty() && (i % kCheckEvery == kCheckEvery - 1 || i + 1 == steps)) {
        wrong = history.check_everything();
      }
      if (!wrong.empty() || ::testing::Test::HasFailure()) {
        FAIL() << "at operation " << i << ": " << wrong << "\nthe last ones:\n" << history.trace();
      }
    }
  }
}

}  // namespace
}  // namespace outcrop::test
