// Several workers at once on one state manager: what is exclusive is held once, what ran once ran
// once, and all is given back at the end. Meant for the thread sanitizer, too.
#include <random>
#include <thread>

#include "tests/unit/api/nfs/v4state/support.h"

namespace outcrop::nfs::test {
namespace {

constexpr unsigned kThreads = 4;

template <class Body>
void race(Body body) {
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < kThreads; ++t) {
    threads.emplace_back([&body, t] { body(t); });
  }
}

StateConfig patient() {
  StateConfig config;
  config.limits.sessions_per_client = 1000;
  return config;
}

TEST(Race, OneSlotRunsEveryNumberOnce) {
  Rig rig(patient());
  Client41 client(rig);
  constexpr std::uint32_t kNumbers = 2000;
  std::atomic<std::uint32_t> ran = 0, replayed = 0;
  std::atomic<int> inside = 0;
  race([&](unsigned) {
    // Everybody sends every number until it was answered.
    for (std::uint32_t n = 1; n <= kNumbers;) {
      SequenceResult r = client.sequence_on(3, n);
      if (r.status == Status::delay) {
        continue;
      }
      if (r.ticket) {
        EXPECT_EQ(inside.fetch_add(1), 0);
        ++ran;
        EXPECT_EQ(inside.fetch_sub(1), 1);
        r.ticket.finish(std::make_shared<const std::string>(std::to_string(n)));
      } else if (r.replay) {
        EXPECT_EQ(*r.replay, std::to_string(n));
        ++replayed;
      } else {
        EXPECT_EQ(r.status, Status::seq_misordered);  // the others are ahead
      }
      ++n;
    }
  });
  EXPECT_EQ(ran, kNumbers);
}

TEST(Race, WriteLocksExcludeEachOther) {
  Rig rig(patient());
  std::array<std::atomic<int>, 16> holders{};
  std::atomic<unsigned> granted = 0;
  race([&](unsigned t) {
    std::mt19937 random(t);
    Client41 client(rig, "client" + std::to_string(t));
    const Stateid open = client.open("o", 1)->stateid;
    for (int i = 0; i < 2000; ++i) {
      const std::uint64_t byte = random() % holders.size();
      const LockResult r = client.lock(open, 1, "l", LockType::write, byte * 10, 10);
      if (r.status != Status::ok) {
        EXPECT_EQ(r.status, Status::denied);
        continue;
      }
      ++granted;
      EXPECT_EQ(holders[byte].fetch_add(1), 0);
      EXPECT_EQ(client.test_lock("spy", 1, LockType::read, byte * 10, 10).status, Status::denied);
      EXPECT_EQ(holders[byte].fetch_sub(1), 1);
      EXPECT_TRUE(client.unlock(r.stateid, 1, byte * 10, 10));
    }
    EXPECT_EQ(client.close(open, 1), Status::ok);
  });
  EXPECT_GT(granted, 0u);
  EXPECT_EQ(rig.manager->counts().ranges, 0u);
  EXPECT_EQ(rig.manager->counts().state_bytes, 0u);
}

TEST(Race, DenyModesExcludeOthers) {
  Rig rig(patient());
  std::array<std::atomic<int>, 4> exclusive{};
  race([&](unsigned t) {
    std::mt19937 random(t);
    Client41 client(rig, "client" + std::to_string(t));
    for (int i = 0; i < 1500; ++i) {
      const std::uint64_t ino = random() % exclusive.size();
      const auto grant = client.open("o", ino, kAccessBoth, kDenyBoth);
      if (!grant) {
        EXPECT_EQ(grant.error(), Status::share_denied);
        continue;
      }
      EXPECT_EQ(exclusive[ino].fetch_add(1), 0);
      EXPECT_EQ(client.io(grant->stateid, ino, IoKind::write), Status::ok);
      EXPECT_EQ(exclusive[ino].fetch_sub(1), 1);
      if (random() % 2 == 0) {
        rig.manager->undo_open(client.context(), *grant);
      } else {
        EXPECT_EQ(client.close(grant->stateid, ino), Status::ok);
      }
    }
  });
  EXPECT_EQ(rig.manager->counts().opens, 0u);
  EXPECT_EQ(*rig.holds, 0);
}

/// One compound's worth of opens, locks and closes on a few files.
void work(Rig& rig, const StateContext& context, std::mt19937& random, std::vector<Stateid>& ids) {
  (void)rig.manager->reclaim_complete(context.client, {});
  const std::uint64_t ino = random() % 5;
  const std::string owner = "o" + std::to_string(random() % 2);
  const OpenRequest open{.owner = owner,
                         .file = file(ino),
                         .access = 1 + static_cast<std::uint32_t>(random() % 3),
                         .deny = random() % 4 == 0 ? kDenyWrite : kDenyNone,
                         .hold = rig.hold()};
  if (const auto grant = wait_for(rig.manager->open(context, open))) {
    ids.push_back(grant->stateid);
    const LockRequest range{.file = file(ino),
                            .type = LockType::read,
                            .offset = random() % 50,
                            .length = 1 + random() % 50,
                            .stateid = grant->stateid,
                            .new_owner = true,
                            .owner = owner};
    const LockResult lock = wait_for(rig.manager->lock(context, range));
    if (lock.status == Status::ok) {
      ids.push_back(lock.stateid);
    }
  }
  for (const Status s : rig.manager->test_stateids(context.client, ids)) {
    EXPECT_TRUE(s == Status::ok || s == Status::old_stateid || s == Status::expired ||
                s == Status::bad_stateid);
  }
  if (!ids.empty() && random() % 2 == 0) {
    (void)rig.manager->close(context, ids[random() % ids.size()], file(ino));
    (void)rig.manager->free_stateid(context.client, ids[random() % ids.size()]);
  }
}

/// A client that comes, or comes back, sends some compounds, and perhaps says goodbye.
void visit(Rig& rig, std::mt19937& random, unsigned connection) {
  const std::string name = "client" + std::to_string(random() % 3);
  const auto verify = verifier(static_cast<std::uint8_t>(random()));
  const auto made = rig.manager->exchange_id({.owner = name, .verifier = verify}, principal(0));
  ASSERT_TRUE(made);
  const auto session = rig.manager->create_session({.client = made->client,
                                                    .sequence = made->sequence,
                                                    .fore = usual_fore(),
                                                    .back = usual_back()},
                                                   principal(0), connection);
  if (!session) {
    return;  // another thread restarted the client, or used the number
  }
  std::vector<Stateid> ids;
  for (std::uint32_t n = 1; n <= 20; ++n) {
    SequenceResult turn = rig.manager->sequence({.session = session->session,
                                                 .sequence = n,
                                                 .cache_this = true,
                                                 .request_bytes = 100,
                                                 .operations = 2,
                                                 .connection = connection});
    if (!turn.ticket) {
      break;  // destroyed meanwhile
    }
    work(rig, {.client = turn.ticket.client(), .minor = 1}, random, ids);
    turn.ticket.finish(std::make_shared<const std::string>("done"));
  }
  if (random() % 3 == 0) {
    (void)rig.manager->destroy_session(session->session, principal(0), connection);
  }
}

/// Clients come, work on the same files, restart and expire, while time and the housekeeping go on.
TEST(Race, ClientsComeAndGo) {
  Rig rig(patient());
  rig.config.lease_ns = 3 * kSecondNs;
  rig.config.courtesy_ns = 10 * kSecondNs;
  rig.restart();
  race([&](unsigned t) {
    std::mt19937 random(t);
    for (int round = 0; round < 150; ++round) {
      visit(rig, random, t);
      rig.clock.advance(static_cast<std::int64_t>(random() % 2) * kSecondNs);
      if (random() % 4 == 0) {
        EXPECT_TRUE(run_sync(rig.manager->tick()));
      }
    }
  });
  rig.pass(rig.config.lease_ns + rig.config.courtesy_ns + 1);
  const StateCounts counts = rig.manager->counts();
  EXPECT_EQ(counts.confirmed_clients, 0u);
  EXPECT_EQ(counts.unconfirmed_clients, 0u);
  EXPECT_EQ(counts.sessions, 0u);
  EXPECT_EQ(counts.owners, 0u);
  EXPECT_EQ(counts.opens, 0u);
  EXPECT_EQ(counts.lock_states, 0u);
  EXPECT_EQ(counts.ranges, 0u);
  EXPECT_EQ(counts.revoked, 0u);
  EXPECT_EQ(counts.state_bytes, 0u);
  EXPECT_EQ(counts.reply_cache_bytes, 0u);
  EXPECT_EQ(*rig.holds, 0);
  EXPECT_TRUE(rig.store.records().empty());
}

}  // namespace
}  // namespace outcrop::nfs::test
