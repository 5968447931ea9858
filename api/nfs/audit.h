// What the audit log learns of NFS: changes of names, attributes and sizes, the first write of a
// client to a file, mounts, and what exports or permissions refuse. One record for each operation,
// not for each WRITE: those that follow the first within kWriteQuiet are the same event.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/nfs/access.h"
#include "api/nfs/export.h"
#include "api/nfs/peer.h"
#include "auth/audit/event.h"
#include "storage/base/clock.h"
#include "storage/base/task.h"
#include "storage/ns/file_system.h"

namespace outcrop::nfs {

inline constexpr std::uint32_t kWriteQuietSeconds = 60;

enum class AuditKind : std::uint8_t {
  read,    ///< recorded only if the export refuses the client, or the handle is forged
  change,  ///< recorded always, but of forged handles the first
  data,    ///< WRITE: the first one
  mount,   ///< entering an export by NFSv4, which has no MOUNT: the first time
};

/// Filled while an operation runs; names are views of its arguments.
struct AuditNote {
  ExportPtr on{};
  std::optional<std::uint32_t> uid{}, gid{};
  /// The file, or the directory that `first_name` is in; the second for what has two.
  std::optional<ns::FileId> first{}, second{};
  std::string_view first_name{}, second_name{};
  bool refused = false;  ///< by the export: its addresses, or its transport security
  bool changed = false;  ///< OPEN: made or truncated the file
  bool entered = false;  ///< LOOKUP: from the pseudo file system into an export

  void act_as(const Actor& actor) {
    uid = actor.uid;
    gid = actor.gid;
  }
  /// The next file or directory that the operation is about.
  void about(ns::FileId file) { (first ? second : first) = file; }
};

/// Any worker. Remembers who wrote where in a table of fixed size: one that forgets gives a record
/// more than needed, never one less.
class Auditor {
 public:
  /// All borrowed.
  Auditor(audit::Sink& sink, ns::FileSystem& files, const Clock& clock)
      : x_sink(sink), x_files(files), x_clock(clock) {}

  /// Whether the operation leaves a record; asked once, for it takes note of writes. `status`: the
  /// number of the protocol, those of v3 and v4 agree.
  bool wants(AuditKind kind, std::uint32_t status, const Peer& peer, const AuditNote& note);
  Async<> record(const Peer& peer,
                 std::string_view action,
                 std::uint32_t status,
                 const AuditNote& note);

 private:
  bool first_time(AuditKind kind, const Peer& peer, const AuditNote& note);
  Async<std::string> name_of(const AuditNote& note,
                             std::optional<ns::FileId> file,
                             std::string_view name);

  static constexpr std::size_t kSets = 2048, kWays = 4;
  audit::Sink& x_sink;
  ns::FileSystem& x_files;
  const Clock& x_clock;
  /// Half a hash of who and where, and the second it was last seen.
  std::array<std::array<std::atomic<std::uint64_t>, kWays>, kSets> x_seen{};
};

}  // namespace outcrop::nfs
