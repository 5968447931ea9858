// Time and connection limits, memory of idle connections, stopping.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <fstream>

#include "server/runtime.h"
#include "tests/unit/server/live_server.h"

namespace outcrop::server::testing {
namespace {

using namespace std::chrono_literals;

const std::string kGet = "GET /x HTTP/1.1\r\nHost: h\r\n\r\n";

HttpOptions impatient() {
  HttpOptions o;
  o.head_timeout = o.idle_timeout = o.body_window = o.write_stall = 200ms;
  o.drain_timeout = o.linger_timeout = 200ms;
  return o;
}

/// Sends `piece` again and again until it ends, but for a minute at most.
class Drip {
 public:
  Drip(RawClient& client, std::string_view piece)
      : x_thread([this, &client, piece] {
          for (; x_left > 0 && !x_end; --x_left) {
            client.send(piece);
            std::this_thread::sleep_for(20ms);  // time is the input: a client that drips
          }
        }) {}
  /// Whether it was still dripping.
  bool end() {
    x_end = true;
    x_thread.join();
    return x_left > 0;
  }

 private:
  std::atomic<bool> x_end = false;
  int x_left = 3000;
  std::thread x_thread;
};

TEST(HttpLimits, SlowHeadIsCutOff) {
  LiveServer server(impatient());
  RawClient client(server.port());
  Drip drip(client, "G");  // each byte is progress, the head as a whole is late
  EXPECT_EQ(client.until_closed(), "");
  EXPECT_TRUE(drip.end());
  EXPECT_TRUE(eventually([&] { return server.counters().timeouts.get() == 1u; }));
  EXPECT_EQ(server.calls(), 0);
}

TEST(HttpLimits, IdleConnectionIsClosed) {
  LiveServer server(impatient());
  RawClient client(server.port());
  client.send(kGet);
  EXPECT_EQ(client.reply().status, 200);
  EXPECT_EQ(client.until_closed(), "");
  EXPECT_FALSE(client.closed_by_reset());
}

TEST(HttpLimits, SlowBodyTimesOut) {
  HttpOptions o = impatient();
  o.body_window_bytes = 1000;
  LiveServer server(o);
  RawClient client(server.port());
  client.send("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
  Drip drip(client, "0123456789");
  const Reply r = client.reply();
  EXPECT_TRUE(drip.end());
  EXPECT_EQ(r.status, 408);
  EXPECT_EQ(r.field("Connection"), "close");
}

TEST(HttpLimits, BodyAboveTheRateFloorMayTakeLong) {
  HttpOptions o = impatient();
  o.body_window = 2s;
  o.body_window_bytes = 20;
  LiveServer server(o);
  RawClient client(server.port());
  client.send("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1500\r\n\r\n");
  for (int i = 0; i < 150; ++i) {
    client.send("0123456789");
    std::this_thread::sleep_for(20ms);  // time is the input: a client that drips
  }
  EXPECT_EQ(client.reply().status, 200);
}

TEST(HttpLimits, ClientThatTakesNothingIsCutOff) {
  LiveServer server(impatient());
  RawClient client(server.port());
  const int small = 4096;
  ::setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  client.send("GET /gen/50000000 HTTP/1.1\r\nHost: h\r\n\r\n");
  eventually([&] { return server.counters().resets.get() != 0; });
  EXPECT_TRUE(eventually([&] { return server.counters().resets.get() == 1u; }));
}

TEST(HttpLimits, UnreadBodyThatNeverComesDoesNotHoldTheAnswer) {
  LiveServer server(impatient());
  RawClient client(server.port());
  client.send("PUT /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\n");
  const Reply r = client.reply();
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.field("Connection"), "close");
}

TEST(HttpLimits, DrainLimit) {
  HttpOptions o;
  o.drain_bytes = 1000;
  LiveServer server(o);
  for (const std::size_t size : {o.drain_bytes, o.drain_bytes + 1}) {
    const Reply r =
        exchange(server.port(), "PUT /ignore HTTP/1.1\r\nHost: h\r\nContent-Length: " +
                                    std::to_string(size) + "\r\n\r\n" + std::string(size, 'x'));
    EXPECT_EQ(r.field("Connection"), size == o.drain_bytes ? "" : "close");
  }
}

void expect_refused_beyond(const HttpOptions& options, std::size_t limit) {
  LiveServer server(options);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (std::size_t i = 0; i < limit; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    clients.back()->send(kGet);
    EXPECT_EQ(clients.back()->reply().status, 200);
  }
  RawClient extra(server.port());
  const Reply r = extra.reply();
  EXPECT_EQ(r.status, 503);
  EXPECT_EQ(r.field("Connection"), "close");
  EXPECT_EQ(extra.until_closed(), "");
  EXPECT_TRUE(eventually([&] { return server.counters().refused.get() == 1u; }));
  clients.pop_back();
  eventually([&] { return server.counters().connections.get() != limit; });
  EXPECT_EQ(exchange(server.port(), kGet).status, 200);
}

TEST(HttpLimits, TotalConnections) {
  HttpOptions o;
  o.max_connections = 3;
  expect_refused_beyond(o, 3);
}

TEST(HttpLimits, ConnectionsPerAddress) {
  HttpOptions o;
  o.max_connections_per_address = 4;
  expect_refused_beyond(o, 4);
}

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}

TEST(HttpLimits, TwoThousandIdleConnectionsAreCheap) {
  Runtime::raise_descriptor_limit();
  HttpOptions o;
  o.max_connections_per_address = 0;
  LiveServer server(o);
  std::vector<std::unique_ptr<RawClient>> clients;
  const std::uint64_t before = resident_bytes();
  for (int i = 0; i < 2000; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.port()));
    clients.back()->send(kGet);
    EXPECT_EQ(clients.back()->reply().status, 200);
  }
  EXPECT_TRUE(eventually([&] { return server.counters().connections.get() == 2000u; }));
  const std::uint64_t each = (resident_bytes() - before) / 2000;
  RecordProperty("bytes_per_idle_connection", static_cast<int>(each));
#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer) && \
    !__has_feature(thread_sanitizer)
  EXPECT_LT(each, 8192u);
#endif
}

TEST(HttpLimits, StopFinishesWhatIsInFlightAndLeavesIdleConnections) {
  LiveServer server;
  RawClient idle(server.port());
  idle.send(kGet);
  idle.reply();
  RawClient busy(server.port());
  busy.send("GET /hold HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return server.calls() >= 2; }));
  std::thread stopping([&] { server.stop(60s); });
  EXPECT_EQ(idle.until_closed(), "");
  server.gate().open();
  const Reply r = busy.reply();
  EXPECT_EQ(r.status, 200);
  EXPECT_EQ(r.field("Connection"), "close");
  stopping.join();
}

TEST(HttpLimits, StopDoesNotWaitForeverForAClient) {
  LiveServer server;
  RawClient stuck(server.port());
  stuck.send("PUT /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return server.calls() >= 1; }));
  server.stop(100ms);
}

TEST(HttpLimits, ListeningTwiceSharesThePortOnlyBetweenOurOwnWorkers) {
  asio::io_context io(1);
  const auto first = listen_on(io.get_executor(), {asio::ip::address_v4::loopback(), 0});
  ASSERT_TRUE(first.has_value());
  const auto second = listen_on(io.get_executor(), first->local_endpoint());
  EXPECT_TRUE(second.has_value());
}

}  // namespace
}  // namespace outcrop::server::testing
