// A lane: one connection that does one operation after the other. Lanes of a thread share its
// scratch memory and tally; all lanes share the work counters.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <random>
#include <string>

#include "tools/bench/s3_client.h"
#include "tools/bench/tally.h"

namespace outcrop::bench {

using SteadyClock = std::chrono::steady_clock;

struct Tally {
  std::array<OpTally, kOpCount> ops;
  ErrorTally errors;
  void merge(const Tally& other);
};

/// One run; outlives all lanes. The counters are the only state that threads share.
struct Run {
  const Options& options;
  const Target& target;
  const Payload& payload;
  std::string base_path;                      ///< "/bucket/prefix", URI-encoded
  std::atomic<std::uint64_t> next_object{0};  ///< of the key set, while preparing or cleaning
  std::atomic<std::uint64_t> ops_taken{0};
  SteadyClock::time_point deadline;
};

struct ThreadState {
  Signer signer;
  std::vector<char> scratch;
  Tally tally;
};

/// Every coroutine runs on the thread of `executor`; an error it returns is a line for the user.
class Lane {
 public:
  Lane(Run& run, ThreadState& thread, unsigned index, Executor executor);

  /// Makes sure that the bucket is there.
  Task<> make_bucket();
  /// Uploads objects of the key set until all are taken.
  Task<> prepare();
  Task<> connect();
  /// Operations by the mix until the deadline or the count is reached. Errors are tallied.
  Task<> measure();
  /// Deletes what this lane uploaded, and objects of the key set until all are taken.
  Task<> clean();

  /// Gives up an operation that takes longer than the timeout.
  void abort_if_stuck(SteadyClock::time_point now);

 private:
  Op pick();
  bool take_ticket();
  Task<> operate(Op op);
  Task<> timed(Op op);
  Task<> put(std::uint64_t size);
  Task<> put_new();
  Task<> put_multipart();
  Task<> part(std::string_view upload_id, unsigned number, std::uint64_t size, std::string& etag);
  Task<> get();
  Task<> list();
  Task<> remove();
  Task<> head_bucket();
  Task<> create_bucket();
  Task<> must_succeed(std::string_view what, Task<> (Lane::*step)());
  Task<> upload_object();
  Task<> remove_object();
  Task<> call(const Call& call);
  /// Of the last reply, with the server's message.
  std::string complaint() const;
  void tally_error(Op op, const Result<void>& done);
  void key_of_set(std::uint64_t number);
  void key_of_mine(std::uint64_t number);
  Call upload_call(const Payload::Body& body) const;

  Run& x_run;
  ThreadState& x_thread;
  unsigned x_index;
  Executor x_executor;
  S3Client x_client;
  Reply x_reply;
  std::mt19937_64 x_random;
  std::string x_path;
  std::string x_query;
  std::uint64_t x_next_mine = 0;
  std::vector<std::uint64_t> x_mine;  ///< uploaded by this lane and not deleted
  SteadyClock::time_point x_started;  ///< of the operation under way; epoch when there is none
};

}  // namespace outcrop::bench
