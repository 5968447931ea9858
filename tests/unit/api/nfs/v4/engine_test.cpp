// The compound engine: order, limits, sessions, filehandles, replies.
#include "tests/unit/api/nfs/v4/fixture.h"

namespace outcrop::test {
namespace {

using nfs::v4::op_table;
using Engine = Nfs4Test;

TEST_F(Engine, AnEmptyCompoundIsOk) {
  const Nfs4Reply reply = client.raw({});
  EXPECT_EQ(reply.status, Status::ok);
  EXPECT_EQ(reply.tag, "t");
  EXPECT_TRUE(reply.results.empty());
}

TEST_F(Engine, MinorVersionsAboveTwoAreNotServed) {
  client.minor = 3;
  const Nfs4Reply reply = client.raw(C().putrootfh());
  EXPECT_EQ(reply.status, Status::minor_vers_mismatch);
  EXPECT_TRUE(reply.results.empty());
}

TEST_F(Engine, TagsAreUtf8AndBounded) {
  client.tag = "\xc0\xaf";
  EXPECT_EQ(client.raw({}).status, Status::inval);
  EXPECT_EQ(client.raw({}).tag, "\xc0\xaf");
  client.tag = std::string(nfs::v4::kMaxTagBytes, 'x');
  EXPECT_EQ(client.raw({}).status, Status::ok);
  client.tag += 'x';
  EXPECT_EQ(client.raw({}).accept, 4U);  // garbage arguments
}

TEST_F(Engine, UnknownNumbersAreIllegalInEveryMinorVersion) {
  for (const unsigned minor : {0U, 1U, 2U}) {
    client.minor = minor;
    for (const std::uint32_t number : {0U, 2U, 76U, 200U, 10044U}) {
      C compound;
      compound.out.u32(number);
      compound.count = 1;
      const Nfs4Reply reply = client.raw(compound);
      ASSERT_EQ(reply.status, Status::op_illegal) << minor << ' ' << number;
      EXPECT_EQ(reply.last().op, 10044U);
    }
  }
}

TEST_F(Engine, OperationsKeepToTheirMinorVersions) {
  for (const nfs::v4::OpRow& row : op_table()) {
    for (unsigned minor = 0; minor <= 2; ++minor) {
      client.minor = minor;
      const Status got = client.raw(C().op(row.number)).status;
      if (minor < row.first_minor) {
        EXPECT_EQ(got, Status::op_illegal) << row.name << ' ' << minor;
      } else if (minor > row.last_minor) {
        EXPECT_EQ(got, Status::notsupp) << row.name << ' ' << minor;
      } else {
        EXPECT_NE(got, Status::op_illegal) << row.name << ' ' << minor;
      }
    }
  }
}

TEST_F(Engine, SessionsComeFirstAndOnce) {
  EXPECT_EQ(client.raw(C().putrootfh()).status, Status::op_not_in_session);
  C twice;
  twice.op(Op::sequence).out.fixed_opaque(client.session);
  for (const std::uint32_t v : {9U, 0U, 0U, 0U}) {
    twice.out.u32(v);
  }
  EXPECT_EQ(status(twice), Status::sequence_pos);
  C exchange;
  exchange.op(Op::exchange_id).out.u64(77);
  exchange.out.string("other");
  for (int i = 0; i < 3; ++i) {
    exchange.out.u32(0);
  }
  EXPECT_EQ(client.raw(exchange.putrootfh()).status, Status::not_only_op);
  C bind;
  bind.op(Op::bind_conn_to_session).out.fixed_opaque(client.session);
  bind.out.u32(1);
  bind.out.boolean(false);
  EXPECT_EQ(status(bind), Status::not_only_op);
}

TEST_F(Engine, ResultsEndWithTheFirstFailure) {
  const Nfs4Reply reply = client.call(C().walk("data/absent").getfh());
  EXPECT_EQ(reply.status, Status::noent);
  ASSERT_EQ(reply.results.size(), 4U);
  EXPECT_EQ(reply.last().status, Status::noent);
  EXPECT_EQ(reply.results[2].status, Status::ok);
}

TEST_F(Engine, ARetryGetsTheSameReply) {
  client.cache_this = true;
  const Nfs4Reply first = client.call(C().walk("data").mkdir("d"));
  EXPECT_EQ(first.status, Status::ok);
  const Nfs4Reply retry = client.again();
  EXPECT_EQ(retry.raw, first.raw);
}

TEST_F(Engine, ARetryOfWhatWasNotKeptSaysSo) {
  std::string big(200, 'n');
  const Nfs4Reply first = client.call(C().walk("data").mkdir(big).readdir(0, {Attribute::type}));
  EXPECT_EQ(first.status, Status::exist == first.status ? Status::exist : first.status);
  client.call(C().walk("data").readdir(0, {Attribute::type}));
  const Nfs4Reply retry = client.again();
  EXPECT_EQ(retry.status, Status::retry_uncached_rep);
  ASSERT_EQ(retry.results.size(), 2U);
  EXPECT_EQ(retry.results[0].status, Status::ok);
}

TEST_F(Engine, AnotherRequestOnTheSlotIsAFalseRetry) {
  client.cache_this = true;
  status(C().walk("data").mkdir("d"));
  --client.slot_sequence;
  EXPECT_EQ(status(C().walk("data").mkdir("e")), Status::seq_false_retry);
  --client.slot_sequence;
  client.credentials.uid = 4;
  EXPECT_EQ(status(C().walk("data").mkdir("d")), Status::seq_false_retry);
}

TEST_F(Engine, TheSessionLimitsOperations) {
  const auto many = [](std::uint32_t n) {
    C compound;
    compound.putrootfh();
    while (compound.count < n) {
      compound.getfh();
    }
    return compound;
  };
  EXPECT_EQ(status(many(client.max_ops - 1)), Status::ok);
  EXPECT_EQ(status(many(client.max_ops)), Status::too_many_ops);
  client.start_4_0();
  EXPECT_EQ(client.raw(many(64)).status, Status::ok);
  EXPECT_EQ(client.raw(many(65)).status, Status::resource);
}

TEST_F(Engine, TheSessionLimitsBytes) {
  client.max_request = 512;
  client.max_response = 600;
  client.start_session("small");
  EXPECT_EQ(status(C().walk(std::string(500, 'a'))), Status::req_too_big);
  --client.slot_sequence;
  const File file = create("f");
  for (int i = 0; i < 3; ++i) {
    const std::string block(200, 'x');
    ASSERT_EQ(status(C().putfh(file.handle).write(file.stateid, i * 200, block)), Status::ok);
  }
  EXPECT_EQ(status(C().putfh(file.handle).read(file.stateid, 0, 300)), Status::ok);
  const Nfs4Reply big = client.call(C().putfh(file.handle).read(file.stateid, 0, 600));
  EXPECT_EQ(big.status, Status::rep_too_big);
  EXPECT_LE(big.raw.size(), 600U);
}

TEST_F(Engine, WhatCannotBeCachedIsNotDone) {
  client.max_cached = 300;
  client.start_session("small");
  client.cache_this = true;
  C compound;
  compound.walk("data");
  for (int i = 0; i < 4; ++i) {
    compound.getfh();
  }
  compound.mkdir("never");
  EXPECT_EQ(status(compound), Status::rep_too_big_to_cache);
  client.cache_this = false;
  EXPECT_EQ(status(C().walk("data/never")), Status::noent);
}

TEST_F(Engine, OperationsNeedTheirFilehandles) {
  EXPECT_EQ(status(C().getfh()), Status::nofilehandle);
  EXPECT_EQ(status(C().op(Op::restorefh)), Status::restorefh);
  EXPECT_EQ(status(C().walk("data").rename("a", "b")), Status::nofilehandle);
  EXPECT_EQ(status(C().putfh("short")), Status::badhandle);
  std::string forged = handle_of("data");
  forged[12] = static_cast<char>(forged[12] ^ 1);
  EXPECT_EQ(status(C().putfh(forged)), Status::badhandle);
}

TEST_F(Engine, BadArgumentsAreBadXdr) {
  C compound;
  compound.putrootfh().op(Op::lookup).out.u32(0xcccccccc);
  EXPECT_EQ(status(compound), Status::badxdr);
  client.start_4_0();
  C missing;
  missing.putrootfh();
  missing.count = 2;
  const Nfs4Reply reply = client.raw(missing);
  EXPECT_EQ(reply.status, Status::badxdr);
  EXPECT_EQ(reply.last().op, 10044U);
}

TEST_F(Engine, TheCurrentStateidFollowsTheFilehandle) {
  constexpr Stateid kCurrent{1, {}};
  Nfs4OpenHow how;
  how.create = 0;
  EXPECT_EQ(status(C().walk("data").open("f", how).write(kCurrent, 0, "x").close(kCurrent)),
            Status::ok);
  EXPECT_EQ(status(C().walk("data").open("f", how).walk("data/f").close(kCurrent)),
            Status::bad_stateid);
  const std::string root = handle_of("data");
  C saved;
  saved.walk("data").open("f", how).op(Op::savefh);
  EXPECT_EQ(status(saved.putfh(root).op(Op::restorefh).close(kCurrent)), Status::ok);
}

TEST_F(Engine, ObserversSeeEveryOperation) {
  std::vector<std::string> seen;
  nfs::v4::Nfs4 watched(service, state, "cluster",
                        [&](std::uint32_t op, std::uint32_t s, auto, auto, auto) {
                          seen.push_back(nfs::v4::operation_name(op) + ' ' + std::to_string(s));
                        });
  Nfs4Client other(io, watched);
  other.minor = 0;
  other.raw(C().walk("data/absent"));
  EXPECT_EQ(seen, (std::vector<std::string>{"nfs4.PUTROOTFH 0", "nfs4.LOOKUP 0", "nfs4.LOOKUP 2"}));
}

}  // namespace
}  // namespace outcrop::test
