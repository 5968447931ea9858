#include "storage/check/fsck.h"

#include "storage/check/mirror_check.h"
#include "storage/check/payload_check.h"
#include "storage/check/replay_proof.h"
#include "storage/check/tree_findings.h"

namespace outcrop::check {
namespace {

/// A quarter each: block cache, memtables of the mirrors, and the two sorts.
meta::MetaConfig meta_config(std::size_t memory_bytes, std::size_t mirrors) {
  constexpr std::uint64_t kLeastMemtable = 1 << 20;
  meta::MetaConfig out;
  out.block_cache_bytes = memory_bytes / 4;
  out.memtable_bytes =
      std::max<std::uint64_t>(memory_bytes / 4 / std::max<std::size_t>(mirrors, 1), kLeastMemtable);
  return out;
}

class Fsck {
 public:
  Fsck(FsckInput input, Report& report) : x_input(std::move(input)), x_report(report) {}

  Task<> run() {
    CO_TRYV(tell("drives", 0, 0));
    CO_TRYV(look_at_drives(x_input.drives, x_input.last_path, x_report));
    CO_TRYV(open_drives());
    CO_TRYV(tell("journal", 0, 0));
    CO_TRY(x_meta, co_await meta::OfflineMeta::open(
                       meta_config(x_input.memory_bytes, x_drives->record().mirrors.size()),
                       *x_drives, *x_proof, x_pool));
    report_losses(*x_meta, *x_drives, x_report);
    CO_TRY(x_verdicts,
           co_await compare_mirrors(*x_meta, *x_drives, counter("mirrors", 0), x_report));
    for (std::size_t i = 0; i < x_verdicts.size(); ++i) {
      if (x_verdicts[i].readable && (!x_first || x_verdicts[i].different > 0)) {
        CO_TRYV(co_await check_mirror(i));
      }
    }
    co_return x_first ? ok() : fail(Errc::corrupt, "no metadata mirror can be read");
  }

 private:
  Result<void> tell(std::string_view phase, std::uint64_t done, std::uint64_t total) {
    const bool go_on = !x_input.progress || x_input.progress(phase, done, total);
    return go_on ? ok() : Result<void>(fail(Errc::cancelled));
  }
  std::function<bool(std::uint64_t)> counter(std::string_view phase, std::uint64_t total) {
    return
        [this, phase, total](std::uint64_t done) { return tell(phase, done, total).has_value(); };
  }

  Result<void> open_drives() {
    std::vector<std::unique_ptr<io::Disk>> disks;
    for (DriveInput& drive : x_input.drives) {
      if (drive.disk) {
        disks.push_back(std::move(drive.disk));
      }
    }
    TRY(x_drives, drives::DriveSet::open(std::move(disks), {.allow_reduced_redundancy =
                                                                x_input.allow_reduced_redundancy,
                                                            .witness = x_input.witness}));
    x_proof = std::make_unique<ReplayProof>(*x_drives);
    return ok();
  }

  // The first that can be read is what the server would read: all of the store is checked by it.
  // Of others that differ it is told whether they are whole.
  Task<> check_mirror(std::size_t mirror) {
    meta::MetaStore& store = x_meta->store(mirror);
    const bool first = !x_first;
    if (first) {
      x_first = mirror;
      CO_TRY(x_segments, co_await check_segment_files(store, *x_drives, x_report));
    }
    PayloadOptions options{.read = !x_input.metadata_only,
                           .backend = x_input.backend,
                           .in_doubt = {},
                           .progress = counter("payload", x_segments.size())};
    for (const Extent& extent : x_meta->replayed().in_doubt) {
      options.in_doubt.emplace(extent.segment, extent.offset);
    }
    PayloadCheck payload(store, *x_drives, x_segments, std::move(options), x_report);
    ns::CheckOptions check{.scratch = x_input.scratch,
                           .memory_bytes = x_input.memory_bytes / 4,
                           .visitor = first ? &payload : nullptr,
                           .progress = counter("tree", x_verdicts[mirror].records)};
    CO_TRY(const ns::TreeReport tree, co_await ns::check_tree(store, std::move(check)));
    if (!first) {
      const std::string where = drive_name(*x_drives, x_meta->slot(mirror));
      x_report.findings.problem(
          "mirror-tree",
          "the tree of the metadata mirror on " + where +
              (tree.clean() ? " is whole"
                            : " has " + count_of(tree.problem_count, "problem") +
                                  ", the first: " + quoted(tree.problems.front().text())) +
              "; that of the one on " + drive_name(*x_drives, x_meta->slot(*x_first)) + " has " +
              count_of(x_tree_problems, "problem"),
          "keep the one that is whole: see mirrors-differ");
      co_return ok();
    }
    x_tree_problems = tree.problem_count;
    CO_TRYV(co_await payload.finish());
    co_return co_await report_tree(tree, store, x_report);
  }

  FsckInput x_input;
  Report& x_report;
  BlockingPool x_pool{0};
  std::unique_ptr<drives::DriveSet> x_drives;
  std::unique_ptr<ReplayProof> x_proof;
  std::unique_ptr<meta::OfflineMeta> x_meta;
  std::vector<MirrorVerdict> x_verdicts;
  std::optional<std::size_t> x_first;
  Segments x_segments;
  std::uint64_t x_tree_problems = 0;
};

}  // namespace

Task<> run_fsck(FsckInput input, Report& report) {
  Fsck fsck(std::move(input), report);
  co_return co_await fsck.run();
}

}  // namespace outcrop::check
