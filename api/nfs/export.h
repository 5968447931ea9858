// Exports: which part of which bucket a client address sees under which path, and as whom.
#pragma once
#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/result.h"

namespace outcrop::nfs {

using ExportId = std::uint16_t;
inline constexpr std::uint32_t kNobody = 65'534;
inline constexpr std::size_t kMaxExports = 1024;
inline constexpr std::size_t kMaxExportPath = 1024;  ///< MNTPATHLEN of MOUNT
inline constexpr std::size_t kMaxExportClients = 64;

enum class Squash : std::uint8_t { none, root, all };
enum class TransportSecurity : std::uint8_t { none, tls, mtls };  ///< the least that is accepted

/// An address block, "10.1.0.0/16" or "fd00::/8"; one address is a block of its own.
struct Cidr {
  boost::asio::ip::address network;
  unsigned bits = 0;
  bool contains(const boost::asio::ip::address& address) const;  ///< v4-mapped v6 counts as v4
  std::string to_string() const;
  bool operator==(const Cidr&) const = default;
};
std::optional<Cidr> parse_cidr(std::string_view text);

/// What the policies of an export's identity let everybody on it do at most.
struct Rights {
  bool read = true;   ///< contents of files
  bool write = true;  ///< any change
  bool list = true;   ///< directories
  bool operator==(const Rights&) const = default;
};

struct Export {
  ExportId id = 0;   ///< in handles; never given to another export while the server runs
  std::string path;  ///< "/datasets": what clients mount; one component or more, no "."
  std::string bucket;
  std::string prefix;         ///< "" or "train/images": a directory of the bucket
  std::vector<Cidr> clients;  ///< empty: nobody
  bool read_only = false;
  Squash squash = Squash::root;
  std::uint32_t anon_uid = kNobody, anon_gid = kNobody;
  std::string identity;  ///< access key whose policies apply; empty: the root key's
  TransportSecurity security = TransportSecurity::none;
  Rights rights{};  ///< not configured: set by the table

  bool writable() const { return !read_only && rights.write; }
  bool allows(const boost::asio::ip::address& client) const;
  bool operator==(const Export&) const = default;
};
using ExportPtr = std::shared_ptr<const Export>;

/// What is wrong with an export as it is configured, in words for the operator; empty: nothing.
std::string complaint_about(const Export& wanted);

/// One consistent list; ordered by path.
using ExportList = std::vector<ExportPtr>;
using ExportListPtr = std::shared_ptr<const ExportList>;

/// The exports of the server; readers take a snapshot, administration replaces it. Any thread.
class ExportTable {
 public:
  ExportTable();
  ExportTable(const ExportTable&) = delete;

  ExportListPtr list() const;
  ExportPtr find(ExportId id) const;  ///< null: no such export (any more); no lock when warm
  ExportPtr find(std::string_view path) const;
  /// Whether any export is for this client.
  bool any_allows(const boost::asio::ip::address& client) const;
  /// invalid_argument as complaint_about() says, or a path above or below another export's;
  /// already_exists for the path or the id; no_space when ids run out. An id of 0 is replaced by
  /// one that was never used in this table.
  Result<ExportPtr> add(Export wanted);
  Result<void> remove(std::string_view path);  ///< not_found
  /// Who decides on rights; asked for every export now, when one is added, and by refresh().
  /// Without one everything is allowed.
  void decide_rights(std::function<Rights(const Export&)> decide);
  /// After policies changed.
  void refresh();

 private:
  struct Snapshot {
    ExportListPtr list;
    std::vector<ExportPtr> by_id;
  };
  /// Valid until this thread's next call, on any table.
  const Snapshot& snapshot() const;
  void publish(ExportList next);

  const std::uint64_t x_serial;  // tells tables apart in the threads' caches
  mutable std::mutex x_mutex;
  std::shared_ptr<const Snapshot> x_snapshot;
  std::atomic<std::uint64_t> x_version{0};
  std::function<Rights(const Export&)> x_decide;  ///< under the mutex
  std::uint32_t x_next = 1;
};

}  // namespace outcrop::nfs
