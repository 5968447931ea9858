#include "tools/bench/run.h"

#include <fmt/format.h>

#include <cstdio>
#include <thread>

#include "storage/base/async.h"
#include "tools/bench/lane.h"

namespace outcrop::bench {
namespace {

constexpr std::size_t kScratch = 256 * 1024;
constexpr std::chrono::milliseconds kWatchEvery{250};

void say(const std::string& line) { fmt::print(stderr, "{}\n", line); }

/// One thread of lanes. Its connections stay open from one phase to the next.
class Thread {
 public:
  Thread(Run& run, unsigned first_lane, unsigned lanes)
      : x_state{Signer(run.options.access_key, run.options.secret_key, run.options.region),
                std::vector<char>(kScratch),
                {}} {
    for (unsigned i = 0; i < lanes; ++i) {
      x_lanes.push_back(std::make_unique<Lane>(run, x_state, first_lane + i, x_io.get_executor()));
    }
  }

  using Phase = Task<> (Lane::*)();
  /// Runs the phase on the first `lanes` lanes, in the calling thread.
  Result<void> run(Phase phase, std::size_t lanes) {
    x_done = false;
    const auto body = [this, phase, lanes]() -> Task<> {
      TaskGroup group(x_io.get_executor());
      for (std::size_t i = 0; i < std::min(lanes, x_lanes.size()); ++i) {
        group.spawn((x_lanes[i].get()->*phase)());
      }
      Result<void> joined = co_await group.join();
      x_done = true;
      x_watch.cancel();
      co_return joined;
    };
    watch();
    Result<void> result = run_on(x_io, body());
    x_io.restart();
    x_io.run();  // the watch timer's last call
    return result;
  }

  const Tally& tally() const { return x_state.tally; }

 private:
  void watch() {
    x_watch.expires_after(kWatchEvery);
    x_watch.async_wait([this](boost::system::error_code) {
      if (x_done) {
        return;
      }
      const auto now = SteadyClock::now();
      for (const auto& lane : x_lanes) {
        lane->abort_if_stuck(now);
      }
      watch();
    });
  }

  asio::io_context x_io{1};
  ThreadState x_state;
  asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>, Executor> x_watch{x_io};
  std::vector<std::unique_ptr<Lane>> x_lanes;
  bool x_done = false;
};

using Threads = std::vector<std::unique_ptr<Thread>>;

Threads make_threads(Run& run) {
  Threads threads;
  const unsigned lanes = run.options.concurrency;
  const unsigned count = run.options.threads;
  for (unsigned i = 0; i < count; ++i) {
    const unsigned first = lanes * i / count;
    threads.push_back(std::make_unique<Thread>(run, first, lanes * (i + 1) / count - first));
  }
  return threads;
}

Result<void> run_all(Threads& threads, Thread::Phase phase) {
  std::vector<Result<void>> results(threads.size());
  {
    std::vector<std::jthread> running;
    for (std::size_t i = 1; i < threads.size(); ++i) {
      running.emplace_back([&, i] { results[i] = threads[i]->run(phase, ~std::size_t{0}); });
    }
    results[0] = threads[0]->run(phase, ~std::size_t{0});
  }
  for (Result<void>& result : results) {
    TRYV(std::move(result));
  }
  return ok();
}

Result<void> prepare(Run& run, Threads& threads) {
  TRYV(run_all(threads, &Lane::connect));
  TRYV(threads[0]->run(&Lane::make_bucket, 1));
  const Mix& mix = run.options.mix;
  const auto share = [&mix](Op op) { return mix[static_cast<std::size_t>(op)]; };
  if (!run.options.prepare || share(Op::get) + share(Op::head) + share(Op::list) == 0) {
    return ok();
  }
  say(fmt::format("uploading {} objects of {} bytes...", run.options.objects, run.options.size));
  return run_all(threads, &Lane::prepare);
}

Result<Report> measure(Run& run, Threads& threads) {
  const Options& options = run.options;
  Report report;
  say(fmt::format("measuring for {} s...", options.duration_s));
  if (options.server_pid != 0) {
    TRY(report.server, process_stats(options.server_pid));
  }
  TRY(const ProcessStats client, process_stats(0));
  const auto start = SteadyClock::now();
  run.deadline = start + std::chrono::duration_cast<SteadyClock::duration>(
                             std::chrono::duration<double>(options.duration_s));
  TRYV(run_all(threads, &Lane::measure));
  report.elapsed_s = std::chrono::duration<double>(SteadyClock::now() - start).count();
  TRY(const ProcessStats client_end, process_stats(0));
  report.client_cpu_s = client_end.cpu_s - client.cpu_s;
  if (options.server_pid != 0) {
    TRY(const ProcessStats server_end, process_stats(options.server_pid));
    report.server_cpu_s = server_end.cpu_s - report.server->cpu_s;
    report.server = server_end;
  }
  Tally tally;
  for (const auto& thread : threads) {
    tally.merge(thread->tally());
  }
  for (std::size_t i = 0; i < kOpCount; ++i) {
    report.rows.push_back({name(static_cast<Op>(i)), tally.ops[i]});
  }
  report.errors = std::move(tally.errors);
  return report;
}

Payload make_payload(const Options& options) {
  Payload payload(options.multipart ? std::min(options.size, options.part_size) : options.size,
                  options.checksum, options.sign_payload);
  if (options.multipart) {
    payload.prepare(std::min(options.size, options.part_size));
    payload.prepare((options.size - 1) % options.part_size + 1);
  } else {
    payload.prepare(options.size);
  }
  return payload;
}

}  // namespace

std::string s3_heading(const Options& o) {
  return fmt::format("{}, objects of {} bytes, {} connections on {} thread{}", o.endpoint.authority,
                     o.size, o.concurrency, o.threads, o.threads == 1 ? "" : "s");
}

std::string s3_parameters(const Options& o) {
  return fmt::format(
      R"("endpoint":{},"size":{},"concurrency":{},"threads":{},"multipart":{},"range_size":{})",
      json_text(o.endpoint.authority), o.size, o.concurrency, o.threads, o.multipart, o.range_size);
}

Result<Report> run_s3(const Options& options) {
  TRYV(check(options));
  TRY(const Target target, Target::make(options));
  const Payload payload = make_payload(options);
  Run run{
      .options = options,
      .target = target,
      .payload = payload,
      .base_path = "/" + uri_encode(options.bucket, true) + "/" + uri_encode(options.prefix, false),
      .deadline = {}};
  Threads threads = make_threads(run);
  TRYV(prepare(run, threads));
  TRY(Report report, measure(run, threads));
  if (options.clean) {
    say("deleting what was uploaded...");
    run.next_object = 0;
    TRYV(run_all(threads, &Lane::clean));
  }
  return report;
}

}  // namespace outcrop::bench
