// The port mapper: what is asked for by program, version and protocol.
#include "api/nfs/portmap.h"

#include <gtest/gtest.h>

#include "storage/base/async.h"
#include "tests/unit/api/nfs/rpc_calls.h"

namespace outcrop::nfs::testing {
namespace {

std::vector<std::uint32_t> ask(std::uint32_t procedure, std::vector<std::uint32_t> arguments) {
  Portmap portmap(
      {{kProgramNfs, 3, PortMapping::kTcp, 2049}, {kProgramMount, 3, PortMapping::kUdp, 2050}});
  Dispatcher dispatcher({&portmap});
  XdrWriter in;
  for (const std::uint32_t a : arguments) {
    in.u32(a);
  }
  XdrWriter reply;
  const auto body = [&]() -> Task<> {
    const Peer peer;
    std::ignore = co_await dispatcher.serve(peer,
                                            call_record({.program = kProgramPortmap,
                                                         .version = 2,
                                                         .procedure = procedure,
                                                         .arguments = in.flatten()}),
                                            false, reply);
    co_return ok();
  };
  EXPECT_TRUE(run_sync(body()).has_value());
  const std::string bytes = reply.flatten();
  XdrReader out(as_bytes(bytes));
  std::vector<std::uint32_t> words;
  while (out.left() > 0) {
    words.push_back(out.u32());
  }
  return {words.begin() + 5, words.end()};  // from the accept status on
}

using Words = std::vector<std::uint32_t>;

TEST(Portmap, GetPort) {
  EXPECT_EQ(ask(3, {kProgramNfs, 3, 6, 0}), (Words{0, 2049}));
  EXPECT_EQ(ask(3, {kProgramMount, 3, 17, 0}), (Words{0, 2050}));
  EXPECT_EQ(ask(3, {kProgramMount, 3, 6, 0}), (Words{0, 0}));
  EXPECT_EQ(ask(3, {kProgramNfs, 2, 6, 0}), (Words{0, 0}));
  EXPECT_EQ(ask(3, {100'021, 4, 6, 0}), (Words{0, 0}));
  EXPECT_EQ(ask(3, {kProgramNfs, 3, 6}), (Words{4}));
}

TEST(Portmap, Dump) {
  EXPECT_EQ(ask(4, {}), (Words{0, 1, kProgramNfs, 3, 6, 2049, 1, kProgramMount, 3, 17, 2050, 0}));
}

TEST(Portmap, NobodyRegistersAndNothingIsForwarded) {
  EXPECT_EQ(ask(1, {kProgramNfs, 3, 6, 99}), (Words{0, 0}));
  EXPECT_EQ(ask(2, {kProgramNfs, 3, 6, 99}), (Words{0, 0}));
  EXPECT_EQ(ask(1, {}), (Words{4}));
  EXPECT_EQ(ask(5, {kProgramNfs, 3, 0, 0}), (Words{3}));
  EXPECT_EQ(ask(0, {}), (Words{0}));
}

}  // namespace
}  // namespace outcrop::nfs::testing
