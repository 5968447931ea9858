#include "tools/bench/nfs/nfs_lane.h"

#include <fmt/format.h>

namespace outcrop::bench {
namespace {

constexpr int kFailuresInARowMax = 50;

std::uint64_t file_bytes(const NfsOptions& o) { return std::max(o.size, o.file_size); }

}  // namespace

std::string nfs_file_name(std::uint64_t number) { return fmt::format("f{:07}", number); }

std::string describe_nfs(const Error& error) {
  return error.detail().empty() ? error.describe() : std::string(error.detail());
}

NfsLane::NfsLane(
    NfsRun& run, NfsClient& client, NfsTally& tally, unsigned connection, unsigned number)
    : x_run(run),
      x_client(client),
      x_tally(tally),
      x_connection(connection),
      x_number(number),
      x_random(connection * kMaxNfsDepth + number) {}

Task<> NfsLane::fill(const NfsHandle& file) {
  const std::uint64_t all = file_bytes(x_run.options);
  for (std::uint64_t at = 0; at < all; at += x_run.payload.size()) {
    const std::uint64_t n = std::min<std::uint64_t>(x_run.payload.size(), all - at);
    CO_TRYV(co_await x_client.write(x_number, file, at, x_run.payload.slice(0, n), false));
  }
  co_return co_await x_client.commit(x_number, file);
}

Task<> NfsLane::prepare() {
  for (;;) {
    const std::uint64_t number = x_run.next_file.fetch_add(1);
    if (number >= x_run.files.size()) {
      co_return ok();
    }
    const std::string name = nfs_file_name(number);
    Result<NfsHandle> made = co_await x_client.create(x_number, x_run.directory, name);
    if (!made && made.error().code() == Errc::already_exists) {
      made = co_await x_client.lookup(x_number, x_run.directory, name);
    }
    if (!made) {
      co_return fail(Errc::config,
                     fmt::format("cannot make {}: {}", name, describe_nfs(made.error())));
    }
    x_run.files[number] = *made;
    const Result<void> filled = co_await fill(*made);
    if (!filled) {
      co_return fail(Errc::config,
                     fmt::format("cannot fill {}: {}", name, describe_nfs(filled.error())));
    }
  }
}

Task<> NfsLane::clean() {
  for (;;) {
    const std::uint64_t number = x_run.next_file.fetch_add(1);
    if (number >= x_run.files.size()) {
      co_return ok();
    }
    const std::string name = nfs_file_name(number);
    const Result<void> gone = co_await x_client.remove(x_number, x_run.directory, name, false);
    if (!gone && gone.error().code() != Errc::not_found) {
      co_return fail(Errc::config,
                     fmt::format("cannot remove {}: {}", name, describe_nfs(gone.error())));
    }
  }
}

NfsOp NfsLane::pick() {
  unsigned at = x_random() % 100;
  for (std::size_t i = 0; i < kNfsOpCount; ++i) {
    if (at < x_run.options.mix[i]) {
      return static_cast<NfsOp>(i);
    }
    at -= x_run.options.mix[i];
  }
  return NfsOp::getattr;
}

bool NfsLane::take_ticket() {
  const std::uint64_t limit = x_run.options.ops;
  return std::chrono::steady_clock::now() < x_run.deadline &&
         (limit == 0 || x_run.ops_taken.fetch_add(1) < limit);
}

Task<> NfsLane::measure() {
  int failures = 0;
  while (failures < kFailuresInARowMax && take_ticket()) {
    const NfsOp op = pick();
    OpTally& tally = x_tally.ops[static_cast<std::size_t>(op)];
    const auto start = std::chrono::steady_clock::now();
    const Result<std::uint64_t> done = co_await operate(op);
    if (done) {
      const auto took = std::chrono::steady_clock::now() - start;
      tally.latency_ns.add(static_cast<std::uint64_t>(took.count()));
      tally.bytes += *done;
      failures = 0;
    } else {
      ++tally.errors;
      ++failures;
      ++x_tally.errors[describe_nfs(done.error())];
    }
  }
  co_return ok();
}

Task<std::uint64_t> NfsLane::operate(NfsOp op) {
  switch (op) {
    case NfsOp::getattr:
      co_return co_await getattr();
    case NfsOp::lookup:
      co_return co_await lookup();
    case NfsOp::read:
      co_return co_await read();
    case NfsOp::write:
      co_return co_await write();
    case NfsOp::create:
      co_return co_await create();
    case NfsOp::readdir:
      co_return co_await list();
  }
  co_return fail(Errc::internal);
}

Task<std::uint64_t> NfsLane::getattr() {
  CO_TRYV(co_await x_client.getattr(x_number, x_run.files[x_random() % x_run.files.size()]));
  co_return 0;
}

Task<std::uint64_t> NfsLane::lookup() {
  const std::uint64_t number = x_random() % x_run.files.size();
  const std::string name = nfs_file_name(number);
  CO_TRY(const NfsHandle found, co_await x_client.lookup(x_number, x_run.directory, name));
  if (found != x_run.files[number]) {
    co_return fail(Errc::corrupt, "LOOKUP gave another handle than CREATE");
  }
  co_return 0;
}

Task<std::uint64_t> NfsLane::list() {
  CO_TRY(const std::uint64_t entries, co_await x_client.list(x_number, x_run.directory));
  if (entries < x_run.files.size()) {
    co_return fail(Errc::corrupt, "READDIR misses entries");
  }
  co_return 0;
}

std::uint64_t NfsLane::random_offset() {
  const std::uint64_t places = file_bytes(x_run.options) / x_run.options.size;
  return x_random() % places * x_run.options.size;
}

Task<std::uint64_t> NfsLane::read() {
  const NfsHandle& file = x_run.files[x_random() % x_run.files.size()];
  const auto count = static_cast<std::uint32_t>(x_run.options.size);
  CO_TRY(const std::uint64_t got,
         co_await x_client.read(x_number, file, random_offset(), count, nullptr));
  if (got != count) {
    co_return fail(Errc::corrupt, "READ gave less than the file has");
  }
  co_return got;
}

Task<std::uint64_t> NfsLane::write() {
  const NfsHandle& file = x_run.files[x_random() % x_run.files.size()];
  Buffer data = x_run.payload.slice(0, x_run.options.size);
  const bool stable = x_run.options.stable;
  CO_TRYV(co_await x_client.write(x_number, file, random_offset(), std::move(data), stable));
  if (!stable) {
    CO_TRYV(co_await x_client.commit(x_number, file));
  }
  co_return x_run.options.size;
}

Task<std::uint64_t> NfsLane::create() {
  const std::string name = fmt::format("c{}-{}-{}", x_connection, x_number, x_made++);
  CO_TRYV(co_await x_client.create(x_number, x_run.directory, name));
  CO_TRYV(co_await x_client.remove(x_number, x_run.directory, name, false));
  co_return 0;
}

}  // namespace outcrop::bench
