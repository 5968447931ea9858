// OPEN, OPEN_DOWNGRADE, CLOSE and what stateids allow (RFC 8881 8.2, 9.7, 18.16 to 18.18).
#include "tests/unit/api/nfs/v4state/support.h"

namespace outcrop::nfs::test {
namespace {

struct Opens : ::testing::Test {
  Rig rig;
  Client41 a{rig, "a"}, b{rig, "b"};
};

TEST_F(Opens, EveryPairOfShareReservations) {
  std::uint64_t ino = 0;
  for (std::uint32_t access1 = 1; access1 <= 3; ++access1) {
    for (std::uint32_t deny1 = 0; deny1 <= 3; ++deny1) {
      for (std::uint32_t access2 = 1; access2 <= 3; ++access2) {
        for (std::uint32_t deny2 = 0; deny2 <= 3; ++deny2) {
          ++ino;
          const auto first = a.open("o", ino, access1, deny1);
          ASSERT_TRUE(first);
          const bool conflict = (access1 & deny2) != 0 || (access2 & deny1) != 0;
          const Status expected = conflict ? Status::share_denied : Status::ok;
          const OpenRequest request{
              .owner = "p", .file = file(ino), .access = access2, .deny = deny2};
          EXPECT_EQ(rig.manager->test_share(request), expected);
          // The owner's own deny mode is in its way, too (RFC 8881 9.7).
          ASSERT_TRUE(a.open("o", 1000 + ino, access1, deny1));
          EXPECT_EQ(status_of(a.open("o", 1000 + ino, access2, deny2)), expected);
          EXPECT_EQ(status_of(b.open("p", ino, access2, deny2)), expected);
        }
      }
    }
  }
}

TEST_F(Opens, SameOwnerUpgradesOneState) {
  const auto first = a.open("o", 1, kAccessRead);
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->made);
  EXPECT_EQ(first->stateid.seqid, 1u);
  EXPECT_FALSE(is_special(first->stateid));
  const auto second = a.open("o", 1, kAccessWrite, kDenyWrite);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second->made);
  EXPECT_EQ(second->stateid.seqid, 2u);
  EXPECT_EQ(second->stateid.other, first->stateid.other);
  EXPECT_EQ(*rig.holds, 1);
  EXPECT_EQ(b.open("p", 1, kAccessWrite).error(), Status::share_denied);
  EXPECT_NE(a.open("o", 2)->stateid.other, first->stateid.other);
  EXPECT_NE(a.open("o2", 3)->stateid.other, first->stateid.other);
}

TEST_F(Opens, Arguments) {
  EXPECT_EQ(a.open("o", 1, 0).error(), Status::inval);
  EXPECT_EQ(a.open("o", 1, 4).error(), Status::inval);
  EXPECT_EQ(a.open("o", 1, 1, 4).error(), Status::inval);
  EXPECT_TRUE(a.open(std::string(kMaxOwnerBytes, 'o'), 1));
  EXPECT_EQ(a.open(std::string(kMaxOwnerBytes + 1, 'o'), 1).error(), Status::inval);
}

TEST_F(Opens, SeqidsOfStateids) {
  Stateid id = a.open("o", 1)->stateid;
  id = a.open("o", 1)->stateid;  // seqid 2
  Stateid old = id, future = id, latest = id;
  old.seqid = 1;
  future.seqid = 3;
  latest.seqid = 0;
  EXPECT_EQ(a.io(id, 1, IoKind::read), Status::ok);
  EXPECT_EQ(a.io(latest, 1, IoKind::read), Status::ok);
  EXPECT_EQ(a.io(old, 1, IoKind::read), Status::old_stateid);
  EXPECT_EQ(a.io(future, 1, IoKind::read), Status::bad_stateid);
  EXPECT_EQ(a.test(id), Status::ok);
  EXPECT_EQ(a.test(latest), Status::ok);
  EXPECT_EQ(a.test(old), Status::old_stateid);
  EXPECT_EQ(a.test(future), Status::bad_stateid);
  EXPECT_EQ(a.close(old, 1), Status::old_stateid);
  EXPECT_EQ(a.free(old), Status::old_stateid);
  EXPECT_EQ(a.free(id), Status::locks_held);
  EXPECT_EQ(a.close(latest, 1), Status::ok);
}

