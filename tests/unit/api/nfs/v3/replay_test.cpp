// The program as a whole: procedures, retransmissions, and replies byte for byte.
#include "tests/unit/api/nfs/v3/nfs3_fixture.h"

namespace outcrop::nfs::v3::test {
namespace {

/// "00000001 0000ffff" to bytes.
std::string bytes(std::string_view hex) {
  std::string out;
  std::string digits;
  for (const char c : hex) {
    if (c == ' ') {
      continue;
    }
    digits.push_back(c);
    if (digits.size() == 2) {
      out.push_back(static_cast<char>(std::stoi(digits, nullptr, 16)));
      digits.clear();
    }
  }
  return out;
}

class Replay : public Nfs3Test {
 protected:
  Reply again(const RpcCall& sent) { return finish(*run_on(io, send(nfs, sent)), true); }
  bool there(std::string_view name) {
    return run_on(io, files.lookup({root, root}, name)).has_value();
  }
};

TEST_F(Replay, TheTableIsTheProtocol) {
  std::uint32_t number = 0;
  for (const Op& op : ops()) {
    EXPECT_EQ(op.procedure, number++);
    EXPECT_TRUE(!op.replays || op.writes);
  }
  EXPECT_EQ(number, 22U);
  EXPECT_EQ(procedure_name(kReaddirplus), "READDIRPLUS");
  EXPECT_EQ(procedure_name(22), "");
  EXPECT_EQ(call(22, {}).accepted, AcceptStatus::procedure_unavailable);
  EXPECT_EQ(call(kNull, {}).accepted, AcceptStatus::success);
}

TEST_F(Replay, EveryProcedureRefusesTruncatedArguments) {
  for (std::uint32_t procedure = 1; procedure < kProcedures; ++procedure) {
    EXPECT_EQ(call(procedure, {}).accepted, AcceptStatus::garbage_arguments) << procedure;
    EXPECT_EQ(call(procedure, Args().u32(64)).accepted, AcceptStatus::garbage_arguments);
  }
}

TEST_F(Replay, ARetransmissionGetsTheFirstAnswer) {
  make_file("f");
  const RpcCall remove = make_call(kRemove, Args().fh(root_handle()).text("f"));
  const Reply first = again(remove);
  EXPECT_EQ(first.nfs(), Status::ok);
  const std::size_t done = seen.size();
  make_file("f", "of somebody else");
  const Reply second = again(remove);
  EXPECT_EQ(*second.bytes, *first.bytes);
  EXPECT_EQ(seen.size(), done) << "it was not done again";
  EXPECT_TRUE(there("f"));
}

TEST_F(Replay, ErrorsAreKeptToo) {
  const RpcCall make = make_call(kMkdir, Args().fh(root_handle()).text("d").sattr());
  make_file("d");
  EXPECT_EQ(again(make).nfs(), Status::exist);
  must(files.remove({root, root}, "d", ns::RemoveKind::file));
  EXPECT_EQ(again(make).nfs(), Status::exist);
}

TEST_F(Replay, AnotherCallIsDone) {
  const RpcCall make = make_call(kMkdir, Args().fh(root_handle()).text("d").sattr());
  ASSERT_EQ(again(make).nfs(), Status::ok);
  RpcCall other = make;
  other.xid += 1;
  EXPECT_EQ(again(other).nfs(), Status::exist);
  peer.port += 1;
  EXPECT_EQ(again(make).nfs(), Status::exist) << "another client";
  peer.port -= 1;
  RpcCall reused = make_call(kMkdir, Args().fh(root_handle()).text("e").sattr());
  reused.xid = make.xid;
  EXPECT_EQ(again(reused).nfs(), Status::ok) << "the same xid for something else";
  RpcCall removal = make_call(kRmdir, Args().fh(root_handle()).text("d"));
  removal.xid = make.xid;
  EXPECT_EQ(again(removal).nfs(), Status::ok);
}

TEST_F(Replay, WhileItIsServedThereIsNoAnswer) {
  Resume<void> gate;
  files.set_hook([&](std::string_view name) -> Task<> {
    if (name == "make_directory") {
      const auto shut = [&gate](Resume<void> open) { gate = std::move(open); };
      CO_TRYV(co_await suspend<void>(shut));
    }
    co_return ok();
  });
  const RpcCall make = make_call(kMkdir, Args().fh(root_handle()).text("d").sattr());
  const auto scene = [&]() -> Task<> {
    TaskGroup group(io.get_executor());
    std::string first;
    const auto original = [&]() -> Task<> {
      CO_TRY(first, co_await send(nfs, make));
      co_return ok();
    };
    group.spawn(original());
    co_await asio::post(io.get_executor(), use_async);
    CO_TRY(const std::string second, co_await send(nfs, make));
    EXPECT_EQ(second, "");
    EXPECT_TRUE(gate) << "the original waits";
    EXPECT_EQ(replies.entries(), 1U);
    gate(ok());
    CO_TRYV(co_await group.join());
    EXPECT_NE(first, "");
    CO_TRY(const std::string third, co_await send(nfs, make));
    EXPECT_EQ(third, first);
    co_return ok();
  };
  EXPECT_TRUE(run_on(io, scene()));
  files.set_hook({});
}

TEST_F(Replay, ReadsAreNotKept) {
  call(kGetattr, Args().fh(root_handle()));
  call(kRead, Args().fh(handle(make_file("f"))).u64(0).u32(1));
  EXPECT_EQ(replies.entries(), 0U);
  for (const std::uint32_t procedure :
       {kSetattr, kCreate, kMkdir, kSymlink, kRemove, kRmdir, kRename, kLink}) {
    EXPECT_TRUE(find_op(procedure)->replays) << procedure;
  }
}

// RFC 1813 section 3.3.1: xid, REPLY, MSG_ACCEPTED, AUTH_NONE verifier, SUCCESS, NFS3_OK, fattr3.
TEST_F(Replay, GoldenGetattr) {
  const ns::FileId file = make_file("f", "abc", 1000, 0640);
  ns::SetAttributes times;
  times.atime_ns = 0x65000000 * std::int64_t{1'000'000'000} + 1;
  times.mtime_ns = 2'000'000'003;
  must(files.set_attributes(file, times));
  const std::int64_t ctime = stat(file).ctime_ns / 1'000'000'000;
  XdrWriter expected;
  expected.raw_bytes(bytes("00000065 00000001 00000000 00000000 00000000 00000000 00000000"));
  expected.raw_bytes(bytes("00000001 000001a0 00000001 000003e8 000003e8"));
  expected.raw_bytes(bytes("00000000 00000003 00000000 00000003 00000000 00000000"));
  expected.raw_bytes(bytes("00010000 00000064 00000000 00000065"));
  expected.raw_bytes(bytes("65000000 00000001 00000002 00000003"));
  expected.u32(static_cast<std::uint32_t>(ctime));
  expected.u32(0);
  EXPECT_EQ(*call(kGetattr, Args().fh(handle(file))).bytes, expected.flatten());
}

// Section 3.3.6 with the padding of three bytes, and 3.3.7 with the verifier.
TEST_F(Replay, GoldenReadAndWrite) {
  const ns::FileId file = make_file("f", "abc");
  const Reply read = call(kRead, Args().fh(handle(file)).u64(0).u32(8));
  EXPECT_EQ(read.bytes->substr(24, 8), bytes("00000000 00000001"));
  EXPECT_EQ(read.bytes->substr(32 + 84), bytes("00000003 00000001 00000003 61626300"));
  const Args args = Args().fh(handle(file)).u64(3).u32(1).u32(2).text("d");
  const Reply write = call(kWrite, args);
  EXPECT_EQ(write.bytes->substr(24, 12), bytes("00000000 00000000 00000001"));
  EXPECT_EQ(write.bytes->substr(36 + 84), bytes("00000001 00000002 00000000 00000001"));
}

// Section 3.3.3: an error carries the directory's attributes and nothing else.
TEST_F(Replay, GoldenLookupOfNothing) {
  const Reply reply = call(kLookup, Args().fh(root_handle()).text("absent"));
  EXPECT_EQ(reply.bytes->substr(24, 12), bytes("00000002 00000001 00000002"));
  EXPECT_EQ(reply.bytes->size(), 24U + 4 + 4 + 84);
}

}  // namespace
}  // namespace outcrop::nfs::v3::test
