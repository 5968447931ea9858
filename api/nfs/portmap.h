// The port mapper, version 2 (RFC 1833 section 3): tells NFSv3 clients which ports NFS and MOUNT
// are on. It knows its own server only: nobody registers anything with it.
#pragma once
#include <vector>

#include "api/nfs/dispatch.h"

namespace outcrop::nfs {

struct PortMapping {
  static constexpr std::uint32_t kTcp = 6, kUdp = 17;
  std::uint32_t program = 0, version = 0, protocol = kTcp, port = 0;
};

/// Any worker.
class Portmap final : public Program {
 public:
  explicit Portmap(std::vector<PortMapping> mappings) : x_mappings(std::move(mappings)) {}

  std::uint32_t program() const override { return kProgramPortmap; }
  std::uint32_t version() const override { return 2; }
  Async<> call(const Peer& peer, RpcCall& call, XdrWriter& reply) override;

 private:
  void get_port(RpcCall& call, XdrWriter& reply) const;
  void dump(RpcCall& call, XdrWriter& reply) const;

  std::vector<PortMapping> x_mappings;
};

}  // namespace outcrop::nfs
