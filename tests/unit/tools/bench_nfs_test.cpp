// The load generator for NFS against our NFSv3 over real sockets, with the file system in memory:
// every operation does what its name says, and what goes wrong is in the report.
#include <thread>

#include "api/nfs/v3/mount.h"
#include "api/nfs/v3/nfs3.h"
#include "server/nfs_worker.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/reference_namespace.h"
#include "tests/support/ticking_clock.h"
#include "tools/bench/nfs/run_nfs.h"

namespace outcrop::bench {
namespace {

Async<bool> stop_worker(server::NfsWorker& worker) {
  co_await worker.stop(std::chrono::seconds(5));
  co_return true;
}

/// One worker with one export, "/x" of the bucket "b".
class Server {
 public:
  Server() {
    nfs::Export e;
    e.path = "/x";
    e.bucket = "b";
    e.clients = {*nfs::parse_cidr("127.0.0.0/8")};
    e.squash = nfs::Squash::none;
    EXPECT_TRUE(x_exports.add(e));
    x_limits.dispatcher = &x_dispatcher;
    Result<server::Acceptor> acceptor =
        server::listen_on(x_io.get_executor(), {asio::ip::address_v4::loopback(), 0});
    EXPECT_TRUE(acceptor);
    port = acceptor->local_endpoint().port();
    x_worker.serve(*std::move(acceptor));
    x_thread = std::thread([this] { x_io.run(); });
  }
  ~Server() { stop(); }
  /// What is seen of `files` and `seen` afterwards is all there is.
  void stop() {
    if (x_thread.joinable()) {
      asio::co_spawn(x_io, stop_worker(x_worker), [](std::exception_ptr e, bool) {
        if (e) {
          std::rethrow_exception(e);
        }
      });
      x_thread.join();
    }
  }

 private:
  asio::io_context x_io{1};
  outcrop::test::TickingClock x_clock;
  SeededRandom x_random{1};
  outcrop::testing::ReferenceNamespace x_buckets{x_clock};

 public:
  outcrop::test::MemFileSystem files{x_clock};
  const InodeId root = files.add_bucket("b");
  std::map<std::uint32_t, std::uint64_t> seen;  ///< calls that succeeded, by procedure
  std::uint16_t port = 0;