TEST_F(Opens, StateidsAreOfOneClientAndOneFile) {
  const Stateid id = a.open("o", 1)->stateid;
  EXPECT_EQ(b.io(id, 1, IoKind::read), Status::bad_stateid);
  EXPECT_EQ(b.close(id, 1), Status::bad_stateid);
  EXPECT_EQ(b.test(id), Status::bad_stateid);
  EXPECT_EQ(b.free(id), Status::bad_stateid);
  EXPECT_EQ(a.io(id, 2, IoKind::read), Status::bad_stateid);
  EXPECT_EQ(a.close(id, 2), Status::bad_stateid);
  Client40 old(rig);
  EXPECT_EQ(old.io(id, 1, IoKind::read), Status::bad_stateid);
  for (const Stateid& special :
       {kAnonymousStateid, kBypassStateid, kCurrentStateid, kInvalidStateid}) {
    EXPECT_EQ(a.close(special, 1), Status::bad_stateid);
    EXPECT_EQ(a.test(special), Status::bad_stateid);
    EXPECT_EQ(a.free(special), Status::bad_stateid);
    EXPECT_EQ(a.lock(special, 1, "l", LockType::read, 0, 1).status, Status::bad_stateid);
  }
  EXPECT_EQ(a.io(kCurrentStateid, 1, IoKind::read), Status::bad_stateid);
  EXPECT_EQ(a.io(kInvalidStateid, 1, IoKind::read), Status::bad_stateid);
}

TEST_F(Opens, CloseEndsTheStateAndItsHold) {
  const Stateid id = a.open("o", 1, kAccessBoth, kDenyBoth)->stateid;
  const auto closed = rig.manager->close(a.context(), id, file(1));
  ASSERT_TRUE(closed);
  EXPECT_EQ(*closed, kInvalidStateid);
  EXPECT_EQ(*rig.holds, 0);
  EXPECT_EQ(a.close(id, 1), Status::bad_stateid);
  EXPECT_TRUE(b.open("p", 1, kAccessBoth, kDenyBoth));
  const StateCounts counts = rig.manager->counts();
  EXPECT_EQ(counts.opens, 1u);
  EXPECT_EQ(counts.owners, 1u);
}

TEST_F(Opens, IoNeedsTheAccess) {
  const Stateid read = a.open("r", 1, kAccessRead)->stateid;
  const Stateid write = a.open("w", 1, kAccessWrite)->stateid;
  EXPECT_EQ(a.io(read, 1, IoKind::read), Status::ok);
  EXPECT_EQ(a.io(read, 1, IoKind::write), Status::openmode);
  EXPECT_EQ(a.io(write, 1, IoKind::read), Status::ok);
  EXPECT_EQ(a.io(write, 1, IoKind::write), Status::ok);
  EXPECT_TRUE(rig.manager->check_io(a.context(), read, file(1), IoKind::read)->by_open);
  EXPECT_FALSE(
      rig.manager->check_io(a.context(), kAnonymousStateid, file(1), IoKind::read)->by_open);
  // A lock stateid stands for the open it was made through.
  const Stateid lock = a.lock(read, 1, "l", LockType::read, 0, 1).stateid;
  EXPECT_EQ(a.io(lock, 1, IoKind::read), Status::ok);
  EXPECT_EQ(a.io(lock, 1, IoKind::write), Status::openmode);
}

