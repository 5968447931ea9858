// Squashing, permission bits, and who may change what.
#include "api/nfs/access.h"

#include <gtest/gtest.h>

namespace outcrop::nfs {
namespace {

Credentials sys(std::uint32_t uid, std::uint32_t gid, std::vector<std::uint32_t> groups = {}) {
  return {.flavor = AuthFlavor::sys,
          .machine = "m",
          .uid = uid,
          .gid = gid,
          .groups = std::move(groups)};
}

Export with(Squash how) {
  Export e;
  e.squash = how;
  e.anon_uid = 1000;
  e.anon_gid = 2000;
  return e;
}

ns::FileAttributes file(std::uint32_t uid, std::uint32_t gid, std::uint32_t mode) {
  ns::FileAttributes a;
  a.uid = uid;
  a.gid = gid;
  a.mode = mode;
  return a;
}

ns::SetAttributes mode_of(std::uint32_t v) {
  ns::SetAttributes s;
  s.mode = v;
  return s;
}
ns::SetAttributes uid_of(std::uint32_t v) {
  ns::SetAttributes s;
  s.uid = v;
  return s;
}
ns::SetAttributes gid_of(std::uint32_t v) {
  ns::SetAttributes s;
  s.gid = v;
  return s;
}
ns::SetAttributes mtime_of(std::int64_t v) {
  ns::SetAttributes s;
  s.mtime_ns = v;
  return s;
}
ns::SetAttributes size_of(std::uint64_t v) {
  ns::SetAttributes s;
  s.size = v;
  return s;
}

const Actor kOwner{.uid = 5, .gid = 50, .groups = {51}};
const Actor kOther{.uid = 6, .gid = 60, .groups = {}};
const Actor kRoot{.uid = 0, .gid = 0, .groups = {}, .superuser = true};

TEST(Admit, AddressAndProtection) {
  Export e = with(Squash::root);
  e.clients = {*parse_cidr("10.0.0.0/8")};
  Peer peer{.address = boost::asio::ip::make_address("10.1.1.1")};
  Peer stranger{.address = boost::asio::ip::make_address("11.1.1.1")};
  EXPECT_EQ(admit(peer, e), Admission::granted);
  EXPECT_EQ(admit(stranger, e), Admission::wrong_address);
  e.security = TransportSecurity::tls;
  EXPECT_EQ(admit(peer, e), Admission::needs_tls);
  EXPECT_EQ(admit(stranger, e), Admission::wrong_address);
  peer.tls = true;
  EXPECT_EQ(admit(peer, e), Admission::granted);
  e.security = TransportSecurity::mtls;
  EXPECT_EQ(admit(peer, e), Admission::needs_tls);
  peer.tls_name = "CN=edge-1";
  EXPECT_EQ(admit(peer, e), Admission::granted);
  peer.tls = false;
  EXPECT_EQ(admit(peer, e), Admission::needs_tls);
}

TEST(Squash, Root) {
  const Export e = with(Squash::root);
  const Actor root = squash(sys(0, 0, {0, 7}), e);
  EXPECT_EQ(root.uid, 1000u);
  EXPECT_EQ(root.gid, 2000u);
  EXPECT_TRUE(root.groups.empty());
  EXPECT_FALSE(root.superuser);
  const Actor user = squash(sys(5, 0, {0, 7}), e);
  EXPECT_EQ(user.uid, 5u);
  EXPECT_EQ(user.gid, 2000u);
  EXPECT_EQ(user.groups, (std::vector<std::uint32_t>{2000, 7}));
}

TEST(Squash, AllAndNoneAndNobody) {
  EXPECT_EQ(squash(sys(5, 5, {7}), with(Squash::all)).uid, 1000u);
  EXPECT_TRUE(squash(sys(5, 5, {7}), with(Squash::all)).groups.empty());
  const Actor root = squash(sys(0, 0, {0}), with(Squash::none));
  EXPECT_TRUE(root.superuser);
  EXPECT_EQ(root.gid, 0u);
  EXPECT_FALSE(squash(sys(5, 0), with(Squash::none)).superuser);
  const Actor nobody = squash(Credentials(), with(Squash::none));
  EXPECT_EQ(nobody.uid, 1000u);
  EXPECT_FALSE(nobody.superuser);
}

TEST(Shown, NoOwnerIsTheAnonymousUser) {
  const ns::FileAttributes a = shown(file(ns::kNoOwner, ns::kNoOwner, 0644), with(Squash::root));
  EXPECT_EQ(a.uid, 1000u);
  EXPECT_EQ(a.gid, 2000u);
  EXPECT_EQ(shown(file(5, 6, 0644), with(Squash::root)).uid, 5u);
}

TEST(Permitted, ClassesDoNotAddUp) {
  EXPECT_EQ(permitted(kOwner, file(5, 60, 0077)), 0u);  // the owner's bits, nobody else's
  EXPECT_EQ(permitted(kOwner, file(9, 51, 0707)), 0u);  // a group of the list
  EXPECT_EQ(permitted(kOwner, file(9, 50, 0040)), kMayRead);
  EXPECT_EQ(permitted(kOther, file(5, 50, 0741)), kMayExecute);
}

TEST(Permitted, Superuser) {
  EXPECT_EQ(permitted(kRoot, file(5, 5, 0)), kMayRead | kMayWrite);
  EXPECT_EQ(permitted(kRoot, file(5, 5, 0010)), kMayRead | kMayWrite | kMayExecute);
  ns::FileAttributes d = file(5, 5, 0);
  d.type = ns::FileType::directory;
  EXPECT_EQ(permitted(kRoot, d), kMayRead | kMayWrite | kMayExecute);
}

// Encrypted ones: not even their owner, and not root.
TEST(Permitted, FixedFilesAreNotWritten) {
  ns::FileAttributes fixed = file(5, 50, 0777);
  fixed.fixed = true;
  for (const Actor& actor : {kOwner, kOther, kRoot}) {
    EXPECT_EQ(permitted(actor, fixed), kMayRead | kMayExecute);
    EXPECT_TRUE(may_transfer(actor, fixed, kMayRead));
    EXPECT_FALSE(may_transfer(actor, fixed, kMayWrite));
  }
  EXPECT_EQ(may_set(kOwner, fixed, size_of(0)).error().code(), Errc::access_denied);
  EXPECT_TRUE(may_set(kOwner, fixed, mode_of(0600)));
  EXPECT_TRUE(may_unlink(kOwner, file(5, 50, 0700), fixed));
}

TEST(MayTransfer, OwnerAlwaysAndExecuteReads) {
  EXPECT_TRUE(may_transfer(kOwner, file(5, 50, 0), kMayRead | kMayWrite));
  EXPECT_FALSE(may_transfer(kOther, file(5, 50, 0), kMayRead));
  EXPECT_TRUE(may_transfer(kOther, file(5, 50, 0001), kMayRead));
  EXPECT_FALSE(may_transfer(kOther, file(5, 50, 0001), kMayWrite));
}

TEST(MayUnlink, StickyDirectories) {
  EXPECT_TRUE(may_unlink(kOther, file(1, 1, 0777), file(5, 5, 0600)));
  EXPECT_FALSE(may_unlink(kOther, file(1, 1, 0775), file(6, 6, 0600)));
  EXPECT_FALSE(may_unlink(kOther, file(1, 1, 0776), file(6, 6, 0600)));
  EXPECT_FALSE(may_unlink(kOther, file(1, 1, 01777), file(5, 5, 0600)));
  EXPECT_TRUE(may_unlink(kOther, file(1, 1, 01777), file(6, 5, 0600)));
  EXPECT_TRUE(may_unlink(kOther, file(6, 1, 01777), file(5, 5, 0600)));
  EXPECT_TRUE(may_unlink(kRoot, file(1, 1, 01777), file(5, 5, 0600)));
}

Errc set(const Actor& actor,
         const ns::FileAttributes& a,
         const ns::SetAttributes& s,
         bool now = false) {
  const Result<void> r = may_set(actor, a, s, now);
  return r ? Errc::internal : r.error().code();
}
constexpr Errc kFine = Errc::internal;

TEST(MaySet, ModeAndOwner) {
  const ns::FileAttributes a = file(5, 50, 0644);
  EXPECT_EQ(set(kOwner, a, mode_of(0600)), kFine);
  EXPECT_EQ(set(kOther, a, mode_of(0600)), Errc::not_permitted);
  EXPECT_EQ(set(kOwner, a, uid_of(5)), kFine);
  EXPECT_EQ(set(kOwner, a, uid_of(6)), Errc::not_permitted);
  EXPECT_EQ(set(kOther, a, uid_of(5)), Errc::not_permitted);
  EXPECT_EQ(set(kRoot, a, uid_of(6)), kFine);
  EXPECT_EQ(set(kOwner, a, gid_of(51)), kFine);
  EXPECT_EQ(set(kOwner, a, gid_of(99)), Errc::not_permitted);
  EXPECT_EQ(set(kOther, a, gid_of(60)), Errc::not_permitted);
  EXPECT_EQ(set(kRoot, a, gid_of(99)), kFine);
}

TEST(MaySet, TimesAndSize) {
  const ns::FileAttributes open = file(5, 50, 0666), closed = file(5, 50, 0600);
  EXPECT_EQ(set(kOwner, closed, mtime_of(1)), kFine);
  EXPECT_EQ(set(kOther, open, mtime_of(1)), Errc::not_permitted);
  EXPECT_EQ(set(kOther, open, mtime_of(1), true), kFine);
  EXPECT_EQ(set(kOther, closed, mtime_of(1), true), Errc::access_denied);
  EXPECT_EQ(set(kOwner, file(5, 50, 0444), size_of(0)), kFine);
  EXPECT_EQ(set(kOther, open, size_of(0)), kFine);
  EXPECT_EQ(set(kOther, closed, size_of(0)), Errc::access_denied);
}

TEST(Settled, SetIdBits) {
  const ns::FileAttributes plain = file(5, 50, 0755), lent = file(5, 50, 06755);
  EXPECT_EQ(settled(kOwner, plain, mode_of(02755)).mode, 02755u);
  EXPECT_EQ(settled(kOwner, file(5, 99, 0755), mode_of(02755)).mode, 0755u);
  EXPECT_EQ(settled(kOwner, lent, gid_of(51)).mode, 0755u);
  EXPECT_EQ(settled(kOwner, file(5, 50, 06745), gid_of(51)).mode, 02745u);
  EXPECT_EQ(settled(kOwner, plain, gid_of(51)).mode, std::nullopt);
  EXPECT_EQ(settled(kRoot, lent, uid_of(9)).mode, std::nullopt);
}

TEST(Access, PoliciesOfTheIdentityLimitEverybody) {
  Export e = with(Squash::none);
  ns::FileAttributes f = file(5, 50, 0777), d = file(5, 50, 0777);
  d.type = ns::FileType::directory;
  const auto actor = [&](std::uint32_t uid) { return squash(sys(uid, 50), e); };
  constexpr unsigned kAll = kMayRead | kMayWrite | kMayExecute;
  EXPECT_EQ(permitted(actor(5), f), kAll);
  e.rights.read = false;
  for (const std::uint32_t uid : {0U, 5U, 6U}) {  // root, the owner, somebody
    EXPECT_EQ(permitted(actor(uid), f), kMayWrite) << uid;
    EXPECT_FALSE(may_transfer(actor(uid), f, kMayRead)) << uid;
    EXPECT_TRUE(may_transfer(actor(uid), f, kMayWrite)) << uid;
    EXPECT_EQ(permitted(actor(uid), d), kAll) << uid;
  }
  e.rights = {.read = true, .write = true, .list = false};
  for (const std::uint32_t uid : {0U, 5U, 6U}) {
    EXPECT_EQ(permitted(actor(uid), d), kMayWrite | kMayExecute) << uid;
    EXPECT_EQ(permitted(actor(uid), f), kAll) << uid;
  }
  EXPECT_TRUE(e.writable());
  e.rights.write = false;
  EXPECT_FALSE(e.writable());
  e.rights.write = true;
  e.read_only = true;
  EXPECT_FALSE(e.writable());
}

}  // namespace
}  // namespace outcrop::nfs
