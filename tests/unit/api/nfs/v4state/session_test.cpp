// CREATE_SESSION, SEQUENCE and its slots, connections (RFC 8881 2.10.6, 18.34, 18.36, 18.46).
#include "api/nfs/v4state/config.h"
#include "api/nfs/v4state/session_table.h"
#include "tests/unit/api/nfs/v4state/support.h"

namespace outcrop::nfs::test {
namespace {

struct Sessions : ::testing::Test {
  CreateSessionArgs arguments(std::uint32_t sequence) const {
    return {.client = id,
            .sequence = sequence,
            .flags = kSessionBackChannel | kSessionPersist,
            .fore = usual_fore(),
            .back = usual_back()};
  }
  Outcome<CreateSessionResult> create(const CreateSessionArgs& args, std::uint32_t uid = 0) {
    return rig.manager->create_session(args, principal(uid), 1);
  }

  Rig rig;
  const ClientId id = rig.manager->exchange_id({.owner = "c"}, principal(0))->client;
};

TEST_F(Sessions, CreateIsExactlyOnce) {
  EXPECT_EQ(create(arguments(0)).error(), Status::seq_misordered);
  EXPECT_EQ(create(arguments(2)).error(), Status::seq_misordered);
  const auto first = create(arguments(1));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->sequence, 1u);
  EXPECT_EQ(first->flags, kSessionBackChannel);
  const auto again = create(arguments(1));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->session, first->session);
  EXPECT_EQ(rig.manager->counts().sessions, 1u);
  EXPECT_EQ(create(arguments(0)).error(), Status::seq_misordered);
  EXPECT_EQ(create(arguments(3)).error(), Status::seq_misordered);
  const auto second = create(arguments(2));
  ASSERT_TRUE(second);
  EXPECT_NE(second->session, first->session);
  EXPECT_EQ(rig.manager->exchange_id({.owner = "c"}, principal(0))->sequence, 3u);
}

TEST_F(Sessions, AnotherPrincipalCannotConfirmButMayUse) {
  EXPECT_EQ(create(arguments(1), 5).error(), Status::clid_inuse);
  EXPECT_EQ(create(arguments(1), 5).error(), Status::clid_inuse);  // a retry: the cached answer
  ASSERT_TRUE(create(arguments(2)));
  EXPECT_TRUE(create(arguments(3), 5));
}

TEST_F(Sessions, WhatIsWrongInItselfDoesNotUseTheSlotUp) {
  CreateSessionArgs bad = arguments(1);
  bad.flags = 0xf;
  EXPECT_EQ(create(bad).error(), Status::inval);
  bad = arguments(1);
  bad.fore.max_response = 0;
  EXPECT_EQ(create(bad).error(), Status::toosmall);
  bad = arguments(1);
  bad.back.max_request = 10;
  bad.flags = 0;
  EXPECT_EQ(create(bad).error(), Status::toosmall);
  bad.back = usual_back();
  bad.back.max_operations = 1;
  EXPECT_EQ(create(bad).error(), Status::toosmall);
  bad.client = 12345;
  EXPECT_EQ(create(bad).error(), Status::stale_clientid);
  EXPECT_TRUE(create(arguments(1)));
}

TEST_F(Sessions, LowerBoundsOfMessages) {
  CreateSessionArgs args = arguments(1);
  args.flags = 0;
  args.back = {};
  args.fore = {0, kMinSessionMessage - 1, kMinSessionMessage, 0, 1, 1};
  EXPECT_EQ(create(args).error(), Status::toosmall);
  args.fore = {0, kMinSessionMessage, kMinSessionMessage - 1, 0, 1, 1};
  EXPECT_EQ(create(args).error(), Status::toosmall);
  args.fore = {0, kMinSessionMessage, kMinSessionMessage, 0, 0, 1};
  EXPECT_EQ(create(args).error(), Status::toosmall);
  args.fore = {0, kMinSessionMessage, kMinSessionMessage, 0, 1, 0};
  EXPECT_EQ(create(args).error(), Status::toosmall);
  args.fore = {0, kMinSessionMessage, kMinSessionMessage, 0, 1, 1};
  EXPECT_TRUE(create(args));
}

