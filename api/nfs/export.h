// Exports: which part of which bucket a client address sees under which path, and as whom.
#pragma once
#include <atomic>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
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

  bool allows(const boost::asio::ip::address& client) const;
};
using ExportPtr = std::shared_ptr<const Export>;

/// One consistent list; ordered by path.
using ExportList = std::vector<ExportPtr>;
using ExportListPtr = std::shared_ptr<const ExportList>;

/// The exports of the server; readers take a snapshot, administration replaces it. Any thread.
class ExportTable {
 public:
  ExportListPtr list() const;
  ExportPtr find(ExportId id) const;  ///< null: no such export (any more)
  ExportPtr find(std::string_view path) const;
  /// already_exists, invalid_argument. Gives the export its id.
  Result<ExportPtr> add(Export wanted);
  Result<void> remove(std::string_view path);  ///< not_found

 private:
  mutable std::mutex x_mutex;
  ExportListPtr x_list = std::make_shared<const ExportList>();
  ExportId x_next = 1;
};

}  // namespace outcrop::nfs