TEST_F(Opens, SpecialStateidsMeetDenyModes) {
  EXPECT_EQ(b.io(kAnonymousStateid, 1, IoKind::write), Status::ok);
  Stateid id = a.open("o", 1, kAccessRead, kDenyWrite)->stateid;
  EXPECT_EQ(b.io(kAnonymousStateid, 1, IoKind::read), Status::ok);
  EXPECT_EQ(b.io(kAnonymousStateid, 1, IoKind::write), Status::locked);
  EXPECT_EQ(b.io(kBypassStateid, 1, IoKind::write), Status::locked);
  // The holder's own anonymous writes are anybody's.
  EXPECT_EQ(a.io(kAnonymousStateid, 1, IoKind::write), Status::locked);
  ASSERT_EQ(a.close(id, 1), Status::ok);
  id = a.open("o", 1, kAccessRead, kDenyBoth)->stateid;
  EXPECT_EQ(b.io(kAnonymousStateid, 1, IoKind::read), Status::locked);
  EXPECT_EQ(b.io(kBypassStateid, 1, IoKind::read), Status::ok);
  // NFSv3 asks without a client.
  EXPECT_EQ(status_of(rig.manager->check_io({}, kAnonymousStateid, file(1), IoKind::write)),
            Status::locked);
  ASSERT_EQ(a.close(id, 1), Status::ok);
  EXPECT_EQ(b.io(kAnonymousStateid, 1, IoKind::write), Status::ok);
}

TEST_F(Opens, DowngradeGoesBackToWhatWasOpened) {
  const auto down = [&](const Stateid& id, std::uint32_t access, std::uint32_t deny) {
    return rig.manager->downgrade(a.context(), id, file(1), access, deny);
  };
  Stateid id = a.open("o", 1, kAccessBoth)->stateid;
  EXPECT_EQ(down(id, kAccessRead, kDenyNone).error(), Status::inval);  // never opened so
  id = a.open("o", 1, kAccessRead)->stateid;
  EXPECT_EQ(down(id, kAccessRead, kDenyBoth).error(), Status::inval);
  EXPECT_EQ(down(id, kAccessWrite, kDenyNone).error(), Status::inval);
  EXPECT_EQ(down(id, 0, kDenyNone).error(), Status::inval);
  EXPECT_EQ(down(id, 1, 4).error(), Status::inval);
  EXPECT_EQ(b.open("p", 1, kAccessRead, kDenyWrite).error(), Status::share_denied);
  const auto lower = down(id, kAccessRead, kDenyNone);
  ASSERT_TRUE(lower);
  EXPECT_EQ(lower->seqid, id.seqid + 1);
  ASSERT_EQ(b.close(b.open("p", 1, kAccessRead, kDenyWrite)->stateid, 1), Status::ok);
  EXPECT_EQ(a.io(*lower, 1, IoKind::write), Status::openmode);
  EXPECT_EQ(down(id, kAccessRead, kDenyNone).error(), Status::old_stateid);
  EXPECT_EQ(down(*lower, kAccessBoth, kDenyNone).error(), Status::inval);
  // Upgraded again, the mode given up is no way back by itself (pynfs OPDG10).
  id = a.open("o", 1, kAccessWrite)->stateid;
  EXPECT_TRUE(down(id, kAccessRead, kDenyNone));
}

TEST_F(Opens, DowngradeOfDenyModes) {
  const auto down = [&](const Stateid& id, std::uint32_t deny) {
    return rig.manager->downgrade(a.context(), id, file(1), kAccessRead, deny);
  };
  const Stateid denying = a.open("o", 1, kAccessRead, kDenyWrite)->stateid;
  EXPECT_EQ(down(denying, kDenyNone).error(), Status::inval);  // never opened so
  const Stateid id = a.open("o", 1, kAccessRead, kDenyNone)->stateid;
  EXPECT_EQ(b.open("p", 1, kAccessWrite).error(), Status::share_denied);
  EXPECT_TRUE(down(id, kDenyNone));
  EXPECT_TRUE(b.open("p", 1, kAccessWrite));
}

TEST_F(Opens, UndoTakesBackExactlyTheGrant) {
  const auto first = a.open("o", 1, kAccessRead);
  const auto second = a.open("o", 1, kAccessWrite, kDenyWrite);
  EXPECT_EQ(b.open("p", 1, kAccessWrite).error(), Status::share_denied);
  rig.manager->undo_open(a.context(), *second);
  EXPECT_EQ(a.io(first->stateid, 1, IoKind::read), Status::ok);
  EXPECT_EQ(a.io(first->stateid, 1, IoKind::write), Status::openmode);
  EXPECT_TRUE(b.open("p", 1, kAccessRead));
  EXPECT_EQ(
      rig.manager->downgrade(a.context(), first->stateid, file(1), kAccessWrite, kDenyNone).error(),
      Status::inval);
  rig.manager->undo_open(a.context(), *second);  // not twice: someone may have opened again
  EXPECT_EQ(a.test(first->stateid), Status::ok);
  rig.manager->undo_open(a.context(), *first);
  EXPECT_EQ(a.test(first->stateid), Status::bad_stateid);
  EXPECT_EQ(*rig.holds, 1);
  EXPECT_EQ(rig.manager->counts().opens, 1u);
}

