// The MOUNT protocol version 3 (RFC 1813 appendix I) as an RPC program: from the path of an export,
// or of a directory below one, to its first handle.
#pragma once
#include <deque>
#include <mutex>
#include <string>

#include "api/nfs/dispatch.h"
#include "api/nfs/export_scope.h"

namespace outcrop::nfs::v3 {

inline constexpr std::size_t kMaxMountPath = 1024;  ///< MNTPATHLEN
inline constexpr std::size_t kMaxMountList = 1024;  ///< what DUMP remembers; the oldest goes first
inline constexpr std::size_t kMaxGroupBytes = 255;  ///< MNTNAMLEN

/// Any worker. The list of mounts is a hint for people (showmount), as the RFC says: it is not kept
/// over restarts, and nothing depends on it.
class Mount3 final : public Program {
 public:
  /// `service` and `scope` are borrowed. `observer` may be empty; gets procedures and mountstat3.
  Mount3(const Service& service, ExportScope& scope, Observer observer)
      : x_service(service), x_scope(scope), x_observer(std::move(observer)) {}

  std::uint32_t program() const override { return kProgramMount; }
  std::uint32_t version() const override { return 3; }
  Async<> call(const Peer& peer, RpcCall& call, XdrWriter& reply) override;

 private:
  struct Mounted {
    boost::asio::ip::address client;
    std::string path;
    bool operator==(const Mounted&) const = default;
  };
  /// mountstat3, or UINT32_MAX: the arguments do not parse.
  Async<std::uint32_t> serve(const Peer& peer, RpcCall& call, XdrWriter& reply);
  Async<std::uint32_t> mnt(const Peer& peer, XdrReader& in, XdrWriter& out);
  std::uint32_t dump(const Peer& peer, XdrReader& in, XdrWriter& out);
  std::uint32_t umnt(const Peer& peer, XdrReader& in);
  std::uint32_t umntall(const Peer& peer, XdrReader& in);
  std::uint32_t list_exports(const Peer& peer, XdrReader& in, XdrWriter& out);
  Task<ns::FileAttributes> find(const Export& on, std::string_view below);
  void remember(const Peer& peer, std::string path);

  const Service& x_service;
  ExportScope& x_scope;
  Observer x_observer;
  std::mutex x_mutex;
  std::deque<Mounted> x_mounted;
};

std::string_view mount_procedure_name(std::uint32_t procedure);

}  // namespace outcrop::nfs::v3
