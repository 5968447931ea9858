// Call headers: what is a call, who calls, and what is refused how.
#include "tests/unit/api/nfs/rpc_calls.h"

#include <gtest/gtest.h>

namespace outcrop::nfs::testing {
namespace {

ParsedCall parse(const CallSpec& spec) { return parse_call(call_record(spec)); }

RefusedCall refused(const CallSpec& spec) {
  const ParsedCall parsed = parse(spec);
  const auto* r = std::get_if<RefusedCall>(&parsed);
  EXPECT_NE(r, nullptr);
  return r != nullptr ? *r : RefusedCall{};
}

RpcCall accepted(const CallSpec& spec) {
  ParsedCall parsed = parse(spec);
  auto* r = std::get_if<RpcCall>(&parsed);
  EXPECT_NE(r, nullptr);
  return r != nullptr ? std::move(*r) : RpcCall{};
}

std::vector<std::uint32_t> words(const XdrWriter& out) {
  const std::string bytes = out.flatten();
  XdrReader in(as_bytes(bytes));
  std::vector<std::uint32_t> all;
  while (in.left() > 0) {
    all.push_back(in.u32());
  }
  return all;
}

TEST(RpcCall, HeaderAndArguments) {
  RpcCall call = accepted({.xid = 99,
                           .version = 4,
                           .procedure = 1,
                           .flavor = 1,
                           .credential = auth_sys(1000, 100, {4, 27}),
                           .arguments = std::string("\0\0\0\5", 4)});
  EXPECT_EQ(call.xid, 99u);
  EXPECT_EQ(call.program, kProgramNfs);
  EXPECT_EQ(call.version, 4u);
  EXPECT_EQ(call.procedure, 1u);
  EXPECT_EQ(call.credentials.machine, "client");
  EXPECT_EQ(call.credentials.uid, 1000u);
  EXPECT_EQ(call.credentials.gid, 100u);
  EXPECT_EQ(call.credentials.groups, (std::vector<std::uint32_t>{4, 27}));
  EXPECT_EQ(call.arguments.u32(), 5u);
  EXPECT_TRUE(call.arguments.done());
}

TEST(RpcCall, AuthNoneIsNobody) {
  const RpcCall call = accepted({});
  EXPECT_EQ(call.credentials.flavor, AuthFlavor::none);
  EXPECT_EQ(call.credentials.uid, UINT32_MAX);
}

TEST(RpcCall, EveryTruncationIsNoCall) {
  const std::string whole = call_bytes({.flavor = 1, .credential = auth_sys(0, 0, {1, 2, 3})});
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const ParsedCall parsed = parse_call(Buffer::copy_of(as_bytes(whole).first(n)));
    EXPECT_TRUE(std::holds_alternative<NotACall>(parsed)) << n;
  }
}

TEST(RpcCall, AReplyIsNoCall) {
  std::string bytes = call_bytes({});
  bytes[7] = 1;
  EXPECT_TRUE(std::holds_alternative<NotACall>(parse_call(Buffer::copy_of(as_bytes(bytes)))));
}

TEST(RpcCall, OtherRpcVersion) {
  const RefusedCall r = refused({.xid = 5, .version_rpc = 3});
  EXPECT_TRUE(r.version_mismatch);
  XdrWriter out;
  write_refused(out, r);
  EXPECT_EQ(words(out), (std::vector<std::uint32_t>{5, 1, 1, 0, 2, 2}));
}

TEST(RpcCall, MachineNameLimit) {
  EXPECT_EQ(accepted({.flavor = 1, .credential = auth_sys(1, 1, {}, std::string(255, 'm'))})
                .credentials.machine.size(),
            kMaxMachineName);
  EXPECT_EQ(refused({.flavor = 1, .credential = auth_sys(1, 1, {}, std::string(256, 'm'))}).auth,
            AuthStatus::bad_credentials);
}

TEST(RpcCall, GroupLimit) {
  const std::vector<std::uint32_t> most(kMaxGroups, 9), more(kMaxGroups + 1, 9);
  EXPECT_EQ(accepted({.flavor = 1, .credential = auth_sys(1, 1, most)}).credentials.groups.size(),
            kMaxGroups);
  EXPECT_EQ(refused({.flavor = 1, .credential = auth_sys(1, 1, more)}).auth,
            AuthStatus::bad_credentials);
}

TEST(RpcCall, CredentialSizeLimit) {
  EXPECT_EQ(accepted({.credential = std::string(kMaxCredentialBytes, 'x')}).credentials.flavor,
            AuthFlavor::none);
  EXPECT_EQ(refused({.credential = std::string(kMaxCredentialBytes + 1, 'x')}).auth,
            AuthStatus::bad_credentials);
  EXPECT_TRUE(std::holds_alternative<NotACall>(
      parse({.verifier = std::string(kMaxCredentialBytes + 1, 'x')})));
}

TEST(RpcCall, BytesBehindTheCredentialAreRefused) {
  EXPECT_EQ(refused({.flavor = 1, .credential = auth_sys(1, 1) + std::string(4, '\0')}).auth,
            AuthStatus::bad_credentials);
}

TEST(RpcCall, AuthSysHasNoVerifier) {
  EXPECT_EQ(refused({.flavor = 1, .credential = auth_sys(1, 1), .verifier = "abcd"}).auth,
            AuthStatus::bad_verifier);
  EXPECT_EQ(refused({.flavor = 1, .credential = auth_sys(1, 1), .verifier_flavor = 1}).auth,
            AuthStatus::bad_verifier);
}

TEST(RpcCall, UnknownFlavorsAreRefused) {
  for (const std::uint32_t flavor : {2u, 3u, 6u, 390'003u}) {
    EXPECT_EQ(refused({.flavor = flavor}).auth, AuthStatus::bad_credentials) << flavor;
  }
}

TEST(RpcCall, TlsProbeOnNullOnly) {
  EXPECT_EQ(accepted({.flavor = 7}).credentials.flavor, AuthFlavor::tls);
  EXPECT_EQ(refused({.procedure = 1, .flavor = 7}).auth, AuthStatus::bad_credentials);
  EXPECT_EQ(refused({.flavor = 7, .credential = "abcd"}).auth, AuthStatus::bad_credentials);
}

TEST(RpcReply, Headers) {
  XdrWriter ok, mismatch, tls, auth;
  write_accepted(ok, 1, AcceptStatus::garbage_arguments);
  EXPECT_EQ(words(ok), (std::vector<std::uint32_t>{1, 1, 0, 0, 0, 4}));
  write_program_mismatch(mismatch, 2, 3, 4);
  EXPECT_EQ(words(mismatch), (std::vector<std::uint32_t>{2, 1, 0, 0, 0, 2, 3, 4}));
  write_starttls(tls, 3);
  EXPECT_EQ(words(tls), (std::vector<std::uint32_t>{3, 1, 0, 0, 8, 0x53544152, 0x54544c53, 0}));
  write_refused(auth, {.xid = 4, .auth = AuthStatus::too_weak});
  EXPECT_EQ(words(auth), (std::vector<std::uint32_t>{4, 1, 1, 1, 5}));
}

}  // namespace
}  // namespace outcrop::nfs::testing