TEST_F(Opens, FreeStateidOfLocks) {
  const Stateid open = a.open("o", 1)->stateid;
  const Stateid lock = a.lock(open, 1, "l", LockType::write, 0, 10).stateid;
  EXPECT_EQ(a.free(lock), Status::locks_held);
  const auto unlocked = a.unlock(lock, 1, 0, kLockToEnd);
  ASSERT_TRUE(unlocked);
  EXPECT_EQ(a.free(*unlocked), Status::ok);
  EXPECT_EQ(a.free(*unlocked), Status::bad_stateid);
  EXPECT_EQ(rig.manager->counts().lock_states, 0u);
  EXPECT_EQ(a.lock(*unlocked, 1, "", LockType::write, 0, 10).status, Status::bad_stateid);
  EXPECT_EQ(a.lock(open, 1, "l", LockType::write, 0, 10).status, Status::ok);
}

TEST_F(Opens, AllIsAccountedForAtTheEnd) {
  std::vector<std::pair<Stateid, std::uint64_t>> opens;
  for (std::uint64_t ino = 1; ino <= 50; ++ino) {
    const Stateid id = a.open("o" + std::to_string(ino % 7), ino)->stateid;
    ASSERT_EQ(a.lock(id, ino, "l" + std::to_string(ino % 5), LockType::write, ino, 10).status,
              Status::ok);
    opens.emplace_back(id, ino);
  }
  for (const auto& [id, ino] : opens) {
    ASSERT_EQ(a.close(id, ino), Status::ok);
  }
  const StateCounts counts = rig.manager->counts();
  EXPECT_EQ(counts.opens, 0u);
  EXPECT_EQ(counts.lock_states, 0u);
  EXPECT_EQ(counts.ranges, 0u);
  EXPECT_EQ(counts.owners, 0u);
  EXPECT_EQ(counts.state_bytes, 0u);
  EXPECT_EQ(*rig.holds, 0);
}

struct Want {
  std::uint32_t share_access, minor;
  Status status;
  std::uint32_t access;
  std::optional<NoDelegation> reason;
};

TEST(ShareAccess, WantFlagsAnswerWhyThereIsNoDelegation) {
  using enum NoDelegation;
  const Want cases[] = {
      {kAccessRead, 0, Status::ok, kAccessRead, {}},
      {kAccessBoth, 1, Status::ok, kAccessBoth, {}},
      {0, 1, Status::inval, 0, {}},
      {kWantAny, 1, Status::inval, 0, {}},
      {kAccessRead | kWantRead, 0, Status::inval, 0, {}},
      {kAccessRead | kWantRead, 1, Status::ok, kAccessRead, resource},
      {kAccessWrite | kWantWrite, 2, Status::ok, kAccessWrite, resource},
      {kAccessBoth | kWantAny | kWantSignal, 2, Status::ok, kAccessBoth, resource},
      {kAccessRead | kWantNoDelegation, 1, Status::ok, kAccessRead, not_wanted},
      {kAccessRead | kWantCancel, 1, Status::ok, kAccessRead, cancelled},
      {kAccessRead | 0x0600, 1, Status::inval, 0, {}},
      {kAccessRead | 0x8000'0000, 1, Status::inval, 0, {}},
      {kAccessRead | 4, 1, Status::inval, 0, {}},
  };
  for (const Want& c : cases) {
    const auto got = parse_share_access(c.share_access, c.minor);
    EXPECT_EQ(status_of(got), c.status) << std::hex << c.share_access;
    if (got) {
      EXPECT_EQ(got->access, c.access);
      EXPECT_EQ(got->no_delegation, c.reason);
    }
  }
}

}  // namespace
}  // namespace outcrop::nfs::test
