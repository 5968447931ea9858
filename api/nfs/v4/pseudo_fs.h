// The NFSv4 pseudo file system (RFC 8881 section 7.3): one directory per path component of the
// exports, so that clients walk from the root to what is exported. A client sees only the nodes
// that lead to an export its address is allowed on. An export whose path runs through another
// export is reached by handle or by clients that the outer one does not allow.
#pragma once
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "api/nfs/export.h"
#include "storage/ns/file_system.h"

namespace outcrop::nfs::v4 {

using PseudoId = std::uint64_t;
inline constexpr PseudoId kPseudoRoot = 1;

struct PseudoNode {
  PseudoId id = 0;
  PseudoId parent = 0;  ///< 0: this is the root
  std::string path;     ///< "/a/b"; of the root ""
  std::string name;
  ExportPtr junction;  ///< the export that is mounted here, if any
  std::map<std::string, PseudoId, std::less<>> children;
};

/// One consistent tree; immutable.
class PseudoTree {
 public:
  const PseudoNode* find(PseudoId id) const;  ///< null: no such node (any more)
  const PseudoNode& root() const { return *find(kPseudoRoot); }
  /// Whether the node is the root or leads to an export that allows the client.
  bool visible(const PseudoNode& node, const boost::asio::ip::address& client) const;
  /// The child by name if it is visible, else null.
  const PseudoNode* child(const PseudoNode& of,
                          std::string_view name,
                          const boost::asio::ip::address& client) const;
  /// The node that an export is mounted on; 0 if it is gone.
  PseudoId mounted_on(ExportId id) const;
  /// A directory of mode 0555, root's; its change attribute is the tree's.
  ns::FileAttributes attributes(const PseudoNode& node) const;

 private:
  friend class PseudoFs;
  std::unordered_map<PseudoId, PseudoNode> x_nodes;
  std::unordered_map<ExportId, PseudoId> x_junctions;
  std::int64_t x_built_ns = 0;  ///< wall clock; strictly more than the tree's before
};
using PseudoTreePtr = std::shared_ptr<const PseudoTree>;

/// Any thread. Node ids come from the paths, so that handles keep their meaning over restarts and
/// changes of other exports.
class PseudoFs {
 public:
  /// The tree of these exports; built anew only when the list is another one than before.
  PseudoTreePtr tree(const ExportListPtr& exports, std::int64_t wall_ns);

 private:
  static std::shared_ptr<PseudoTree> build(const ExportList& exports);

  std::mutex x_mutex;
  ExportListPtr x_exports;
  PseudoTreePtr x_tree;
};

/// "/a/b" -> "a", "b".
std::vector<std::string> path_components(std::string_view path);

}  // namespace outcrop::nfs::v4
