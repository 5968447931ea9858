// EXCHANGE_ID by the cases of RFC 8881 18.35.4, and the life of client ids.
#include "tests/unit/api/nfs/v4state/support.h"

namespace outcrop::nfs::test {
namespace {

/// What the server knows of the owner when the EXCHANGE_ID under test comes.
enum class Known { nothing, unconfirmed, idle, in_use, expired };

struct Case {
  const char* name;
  Known known;
  bool update, same_verifier, same_principal;
  Status expected;
  bool same_id;  ///< the client id is the known one, and CONFIRMED_R is set
};

class ExchangeId : public ::testing::TestWithParam<Case> {};

TEST_P(ExchangeId, Case) {
  const Case& c = GetParam();
  Rig rig;
  ClientId before = 0;
  std::unique_ptr<Client41> client;
  if (c.known == Known::unconfirmed) {
    const auto made =
        rig.manager->exchange_id({.owner = "client", .verifier = verifier(1)}, principal(0));
    ASSERT_TRUE(made);
    before = made->client;
  } else if (c.known != Known::nothing) {
    client = std::make_unique<Client41>(rig);
    before = client->id;
    ASSERT_TRUE(client->open("o", 1));
    if (c.known == Known::idle) {
      ASSERT_EQ(client->close(client->open("o", 1)->stateid, 1), Status::ok);
      ASSERT_EQ(rig.manager->destroy_session(client->session, client->who, 1), Status::ok);
    } else if (c.known == Known::expired) {
      rig.expire();
    }
  }
  const auto got = rig.manager->exchange_id({.owner = "client",
                                             .verifier = verifier(c.same_verifier ? 1 : 2),
                                             .flags = c.update ? kExchangeUpdateConfirmed : 0},
                                            principal(c.same_principal ? 0 : 5));
  ASSERT_EQ(status_of(got), c.expected);
  if (got) {
    EXPECT_EQ(got->client == before, c.same_id);
    EXPECT_EQ((got->flags & kExchangeConfirmed) != 0, c.same_id);
    EXPECT_NE(got->flags & kExchangeUseNonPnfs, 0u);
  }
}

constexpr Case kCases[] = {
    {"new_owner", Known::nothing, false, true, true, Status::ok, false},
    {"retry", Known::in_use, false, true, true, Status::ok, true},
    {"retry_expired", Known::expired, false, true, true, Status::ok, true},
    {"collision_in_use", Known::in_use, false, true, false, Status::clid_inuse, false},
    {"collision_in_use_new", Known::in_use, false, false, false, Status::clid_inuse, false},
    {"collision_idle", Known::idle, false, true, false, Status::ok, false},
    {"collision_idle_new", Known::idle, false, false, false, Status::ok, false},
    {"collision_expired", Known::expired, false, true, false, Status::ok, false},
    {"replace_000", Known::unconfirmed, false, false, false, Status::ok, false},
    {"replace_001", Known::unconfirmed, false, false, true, Status::ok, false},
    {"replace_010", Known::unconfirmed, false, true, false, Status::ok, false},
    {"replace_011", Known::unconfirmed, false, true, true, Status::ok, false},
    {"restart", Known::in_use, false, false, true, Status::ok, false},
    {"restart_idle", Known::idle, false, false, true, Status::ok, false},
    {"update", Known::in_use, true, true, true, Status::ok, true},
    {"update_nothing", Known::nothing, true, true, true, Status::noent, false},
    {"update_unconfirmed_000", Known::unconfirmed, true, false, false, Status::noent, false},
    {"update_unconfirmed_001", Known::unconfirmed, true, false, true, Status::noent, false},
    {"update_unconfirmed_010", Known::unconfirmed, true, true, false, Status::noent, false},
    {"update_unconfirmed_011", Known::unconfirmed, true, true, true, Status::noent, false},
    {"update_verifier", Known::in_use, true, false, true, Status::not_same, false},
    {"update_principal", Known::in_use, true, true, false, Status::perm, false},
    {"update_both", Known::in_use, true, false, false, Status::perm, false},
};
INSTANTIATE_TEST_SUITE_P(Rfc8881, ExchangeId, ::testing::ValuesIn(kCases), [](const auto& info) {
  return std::string(info.param.name);
});

TEST(ExchangeIdArguments, FlagsAndProtection) {
  Rig rig;
  const auto ask = [&](std::uint32_t flags, StateProtect protect = StateProtect::none) {
    return status_of(rig.manager->exchange_id(
        {.owner = "c", .verifier = verifier(1), .flags = flags, .protect = protect}, principal(0)));
  };
  EXPECT_EQ(ask(0), Status::ok);
  EXPECT_EQ(ask(kExchangeUsePnfsDs | kExchangeSuppMovedMigr), Status::ok);
  EXPECT_EQ(ask(4), Status::inval);
  EXPECT_EQ(ask(kExchangeConfirmed), Status::inval);
  EXPECT_EQ(ask(0, StateProtect::machine_credential), Status::inval);
  EXPECT_EQ(ask(0, StateProtect::ssv), Status::encr_alg_unsupp);
  const std::string longest(kMaxOwnerBytes, 'x');
  EXPECT_TRUE(rig.manager->exchange_id({.owner = longest}, principal(0)));
  const std::string too_long(kMaxOwnerBytes + 1, 'x');
  EXPECT_EQ(status_of(rig.manager->exchange_id({.owner = too_long}, principal(0))), Status::inval);
  EXPECT_EQ(status_of(rig.manager->exchange_id({.owner = ""}, principal(0))), Status::inval);
}

TEST(Clients, ARestartDropsStateOnlyWhenConfirmed) {
  Rig rig;
  Client41 before(rig);
  const Stateid id = before.open("o", 1)->stateid;
  EXPECT_EQ(*rig.holds, 1);
  const auto made =
      rig.manager->exchange_id({.owner = "client", .verifier = verifier(2)}, principal(0));
  ASSERT_TRUE(made);
  EXPECT_EQ(before.io(id, 1, IoKind::write), Status::ok);
  Client41 after(rig, "client", 2);
  EXPECT_EQ(before.sequence_on(0, before.slot_sequence + 1).status, Status::badsession);
  EXPECT_EQ(after.test(id), Status::bad_stateid);
  EXPECT_EQ(*rig.holds, 0);
  EXPECT_EQ(rig.manager->counts().opens, 0u);
  EXPECT_EQ(rig.manager->counts().confirmed_clients, 1u);
  EXPECT_EQ(before.create_session().error(), Status::stale_clientid);
}

TEST(Clients, DestroyedOnlyWithoutSessionsAndByTheirPrincipal) {
  Rig rig;
  Client41 client(rig);
  EXPECT_EQ(rig.manager->destroy_client(client.id, client.who), Status::clientid_busy);
  EXPECT_EQ(rig.manager->destroy_session(client.session, principal(5), 99),
            Status::conn_not_bound_to_session);
  EXPECT_EQ(rig.manager->destroy_session(client.session, principal(5), 1), Status::ok);
  EXPECT_EQ(rig.manager->destroy_session(client.session, client.who, 1), Status::badsession);
  EXPECT_EQ(rig.manager->destroy_client(client.id, principal(5)), Status::stale_clientid);
  EXPECT_EQ(rig.manager->destroy_client(client.id, client.who), Status::ok);
  EXPECT_EQ(rig.manager->destroy_client(client.id, client.who), Status::stale_clientid);
  EXPECT_EQ(rig.manager->destroy_client(0, client.who), Status::stale_clientid);
  const auto made = rig.manager->exchange_id({.owner = "u"}, principal(0));
  EXPECT_EQ(rig.manager->destroy_client(made->client, principal(0)), Status::ok);
  EXPECT_EQ(rig.manager->counts().unconfirmed_clients, 0u);
}

TEST(Clients, BusyWithStateAlthoughWithoutSession) {
  Rig rig;
  Client41 client(rig);
  ASSERT_TRUE(client.open("o", 1));
  ASSERT_EQ(rig.manager->destroy_session(client.session, client.who, 1), Status::ok);
  EXPECT_EQ(rig.manager->destroy_client(client.id, client.who), Status::clientid_busy);
}

TEST(Clients, AnotherHostOrCertificateIsAnotherPrincipal) {
  Rig rig;
  Client41 client(rig);
  Principal other = client.who;
  other.host = "elsewhere";
  EXPECT_EQ(
      status_of(rig.manager->exchange_id({.owner = "client", .verifier = verifier(1)}, other)),
      Status::clid_inuse);
}

TEST(Clients, ReclaimCompleteOnceGloballyAndPerFileSystem) {
  Rig rig;
  Client41 client(rig, "c", 1, 0, false);
  const auto complete = [&](std::optional<std::uint64_t> fs) {
    return rig.manager->reclaim_complete(client.context().client, fs);
  };
  EXPECT_EQ(client.open("o", 1).error(), Status::grace);
  EXPECT_EQ(complete(3), Status::ok);
  EXPECT_EQ(complete(4), Status::ok);
  EXPECT_EQ(complete(3), Status::complete_already);
  EXPECT_EQ(client.open("o", 1).error(), Status::grace);
  EXPECT_EQ(complete({}), Status::ok);
  EXPECT_EQ(complete({}), Status::complete_already);
  EXPECT_TRUE(client.open("o", 1));
}

TEST(Statuses, HaveTheirNames) {
  EXPECT_EQ(to_string(Status::ok), "NFS4_OK");
  EXPECT_EQ(to_string(Status::bad_stateid), "NFS4ERR_BAD_STATEID");
  EXPECT_EQ(to_string(Status::xattr2big), "NFS4ERR_XATTR2BIG");
  EXPECT_EQ(to_string(static_cast<Status>(10073)), "NFS4ERR_?");
}

}  // namespace
}  // namespace outcrop::nfs::test
