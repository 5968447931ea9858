// Faults on purpose: a plan of what is to go wrong at which call of which drive, and the decorators
// that carry it out over any Disk and IoBackend, real or simulated. For tests: nothing makes a plan
// but a test, or outcropd when started with --test-faults.
#pragma once
#include <compare>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "storage/base/random.h"
#include "storage/io/sim_disk.h"

namespace outcrop::io {

/// What a path on a drive is for, as far as faults tell files apart.
enum class PathClass : std::uint8_t {
  superblock,
  epoch,
  lock,
  journal,   ///< journal/
  segment,   ///< segments/: shard files in use
  spare,     ///< spare/: shard files in waiting, and those being zeroed
  table,     ///< meta/: RocksDB's *.sst
  manifest,  ///< meta/: MANIFEST-*, CURRENT and what is renamed to it
  options,   ///< meta/: OPTIONS-*, which RocksDB writes for people and does not insist on
  mirror,    ///< meta/: our own marker files, and everything else of the index
  root       ///< the drive directory itself
};
inline constexpr unsigned kPathClasses = 11;
PathClass path_class(std::string_view path);
std::string_view to_string(PathClass where);
std::string_view to_string(SimStep step);

enum class FaultKind : std::uint8_t {
  error,        ///< the call fails with `error_number` and has no effect
  short_count,  ///< part of a transfer is done; a write then fails with EIO, a read returns less
  delay,        ///< the call takes `delay_ms` longer
  flip,         ///< one bit of what is read or written is wrong; nobody is told. So for the next:
  misdirected,  ///< a transfer at another place of the file
  lost,         ///< a write or a sync that is not done
  torn          ///< only some of the 512-byte sectors of a write are written
};
std::string_view to_string(FaultKind kind);
/// Whether the call claims to have done what it did not.
bool silent(FaultKind kind);
/// Whether this can happen to such a call.
bool applies(FaultKind kind, SimStep step);

/// Strikes calls that match; empty members match everything.
struct FaultRule {
  std::optional<unsigned> drive{};
  std::optional<SimStep> step{};
  std::optional<PathClass> where{};
  std::string path_part{};         ///< substring of the path
  std::optional<bool> transfer{};  ///< FaultSite::transfer
  FaultKind kind = FaultKind::error;
  int error_number = 5;   ///< of FaultKind::error: EIO, ENOSPC, EINTR
  std::uint64_t nth = 1;  ///< the first match that is struck
  std::uint64_t times = 1;
  double probability = 1;  ///< of each match from the nth on
  unsigned delay_ms = 0;
};
inline constexpr std::uint64_t kAlways = std::numeric_limits<std::uint64_t>::max();

/// One rule a ';', its members "name=value" between ',': drive, step, where, path, kind, error
/// (EIO, ENOSPC, EINTR), nth, times (a number or "always"), probability, delay_ms; and seed, once,
/// for the plan. invalid_argument with the part that makes no sense.
struct FaultText {
  std::vector<FaultRule> rules;
  std::uint64_t seed = 1;
};
Result<FaultText> parse_faults(std::string_view text);

/// A kind of call on a drive: what tests enumerate.
struct FaultSite {
  unsigned drive = 0;
  SimStep step = SimStep::read;
  PathClass where = PathClass::root;
  bool transfer = false;  ///< it moves bytes; else it opens, lists, measures, or changes names
  auto operator<=>(const FaultSite&) const = default;
};
std::string describe(const FaultSite& site);

/// The rules and what came of them. Thread-safe; reproducible from the seed when the calls are.
class FaultPlan {
 public:
  explicit FaultPlan(std::uint64_t seed = 1) : x_random(seed) {}

  void add(FaultRule rule);
  /// No rules, nothing seen, nothing struck.
  void clear();
  /// While it is off, calls are neither counted nor struck. On at first.
  void enable(bool on);
  std::uint64_t strikes() const;                     ///< of all rules
  std::map<FaultSite, std::uint64_t> sites() const;  ///< calls by site
  /// Calls on a file that had been struck at the same step: 0 proves that nothing was tried again.
  std::uint64_t retries() const;

  struct Strike {
    FaultKind kind = FaultKind::error;
    int error_number = 0;
    unsigned delay_ms = 0;
    std::uint64_t random = 0;
  };
  /// Counts a call and says what happens to it. What is no transfer can only fail or wait.
  std::optional<Strike> decide(const SimStepInfo& call, bool transfer);

 private:
  struct Entry {
    FaultRule rule;
    std::uint64_t matches = 0, strikes = 0;
  };
  mutable std::mutex x_mutex;
  SeededRandom x_random;
  bool x_enabled = true;
  std::vector<Entry> x_rules;
  std::uint64_t x_strikes = 0, x_retries = 0;
  std::map<FaultSite, std::uint64_t> x_sites;
  std::set<std::tuple<unsigned, SimStep, std::string>> x_struck;
};

/// `disk` as drive number `drive` of the plan, which it shares.
std::unique_ptr<Disk> make_faulty(std::unique_ptr<Disk> disk,
                                  unsigned drive,
                                  std::shared_ptr<FaultPlan> plan);
/// Passes transfers on to `inner`, those on files of faulty disks by their plan. `io` is the
/// worker's.
std::unique_ptr<IoBackend> make_faulty(std::unique_ptr<IoBackend> inner, asio::io_context& io);

}  // namespace outcrop::io
