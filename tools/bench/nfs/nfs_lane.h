// A lane: one operation after the other on a connection that it shares with the others of its
// client. Lanes of a thread share the tally; all lanes share the work counters.
#pragma once
#include <array>
#include <atomic>
#include <random>
#include <string>
#include <vector>

#include "tools/bench/nfs/nfs_client.h"
#include "tools/bench/nfs/options.h"
#include "tools/bench/tally.h"

namespace outcrop::bench {

struct NfsTally {
  std::array<OpTally, kNfsOpCount> ops;
  ErrorTally errors;
};

/// One run; outlives all lanes.
struct NfsRun {
  const NfsOptions& options;
  Buffer payload;                           ///< of one transfer
  NfsHandle directory;                      ///< set once, before the lanes start
  std::vector<NfsHandle> files;             ///< each written by one lane, before the measurement
  std::atomic<std::uint64_t> next_file{0};  ///< while preparing or cleaning
  std::atomic<std::uint64_t> ops_taken{0};
  std::chrono::steady_clock::time_point deadline{};
};

/// Every coroutine runs on its connection's thread; an error it returns is a line for the user.
class NfsLane {
 public:
  NfsLane(NfsRun& run, NfsClient& client, NfsTally& tally, unsigned connection, unsigned number);

  /// Makes and fills files of the set until all are taken.
  Task<> prepare();
  /// Operations by the mix until the deadline or the count is reached. Errors are tallied.
  Task<> measure();
  /// Removes files of the set until all are taken.
  Task<> clean();

 private:
  NfsOp pick();
  bool take_ticket();
  Task<std::uint64_t> operate(NfsOp op);  ///< bytes
  Task<std::uint64_t> getattr();
  Task<std::uint64_t> lookup();
  Task<std::uint64_t> list();
  Task<std::uint64_t> read();
  Task<std::uint64_t> write();
  Task<std::uint64_t> create();
  Task<> fill(const NfsHandle& file);
  std::uint64_t random_offset();

  NfsRun& x_run;
  NfsClient& x_client;
  NfsTally& x_tally;
  unsigned x_connection, x_number;
  std::mt19937_64 x_random;
  std::uint64_t x_made = 0;
};

/// "f0000012"
std::string nfs_file_name(std::uint64_t number);
/// The text of an error for people.
std::string describe_nfs(const Error& error);

}  // namespace outcrop::bench