TEST_F(Sessions, UpperBoundsAreGranted) {
  CreateSessionArgs args = arguments(1);
  args.fore = {9, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
  const auto granted = create(args);
  ASSERT_TRUE(granted);
  EXPECT_EQ(granted->fore, (ChannelAttributes{0, kMaxSessionMessage, kMaxSessionMessage,
                                              kMaxCachedReply, kMaxCompoundOps, kMaxSlots}));
}

TEST_F(Sessions, UnconfirmedClientsLastOneLease) {
  rig.clock.advance(rig.config.lease_ns + 1);
  EXPECT_EQ(create(arguments(1)).error(), Status::stale_clientid);
}

struct Sequence : ::testing::Test {
  SequenceArgs arguments(std::uint32_t number, std::uint32_t slot = 0) const {
    return {.session = client.session,
            .sequence = number,
            .slot = slot,
            .highest_slot = slot,
            .cache_this = true,
            .digest = 7,
            .request_bytes = 200,
            .operations = 3,
            .connection = 1};
  }
  Rig rig;
  Client41 client{rig};  // its slot 0 is at 1
};

TEST_F(Sequence, RunsCachesAndReplays) {
  SequenceResult first = rig.manager->sequence(arguments(1, 3));
  ASSERT_EQ(first.status, Status::ok);
  ASSERT_TRUE(first.ticket);
  EXPECT_EQ(first.highest_slot, 7u);
  EXPECT_EQ(first.target_highest_slot, 7u);
  EXPECT_EQ(first.ticket.session(), client.session);
  EXPECT_EQ(client_id(first.ticket.client()), client.id);
  // While it runs a retry is told to wait; anything else is out of order.
  EXPECT_EQ(rig.manager->sequence(arguments(1, 3)).status, Status::delay);
  EXPECT_EQ(rig.manager->sequence(arguments(2, 3)).status, Status::seq_misordered);
  EXPECT_TRUE(first.ticket.keeps(7584));
  EXPECT_FALSE(first.ticket.keeps(7585));
  first.ticket.finish(std::make_shared<const std::string>("reply"));
  const SequenceResult again = rig.manager->sequence(arguments(1, 3));
  ASSERT_EQ(again.status, Status::ok);
  ASSERT_TRUE(again.replay);
  EXPECT_EQ(*again.replay, "reply");
  EXPECT_FALSE(again.ticket);
  SequenceArgs other = arguments(1, 3);
  other.digest = 8;
  EXPECT_EQ(rig.manager->sequence(other).status, Status::seq_false_retry);
  EXPECT_EQ(rig.manager->sequence(arguments(0, 3)).status, Status::seq_misordered);
  EXPECT_EQ(rig.manager->sequence(arguments(3, 3)).status, Status::seq_misordered);
  EXPECT_TRUE(rig.manager->sequence(arguments(2, 3)).ticket);
}

TEST_F(Sequence, UncachedRepliesSaySo) {
  SequenceArgs args = arguments(1, 2);
  args.cache_this = false;
  SequenceResult first = rig.manager->sequence(args);
  EXPECT_TRUE(first.ticket.keeps(kFreeCachedReply));
  EXPECT_FALSE(first.ticket.keeps(kFreeCachedReply + 1));
  first.ticket.finish(nullptr);
  EXPECT_EQ(rig.manager->sequence(args).status, Status::retry_uncached_rep);
}

TEST_F(Sequence, ACallThatDiedRunsAgain) {
  {
    SequenceResult first = rig.manager->sequence(arguments(1, 2));
  }
  SequenceResult again = rig.manager->sequence(arguments(1, 2));
  ASSERT_TRUE(again.ticket);
  again.ticket.finish(nullptr);
  EXPECT_TRUE(rig.manager->sequence(arguments(2, 2)).ticket);
  EXPECT_EQ(rig.manager->sequence(arguments(0, 4)).status, Status::seq_misordered);
}

TEST(SequenceNumbers, Wrap) {
  const StateConfig config;
  ManualClock clock;
  SystemRandom random;
  SessionTable table(config, clock, random);
  const auto client = std::make_shared<Client>(1, true, "c", principal(0));
  auto granted = table.negotiate({.fore = usual_fore(), .back = usual_back()});
  ASSERT_TRUE(granted);
  const SessionPtr session = table.create(client, *granted);
  session->slots[0].sequence = UINT32_MAX;
  session->slots[0].used = true;
  SequenceArgs args{.session = session->id, .sequence = 1, .operations = 1};
  EXPECT_EQ(table.sequence(args).status, Status::seq_misordered);
  args.sequence = 0;
  table.sequence(args).ticket.finish(nullptr);
  args.sequence = UINT32_MAX;
  EXPECT_EQ(table.sequence(args).status, Status::seq_misordered);
  args.sequence = 1;
  EXPECT_TRUE(table.sequence(args).ticket);
}

TEST_F(Sequence, RefusalsLeaveTheSlotAlone) {
  SequenceArgs args = arguments(1, 6);
  args.session[0] ^= std::byte{1};
  EXPECT_EQ(rig.manager->sequence(args).status, Status::badsession);
  args = arguments(1, 8);
  EXPECT_EQ(rig.manager->sequence(args).status, Status::badslot);
  args = arguments(1, 6);
  args.highest_slot = 8;
  EXPECT_EQ(rig.manager->sequence(args).status, Status::bad_high_slot);
  args = arguments(1, 6);
  args.operations = 17;
  EXPECT_EQ(rig.manager->sequence(args).status, Status::too_many_ops);
  args.operations = 16;
  args.request_bytes = (1 << 20) + 1;
  EXPECT_EQ(rig.manager->sequence(args).status, Status::req_too_big);
  args.request_bytes = 1 << 20;
  EXPECT_TRUE(rig.manager->sequence(args).ticket);
}

TEST_F(Sequence, TooSmallACacheForSequenceItself) {
  ChannelAttributes fore = usual_fore();
  fore.max_response_cached = 10;
  SequenceArgs args = arguments(1);
  args.session = client.create_session(fore)->session;
  EXPECT_EQ(rig.manager->sequence(args).status, Status::rep_too_big_to_cache);
  args.cache_this = false;
  EXPECT_TRUE(rig.manager->sequence(args).ticket);
}

TEST_F(Sequence, TicketsOutliveTheirSession) {
  SequenceResult running = rig.manager->sequence(arguments(1, 1));
  ASSERT_EQ(rig.manager->destroy_session(client.session, client.who, 1), Status::ok);
  EXPECT_EQ(rig.manager->sequence(arguments(1, 1)).status, Status::badsession);
  running.ticket.finish(std::make_shared<const std::string>("late"));
}

TEST_F(Sequence, AnyConnectionAssociatesAndMayThenDestroy) {
  SequenceArgs args = arguments(1, 1);
  args.connection = 77;
  rig.manager->sequence(args).ticket.finish(nullptr);
  EXPECT_EQ(rig.manager->destroy_session(client.session, principal(9), 76),
            Status::conn_not_bound_to_session);
  EXPECT_EQ(rig.manager->destroy_session(client.session, principal(9), 77), Status::ok);
}

TEST_F(Sequence, ConnectionsAreBound) {
  const auto bind = [&](std::uint32_t direction) {
    return rig.manager->bind_connection(client.session, direction, 5);
  };
  EXPECT_EQ(*bind(1), BoundDirection::fore);
  EXPECT_EQ(*bind(2), BoundDirection::back);
  EXPECT_EQ(*bind(3), BoundDirection::both);
  EXPECT_EQ(*bind(7), BoundDirection::both);
  EXPECT_EQ(bind(0).error(), Status::inval);
  EXPECT_EQ(bind(4).error(), Status::inval);
  EXPECT_EQ(rig.manager->bind_connection({}, 1, 5).error(), Status::badsession);
}

TEST_F(Sequence, BackchannelControlNeedsABackChannel) {
  SequenceResult with = rig.manager->sequence(arguments(1, 1));
  EXPECT_EQ(rig.manager->backchannel_control(with.ticket, 0x4000'0000), Status::ok);
  SequenceArgs args = arguments(1);
  args.session = rig.manager
                     ->create_session(
                         {.client = client.id, .sequence = client.sequence++, .fore = usual_fore()},
                         client.who, 1)
                     ->session;
  SequenceResult without = rig.manager->sequence(args);
  EXPECT_EQ(rig.manager->backchannel_control(without.ticket, 1), Status::noent);
}

}  // namespace
}  // namespace outcrop::nfs::test
