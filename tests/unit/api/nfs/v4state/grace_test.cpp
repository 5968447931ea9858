// Restarts: who may reclaim, when grace ends, what the recovery store holds (RFC 8881 8.4.2,
// RFC 7530 9.6), and that nothing is granted that it contradicts.
#include "tests/unit/api/nfs/v4state/support.h"

namespace outcrop::nfs::test {
namespace {

struct Grace : ::testing::Test {
  std::size_t records() const { return rig.store.records().size(); }
  static StateConfig short_times() {
    StateConfig config;
    config.lease_ns = config.grace_ns = 5 * kSecondNs;
    return config;
  }
  Rig rig{short_times()};
};

TEST_F(Grace, NoneWithoutRecords) {
  EXPECT_FALSE(rig.manager->in_grace());
  Client41 a(rig, "a");
  EXPECT_EQ(records(), 0u);  // a client without state has nothing to reclaim
  rig.restart();
  EXPECT_FALSE(rig.manager->in_grace());
}

TEST_F(Grace, RecordedAtTheFirstOpenErasedAtTheEnd) {
  Client41 a(rig, "a", 1, 7);
  const Stateid id = a.open("o", 1)->stateid;
  ASSERT_EQ(records(), 1u);
  EXPECT_EQ(rig.store.records()[0],
            (RecoveryRecord{.sessions = true, .owner = "a", .principal = principal(7)}));
  ASSERT_TRUE(a.open("o", 2));
  EXPECT_EQ(rig.store.batches, 1);
  ASSERT_EQ(a.close(id, 1), Status::ok);
  ASSERT_EQ(a.close(a.open("o", 2)->stateid, 2), Status::ok);
  ASSERT_EQ(rig.manager->destroy_session(a.session, a.who, 1), Status::ok);
  ASSERT_EQ(rig.manager->destroy_client(a.id, a.who), Status::ok);
  rig.pass(0);
  EXPECT_EQ(records(), 0u);
}

TEST_F(Grace, ReclaimThenEarlyEnd) {
  {
    Client41 a(rig, "a"), b(rig, "b");
    ASSERT_TRUE(a.open("o", 1));
    ASSERT_TRUE(b.open("o", 1));
  }
  rig.restart();
  EXPECT_TRUE(rig.manager->in_grace());
  Client41 a(rig, "a", 1, 0, false), c(rig, "c", 1, 0, false);
  EXPECT_EQ(a.open("o", 1).error(), Status::grace);
  EXPECT_EQ(c.open("o", 1, 3, 0, true).error(), Status::reclaim_bad);
  EXPECT_EQ(rig.manager->may_open(a.context(), true), Status::ok);
  const auto open = a.open("o", 1, kAccessBoth, kDenyNone, true);
  ASSERT_TRUE(open);
  EXPECT_EQ(a.lock(open->stateid, 1, "l", LockType::write, 0, 1).status, Status::grace);
  EXPECT_EQ(a.lock(open->stateid, 1, "l", LockType::write, 0, 1, true).status, Status::ok);
  EXPECT_EQ(a.test_lock("l", 1, LockType::write, 0, 1).status, Status::grace);
  EXPECT_EQ(a.io(open->stateid, 1, IoKind::write), Status::ok);
  EXPECT_EQ(a.io(kAnonymousStateid, 1, IoKind::read), Status::grace);
  EXPECT_EQ(rig.manager->reclaim_complete(a.context().client, {}), Status::ok);
  EXPECT_EQ(a.open("o", 1, 3, 0, true).error(), Status::no_grace);
  EXPECT_EQ(a.open("o", 2).error(), Status::grace);  // b is still awaited
  EXPECT_EQ(rig.manager->reclaim_complete(c.context().client, {}), Status::ok);
  EXPECT_TRUE(rig.manager->in_grace());
  Client41 b(rig, "b");
  EXPECT_FALSE(rig.manager->in_grace());
  EXPECT_TRUE(a.open("o", 2));
  EXPECT_TRUE(c.open("o", 2));
  rig.pass(0);
  EXPECT_EQ(records(), 3u);
}

TEST_F(Grace, AnotherPrincipalReclaimsNothing) {
  {
    Client41 a(rig, "a");
    ASSERT_TRUE(a.open("o", 1));
  }
  rig.restart();
  Client41 thief(rig, "a", 1, 9, false);
  EXPECT_EQ(thief.open("o", 1, 3, 0, true).error(), Status::reclaim_bad);
}

TEST_F(Grace, TimeEndsItForThoseWhoDoNotComeBack) {
  {
    Client41 a(rig, "a"), b(rig, "b");
    ASSERT_TRUE(a.open("o", 1));
    ASSERT_TRUE(b.open("o", 1));
  }
  rig.restart();
  Client41 a(rig, "a", 1, 0, false);
  ASSERT_TRUE(a.open("o", 1, 3, 0, true));
  rig.clock.advance(rig.config.grace_ns);
  EXPECT_FALSE(rig.manager->in_grace());
  EXPECT_EQ(a.open("o", 2, 3, 0, true).error(), Status::no_grace);
  rig.pass(0);
  // Neither the one that stayed away nor the one that never said it was done may reclaim at the
  // next restart what others can get from now on.
  EXPECT_EQ(records(), 0u);
  EXPECT_EQ(rig.manager->reclaim_complete(a.context().client, {}), Status::ok);
  ASSERT_TRUE(a.open("o", 2));
  EXPECT_EQ(records(), 1u);
}

TEST_F(Grace, V40ReclaimsWithoutConfirmationAndIsWaitedForByTime) {
  {
    Client40 old(rig);
    std::uint32_t seqid = 0;
    ASSERT_TRUE(old.open_confirmed("o", 1, seqid));
  }
  rig.restart();
  Client40 old(rig);
  SeqidResult gate = rig.manager->begin_open(old.context().client, "o", 1);
  const auto grant = old.open("o", 1, kAccessBoth, kDenyNone, true);
  ASSERT_TRUE(grant);
  EXPECT_FALSE(grant->confirm);
  gate.ticket.finish(Status::ok, "reclaimed");
  EXPECT_EQ(old.open("p", 2).error(), Status::grace);
  EXPECT_TRUE(rig.manager->in_grace());
  rig.pass(rig.config.grace_ns);
  EXPECT_EQ(records(), 1u);
  EXPECT_TRUE(old.open("p", 2));
}

TEST_F(Grace, ReclaimConflictsAreTold) {
  {
    Client41 a(rig, "a"), b(rig, "b");
    ASSERT_TRUE(a.open("o", 1));
    ASSERT_TRUE(b.open("o", 1));
  }
  rig.restart();
  Client41 a(rig, "a", 1, 0, false), b(rig, "b", 1, 0, false);
  const Stateid id = a.open("o", 1, kAccessBoth, kDenyBoth, true)->stateid;
  EXPECT_EQ(b.open("o", 1, kAccessBoth, kDenyNone, true).error(), Status::reclaim_conflict);
  const Stateid theirs = b.open("o", 2, kAccessBoth, kDenyNone, true)->stateid;
  const Stateid mine = a.open("o", 2, kAccessBoth, kDenyNone, true)->stateid;
  EXPECT_EQ(a.lock(mine, 2, "l", LockType::write, 0, 9, true).status, Status::ok);
  EXPECT_EQ(b.lock(theirs, 2, "l", LockType::write, 0, 9, true).status, Status::reclaim_conflict);
  EXPECT_EQ(a.test(id), Status::ok);
}

TEST_F(Grace, WhoLostStateMayNotReclaimIt) {
  Client41 a(rig, "a");
  const Stateid lost = a.open("o", 1, kAccessBoth, kDenyBoth)->stateid;
  const Stateid kept = a.open("o", 2)->stateid;
  rig.expire();
  Client41 b(rig, "b");
  ASSERT_TRUE(b.open("o", 1));
  ASSERT_EQ(records(), 1u);  // b's: durable before it was answered
  EXPECT_EQ(rig.store.records()[0].owner, "b");
  // When it has freed what it lost, the rest is worth a record again.
  EXPECT_EQ(a.free(lost), Status::ok);
  rig.pass(0);
  EXPECT_EQ(records(), 2u);
  EXPECT_EQ(a.test(kept), Status::ok);
}

TEST_F(Grace, ARestartedClientInheritsItsRecord) {
  Client41 before(rig, "a", 1);
  ASSERT_TRUE(before.open("o", 1));
  Client41 after(rig, "a", 2);
  rig.pass(0);
  EXPECT_EQ(records(), 1u);
  ASSERT_TRUE(after.open("o", 1));
  EXPECT_EQ(rig.store.batches, 1);
}

TEST_F(Grace, ATakenOverOwnerHasTheNewPrincipalsRecord) {
  Client41 before(rig, "a", 1, 1);
  ASSERT_TRUE(before.open("o", 1));
  rig.expire();
  Client41 after(rig, "a", 1, 2);
  rig.pass(0);
  EXPECT_EQ(records(), 0u);
  ASSERT_TRUE(after.open("o", 1));
  ASSERT_EQ(records(), 1u);
  EXPECT_EQ(rig.store.records()[0].principal, principal(2));
}

TEST_F(Grace, NothingIsGrantedThatTheStoreDoesNotHold) {
  struct {
    Errc failure;
    Status status;
  } const cases[] = {{Errc::io_error, Status::io},
                     {Errc::no_space, Status::nospc},
                     {Errc::read_only, Status::rofs}};
  Client41 a(rig, "a");
  for (const auto& c : cases) {
    rig.store.failure = c.failure;
    EXPECT_EQ(a.open("o", 1).error(), c.status);
    EXPECT_EQ(rig.manager->counts().opens, 0u);
    EXPECT_EQ(*rig.holds, 0);
  }
  rig.store.failure = {};
  ASSERT_TRUE(a.open("o", 1));
  EXPECT_EQ(records(), 1u);
}

TEST_F(Grace, ALockThatBreaksAnotherWaitsForTheErasure) {
  Client41 a(rig, "a"), b(rig, "b");
  const Stateid open_a = a.open("o", 1)->stateid;
  ASSERT_EQ(a.lock(open_a, 1, "l", LockType::write, 0, 9).status, Status::ok);
  const Stateid open_b = b.open("o", 1)->stateid;
  rig.clock.advance(rig.config.lease_ns + 1);
  rig.store.failure = Errc::io_error;
  EXPECT_EQ(b.lock(open_b, 1, "l", LockType::write, 0, 9).status, Status::serverfault);
  EXPECT_EQ(b.test_lock("spy", 1, LockType::write, 0, 9).status, Status::ok);
  EXPECT_EQ(records(), 2u);
  // As long as the erasure is not written, nobody else gets it either.
  EXPECT_EQ(b.open("o", 7).error(), Status::io);
  rig.store.failure = {};
  EXPECT_EQ(b.lock(open_b, 1, "m", LockType::write, 0, 9).status, Status::ok);
  EXPECT_EQ(records(), 1u);
}

TEST(RecoveryRecords, RoundTripAndRefuseWhatIsNot) {
  const RecoveryRecord record{.sessions = false,
                              .owner = std::string("\0binary\xff", 8),
                              .principal = {.flavor = 1, .uid = 42, .host = "client.example"}};
  const std::string bytes = encode(record);
  const auto back = decode_recovery_record(as_bytes(bytes));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, record);
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_FALSE(decode_recovery_record(as_bytes(std::string_view(bytes).substr(0, n))));
  }
  EXPECT_FALSE(decode_recovery_record(as_bytes(bytes + "x")));
  std::string other = bytes;
  other[0] = 2;
  EXPECT_FALSE(decode_recovery_record(as_bytes(other)));
}