 private:
  nfs::ExportTable x_exports;
  nfs::HandleCodec x_handles{nfs::HandleKey{}, 1, nfs::HandleKey{}};
  nfs::Service x_service{x_buckets, files, x_exports, x_handles, x_clock, x_random};
  nfs::ExportScope x_scope{files};
  nfs::ReplyCache x_replies{x_clock};
  nfs::v3::Nfs3 x_nfs{x_service, x_scope, x_replies,
                      [this](std::uint32_t operation,
                             std::uint32_t status,
                             std::uint64_t,
                             std::uint64_t,
                             std::int64_t) { seen[operation] += status == 0; }};
  nfs::v3::Mount3 x_mount{x_service, x_scope, {}};
  nfs::Dispatcher x_dispatcher{{&x_nfs, &x_mount}};
  server::ByteBudget x_budget{64 << 20};
  server::NfsService x_limits{{}, x_exports, x_budget};
  server::NfsWorker x_worker{x_limits, x_io.get_executor(), 1};
  std::thread x_thread;
};

NfsOptions options(const Server& server) {
  NfsOptions o;
  o.port = server.port;
  o.export_path = "/x";
  o.files = 5;
  o.depth = 4;
  o.connections = 2;
  o.duration_s = 600;
  o.ops = 500;
  return o;
}

TEST(BenchNfs, EveryOperationIsDone) {
  Server server;
  NfsOptions o = options(server);
  o.mix = {20, 20, 20, 20, 10, 10};
  o.clean = true;
  const Result<Report> report = run_nfs(o);
  server.stop();
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_TRUE(report->errors.empty()) << report->errors.begin()->first;
  std::uint64_t operations = 0;
  for (const Report::Row& row : report->rows) {
    EXPECT_GT(row.tally.latency_ns.count(), 0U) << row.name;
    operations += row.tally.latency_ns.count();
  }
  EXPECT_EQ(operations, o.ops);
  EXPECT_GT(report->calls, operations) << "writes and creates are two";
  EXPECT_EQ(report->rows[2].tally.bytes, report->rows[2].tally.latency_ns.count() * o.size);
  const auto count = [&](std::size_t row) { return report->rows[row].tally.latency_ns.count(); };
  EXPECT_EQ(server.seen[1], count(0)) << "GETATTR";
  EXPECT_EQ(server.seen[6], count(2)) << "READ";
  EXPECT_EQ(server.seen[7], count(3) + o.files) << "WRITE, and what was prepared";
  EXPECT_EQ(server.seen[21], count(3) + o.files) << "COMMIT";
  EXPECT_EQ(server.seen[12], count(4) + o.files) << "REMOVE, and cleaning";
  EXPECT_EQ(server.files.inodes(), 1U) << "nothing is left";
}

TEST(BenchNfs, LargeTransfersAndStableWrites) {
  Server server;
  NfsOptions o = options(server);
  o.size = 1 << 20;
  o.file_size = (2 << 20) + 5;
  o.mix = {0, 0, 50, 50, 0, 0};
  o.stable = true;
  o.ops = 40;
  const Result<Report> report = run_nfs(o);
  server.stop();
  ASSERT_TRUE(report) << report.error().describe();
  EXPECT_TRUE(report->errors.empty()) << report->errors.begin()->first;
  EXPECT_GT(report->rows[2].tally.bytes, 0U);
  EXPECT_GT(report->rows[3].tally.bytes, 0U);
  EXPECT_EQ(server.seen[21], o.files) << "no COMMIT but of the preparation";
}

TEST(BenchNfs, ErrorsOfTheServerAreCounted) {
  Server server;
  std::atomic<int> calls{0};
  server.files.set_hook([&calls](std::string_view call) -> Task<> {
    co_return call == "read" && ++calls % 2 == 0 ? fail(Errc::io_error) : ok();
  });
  NfsOptions o = options(server);
  o.mix = {0, 0, 100, 0, 0, 0};
  const Result<Report> report = run_nfs(o);
  server.stop();
  ASSERT_TRUE(report);
  EXPECT_GT(report->rows[2].tally.errors, 0U);
  ASSERT_EQ(report->errors.size(), 1U);
  EXPECT_EQ(report->errors.begin()->first, "READ status 5");
  EXPECT_EQ(report->errors.begin()->second, report->rows[2].tally.errors);
}

TEST(BenchNfs, WhatCannotBeginSaysWhy) {
  Server server;
  NfsOptions o = options(server);
  o.export_path = "/absent";
  EXPECT_EQ(run_nfs(o).error().detail(), "cannot mount /absent: status 2");
  o = options(server);
  o.session = true;
  EXPECT_NE(run_nfs(o).error().detail().find("RPC accept status 2"), std::string::npos)
      << "this server knows no version 4";
  server.stop();
  o = options(server);
  EXPECT_NE(run_nfs(o).error().detail().find("cannot connect"), std::string::npos);
}

TEST(BenchNfs, Options) {
  EXPECT_EQ(parse_nfs_mix("getattr=30,create=70").value(), (NfsMix{30, 0, 0, 0, 70, 0}));
  EXPECT_FALSE(parse_nfs_mix("get=100"));
  EXPECT_FALSE(parse_nfs_version("3").value());
  EXPECT_TRUE(parse_nfs_version("4.1").value());
  EXPECT_FALSE(parse_nfs_version("4"));
  EXPECT_TRUE(check(NfsOptions{}));
  const auto refused = [](void (*change)(NfsOptions&)) {
    NfsOptions o;
    change(o);
    return check(o).has_value() ? Errc::internal : check(o).error().code();
  };
  EXPECT_EQ(refused([](NfsOptions& o) { o.size = 0; }), Errc::config);
  EXPECT_EQ(refused([](NfsOptions& o) { o.size = kMaxNfsTransfer + 1; }), Errc::config);
  EXPECT_EQ(refused([](NfsOptions& o) { o.depth = kMaxNfsDepth + 1; }), Errc::config);
  EXPECT_EQ(refused([](NfsOptions& o) { o.threads = 2; }), Errc::config);
  EXPECT_EQ(refused([](NfsOptions& o) { o.export_path = "x"; }), Errc::config);
  EXPECT_EQ(refused([](NfsOptions& o) { o.file_size = o.size - 1; }), Errc::config);
  EXPECT_EQ(refused([](NfsOptions& o) { o.port = 0; }), Errc::config);
}

}  // namespace
}  // namespace outcrop::bench
