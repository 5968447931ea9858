#include "tools/bench/nfs/run_nfs.h"

#include <fmt/format.h>

#include <cstdio>
#include <thread>

#include "tools/bench/nfs/nfs_lane.h"

namespace outcrop::bench {
namespace {

constexpr std::chrono::milliseconds kWatchEvery{250};
constexpr std::string_view kDirectory = "outcrop-bench";

void say(const std::string& line) { fmt::print(stderr, "{}\n", line); }

/// A channel with its client and lanes; the channel runs until the connection is stopped.
struct NfsConnection {
  NfsConnection(NfsRun& run,
                const RpcTarget& target,
                const NfsHandle& mount,
                NfsTally& tally,
                unsigned number,
                Executor executor)
      : channel(target, executor),
        client(run.options.session ? make_client41(channel, run.options.depth, number)
                                   : make_client3(channel, mount)) {
    for (unsigned i = 0; i < run.options.depth; ++i) {
      lanes.push_back(std::make_unique<NfsLane>(run, *client, tally, number, i));
    }
  }
  RpcChannel channel;
  std::unique_ptr<NfsClient> client;
  std::vector<std::unique_ptr<NfsLane>> lanes;
};
using Connections = std::vector<std::unique_ptr<NfsConnection>>;

/// One thread of connections, which stay open from one phase to the next.
class NfsThread {
 public:
  NfsThread(
      NfsRun& run, const RpcTarget& target, const NfsHandle& mount, unsigned first, unsigned count)
      : x_run(run) {
    for (unsigned i = 0; i < count; ++i) {
      x_connections.push_back(std::make_unique<NfsConnection>(run, target, mount, x_tally,
                                                              first + i, x_io.get_executor()));
    }
  }
  ~NfsThread() {
    for (const auto& c : x_connections) {
      c->channel.close();
    }
    static_cast<void>(run_on(x_io, x_channels.join()));
  }

  Result<void> open() {
    for (const auto& c : x_connections) {
      TRYV(c->channel.open());
      x_channels.spawn(c->channel.run());
    }
    return run(&NfsThread::start);
  }
  Result<void> stop() { return run(&NfsThread::stop_clients); }
  /// On the first connection: the directory that everything is made in.
  Result<void> make_directory() { return run(&NfsThread::directory); }
  Result<void> remove_directory() { return run(&NfsThread::no_directory); }

  using Phase = Task<> (NfsLane::*)();
  Result<void> run(Phase phase) {
    x_phase = phase;
    return run(&NfsThread::lanes);
  }

  const NfsTally& tally() const { return x_tally; }
  std::uint64_t calls() const {
    std::uint64_t sum = 0;
    for (const auto& c : x_connections) {
      sum += c->channel.calls();
    }
    return sum;
  }

 private:
  Result<void> run(Task<> (NfsThread::*what)()) {
    x_done = false;
    watch();
    const auto body = [this, what]() -> Task<> {
      Result<void> result = co_await (this->*what)();
      x_done = true;
      x_watch.cancel();
      co_return result;
    };
    return run_on(x_io, body());
  }
  Task<> lanes() {
    TaskGroup group(x_io.get_executor());
    for (const auto& c : x_connections) {
      for (const auto& lane : c->lanes) {
        group.spawn((lane.get()->*x_phase)());
      }
    }
    co_return co_await group.join();
  }
  Task<> start() {
    for (const auto& c : x_connections) {
      CO_TRYV(co_await c->client->start());
    }
    co_return ok();
  }
  Task<> stop_clients() {
    for (const auto& c : x_connections) {
      CO_TRYV(co_await c->client->stop());
    }
    co_return ok();
  }
  Task<> directory() {
    NfsClient& client = *x_connections.front()->client;
    Result<NfsHandle> at = co_await client.root(x_run.options.export_path);
    if (!at) {
      co_return fail(Errc::config, fmt::format("cannot reach {}: {}", x_run.options.export_path,
                                               describe_nfs(at.error())));
    }
    Result<NfsHandle> made = co_await client.lookup(0, *at, kDirectory);
    if (!made && made.error().code() == Errc::not_found) {
      made = co_await client.make_directory(0, *at, kDirectory);
    }
    if (!made) {
      co_return fail(Errc::config, fmt::format("cannot make the directory {}: {}", kDirectory,
                                               describe_nfs(made.error())));
    }
    x_run.directory = *made;
    co_return ok();
  }
  Task<> no_directory() {
    NfsClient& client = *x_connections.front()->client;
    CO_TRY(const NfsHandle at, co_await client.root(x_run.options.export_path));
    co_return co_await client.remove(0, at, kDirectory, true);
  }
  void watch() {
    x_watch.expires_after(kWatchEvery);
    x_watch.async_wait([this](boost::system::error_code error) {
      if (x_done || error) {
        return;
      }
      const auto now = std::chrono::steady_clock::now();
      for (const auto& c : x_connections) {
        c->channel.abort_if_stuck(now, x_run.options.timeout_s);
      }
      watch();
    });
  }

