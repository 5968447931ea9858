// NFS version 3 (RFC 1813) as an RPC program: finds the procedure, answers retransmissions from the
// duplicate request cache, and runs the handler.
#pragma once
#include "api/nfs/dispatch.h"
#include "api/nfs/export_scope.h"
#include "api/nfs/reply_cache.h"

namespace outcrop::nfs::v3 {

/// Any worker.
class Nfs3 final : public Program {
 public:
  /// `service`, `scope` and `replies` are borrowed. `observer` may be empty; it is called with the
  /// procedure and the nfsstat3 of every call that was done (not of one answered again), with
  /// UINT32_MAX for arguments that do not parse.
  Nfs3(const Service& service, ExportScope& scope, ReplyCache& replies, Observer observer)
      : x_service(service), x_scope(scope), x_replies(replies), x_observer(std::move(observer)) {}

  std::uint32_t program() const override { return kProgramNfs; }
  std::uint32_t version() const override { return 3; }
  Async<> call(const Peer& peer, RpcCall& call, XdrWriter& reply) override;

 private:
  Async<> run(const Peer& peer, RpcCall& call, const struct Op& op, XdrWriter& reply);

  const Service& x_service;
  ExportScope& x_scope;
  ReplyCache& x_replies;
  Observer x_observer;
};

/// "READ"; empty if there is no such procedure. For metrics.
std::string_view procedure_name(std::uint32_t procedure);

}  // namespace outcrop::nfs::v3
