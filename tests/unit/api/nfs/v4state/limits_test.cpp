// Every limit of config.h: at it, and one past it; and that a flood of strangers harms nobody.
#include "api/nfs/v4state/budget.h"
#include "tests/unit/api/nfs/v4state/support.h"

namespace outcrop::nfs::test {
namespace {

StateConfig with(const StateLimits& limits) {
  StateConfig config;
  config.limits = limits;
  return config;
}

TEST(Limits, StrangersPushOutOnlyTheOldestStrangers) {
  Rig rig(with({.unconfirmed_clients = 3}));
  Client41 client(rig);
  std::vector<ClientId> made;
  for (int i = 0; i < 4; ++i) {
    made.push_back(
        rig.manager->exchange_id({.owner = "s" + std::to_string(i)}, principal(0))->client);
  }
  EXPECT_EQ(rig.manager->counts().unconfirmed_clients, 3u);
  const auto create = [&](ClientId id) {
    return status_of(rig.manager->create_session(
        {.client = id, .sequence = 1, .fore = usual_fore()}, principal(0), 1));
  };
  EXPECT_EQ(create(made[0]), Status::stale_clientid);
  EXPECT_EQ(create(made[1]), Status::ok);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(rig.manager->set_client_id({.owner = "flood" + std::to_string(i)}, principal(0)));
  }
  EXPECT_EQ(rig.manager->counts().unconfirmed_clients, 3u);
  EXPECT_EQ(rig.manager->counts().confirmed_clients, 2u);
  EXPECT_TRUE(client.open("o", 1));
  rig.pass(rig.config.lease_ns + 1);
  EXPECT_EQ(rig.manager->counts().unconfirmed_clients, 0u);
}

TEST(Limits, ClientsMakeRoomOnlyWhenExpired) {
  Rig rig(with({.clients = 2}));
  Client41 a(rig, "a"), b(rig, "b");
  ASSERT_TRUE(a.open("o", 1));
  const ClientId third = rig.manager->exchange_id({.owner = "c"}, principal(0))->client;
  const auto create = [&](ClientId id) {
    return status_of(rig.manager->create_session(
        {.client = id, .sequence = 1, .fore = usual_fore()}, principal(0), 1));
  };
  EXPECT_EQ(create(third), Status::delay);
  EXPECT_EQ(create(third), Status::delay);  // the answer is not kept: it may be tried again
  const auto old = rig.manager->set_client_id({.owner = "old"}, principal(0));
  EXPECT_EQ(rig.manager->confirm_client_id(old->client, old->confirm, principal(0)),
            Status::resource);
  // A known owner takes its own place.
  Client41 again(rig, "b", 2);
  EXPECT_TRUE(again.open("o", 2));
  rig.clock.advance(rig.config.lease_ns + 1);
  const ClientId fourth = rig.manager->exchange_id({.owner = "d"}, principal(0))->client;
  again.context();
  EXPECT_EQ(create(fourth), Status::ok);
  EXPECT_EQ(rig.manager->counts().confirmed_clients, 2u);
}

TEST(Limits, SessionsPerClient) {
  Rig rig(with({.sessions_per_client = 3}));
  Client41 client(rig);
  EXPECT_TRUE(client.create_session());
  EXPECT_TRUE(client.create_session());
  EXPECT_EQ(client.create_session().error(), Status::nospc);
  ASSERT_EQ(rig.manager->destroy_session(client.session, client.who, 1), Status::ok);
  EXPECT_TRUE(client.create_session());
}

TEST(Limits, RepliesMemoryGivesFewerSlotsAndAlwaysOne) {
  constexpr std::size_t kReply = 1000;
  Rig rig(with({.sessions_per_client = 1000, .reply_cache_bytes = 200 * kReply}));
  Client41 client(rig);
  ChannelAttributes fore = usual_fore();
  fore.max_response_cached = kReply;
  fore.max_requests = 64;
  std::uint32_t before = 64;
  for (int i = 0; i < 100; ++i) {
    const auto made = client.create_session(fore);
    ASSERT_TRUE(made);
    EXPECT_LE(made->fore.max_requests, before);
    EXPECT_GE(made->fore.max_requests, 1u);
    before = made->fore.max_requests;
  }
  EXPECT_EQ(before, 1u);
  EXPECT_LE(rig.manager->counts().reply_cache_bytes, (200 + 101) * kReply + 8 * 7584);
  // Expired clients are evicted when it is short.
  rig.expire();
  EXPECT_EQ(rig.manager->counts().sessions, 0u);
  EXPECT_EQ(rig.manager->counts().reply_cache_bytes, 0u);
}

TEST(Limits, OpensAndOwnersPerClient) {
  Rig rig(with({.owners_per_client = 3, .opens_per_client = 4}));
  Client41 a(rig, "a"), b(rig, "b");
  for (std::uint64_t ino = 1; ino <= 4; ++ino) {
    ASSERT_TRUE(a.open("o", ino));
  }
  EXPECT_EQ(a.open("o", 5).error(), Status::delay);
  EXPECT_TRUE(a.open("o", 4));  // an upgrade takes no more
  EXPECT_TRUE(b.open("o", 5));
  ASSERT_EQ(a.close(a.open("o", 4)->stateid, 4), Status::ok);
  EXPECT_TRUE(a.open("p", 5));
  ASSERT_EQ(a.close(a.open("o", 3)->stateid, 3), Status::ok);
  EXPECT_EQ(a.lock(a.open("o", 1)->stateid, 1, "l", LockType::read, 0, 1).status, Status::ok);
  EXPECT_EQ(a.open("q", 6).error(), Status::delay);
  EXPECT_EQ(a.lock(a.open("o", 1)->stateid, 1, "m", LockType::read, 0, 1).status, Status::delay);
  Client40 old(rig);
  for (std::uint32_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(rig.manager->begin_open(old.context().client, std::to_string(i), 1).ticket);
  }
  EXPECT_EQ(rig.manager->begin_open(old.context().client, "3", 1).status, Status::resource);
}

TEST(Limits, RevokedStatesCountUntilTheyAreFreed) {
  Rig rig(with({.opens_per_client = 2}));
  Client41 a(rig, "a"), b(rig, "b");
  const Stateid lost = a.open("o", 1, kAccessBoth, kDenyBoth)->stateid;
  rig.clock.advance(rig.config.lease_ns + 1);
  ASSERT_TRUE(b.open("o", 1));
  ASSERT_TRUE(a.open("o", 2));
  EXPECT_EQ(a.open("o", 3).error(), Status::delay);
  ASSERT_EQ(a.free(lost), Status::ok);
  EXPECT_TRUE(a.open("o", 3));
}

TEST(Limits, OpensInTotal) {
  Rig rig(with({.opens = 2}));
  Client41 a(rig, "a"), b(rig, "b");
  const Stateid id = a.open("o", 1)->stateid;
  ASSERT_TRUE(a.open("o", 2));
  EXPECT_EQ(b.open("o", 3).error(), Status::delay);
  EXPECT_EQ(rig.manager->counts().owners, 1u);
  ASSERT_EQ(a.close(id, 1), Status::ok);
  EXPECT_TRUE(b.open("o", 3));
}

TEST(Limits, RangesPerClientAndInTotal) {
  Rig rig(with({.ranges_per_client = 3, .ranges = 5}));
  Client41 a(rig, "a"), b(rig, "b");
  const Stateid open_a = a.open("o", 1)->stateid, open_b = b.open("o", 1)->stateid;
  LockResult r = a.lock(open_a, 1, "l", LockType::write, 0, 10);
  r = a.lock(r.stateid, 1, "", LockType::write, 20, 10);
  const LockResult third = a.lock(r.stateid, 1, "", LockType::write, 40, 10);
  ASSERT_EQ(third.status, Status::ok);
  EXPECT_EQ(a.lock(third.stateid, 1, "", LockType::write, 60, 10).status, Status::delay);
  EXPECT_EQ(a.lock(open_a, 1, "other", LockType::write, 60, 10).status, Status::delay);
  EXPECT_EQ(rig.manager->counts().lock_states, 1u);
  EXPECT_EQ(status_of(a.unlock(third.stateid, 1, 22, 2)), Status::delay);  // a split
  // What needs no more is done at the limit, too.
  const LockResult joined = a.lock(third.stateid, 1, "", LockType::write, 30, 10);
  EXPECT_EQ(joined.status, Status::ok);
  EXPECT_EQ(rig.manager->counts().ranges, 2u);
  EXPECT_TRUE(a.unlock(joined.stateid, 1, 22, 2));
  LockResult s = b.lock(open_b, 1, "l", LockType::write, 100, 10);
  s = b.lock(s.stateid, 1, "", LockType::write, 120, 10);
  ASSERT_EQ(s.status, Status::ok);
  EXPECT_EQ(b.lock(s.stateid, 1, "", LockType::write, 140, 10).status, Status::delay);
  Client40 old(rig);
  std::uint32_t seqid = 0;
  const Stateid open_old = *old.open_confirmed("o", 1, seqid);
  EXPECT_EQ(old.lock(open_old, 1, "l", LockType::write, 200, 1).status, Status::resource);
}

TEST(Limits, AByteBudgetBoundsAMillionLocks) {
  Rig rig(with({.ranges_per_client = 1'000'000, .state_bytes = 1 << 20}));
  Client41 a(rig, "a");
  LockResult r = a.lock(a.open("o", 1)->stateid, 1, "l", LockType::write, 0, 1);
  std::uint64_t taken = 0;
  for (std::uint64_t i = 1; i < 1'000'000 && r.status == Status::ok; ++i) {
    const LockResult next = a.lock(r.stateid, 1, "", LockType::write, 2 * i, 1);
    if (next.status != Status::ok) {
      EXPECT_EQ(next.status, Status::delay);
      taken = i;
      break;
    }
    r = next;
  }
  EXPECT_GT(taken, 1000u);
  EXPECT_LT(taken, 10'000u);
  EXPECT_LE(rig.manager->counts().state_bytes, std::size_t{1} << 20);
  EXPECT_EQ(a.open("o2", 2).error(), Status::delay);
  // Some is kept for those who hold little.
  rig.clock.advance(rig.config.lease_ns + 1);
  Client41 b(rig, "b");
  std::uint64_t opened = 0;
  while (b.open("o", 2 + opened)) {
    ASSERT_LT(++opened, 1000u);
  }
  EXPECT_EQ(opened, kModestHolding);  // and their owner
  EXPECT_LE(rig.manager->counts().state_bytes, std::size_t{1} << 20);
  // Whoever is expired gives way at the next tick.
  EXPECT_EQ(b.open("o", 2000).error(), Status::delay);
  rig.pass(0);
  EXPECT_TRUE(b.open("o", 2000));
}

}  // namespace
}  // namespace outcrop::nfs::test
