// Serves NFSv4 from memory on loopback, for protocol suites that are clients of their own (pynfs).
// usage: nfs_mem_server PORT LEASE_SECONDS. Exports /data, root not squashed. Ends on SIGTERM.
// With a built checkout of pynfs (python3 setup.py build):
//   nfs4.0/testserver.py 127.0.0.1:PORT/data/tmp --maketree --force -v all
//   nfs4.1/testserver.py 127.0.0.1:PORT/data/tmp --minorversion=2 --maketree --force -v all
// A lease of 10 s makes the tests that wait for one bearable. What fails needs devices, sockets and
// fifos, RPCSEC_GSS, ACLs or delegations, which there are not.
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <cstdlib>

#include "api/nfs/v4/nfs4.h"
#include "storage/base/async.h"
#include "tests/support/mem_file_system.h"
#include "tests/support/reference_namespace.h"

namespace outcrop {
namespace {

using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>,
                                         Executor>;

/// One record of one or more fragments; empty at the end of the connection.
Async<Buffer> read_record(Socket& socket) {
  std::string record;
  for (bool last = false; !last;) {
    std::uint32_t mark = 0;
    co_await asio::async_read(socket, asio::buffer(&mark, sizeof mark), use_async);
    mark = std::byteswap(mark);
    last = (mark & 0x8000'0000U) != 0;
    const std::size_t n = mark & 0x7fff'ffffU;
    if (record.size() + n > nfs::kMaxRecordBytes) {
      co_return Buffer();
    }
    const std::size_t at = record.size();
    record.resize(at + n);
    co_await asio::async_read(socket, asio::buffer(record.data() + at, n), use_async);
  }
  co_return Buffer::copy_of(as_bytes(record));
}

Async<> serve_connection(Socket socket, nfs::Dispatcher& dispatcher, std::uint64_t number) {
  nfs::Peer peer;
  peer.address = socket.remote_endpoint().address();
  peer.port = socket.remote_endpoint().port();
  peer.connection = number;
  try {
    for (;;) {
      Buffer record = co_await read_record(socket);
      if (!record) {
        co_return;
      }
      nfs::XdrWriter reply;
      const auto outcome = co_await dispatcher.serve(peer, std::move(record), false, reply);
      if (outcome == nfs::Dispatcher::Outcome::hang_up) {
        co_return;
      }
      if (reply.size() == 0) {
        continue;
      }
      const std::uint32_t mark =
          std::byteswap(static_cast<std::uint32_t>(reply.size()) | 0x8000'0000U);
      std::string out(reinterpret_cast<const char*>(&mark), sizeof mark);
      out += reply.flatten();
      co_await asio::async_write(socket, asio::buffer(out), use_async);
    }
  } catch (const boost::system::system_error&) {
    // The client went away.
  }
}

Async<> accept_loop(Acceptor& acceptor, nfs::Dispatcher& dispatcher) {
  for (std::uint64_t number = 1;; ++number) {
    Socket socket = co_await acceptor.async_accept(use_async);
    socket.set_option(asio::ip::tcp::no_delay(true));
    asio::co_spawn(acceptor.get_executor(), serve_connection(std::move(socket), dispatcher, number),
                   [](std::exception_ptr) {});
  }
}

Async<> tick_loop(nfs::StateManager& state, Executor ex) {
  for (Timer timer(ex);;) {
    timer.expires_after(std::chrono::seconds(1));
    co_await timer.async_wait(use_async);
    if (const Result<void> done = co_await state.tick(); !done) {
      std::fprintf(stderr, "tick: %s\n", done.error().describe().c_str());
    }
  }
}

bool add_export(nfs::ExportTable& exports) {
  nfs::Export e;
  e.path = "/data";
  e.bucket = "data";
  e.clients = {*nfs::parse_cidr("127.0.0.0/8")};
  e.squash = nfs::Squash::none;
  return exports.add(std::move(e)).has_value();
}

int run(std::uint16_t port, std::int64_t lease_seconds) {
  asio::io_context io{1};
  const SystemClock clock;
  SystemRandom random;
  test::MemFileSystem files(clock);
  testing::ReferenceNamespace buckets(clock);
  nfs::ExportTable exports;
  files.add_bucket("data");
  const nfs::HandleCodec handles({std::byte{1}}, 1, {std::byte{2}});
  nfs::MemoryRecoveryStore store;
  nfs::StateConfig config;
  config.lease_ns = config.grace_ns = lease_seconds * nfs::kSecondNs;
  nfs::StateManager state(config, clock, random, store);
  if (!add_export(exports) || !run_on(io, state.start())) {
    return 1;
  }
  const nfs::Service service{.buckets = buckets,
                             .files = files,
                             .exports = exports,
                             .handles = handles,
                             .clock = clock,
                             .random = random};
  nfs::v4::Nfs4 nfs4(service, state, "nfs_mem_server");
  nfs::Dispatcher dispatcher({&nfs4});
  io.restart();
  Acceptor acceptor(io, {asio::ip::make_address("127.0.0.1"), port});
  const auto ignore = [](std::exception_ptr) {};
  asio::co_spawn(io, accept_loop(acceptor, dispatcher), ignore);
  asio::co_spawn(io, tick_loop(state, io.get_executor()), ignore);
  asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&io](const boost::system::error_code&, int) { io.stop(); });
  std::printf("ready\n");
  std::fflush(stdout);
  io.run();
  return 0;
}

}  // namespace
}  // namespace outcrop

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: nfs_mem_server PORT LEASE_SECONDS\n");
    return 2;
  }
  return outcrop::run(static_cast<std::uint16_t>(std::atoi(argv[1])), std::atoll(argv[2]));
}
