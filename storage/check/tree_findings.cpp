#include "storage/check/tree_findings.h"

#include <algorithm>

#include "storage/check/object_names.h"

namespace outcrop::check {
namespace {

struct Meaning {
  std::string_view beginning;  ///< of what check_tree calls it
  std::string_view code, means, advice;
};

constexpr std::string_view kOtherMirror =
    "if only one mirror says so (see mirrors-differ), build that one anew; else keep the server "
    "stopped, copy the drives, and report this";
constexpr std::string_view kPutAgain =
    "copy what can be read of it to another key and delete it; report this";

/// The first that fits counts.
constexpr std::array kMeanings{
    Meaning{"extent without reference record", "reference-missing",
            "its payload counts as free: garbage collection may give the space away", kOtherMirror},
    Meaning{"extent reference that nothing uses", "reference-extra",
            "space that is never given back; nothing else is wrong with it",
            "nothing is lost: report this"},
    Meaning{"extent reference key malformed", "reference-extra", "space that is never given back",
            "nothing is lost: report this"},
    Meaning{"extent reference says something else", "reference-wrong",
            "compaction counts the wrong number of bytes for it", kPutAgain},
    Meaning{"two extents at one place", "reference-wrong",
            "one record names two payloads where only one can be", kPutAgain},
    Meaning{"inode number beyond the counter", "inode-number",
            "a new object could get the same number and be taken for it", kOtherMirror},
    Meaning{"directory below itself", "tree-loop", "nothing below it can be reached from a bucket",
            kOtherMirror},
    Meaning{"orphan inode", "tree-orphan",
            "it has no name: nobody can reach it, and its space is not given back", kOtherMirror},
    Meaning{"unlinked inode without orphan record", "tree-orphan",
            "its last name is gone and nobody will give its space back",
            "nothing is lost but space: report this"},
    Meaning{"dangling dirent", "tree-dangling",
            "a name that leads to nothing: listings show it and it cannot be read", kOtherMirror},
    Meaning{"dirent in what is no directory", "tree-dangling",
            "names below a directory that is not there: nobody can reach them", kOtherMirror},
    Meaning{"bucket", "tree-bucket", "the bucket cannot be opened", kOtherMirror},
    Meaning{"listing summary differs", "tree-summary",
            "listings show another size, time or ETag than the object has", kPutAgain},
    Meaning{"dangling version", "tree-version",
            "an old version that version listings show and that cannot be read", kOtherMirror},
    Meaning{"version in what is no directory", "tree-version",
            "old versions below a directory that is not there: nobody can reach them",
            kOtherMirror},
    Meaning{"current version is not the newest", "tree-version",
            "deleting the current version would not bring back the one before it", kPutAgain},
    Meaning{"deleted key without marker", "tree-version",
            "the key has versions, and neither an object nor a delete marker", kOtherMirror},
    Meaning{"pointer to the null version", "tree-version",
            "the version \"null\" of the key may not be found", kOtherMirror},
    Meaning{"tally", "usage-differs",
            "a quota of the bucket would be judged by a wrong sum; nothing is lost",
            "start the server once with --recount; report this"},
    Meaning{"upload", "tree-upload", "an unfinished upload that cannot be completed",
            "abort the upload; report this"},
    Meaning{"part", "tree-upload", "a part that cannot be used", "abort the upload; report this"}};

constexpr Meaning kOther{"", "tree-record", "the records of the tree do not agree about it",
                         kOtherMirror};

const Meaning& meaning_of(std::string_view what) {
  const auto at = std::ranges::find_if(
      kMeanings, [what](const Meaning& m) { return what.starts_with(m.beginning); });
  return at == kMeanings.end() ? kOther : *at;
}

}  // namespace

Task<> report_tree(const ns::TreeReport& tree, meta::MetaStore& meta, Report& report) {
  report.buckets = tree.buckets;
  report.files = tree.files;
  report.directories = tree.directories;
  report.versions = tree.versions;
  report.delete_markers = tree.delete_markers;
  report.other_nodes = tree.symlinks + tree.special_nodes;
  report.uploads = tree.uploads;
  report.parts = tree.parts;
  report.references = tree.extent_refs;
  report.object_bytes = tree.payload_bytes;
  for (const ns::TreeProblem& problem : tree.problems) {
    const Meaning& meaning = meaning_of(problem.what);
    std::string who;
    if (problem.ino != 0) {
      CO_TRY(who, co_await name_inode(meta, problem.ino));
      who += ": ";
    }
    const bool of_segment =
        problem.what.starts_with("extent") || problem.what.starts_with("two extents");
    const std::string detail = problem.detail.empty() ? ""
                               : of_segment           ? " (segment " + problem.detail + ")"
                                                      : " (" + quoted(problem.detail) + ")";
    report.findings.problem(
        meaning.code, who + std::string(problem.what) + detail + ": " + std::string(meaning.means),
        std::string(meaning.advice));
  }
  if (tree.problem_count > tree.problems.size()) {
    report.findings.problem(
        "tree-more",
        count_of(tree.problem_count - tree.problems.size(), "further problem") + " of the tree",
        std::string(kOtherMirror));
  }
  co_return ok();
}

}  // namespace outcrop::check
