// Calls of any procedure of the portmapper with any arguments: one reply, of this call, in words.
#include "api/nfs/portmap.h"

#include "storage/base/assert.h"
#include "storage/base/async.h"

using namespace outcrop;
using namespace outcrop::nfs;

namespace {

constexpr std::uint32_t kXid = 0xABCD;

Task<std::string> serve(Program& program, const Peer& peer, RpcCall call) {
  XdrWriter reply;
  co_await program.call(peer, call, reply);
  co_return reply.flatten();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  asio::io_context io{1};
  Portmap portmap({{kProgramNfs, 3, PortMapping::kTcp, 2049}, {kProgramMount, 3, 17, 2049}});
  const std::uint32_t procedure = size > 0 ? data[0] % 8 : 0;
  const ConstBytes rest(reinterpret_cast<const std::byte*>(data), size);
  RpcCall call{.xid = kXid,
               .program = kProgramPortmap,
               .version = 2,
               .procedure = procedure,
               .credentials = {},
               .arguments = XdrReader(Buffer::copy_of(rest.subspan(size > 0 ? 1 : 0)))};
  const std::string reply = *run_on(io, serve(portmap, Peer{}, std::move(call)));
  XdrReader in(as_bytes(reply));
  OUTCROP_ASSERT(reply.size() % 4 == 0 && in.u32() == kXid && in.u32() == 1);
  OUTCROP_ASSERT(in.u32() == 0 && in.u32() == 0);
  in.opaque(400);
  OUTCROP_ASSERT(in.u32() <= 5 && in.ok());
  return 0;
}
