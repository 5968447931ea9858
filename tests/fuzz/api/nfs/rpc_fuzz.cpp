// RPC call headers: whatever a client sends is a call within the limits, a refusal, or nothing.
#include "api/nfs/rpc.h"

#include <cstdlib>

using namespace outcrop;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ConstBytes all(reinterpret_cast<const std::byte*>(data), size);
  nfs::ParsedCall parsed = nfs::parse_call(Buffer::copy_of(all));
  if (const auto* call = std::get_if<nfs::RpcCall>(&parsed)) {
    const nfs::Credentials& c = call->credentials;
    if (c.groups.size() > nfs::kMaxGroups || c.machine.size() > nfs::kMaxMachineName ||
        !call->arguments.ok() || call->arguments.left() > size) {
      std::abort();
    }
  }
  return 0;
}
