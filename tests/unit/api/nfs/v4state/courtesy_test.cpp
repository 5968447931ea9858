// Leases and the courteous server: what pynfs COUR1 to COUR7 check, and what a client sees of the
// states that it lost (RFC 8881 8.3, 8.4.3, 18.38, 18.46).
#include "tests/unit/api/nfs/v4state/support.h"

namespace outcrop::nfs::test {
namespace {

struct Courtesy : ::testing::Test {
  Rig rig;
  Client41 a{rig, "a"};
};

TEST_F(Courtesy, Cour1StateIsKeptWithoutConflict) {
  const Stateid open = a.open("o", 1)->stateid;
  const Stateid lock = a.lock(open, 1, "l", LockType::write, 0, kLockToEnd).stateid;
  rig.pass(2 * rig.config.lease_ns);
  const auto unlocked = a.unlock(lock, 1, 0, kLockToEnd);
  EXPECT_TRUE(unlocked);
  EXPECT_EQ(a.flags, 0u);
  EXPECT_EQ(a.close(open, 1), Status::ok);
}

TEST_F(Courtesy, Cour2AConflictingLockWins) {
  const Stateid open = a.open("o", 1)->stateid;
  const Stateid lock = a.lock(open, 1, "l", LockType::write, 0, kLockToEnd).stateid;
  Client41 b(rig, "b");
  const Stateid open_b = b.open("o", 1, kAccessWrite)->stateid;
  EXPECT_EQ(b.lock(open_b, 1, "l", LockType::write, 0, 10).status, Status::denied);
  rig.expire();
  EXPECT_EQ(b.test_lock("l", 1, LockType::write, 0, 10).status, Status::ok);
  EXPECT_EQ(b.lock(open_b, 1, "l", LockType::write, 0, 10).status, Status::ok);
  // The lock is gone, the open is not.
  EXPECT_EQ(status_of(a.unlock(lock, 1, 0, 10)), Status::expired);
  EXPECT_EQ(a.flags, kSequenceExpiredSomeStateRevoked);
  EXPECT_EQ(a.io(lock, 1, IoKind::read), Status::expired);
  EXPECT_EQ(a.test(lock), Status::expired);
  EXPECT_EQ(a.test(open), Status::ok);
  EXPECT_EQ(rig.manager->counts().revoked, 1u);
  EXPECT_EQ(a.free(lock), Status::ok);
  EXPECT_EQ(a.free(lock), Status::bad_stateid);
  a.context();
  EXPECT_EQ(a.flags, 0u);
  EXPECT_EQ(a.close(open, 1), Status::ok);
}

TEST_F(Courtesy, Cour3And5And6DenyModesYieldBothWays) {
  struct {
    std::uint32_t held, held_deny, wanted, wanted_deny;
  } const cases[] = {
      {kAccessWrite, kDenyWrite, kAccessWrite, kDenyNone},
      {kAccessWrite, kDenyNone, kAccessRead, kDenyWrite},
      {kAccessWrite, kDenyRead, kAccessRead, kDenyNone},
  };
  std::uint64_t ino = 10;
  for (const auto& c : cases) {
    ++ino;
    Client41 first(rig, "first" + std::to_string(ino)), second(rig, "second" + std::to_string(ino));
    const Stateid open = first.open("o", ino, c.held, c.held_deny)->stateid;
    EXPECT_EQ(second.open("o", ino, c.wanted, c.wanted_deny).error(), Status::share_denied);
    rig.expire();
    EXPECT_TRUE(second.open("o", ino, c.wanted, c.wanted_deny));
    EXPECT_EQ(first.close(open, ino), Status::expired);
    EXPECT_EQ(first.flags, kSequenceExpiredAllStateRevoked);
    EXPECT_EQ(first.free(open), Status::ok);
    first.context();
    EXPECT_EQ(first.flags, 0u);
  }
}

TEST_F(Courtesy, Cour4CompatibleDenyModes) {
  Client41 b(rig, "b");
  EXPECT_TRUE(a.open("o", 1, kAccessWrite, kDenyRead));
  EXPECT_TRUE(b.open("o", 1, kAccessWrite, kDenyRead));
}

TEST_F(Courtesy, Cour7AThousandExpiredClientsAtOnce) {
  for (int i = 0; i < 1000; ++i) {
    Client41 client(rig, "client" + std::to_string(i));
    ASSERT_TRUE(client.open("o", 1, kAccessWrite));
  }
  rig.expire();
  Client41 breaker(rig, "breaker");
  const int batches = rig.store.batches;
  ASSERT_TRUE(breaker.open("o", 1, kAccessRead, kDenyWrite));
  EXPECT_EQ(rig.store.batches, batches + 1);  // all erasures in one
  EXPECT_EQ(rig.manager->counts().revoked, 1000u);
  EXPECT_EQ(rig.store.records().size(), 1u);
}

TEST_F(Courtesy, OneLiveHolderIsEnoughToRefuse) {
  Client41 gone(rig, "gone"), alive(rig, "alive");
  const Stateid lost = gone.open("o", 1, kAccessRead)->stateid;
  ASSERT_TRUE(alive.open("o", 1, kAccessRead));
  rig.clock.advance(rig.config.lease_ns + 1);
  alive.context();
  EXPECT_EQ(a.open("o", 1, kAccessRead, kDenyRead).error(), Status::share_denied);
  EXPECT_EQ(gone.test(lost), Status::ok);  // nobody was revoked in vain
}

TEST_F(Courtesy, LocksGoWithARevokedOpen) {
  Client41 b(rig, "b");
  const Stateid open = a.open("o", 1, kAccessBoth, kDenyWrite)->stateid;
  const Stateid lock = a.lock(open, 1, "l", LockType::write, 0, 10).stateid;
  rig.expire();
  const Stateid theirs = b.open("o", 1, kAccessWrite)->stateid;
  EXPECT_EQ(b.lock(theirs, 1, "l", LockType::write, 0, 10).status, Status::ok);
  EXPECT_EQ(a.test(open), Status::expired);
  EXPECT_EQ(a.test(lock), Status::expired);
  EXPECT_EQ(*rig.holds, 1);
  // Opened again by the same owner it is a new state.
  const auto again = a.open("o", 1, kAccessRead);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->made);
  EXPECT_EQ(a.flags, kSequenceExpiredAllStateRevoked);
  EXPECT_EQ(a.free(lock), Status::ok);
  EXPECT_EQ(a.flags, kSequenceExpiredSomeStateRevoked);
  EXPECT_EQ(a.free(open), Status::ok);
  EXPECT_EQ(a.close(again->stateid, 1), Status::ok);
  EXPECT_EQ(rig.manager->counts().owners, 2u);  // b's
}

TEST_F(Courtesy, AnonymousIoWaitsForADenialToBeBroken) {
  Client41 b(rig, "b");
  const Stateid open = a.open("o", 1, kAccessRead, kDenyWrite)->stateid;
  EXPECT_EQ(b.io(kAnonymousStateid, 1, IoKind::write), Status::locked);
  rig.clock.advance(rig.config.lease_ns + 1);
  EXPECT_EQ(b.io(kAnonymousStateid, 1, IoKind::write), Status::delay);
  rig.pass(0);
  EXPECT_EQ(b.io(kAnonymousStateid, 1, IoKind::write), Status::ok);
  EXPECT_EQ(a.test(open), Status::expired);
}

TEST_F(Courtesy, V40ClientsLoseAndStartOver) {
  Client40 old(rig);
  std::uint32_t seqid = 0;
  const Stateid lost = *old.open_confirmed("o", 1, seqid, kAccessBoth, kDenyBoth);
  const Stateid kept = *old.open_confirmed("o", 2, seqid);
  rig.expire();
  EXPECT_TRUE(a.open("o", 1, kAccessRead));
  EXPECT_EQ(rig.manager->renew(old.id), Status::expired);  // pynfs RENEW3
  SeqidResult gate = rig.manager->begin_stateid(lost, ++seqid);
  ASSERT_TRUE(gate.ticket);
  EXPECT_EQ(old.close(lost, 1), Status::expired);  // pynfs CLOSE8
  gate.ticket.finish(Status::expired, "expired");
  EXPECT_EQ(old.io(kept, 2, IoKind::write), Status::ok);
  // SETCLIENTID of the same incarnation clears the loss and keeps the rest.
  Client40 again(rig);
  EXPECT_EQ(again.id, old.id);
  EXPECT_EQ(rig.manager->renew(old.id), Status::ok);
  EXPECT_EQ(old.io(kept, 2, IoKind::write), Status::ok);
  EXPECT_EQ(old.io(lost, 1, IoKind::write), Status::bad_stateid);
  EXPECT_EQ(rig.manager->counts().revoked, 0u);
}

TEST_F(Courtesy, AnyStateidOperationOfV40Renews) {
  Client40 old(rig);
  std::uint32_t seqid = 0;
  const Stateid id = *old.open_confirmed("o", 1, seqid, kAccessBoth, kDenyBoth);
  for (int i = 0; i < 5; ++i) {
    rig.clock.advance(rig.config.lease_ns / 2);
    a.context();
    EXPECT_EQ(
        status_of(rig.manager->check_io({.client = {}, .minor = 0}, id, file(1), IoKind::read)),
        Status::ok);
    EXPECT_EQ(a.open("o", 1, kAccessRead).error(), Status::share_denied);
  }
}

TEST_F(Courtesy, EndsSometime) {
  ASSERT_TRUE(a.open("o", 1));
  rig.pass(rig.config.lease_ns + rig.config.courtesy_ns);
  EXPECT_EQ(rig.manager->counts().confirmed_clients, 1u);
  rig.pass(1);
  const StateCounts counts = rig.manager->counts();
  EXPECT_EQ(counts.confirmed_clients, 0u);
  EXPECT_EQ(counts.sessions, 0u);
  EXPECT_EQ(counts.opens, 0u);
  EXPECT_EQ(counts.state_bytes, 0u);
  EXPECT_EQ(*rig.holds, 0);
  EXPECT_TRUE(rig.store.records().empty());
  EXPECT_EQ(a.sequence_on(0, a.slot_sequence + 1).status, Status::badsession);
}

}  // namespace
}  // namespace outcrop::nfs::test
