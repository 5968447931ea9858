// NFS connections over a live socket: batches, order, back-pressure, limits, stopping.
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <map>

#include "tests/unit/server/live_nfs.h"

namespace outcrop::server::testing {
namespace {

using namespace std::chrono_literals;

std::string patterned(std::size_t n) {
  std::string s(n, '\0');
  for (std::size_t i = 0; i < n; ++i) {
    s[i] = pattern(i);
  }
  return s;
}

std::string echo_of(std::string_view data) { return opaque(data) + number(0) + opaque(""); }

NfsOptions impatient() {
  NfsOptions o;
  o.idle_timeout = o.record_timeout = o.write_stall = 200ms;
  return o;
}

TEST(NfsSession, NullAndEcho) {
  LiveNfs server;
  RawClient client(server.port());
  client.send(call(1, 0));
  const RpcReply null = next_reply(client);
  EXPECT_EQ(null.xid, 1u);
  EXPECT_EQ(null.status, 0u);
  EXPECT_EQ(null.results, "");
  EXPECT_EQ(server.program().calls(), 0);
  client.send(call(2, kEcho, opaque("hello")));
  EXPECT_EQ(next_reply(client).results, echo_of("hello"));
}

TEST(NfsSession, OneReceiveIsAnsweredInOneWrite) {
  LiveNfs server;
  RawClient client(server.port());
  std::string batch;
  for (std::uint32_t i = 0; i < 50; ++i) {
    batch += call(i, i % 2, opaque(std::to_string(i)));
  }
  client.send(batch);
  for (std::uint32_t i = 0; i < 50; ++i) {
    EXPECT_EQ(next_reply(client).xid, i);
  }
  EXPECT_TRUE(eventually([&] { return server.counters().calls.get() == 50; }));
  EXPECT_EQ(server.counters().writes.get(), 1u);
}

TEST(NfsSession, RepliesOvertakeACallThatWaits) {
  LiveNfs server;
  RawClient client(server.port());
  client.send(call(1, kHold, opaque("late")) + call(2, kEcho, opaque("b")) + call(3, 0));
  EXPECT_EQ(next_reply(client).xid, 2u);
  EXPECT_EQ(next_reply(client).xid, 3u);
  client.send(call(4, kEcho));
  EXPECT_EQ(next_reply(client).xid, 4u);
  server.program().release();
  const RpcReply late = next_reply(client);
  EXPECT_EQ(late.xid, 1u);
  EXPECT_EQ(late.results, echo_of("late"));
}

TEST(NfsSession, CallsThatFinishTogetherShareAWrite) {
  LiveNfs server;
  RawClient client(server.port());
  std::string batch;
  for (std::uint32_t i = 0; i < 20; ++i) {
    batch += call(i, kHold);
  }
  client.send(batch);
  ASSERT_TRUE(eventually([&] { return server.program().held() == 20; }));
  server.release_in_one_turn();
  for (std::uint32_t i = 0; i < 20; ++i) {
    EXPECT_EQ(next_reply(client).status, 0u);
  }
  EXPECT_EQ(server.counters().writes.get(), 1u);
}

TEST(NfsSession, CallsInFlightAreBounded) {
  LiveNfs server({}, nullptr, 1 << 30);
  RawClient client(server.port());
  std::string batch;
  for (std::uint32_t i = 0; i < kMaxNfsCalls + 10; ++i) {
    batch += call(i, kHold);
  }
  client.send(batch);
  ASSERT_TRUE(eventually([&] { return server.program().held() == kMaxNfsCalls; }));
  EXPECT_EQ(server.counters().in_flight.get(), kMaxNfsCalls);
  for (const unsigned more : {kMaxNfsCalls, 10u}) {
    ASSERT_TRUE(eventually([&] { return server.program().held() == static_cast<int>(more); }));
    server.program().release();
    for (unsigned i = 0; i < more; ++i) {
      ASSERT_EQ(next_reply(client).status, 0u);
    }
  }
  EXPECT_TRUE(eventually([&] { return server.budget().in_use() == 0; }));
}

TEST(NfsSession, TheBudgetBoundsCallsThatWaitAndNothingIsStuck) {
  LiveNfs server({}, nullptr, 4 * kNfsCallBytes);
  RawClient one(server.port()), two(server.port());
  std::string batch;
  for (std::uint32_t i = 0; i < 30; ++i) {
    batch += call(i, kHold);
  }
  one.send(batch);
  ASSERT_TRUE(eventually([&] { return server.program().held() >= 4; }));
  EXPECT_LE(server.program().held(), 5);  // one more, whose turn it was when the budget ended
  two.send(batch);
  std::thread releases([&] {
    while (server.counters().calls.get() < 60) {
      server.program().release();
      std::this_thread::sleep_for(1ms);  // time is the input: polling
    }
  });
  for (std::uint32_t i = 0; i < 30; ++i) {
    EXPECT_EQ(next_reply(one).status, 0u);
    EXPECT_EQ(next_reply(two).status, 0u);
  }
  releases.join();
  EXPECT_TRUE(eventually([&] { return server.budget().in_use() == 0; }));
}

TEST(NfsSession, LargeRecordsArriveWhole) {
  LiveNfs server;
  RawClient client(server.port());
  std::string stream;
  const std::vector<std::size_t> sizes = {1 << 20, 3, 100'000, 1 << 20, 16'300, 16'400, 0};
  for (const std::size_t n : sizes) {
    stream += call(static_cast<std::uint32_t>(n), kSink, opaque(patterned(n)));
  }
  std::thread sender([&] { client.send(stream); });
  for (const std::size_t n : sizes) {
    const RpcReply r = next_reply(client);
    EXPECT_EQ(r.results, number(static_cast<std::uint32_t>(n)) + number(1)) << n;
  }
  sender.join();
  EXPECT_TRUE(eventually([&] { return server.budget().in_use() == 0; }));
}

// More than there is memory for, each in the middle of a large record for as long as it likes.
class Hogs {
 public:
  Hogs(LiveNfs& server, int n) {
    const std::string half = call(1, kSink, opaque(patterned(1 << 20))).substr(0, 100'000);
    for (int i = 0; i < n; ++i) {
      x_clients.push_back(std::make_unique<RawClient>(server.port()));
      x_clients.back()->send(half);
    }
    EXPECT_TRUE(eventually([&] { return server.budget().contended(); }));
  }

 private:
  std::vector<std::unique_ptr<RawClient>> x_clients;
};

NfsOptions patient() {
  NfsOptions o;
  o.record_timeout = o.pressed_record_timeout = 600s;
  return o;
}

TEST(NfsSession, HalfRecordsStopNobodyElse) {
  LiveNfs server(patient(), nullptr, 8 * kNfsCallBytes);
  {
    Hogs hogs(server, 20);
    RawClient client(server.port());
    std::string batch;
    for (std::uint32_t i = 0; i < 50; ++i) {
      batch += call(i, kRoom);
    }
    client.send(batch);
    for (std::uint32_t i = 0; i < 50; ++i) {
      EXPECT_EQ(next_reply(client).results, number(kNfsTightData));
    }
  }
  EXPECT_TRUE(eventually([&] { return server.budget().in_use() == 0; }));
  RawClient client(server.port());
  client.send(call(1, kRoom));
  EXPECT_EQ(next_reply(client).results, number(UINT32_MAX));
}

TEST(NfsSession, HalfRecordsLastLessLongWhileOthersWait) {
  NfsOptions o = patient();
  o.pressed_record_timeout = 200ms;
  LiveNfs server(o, nullptr, 8 * kNfsCallBytes);
  Hogs hogs(server, 20);
  bool served = false;
  for (int attempt = 0; attempt < 5 && !served; ++attempt) {  // others wait for this record, too
    RawClient client(server.port());
    client.send(call(7, kSink, opaque(patterned(1 << 20))));
    served = next_reply(client).xid == 7;
  }
  EXPECT_TRUE(served);
  EXPECT_GE(server.counters().timeouts.get(), 1u);
}

TEST(NfsSession, WholeRecordsThatFillTheMemoryAreServed) {
  LiveNfs server(patient(), nullptr, 8 * kNfsCallBytes);
  const std::string record = call(1, kSink, opaque(patterned(1 << 20)));
  std::vector<std::jthread> senders;
  std::atomic<int> served = 0;
  for (int i = 0; i < 30; ++i) {
    senders.emplace_back([&] {
      RawClient client(server.port());
      client.send(record + record);
      for (int reply = 0; reply < 2; ++reply) {
        served += next_reply(client).status == 0 ? 1 : 0;
      }
    });
  }
  senders.clear();
  EXPECT_EQ(served, 60);
  EXPECT_TRUE(eventually([&] { return server.budget().in_use() == 0; }));
}

TEST(NfsSession, LargeRepliesAreWhole) {
  LiveNfs server;
  RawClient client(server.port());
  for (const std::uint32_t procedure : {kRead, kReadLate}) {
    std::string batch;
    for (std::uint32_t i = 0; i < 16; ++i) {
      batch += call(i, procedure, number((1 << 20) - i));
    }
    client.send(batch);
    std::map<std::uint32_t, std::string> results;
    for (std::uint32_t i = 0; i < 16; ++i) {
      RpcReply r = next_reply(client);
      ASSERT_EQ(r.status, 0u);
      results[r.xid] = std::move(r.results);
    }
    for (std::uint32_t i = 0; i < 16; ++i) {
      EXPECT_TRUE(results[i] == opaque(patterned((1 << 20) - i))) << i;
    }
  }
  EXPECT_TRUE(eventually([&] { return server.budget().in_use() == 0; }));
}

TEST(NfsSession, AStreamOfLargeReadsNeverStalls) {
  LiveNfs server;
  RawClient client(server.port());
  constexpr std::uint32_t kDepth = 8, kCalls = 600;
  std::uint32_t sent = 0;
  const auto ask = [&] { client.send(call(sent++, kReadPool, number(1 << 20))); };
  while (sent < kDepth) {
    ask();
  }
  for (std::uint32_t got = 0; got < kCalls; ++got) {
    ASSERT_EQ(next_reply(client).results.size(), (1u << 20) + 4) << got;
    ask();
  }
}

TEST(NfsSession, AClientThatTakesNothingIsHeldOffThenCutOff) {
  NfsOptions o;
  o.write_stall = 300ms;
  LiveNfs server(o);
  RawClient client(server.port());
  const int small = 4096;
  ::setsockopt(client.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  std::string batch;
  for (std::uint32_t i = 0; i < 300; ++i) {
    batch += call(i, kRead, number(1 << 20));
  }
  client.send(batch);
  ASSERT_TRUE(eventually([&] { return server.counters().resets.get() == 1; }));
  EXPECT_LT(server.program().calls(), 20);
  EXPECT_TRUE(eventually([&] { return server.counters().connections.get() == 0; }));
  EXPECT_EQ(server.budget().in_use(), 0u);
}

TEST(NfsSession, NotRpcEndsTheConnection) {
  LiveNfs server;
  for (const std::string& bytes : {std::string("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
                                   std::string("\x16\x03\x01\x02\x00\x01\x00", 7),
                                   nfs::testing::marked("tiny"), nfs::testing::marked("")}) {
    RawClient client(server.port());
    client.send(bytes);
    EXPECT_EQ(client.until_closed(), "");
  }
  EXPECT_TRUE(eventually([&] { return server.counters().bad_records.get() == 4; }));
}

TEST(NfsSession, CallsBeforeGarbageAreAnswered) {
  LiveNfs server;
  RawClient client(server.port());
  client.send(call(1, kEcho) + nfs::testing::marked("tiny") + call(2, kEcho));
  EXPECT_EQ(next_reply(client).xid, 1u);
  EXPECT_EQ(client.until_closed(), "");
  EXPECT_EQ(server.program().calls(), 1);
}

TEST(NfsSession, RecordLimit) {
  LiveNfs server;
  const std::string head = call(1, kSink, opaque(""));
  const std::size_t fits = nfs::kMaxRecordBytes - (head.size() - 4);
  RawClient client(server.port());
  client.send(call(1, kSink, opaque(patterned(fits))));
  EXPECT_EQ(next_reply(client).results, number(static_cast<std::uint32_t>(fits)) + number(1));
  client.send(call(2, kSink, opaque(patterned(fits + 1))).substr(0, 5000));
  EXPECT_EQ(client.until_closed(), "");
  EXPECT_EQ(server.program().calls(), 1);
}

TEST(NfsSession, StrangersSendSmallRecordsOnly) {
  LiveNfs server;
  ASSERT_TRUE(server.exports().remove("/test").has_value());
  RawClient client(server.port());
  client.send(call(1, kSink, opaque(patterned(1000))));
  EXPECT_EQ(next_reply(client).results, number(1000) + number(1));
  client.send(call(2, kSink, opaque(patterned(20'000))));
  EXPECT_EQ(client.until_closed(), "");
  EXPECT_EQ(server.program().calls(), 1);
}

TEST(NfsSession, ThrowingAndSilentCalls) {
  LiveNfs server;
  RawClient client(server.port());
  client.send(call(1, kThrow) + call(2, kSilent) + call(3, kEcho));
  const RpcReply thrown = next_reply(client);
  EXPECT_EQ(thrown.xid, 1u);
  EXPECT_EQ(thrown.status, 5u);
  EXPECT_EQ(thrown.results, "");
  EXPECT_EQ(next_reply(client).xid, 3u);
}

TEST(NfsSession, HalfClosedConnectionGetsItsReplies) {
  LiveNfs server;
  RawClient client(server.port());
  client.send(call(1, kHold, opaque("x")));
  ::shutdown(client.fd(), SHUT_WR);
  ASSERT_TRUE(eventually([&] { return server.program().held() == 1; }));
  server.program().release();
  EXPECT_EQ(next_reply(client).xid, 1u);
  EXPECT_EQ(client.until_closed(), "");
}

TEST(NfsSession, SlowRecordAndIdleConnectionAreClosed) {
  LiveNfs server(impatient());
  RawClient slow(server.port());
  slow.send(call(1, kEcho) + call(2, kEcho).substr(0, 20));
  EXPECT_EQ(next_reply(slow).xid, 1u);
  EXPECT_EQ(slow.until_closed(), "");
  EXPECT_TRUE(eventually([&] { return server.counters().timeouts.get() == 1; }));
  RawClient idle(server.port());
  EXPECT_EQ(idle.until_closed(), "");
  EXPECT_EQ(server.counters().timeouts.get(), 1u);
}

TEST(NfsSession, AClientThatWaitsForUsIsNotIdle) {
  LiveNfs server(impatient());
  RawClient client(server.port());
  client.send(call(1, kHold));
  ASSERT_TRUE(eventually([&] { return server.program().held() == 1; }));
  std::this_thread::sleep_for(600ms);  // time is the input: three idle timeouts
  server.program().release();
  EXPECT_EQ(next_reply(client).xid, 1u);
}

TEST(NfsSession, ConnectionLimit) {
  NfsOptions o;
  o.max_connections_per_address = 2;
  LiveNfs server(o);
  RawClient one(server.port()), two(server.port());
  one.send(call(1, 0));
  two.send(call(1, 0));
  EXPECT_EQ(next_reply(one).status, 0u);
  EXPECT_EQ(next_reply(two).status, 0u);
  RawClient extra(server.port());
  EXPECT_EQ(extra.until_closed(), "");
  EXPECT_TRUE(eventually([&] { return server.counters().refused.get() == 1; }));
}

TEST(NfsSession, StopFinishesCallsInFlight) {
  LiveNfs server;
  RawClient idle(server.port()), busy(server.port());
  idle.send(call(1, 0));
  EXPECT_EQ(next_reply(idle).status, 0u);
  busy.send(call(2, kHold));
  ASSERT_TRUE(eventually([&] { return server.program().held() == 1; }));
  std::thread stopping([&] { server.stop(60s); });
  EXPECT_EQ(idle.until_closed(), "");
  server.program().release();
  EXPECT_EQ(next_reply(busy).xid, 2u);
  EXPECT_EQ(busy.until_closed(), "");
  stopping.join();
}

TEST(NfsSession, ProgramsOfOthersAreRefusedNotDropped) {
  LiveNfs server;
  RawClient client(server.port());
  client.send(nfs::testing::marked(nfs::testing::call_bytes({.xid = 9, .program = 100'227})));
  const RpcReply r = next_reply(client);
  EXPECT_EQ(r.xid, 9u);
  EXPECT_EQ(r.status, 1u);
}

}  // namespace
}  // namespace outcrop::server::testing
