// Which program answers, and what is answered when none does.
#include "api/nfs/dispatch.h"

#include <gtest/gtest.h>

#include "storage/base/async.h"
#include "tests/unit/api/nfs/rpc_calls.h"

namespace outcrop::nfs::testing {
namespace {

using Outcome = Dispatcher::Outcome;

class Echo final : public Program {
 public:
  Echo(std::uint32_t program, std::uint32_t version) : x_program(program), x_version(version) {}
  std::uint32_t program() const override { return x_program; }
  std::uint32_t version() const override { return x_version; }
  Async<> call(const Peer& peer, RpcCall& call, XdrWriter& reply) override {
    ++calls;
    write_accepted(reply, call.xid, AcceptStatus::success);
    reply.u32(peer.port);
    reply.u32(call.version);
    co_return;
  }
  int calls = 0;

 private:
  std::uint32_t x_program, x_version;
};

struct Answer {
  Outcome outcome = Outcome::hang_up;
  std::vector<std::uint32_t> words;
  bool operator==(const Answer&) const = default;
};

class DispatchTest : public ::testing::Test {
 protected:
  Answer ask(const Buffer& record, bool tls_offered = false) {
    Answer a;
    const auto body = [&]() -> Task<> {
      const Peer peer{.address = {}, .port = 77};
      XdrWriter reply;
      a.outcome = co_await dispatcher.serve(peer, record, tls_offered, reply);
      const std::string bytes = reply.flatten();
      XdrReader in(as_bytes(bytes));
      while (in.left() > 0) {
        a.words.push_back(in.u32());
      }
      co_return ok();
    };
    EXPECT_TRUE(run_sync(body()).has_value());
    return a;
  }
  Answer ask(const CallSpec& spec, bool tls_offered = false) {
    return ask(call_record(spec), tls_offered);
  }

  Echo v3{kProgramNfs, 3}, v4{kProgramNfs, 4}, mount{kProgramMount, 3};
  Dispatcher dispatcher{{&v3, &v4, &mount}};
};

TEST_F(DispatchTest, VersionsOfOneProgram) {
  EXPECT_EQ(ask({.version = 3, .procedure = 1}),
            (Answer{Outcome::reply, {7, 1, 0, 0, 0, 0, 77, 3}}));
  EXPECT_EQ(ask({.version = 4, .procedure = 1}),
            (Answer{Outcome::reply, {7, 1, 0, 0, 0, 0, 77, 4}}));
  EXPECT_EQ(v3.calls, 1);
  EXPECT_EQ(v4.calls, 1);
}

TEST_F(DispatchTest, NullIsAnsweredWithoutTheProgram) {
  EXPECT_EQ(ask({.version = 4, .flavor = 1, .credential = auth_sys(1, 1)}),
            (Answer{Outcome::reply, {7, 1, 0, 0, 0, 0}}));
  EXPECT_EQ(v4.calls, 0);
}

TEST_F(DispatchTest, UnknownPrograms) {
  for (const std::uint32_t program : {100'227u, 100'021u, 0u}) {
    EXPECT_EQ(ask({.program = program}), (Answer{Outcome::reply, {7, 1, 0, 0, 0, 1}}));
  }
}

TEST_F(DispatchTest, UnknownVersionsAlsoOnNull) {
  const Answer both{Outcome::reply, {7, 1, 0, 0, 0, 2, 3, 4}};
  EXPECT_EQ(ask({.version = 2}), both);
  EXPECT_EQ(ask({.version = 5, .procedure = 1}), both);
  EXPECT_EQ(ask({.program = kProgramMount, .version = 1}),
            (Answer{Outcome::reply, {7, 1, 0, 0, 0, 2, 3, 3}}));
}

TEST_F(DispatchTest, TlsProbe) {
  EXPECT_EQ(ask({.flavor = 7}, true),
            (Answer{Outcome::starttls, {7, 1, 0, 0, 8, 0x53544152, 0x54544c53, 0}}));
  EXPECT_EQ(ask({.flavor = 7}, false), (Answer{Outcome::reply, {7, 1, 1, 1, 1}}));
}

TEST_F(DispatchTest, RefusedAndNotRpc) {
  EXPECT_EQ(ask({.flavor = 6}), (Answer{Outcome::reply, {7, 1, 1, 1, 1}}));
  EXPECT_EQ(ask(Buffer::copy_of(as_bytes("GET / HTTP/1.1\r\n\r\n"))),
            (Answer{Outcome::hang_up, {}}));
  EXPECT_EQ(ask(Buffer()), (Answer{Outcome::hang_up, {}}));
}

}  // namespace
}  // namespace outcrop::nfs::testing
