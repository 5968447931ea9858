// 4.0: SETCLIENTID by the cases of RFC 7530 16.33.5 and 16.34.5, owner sequence numbers (9.1.7),
// OPEN_CONFIRM, and what tells a stale id from a bad one.
#include "tests/unit/api/nfs/v4state/support.h"

namespace outcrop::nfs::test {
namespace {

struct SetClientId : ::testing::Test {
  Outcome<SetClientIdResult> set(std::uint8_t v, std::uint32_t uid = 0, std::string_view x = "x") {
    return rig.manager->set_client_id({.owner = x, .verifier = verifier(v)}, principal(uid));
  }
  Status confirm(ClientId c, const Verifier& s, std::uint32_t uid = 0) {
    return rig.manager->confirm_client_id(c, s, principal(uid));
  }
  Rig rig;
};

TEST_F(SetClientId, NewIsUsableOnlyWhenConfirmed) {
  const auto made = set(1);
  ASSERT_TRUE(made);
  EXPECT_NE(made->confirm, Verifier{});
  EXPECT_EQ(rig.manager->renew(made->client), Status::stale_clientid);
  EXPECT_EQ(confirm(made->client, verifier(9)), Status::stale_clientid);
  EXPECT_EQ(confirm(made->client, made->confirm, 5), Status::clid_inuse);
  EXPECT_EQ(confirm(0, made->confirm), Status::stale_clientid);
  EXPECT_EQ(confirm(made->client, made->confirm), Status::ok);
  EXPECT_EQ(rig.manager->renew(made->client), Status::ok);
  EXPECT_EQ(confirm(made->client, made->confirm), Status::ok);  // a retry
  EXPECT_EQ(confirm(made->client, made->confirm, 5), Status::clid_inuse);
}

TEST_F(SetClientId, UnconfirmedIsReplaced) {
  const auto first = set(1), second = set(1);
  EXPECT_NE(first->client, second->client);
  EXPECT_NE(first->confirm, second->confirm);
  EXPECT_EQ(confirm(first->client, first->confirm), Status::stale_clientid);
  EXPECT_EQ(confirm(second->client, second->confirm), Status::ok);
}

TEST_F(SetClientId, SameVerifierUpdatesCallbacksAndKeepsState) {
  Client40 client(rig, "x", 1);
  std::uint32_t seqid = 0;
  const auto id = client.open_confirmed("o", 1, seqid);
  const auto update = set(1);
  ASSERT_TRUE(update);
  EXPECT_EQ(update->client, client.id);
  EXPECT_EQ(confirm(update->client, update->confirm), Status::ok);
  EXPECT_EQ(confirm(update->client, update->confirm), Status::ok);
  EXPECT_EQ(client.io(*id, 1, IoKind::write), Status::ok);
  // An update that a restart overtakes is void.
  const auto lost = set(1);
  const auto restarted = set(2);
  EXPECT_NE(restarted->client, client.id);
  EXPECT_EQ(confirm(lost->client, lost->confirm), Status::stale_clientid);
  EXPECT_EQ(client.io(*id, 1, IoKind::write), Status::ok);
  EXPECT_EQ(confirm(restarted->client, restarted->confirm), Status::ok);
  EXPECT_EQ(client.io(*id, 1, IoKind::write), Status::expired);
  EXPECT_EQ(rig.manager->renew(client.id), Status::expired);
}

TEST_F(SetClientId, UnconfirmedRestartIsReplacedByAnother) {
  Client40 client(rig, "x", 1);
  const auto first = set(2), second = set(3);
  EXPECT_NE(first->client, second->client);
  EXPECT_EQ(confirm(first->client, first->confirm), Status::stale_clientid);
  EXPECT_EQ(rig.manager->renew(client.id), Status::ok);
  // Back to the confirmed verifier: the unconfirmed one is gone.
  const auto third = set(1);
  EXPECT_EQ(third->client, client.id);
  EXPECT_EQ(confirm(second->client, second->confirm), Status::stale_clientid);
}

TEST_F(SetClientId, ForeignPrincipalOnlyWithoutState) {
  Client40 client(rig, "x", 1);
  const auto early = set(1, 5);
  ASSERT_TRUE(early);
  std::uint32_t seqid = 0;
  ASSERT_TRUE(client.open_confirmed("o", 1, seqid));
  EXPECT_EQ(set(1, 5).error(), Status::clid_inuse);
  EXPECT_EQ(confirm(early->client, early->confirm, 5), Status::clid_inuse);
  rig.clock.advance(rig.config.lease_ns + 1);
  const auto late = set(1, 5);
  ASSERT_TRUE(late);
  EXPECT_EQ(confirm(late->client, late->confirm, 5), Status::ok);
  EXPECT_EQ(rig.manager->renew(client.id), Status::expired);
  EXPECT_EQ(rig.manager->counts().opens, 0u);
}

TEST_F(SetClientId, Arguments) {
  EXPECT_EQ(set(1, 0, "").error(), Status::inval);
  EXPECT_TRUE(set(1, 0, std::string(kMaxOwnerBytes, 'x')));
  EXPECT_EQ(set(1, 0, std::string(kMaxOwnerBytes + 1, 'x')).error(), Status::inval);
}

TEST_F(SetClientId, FamiliesDoNotMix) {
  Client41 one(rig, "x");
  Client40 zero(rig, "x");
  EXPECT_EQ(rig.manager->renew(one.id), Status::expired);
  EXPECT_EQ(rig.manager->destroy_client(zero.id, zero.who), Status::stale_clientid);
  EXPECT_EQ(
      rig.manager
          ->create_session({.client = zero.id, .sequence = 1, .fore = usual_fore()}, zero.who, 1)
          .error(),
      Status::stale_clientid);
}

TEST(StaleIds, AreToldFromBadOnesAfterARestart) {
  Rig rig;
  Client40 before(rig);
  std::uint32_t seqid = 0;
  const Stateid old = *before.open_confirmed("o", 1, seqid);
  Client41 session_before(rig);
  const Stateid old41 = session_before.open("o", 1)->stateid;
  rig.restart();
  rig.pass(rig.config.grace_ns);
  EXPECT_EQ(rig.manager->renew(before.id), Status::stale_clientid);
  EXPECT_EQ(rig.manager->renew(0), Status::stale_clientid);
  Client40 after(rig);
  EXPECT_EQ(after.io(old, 1, IoKind::read), Status::stale_stateid);
  EXPECT_EQ(rig.manager->begin_stateid(old, 1).status, Status::stale_stateid);
  Client41 session_after(rig);
  EXPECT_EQ(session_after.io(old41, 1, IoKind::read), Status::bad_stateid);
  EXPECT_EQ(session_after.test(old41), Status::bad_stateid);
  // One that a client made up: this run, this client, no such state.
  seqid = 0;
  Stateid made_up = *after.open_confirmed("o", 1, seqid);
  made_up.other[11] ^= std::byte{0x5a};
  EXPECT_EQ(after.io(made_up, 1, IoKind::read), Status::bad_stateid);
  Stateid pynfs_stale{1, {}};
  pynfs_stale.other[3] = std::byte{1};
  EXPECT_EQ(after.io(pynfs_stale, 1, IoKind::read), Status::stale_stateid);
}

struct Owners : ::testing::Test {
  SeqidResult begin(std::uint32_t seqid, std::string_view owner = "o") {
    return rig.manager->begin_open(client.context().client, owner, seqid);
  }
  Rig rig;
  Client40 client{rig};
};

TEST_F(Owners, FirstOpenIsConfirmed) {
  SeqidResult gate = begin(10);
  ASSERT_TRUE(gate.ticket);
  const auto grant = client.open("o", 1);
  ASSERT_TRUE(grant);
  EXPECT_TRUE(grant->confirm);
  gate.ticket.finish(Status::ok, "first");
  // Its state is good for OPEN_CONFIRM alone.
  const Stateid id = grant->stateid;
  EXPECT_EQ(client.io(id, 1, IoKind::read), Status::bad_stateid);
  EXPECT_EQ(client.close(id, 1), Status::bad_stateid);
  EXPECT_EQ(client.lock(id, 1, "l", LockType::read, 0, 1).status, Status::bad_stateid);
  EXPECT_EQ(rig.manager->downgrade(client.context(), id, file(1), 3, 0).error(),
            Status::bad_stateid);
  EXPECT_EQ(rig.manager->begin_stateid(id, 50).status, Status::bad_seqid);
  gate = rig.manager->begin_stateid(id, 11);
  ASSERT_TRUE(gate.ticket);
  const auto confirmed = rig.manager->confirm_open(client.context(), id, file(1));
  ASSERT_TRUE(confirmed);
  EXPECT_EQ(confirmed->seqid, 2u);
  gate.ticket.finish(Status::ok, "confirmed");
  EXPECT_EQ(client.io(*confirmed, 1, IoKind::read), Status::ok);
  EXPECT_EQ(rig.manager->confirm_open(client.context(), *confirmed, file(1)).error(),
            Status::bad_stateid);
  EXPECT_EQ(client.io(id, 1, IoKind::read), Status::old_stateid);
  // Seqid 0 is nothing special in 4.0.
  EXPECT_EQ(client.io({0, id.other}, 1, IoKind::read), Status::old_stateid);
  // The next open of the owner needs no confirmation.
  gate = begin(12);
  EXPECT_FALSE(client.open("o", 2)->confirm);
}

TEST_F(Owners, RetriesGetTheSameReply) {
  begin(1).ticket.finish(Status::noent, "no such file");
  const SeqidResult again = begin(1);
  EXPECT_EQ(again.status, Status::ok);
  ASSERT_TRUE(again.replay);
  EXPECT_EQ(*again.replay, "no such file");
  EXPECT_FALSE(again.ticket);
  SeqidResult running = begin(2);
  ASSERT_TRUE(running.ticket);
  EXPECT_TRUE(begin(2).drop);
  EXPECT_EQ(begin(3).status, Status::bad_seqid);
  running = {};
  EXPECT_TRUE(begin(2).ticket);  // the call died: it runs again
}

TEST_F(Owners, OnlySomeErrorsLeaveTheNumber) {
  std::uint32_t seqid = 0;
  const Stateid id = *client.open_confirmed("o", 1, seqid);
  for (const Status s :
       {Status::stale_clientid, Status::stale_stateid, Status::bad_stateid, Status::bad_seqid,
        Status::badxdr, Status::resource, Status::nofilehandle, Status::moved}) {
    begin(seqid + 1).ticket.finish(s, "x");
  }
  for (const Status s : {Status::ok, Status::access, Status::share_denied, Status::old_stateid,
                         Status::grace, Status::delay, Status::expired, Status::inval}) {
    SeqidResult gate = begin(++seqid);
    ASSERT_TRUE(gate.ticket) << to_string(s);
    gate.ticket.finish(s, "x");
  }
  EXPECT_EQ(begin(seqid - 1).status, Status::bad_seqid);
  EXPECT_EQ(begin(seqid + 2).status, Status::bad_seqid);
  EXPECT_EQ(rig.manager->begin_stateid(id, seqid + 2).status, Status::bad_seqid);
  EXPECT_TRUE(begin(seqid).replay);
}

TEST_F(Owners, UnconfirmedOwnersStartOver) {
  SeqidResult gate = begin(5);
  const auto lost = client.open("o", 1, kAccessBoth, kDenyBoth);
  gate.ticket.finish(Status::ok, "a");
  gate = begin(100);
  ASSERT_TRUE(gate.ticket);
  EXPECT_EQ(rig.manager->counts().opens, 0u);
  EXPECT_EQ(client.io(lost->stateid, 1, IoKind::read), Status::bad_stateid);
  EXPECT_TRUE(client.open("o", 1)->confirm);
}

TEST_F(Owners, CloseIsRetriedUntilTheNextOperation) {
  std::uint32_t seqid = 0;
  const Stateid one = *client.open_confirmed("o", 1, seqid);
  const Stateid two = *client.open_confirmed("o", 2, seqid);
  SeqidResult gate = rig.manager->begin_stateid(one, ++seqid);
  const auto closed = rig.manager->close(client.context(), one, file(1));
  ASSERT_TRUE(closed);
  EXPECT_EQ(closed->seqid, one.seqid + 1);
  gate.ticket.finish(Status::ok, "closed");
  EXPECT_EQ(*rig.holds, 1);
  const SeqidResult again = rig.manager->begin_stateid(one, seqid);
  ASSERT_TRUE(again.replay);
  EXPECT_EQ(*again.replay, "closed");
  EXPECT_EQ(client.io(one, 1, IoKind::read), Status::bad_stateid);
  gate = rig.manager->begin_stateid(two, ++seqid);
  ASSERT_TRUE(gate.ticket);
  EXPECT_EQ(client.close(two, 2), Status::ok);
  gate.ticket.finish(Status::ok, "closed, too");
  EXPECT_EQ(rig.manager->begin_stateid(one, seqid + 1).status, Status::bad_stateid);
}

TEST_F(Owners, IdleOwnersAreForgottenAfterALease) {
  std::uint32_t seqid = 0;
  const Stateid id = *client.open_confirmed("o", 1, seqid);
  rig.clock.advance(rig.config.lease_ns / 2);
  SeqidResult gate = rig.manager->begin_stateid(id, ++seqid);
  EXPECT_EQ(client.close(id, 1), Status::ok);
  gate.ticket.finish(Status::ok, "closed");
  EXPECT_EQ(rig.manager->counts().owners, 1u);
  rig.pass(rig.config.lease_ns / 2 + 1);
  EXPECT_EQ(rig.manager->renew(client.id), Status::ok);
  rig.pass(0);
  EXPECT_EQ(rig.manager->counts().owners, 1u);
  rig.pass(rig.config.lease_ns / 2 + 1);
  EXPECT_EQ(rig.manager->counts().owners, 0u);
  EXPECT_EQ(rig.manager->counts().state_bytes, 0u);
}

struct LockOwners : Owners {
  SeqidResult begin_lock(const Stateid& id,
                         std::uint32_t open,
                         std::uint32_t lock,
                         std::string_view owner = "l") {
    return rig.manager->begin_new_lock(client.context().client, id, open, owner, lock);
  }
  std::uint32_t seqid = 0;
  Stateid open_id = *client.open_confirmed("o", 1, seqid);
};

TEST_F(LockOwners, BeginThroughAnOpenOwner) {
  EXPECT_EQ(begin_lock(open_id, seqid + 2, 0).status, Status::bad_seqid);
  SeqidResult gate = begin_lock(open_id, ++seqid, 7);
  ASSERT_TRUE(gate.ticket);
  LockResult locked = client.lock(open_id, 1, "l", LockType::write, 0, 10);
  ASSERT_EQ(locked.status, Status::ok);
  gate.ticket.finish(locked.status, "locked");
  EXPECT_EQ(*begin_lock(open_id, seqid, 7).replay, "locked");
  // From now on the lock owner counts itself, also if it comes as a new one again.
  EXPECT_EQ(begin_lock(open_id, seqid + 1, 7).status, Status::bad_seqid);
  EXPECT_EQ(begin_lock(open_id, seqid + 1, 9).status, Status::bad_seqid);
  EXPECT_EQ(rig.manager->begin_stateid(locked.stateid, 9).status, Status::bad_seqid);
  gate = rig.manager->begin_stateid(locked.stateid, 8);
  ASSERT_TRUE(gate.ticket);
  const auto unlocked = client.unlock(locked.stateid, 1, 0, 5);
  gate.ticket.finish(status_of(unlocked), "unlocked");
  EXPECT_EQ(*rig.manager->begin_stateid(*unlocked, 8).replay, "unlocked");
  EXPECT_TRUE(begin_lock(open_id, seqid + 1, 9).ticket);
}

TEST_F(LockOwners, ADeniedFirstLockDoesNotBeginOne) {
  Client41 other(rig);
  const Stateid theirs = other.open("p", 1)->stateid;
  ASSERT_EQ(other.lock(theirs, 1, "m", LockType::write, 0, 10).status, Status::ok);
  SeqidResult gate = begin_lock(open_id, ++seqid, 0);
  const LockResult denied = client.lock(open_id, 1, "l", LockType::write, 0, 10);
  EXPECT_EQ(denied.status, Status::denied);
  gate.ticket.finish(denied.status, "denied");
  EXPECT_EQ(rig.manager->counts().lock_states, 1u);
  EXPECT_TRUE(begin_lock(open_id, ++seqid, 0).ticket);  // pynfs LOCK14
}

TEST_F(LockOwners, AreReleasedWithoutLocks) {
  begin_lock(open_id, ++seqid, 0).ticket.finish(Status::ok, "");
  const LockResult locked = client.lock(open_id, 1, "l", LockType::write, 0, 10);
  EXPECT_EQ(rig.manager->release_lock_owner(client.context().client, "l"), Status::locks_held);
  const auto unlocked = client.unlock(locked.stateid, 1, 0, kLockToEnd);
  EXPECT_EQ(rig.manager->release_lock_owner(client.context().client, "l"), Status::ok);
  EXPECT_EQ(client.io(*unlocked, 1, IoKind::read), Status::bad_stateid);
  EXPECT_EQ(rig.manager->release_lock_owner(client.context().client, "l"), Status::ok);
  EXPECT_EQ(rig.manager->counts().lock_states, 0u);
  // A lock owner and an open owner of one name are two.
  EXPECT_EQ(rig.manager->release_lock_owner(client.context().client, "o"), Status::ok);
  EXPECT_EQ(client.io(open_id, 1, IoKind::read), Status::ok);
}

TEST_F(LockOwners, LimitsOfNamesAndKinds) {
  EXPECT_EQ(begin_lock(open_id, seqid + 1, 0, std::string(kMaxOwnerBytes + 1, 'l')).status,
            Status::inval);
  EXPECT_EQ(begin_lock(kAnonymousStateid, seqid + 1, 0).status, Status::bad_stateid);
  const LockResult locked = client.lock(open_id, 1, "l", LockType::write, 0, 10);
  EXPECT_EQ(begin_lock(locked.stateid, seqid + 1, 0).status, Status::bad_stateid);
  Client40 other(rig, "other");
  EXPECT_EQ(rig.manager->begin_new_lock(other.context().client, open_id, seqid + 1, "l", 0).status,
            Status::bad_stateid);
}

}  // namespace
}  // namespace outcrop::nfs::test
