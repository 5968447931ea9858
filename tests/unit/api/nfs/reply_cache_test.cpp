// The duplicate request cache by itself: states and limits.
#include "api/nfs/reply_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/support/hand_clock.h"

namespace outcrop::nfs::testing {
namespace {

ReplyKey key(std::uint32_t xid) {
  ReplyKey k;
  k.xid = xid;
  k.checksum = (xid + 1) * 0xD6E8FEB86659FD93;
  return k;
}

using State = ReplyCache::State;

TEST(ReplyCache, FreshThenInProgressThenDone) {
  const test::HandClock clock;
  ReplyCache cache(clock);
  {
    ReplyCache::Found found = cache.begin(key(1));
    ASSERT_EQ(found.state, State::fresh);
    EXPECT_EQ(cache.begin(key(1)).state, State::in_progress);
    found.ticket.keep("reply");
  }
  const ReplyCache::Found again = cache.begin(key(1));
  ASSERT_EQ(again.state, State::done);
  EXPECT_EQ(*again.reply, "reply");
}

TEST(ReplyCache, ACallThatIsGivenUpMayBeMadeAgain) {
  const test::HandClock clock;
  ReplyCache cache(clock);
  {
    const ReplyCache::Found found = cache.begin(key(1));
  }
  EXPECT_EQ(cache.entries(), 0U);
  EXPECT_EQ(cache.bytes(), 0U);
  EXPECT_EQ(cache.begin(key(1)).state, State::fresh);
}

TEST(ReplyCache, EveryPartOfTheKeyCounts) {
  const test::HandClock clock;
  ReplyCache cache(clock);
  const auto keep = [&cache](const ReplyKey& k) {
    ReplyCache::Found found = cache.begin(k);
    const State state = found.state;
    found.ticket.keep("x");
    return state;
  };
  EXPECT_EQ(keep(key(1)), State::fresh);
  ReplyKey k = key(1);
  k.address[15] = 1;
  EXPECT_EQ(keep(k), State::fresh);
  k = key(1);
  k.port = 1;
  EXPECT_EQ(keep(k), State::fresh);
  for (std::uint32_t ReplyKey::* field :
       {&ReplyKey::program, &ReplyKey::version, &ReplyKey::procedure}) {
    k = key(1);
    k.*field = 1;
    EXPECT_EQ(keep(k), State::fresh);
  }
  k = key(1);
  k.checksum += 1;
  EXPECT_EQ(keep(k), State::fresh);
  EXPECT_EQ(keep(key(1)), State::done);
}

TEST(ReplyCache, KeysOfCalls) {
  const std::string arguments = "argument";
  Peer peer;
  peer.address = boost::asio::ip::make_address("10.0.0.1");
  RpcCall call{.xid = 5,
               .program = 1,
               .version = 2,
               .procedure = 3,
               .credentials = {},
               .arguments = XdrReader(as_bytes(arguments))};
  const ReplyKey k = ReplyKey::of(peer, call);
  EXPECT_EQ(call.arguments.left(), arguments.size()) << "nothing was read away";
  EXPECT_EQ(ReplyKey::of(peer, call), k);
  RpcCall changed = call;
  changed.arguments = XdrReader(as_bytes("argumenu"));
  EXPECT_NE(ReplyKey::of(peer, changed), k);
  changed = call;
  changed.credentials.uid = 7;
  EXPECT_NE(ReplyKey::of(peer, changed), k);
  peer.address = boost::asio::ip::make_address("a00:1::");
  EXPECT_NE(ReplyKey::of(peer, call), k) << "the same bytes as an IPv6 address";
}

TEST(ReplyCache, EntriesAreBounded) {
  const test::HandClock clock;
  ReplyCache cache(clock, {.entries = 160, .bytes = 1 << 20, .reply_bytes = 100, .age_ns = 1000});
  for (std::uint32_t i = 1; i <= 1000; ++i) {
    cache.begin(key(i)).ticket.keep("reply");
    EXPECT_EQ(cache.begin(key(i)).state, State::done);
  }
  EXPECT_LE(cache.entries(), 160U);
  EXPECT_GT(cache.entries(), 100U);
  EXPECT_EQ(cache.begin(key(1)).state, State::fresh) << "the oldest went";
}

TEST(ReplyCache, BytesAreBounded) {
  const test::HandClock clock;
  constexpr std::size_t kBytes = 160 << 10;
  ReplyCache cache(clock,
                   {.entries = 10'000, .bytes = kBytes, .reply_bytes = 4096, .age_ns = 1000});
  for (std::uint32_t i = 1; i <= 200; ++i) {
    cache.begin(key(i)).ticket.keep(std::string(4096, 'x'));
  }
  EXPECT_LE(cache.bytes(), kBytes);
  EXPECT_GE(cache.entries(), 16U);
}

TEST(ReplyCache, LongRepliesAreNotKept) {
  const test::HandClock clock;
  ReplyCache cache(clock, {.entries = 100, .bytes = 1 << 20, .reply_bytes = 10, .age_ns = 1000});
  cache.begin(key(1)).ticket.keep(std::string(10, 'x'));
  cache.begin(key(2)).ticket.keep(std::string(11, 'x'));
  EXPECT_EQ(cache.begin(key(1)).state, State::done);
  EXPECT_EQ(cache.begin(key(2)).state, State::fresh);
}

TEST(ReplyCache, RepliesAge) {
  test::HandClock clock;
  ReplyCache cache(clock, {.entries = 100, .bytes = 1 << 20, .reply_bytes = 10, .age_ns = 1000});
  cache.begin(key(1)).ticket.keep("x");
  clock.now = 1000;
  EXPECT_EQ(cache.begin(key(1)).state, State::done);
  clock.now = 1001;
  EXPECT_EQ(cache.begin(key(1)).state, State::fresh);
}

TEST(ReplyCache, CallsThatAreServedAreNeverPushedOut) {
  const test::HandClock clock;
  ReplyCache cache(clock, {.entries = 16, .bytes = 1 << 20, .reply_bytes = 10, .age_ns = 1000});
  std::vector<ReplyCache::Found> serving;
  for (std::uint32_t i = 1; i <= 100; ++i) {
    serving.push_back(cache.begin(key(i)));
    EXPECT_EQ(serving.back().state, State::fresh);
  }
  EXPECT_LE(cache.entries(), 16U);
  std::size_t kept = 0;
  for (std::uint32_t i = 1; i <= 100; ++i) {
    kept += cache.begin(key(i)).state == State::in_progress ? 1 : 0;
  }
  EXPECT_GE(kept, 1U);
  for (ReplyCache::Found& found : serving) {
    found.ticket.keep("x");
  }
  serving.clear();
  EXPECT_LE(cache.entries(), 16U);
}

TEST(ReplyCache, ManyThreadsDoEachCallOnce) {
  const test::HandClock clock;
  ReplyCache cache(clock);
  constexpr std::uint32_t kCalls = 2000;
  std::vector<std::atomic<int>> done(kCalls);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (std::uint32_t i = 0; i < kCalls; ++i) {
          ReplyCache::Found found = cache.begin(key(i));
          if (found.state == State::fresh) {
            done[i].fetch_add(1);
            found.ticket.keep(std::to_string(i));
          } else if (found.state == State::done) {
            EXPECT_EQ(*found.reply, std::to_string(i));
          }
        }
      });
    }
  }
  for (const std::atomic<int>& times : done) {
    ASSERT_EQ(times.load(), 1);
  }
}

}  // namespace
}  // namespace outcrop::nfs::testing