/// A store whose writes wait until the test lets them go on.
class SlowStore final : public MemoryRecoveryStore {
 public:
  Task<> apply(std::vector<RecoveryChange> changes) override {
    sizes.push_back(changes.size());
    CO_TRYV(co_await suspend<void>([this](Resume<void> r) { x_waiting = std::move(r); }));
    co_return co_await MemoryRecoveryStore::apply(std::move(changes));
  }
  void go_on() { std::exchange(x_waiting, {})(ok()); }
  bool waits() const { return static_cast<bool>(x_waiting); }
  std::vector<std::size_t> sizes;

 private:
  Resume<void> x_waiting;
};

TEST(RecoveryBatches, OpensOfManyClientsShareWrites) {
  ManualClock clock;
  SystemRandom random;
  SlowStore store;
  const StateConfig config;
  StateManager manager(config, clock, random, store);
  ASSERT_TRUE(run_sync(manager.start()));
  asio::io_context io(1);
  constexpr int kClients = 20;
  int done = 0;
  for (int i = 0; i < kClients; ++i) {
    const std::string name = "client" + std::to_string(i);
    const auto made = manager.set_client_id({.owner = name, .verifier = verifier(1)}, principal(0));
    ASSERT_EQ(manager.confirm_client_id(made->client, made->confirm, principal(0)), Status::ok);
    const StateContext context{.client = *manager.find_client(made->client), .minor = 0};
    const OpenRequest request{.owner = "o", .file = file(1), .access = kAccessRead};
    asio::co_spawn(io, manager.open(context, request),
                   [&](std::exception_ptr, const Outcome<OpenGrant>& grant) {
                     EXPECT_TRUE(grant);
                     ++done;
                   });
  }
  io.poll();
  ASSERT_TRUE(store.waits());
  EXPECT_EQ(done, 0);
  store.go_on();
  io.restart();
  io.poll();
  EXPECT_EQ(done, 1);
  ASSERT_TRUE(store.waits());
  store.go_on();
  io.restart();
  io.run();
  EXPECT_EQ(done, kClients);
  EXPECT_EQ(store.sizes, (std::vector<std::size_t>{1, kClients - 1}));
}

}  // namespace
}  // namespace outcrop::nfs::test