  NfsRun& x_run;
  asio::io_context x_io{1};
  NfsTally x_tally;
  asio::basic_waitable_timer<std::chrono::steady_clock,
                             asio::wait_traits<std::chrono::steady_clock>,
                             Executor>
      x_watch{x_io};
  TaskGroup x_channels{x_io.get_executor()};
  Connections x_connections;
  Phase x_phase = nullptr;
  bool x_done = false;
};
using Threads = std::vector<std::unique_ptr<NfsThread>>;

Result<void> run_all(const Threads& threads, const std::function<Result<void>(NfsThread&)>& what) {
  std::vector<Result<void>> results(threads.size());
  {
    std::vector<std::jthread> running;
    for (std::size_t i = 1; i < threads.size(); ++i) {
      running.emplace_back([&, i] { results[i] = what(*threads[i]); });
    }
    results[0] = what(*threads[0]);
  }
  for (Result<void>& result : results) {
    TRYV(std::move(result));
  }
  return ok();
}

Result<void> run_phase(const Threads& threads, NfsThread::Phase phase) {
  return run_all(threads, [phase](NfsThread& thread) { return thread.run(phase); });
}

std::uint64_t calls(const Threads& threads) {
  std::uint64_t sum = 0;
  for (const auto& thread : threads) {
    sum += thread->calls();
  }
  return sum;
}

Result<Report> measure(NfsRun& run, const Threads& threads) {
  const NfsOptions& options = run.options;
  Report report;
  say(fmt::format("measuring for {} s...", options.duration_s));
  if (options.server_pid != 0) {
    TRY(report.server, process_stats(options.server_pid));
  }
  TRY(const ProcessStats client, process_stats(0));
  const std::uint64_t calls_before = calls(threads);
  const auto start = std::chrono::steady_clock::now();
  run.deadline = start + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                             std::chrono::duration<double>(options.duration_s));
  TRYV(run_phase(threads, &NfsLane::measure));
  report.elapsed_s =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  TRY(const ProcessStats client_end, process_stats(0));
  report.client_cpu_s = client_end.cpu_s - client.cpu_s;
  if (options.server_pid != 0) {
    TRY(const ProcessStats server_end, process_stats(options.server_pid));
    report.server_cpu_s = server_end.cpu_s - report.server->cpu_s;
    report.server = server_end;
  }
  report.calls = calls(threads) - calls_before;
  for (std::size_t i = 0; i < kNfsOpCount; ++i) {
    Report::Row row{name(static_cast<NfsOp>(i)), {}};
    for (const auto& thread : threads) {
      row.tally.merge(thread->tally().ops[i]);
    }
    report.rows.push_back(std::move(row));
  }
  for (const auto& thread : threads) {
    merge(report.errors, thread->tally().errors);
  }
  return report;
}

Buffer random_payload() {
  Buffer payload = Buffer::make(kMaxNfsTransfer);
  std::mt19937_64 random(1);
  for (std::size_t at = 0; at < payload.size(); at += sizeof(std::uint64_t)) {
    const std::uint64_t word = random();
    std::memcpy(payload.data() + at, &word, sizeof(word));
  }
  return payload;
}

Result<RpcTarget> make_target(const NfsOptions& o, unsigned port) {
  TRY(RpcTarget target, RpcTarget::make(o.host, port));
  target.uid = o.uid;
  target.gid = o.gid;
  target.timeout_s = o.timeout_s;
  return target;
}

}  // namespace

std::string nfs_heading(const NfsOptions& o) {
  return fmt::format(
      "NFSv{} {}:{}{}, transfers of {} bytes, {} x {} calls at a time on {} thread{}",
      o.session ? "4.1" : "3", o.host, o.port, o.export_path, o.size, o.connections, o.depth,
      o.threads, o.threads == 1 ? "" : "s");
}

std::string nfs_parameters(const NfsOptions& o) {
  return fmt::format(
      R"("endpoint":{},"version":"{}","export":{},"size":{},"connections":{},"depth":{},)"
      R"("threads":{},"files":{},"file_size":{},"stable":{})",
      json_text(fmt::format("{}:{}", o.host, o.port)), o.session ? "4.1" : "3",
      json_text(o.export_path), o.size, o.connections, o.depth, o.threads, o.files,
      std::max(o.size, o.file_size), o.stable);
}

Result<Report> run_nfs(const NfsOptions& options) {
  TRYV(check(options));
  TRY(const RpcTarget target, make_target(options, options.port));
  NfsHandle mount;
  if (!options.session) {
    const unsigned port = options.mount_port == 0 ? options.port : options.mount_port;
    TRY(const RpcTarget mountd, make_target(options, port));
    TRY(mount, mount3(mountd, options.export_path));
  }
  NfsRun run{.options = options, .payload = random_payload(), .directory = {}, .files = {}};
  run.files.resize(options.files);
  Threads threads;
  for (unsigned i = 0; i < options.threads; ++i) {
    const unsigned first = options.connections * i / options.threads;
    const unsigned end = options.connections * (i + 1) / options.threads;
    threads.push_back(std::make_unique<NfsThread>(run, target, mount, first, end - first));
  }
  TRYV(run_all(threads, [](NfsThread& thread) { return thread.open(); }));
  TRYV(threads[0]->make_directory());
  say(fmt::format("making {} files of {} bytes...", options.files,
                  std::max(options.size, options.file_size)));
  TRYV(run_phase(threads, &NfsLane::prepare));
  TRY(Report report, measure(run, threads));
  if (options.clean) {
    say("removing what was made...");
    run.next_file = 0;
    TRYV(run_phase(threads, &NfsLane::clean));
    TRYV(threads[0]->remove_directory());
  }
  TRYV(run_all(threads, [](NfsThread& thread) { return thread.stop(); }));
  return report;
}

}  // namespace outcrop::bench
