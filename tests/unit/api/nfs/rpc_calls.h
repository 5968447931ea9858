// RPC calls as clients write them, for tests.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "api/nfs/rpc.h"

namespace outcrop::nfs::testing {

struct CallSpec {
  std::uint32_t xid = 7, version_rpc = 2;
  std::uint32_t program = kProgramNfs, version = 3, procedure = 0;
  std::uint32_t flavor = 0;
  std::string credential{}, verifier{};
  std::uint32_t verifier_flavor = 0;
  std::string arguments{};
};

inline std::string auth_sys(std::uint32_t uid,
                            std::uint32_t gid,
                            const std::vector<std::uint32_t>& groups = {},
                            const std::string& machine = "client") {
  XdrWriter out;
  out.u32(1);
  out.string(machine);
  out.u32(uid);
  out.u32(gid);
  out.u32(static_cast<std::uint32_t>(groups.size()));
  for (const std::uint32_t g : groups) {
    out.u32(g);
  }
  return out.flatten();
}

/// The record without its mark.
inline std::string call_bytes(const CallSpec& c) {
  XdrWriter out;
  out.u32(c.xid);
  out.u32(0);
  out.u32(c.version_rpc);
  out.u32(c.program);
  out.u32(c.version);
  out.u32(c.procedure);
  out.u32(c.flavor);
  out.string(c.credential);
  out.u32(c.verifier_flavor);
  out.string(c.verifier);
  out.raw_bytes(c.arguments);
  return out.flatten();
}

inline Buffer call_record(const CallSpec& c) { return Buffer::copy_of(as_bytes(call_bytes(c))); }

/// One fragment that is the whole record, as it goes over TCP.
inline std::string marked(const std::string& record) {
  XdrWriter out;
  out.u32(0x8000'0000u | static_cast<std::uint32_t>(record.size()));
  out.raw_bytes(record);
  return out.flatten();
}

}  // namespace outcrop::nfs::testing
