#include "api/nfs/v4/pseudo_fs.h"

#include <algorithm>

namespace outcrop::nfs::v4 {
namespace {

/// FNV-1a, folded to 48 bits; above the numbers that cookies and the root use.
PseudoId id_of(std::string_view path) {
  if (path.empty()) {
    return kPseudoRoot;
  }
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : path) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  }
  return (hash >> 16 ^ (hash & 0xffff)) | std::uint64_t{1} << 47;
}

}  // namespace

std::vector<std::string> path_components(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    if (end > 0) {
      out.emplace_back(path.substr(0, end));
    }
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return out;
}

const PseudoNode* PseudoTree::find(PseudoId id) const {
  const auto it = x_nodes.find(id);
  return it == x_nodes.end() ? nullptr : &it->second;
}

bool PseudoTree::visible(const PseudoNode& node, const boost::asio::ip::address& client) const {
  if (node.id == kPseudoRoot || (node.junction && node.junction->allows(client))) {
    return true;
  }
  return std::ranges::any_of(node.children,
                             [&](const auto& c) { return visible(*find(c.second), client); });
}

const PseudoNode* PseudoTree::child(const PseudoNode& of,
                                    std::string_view name,
                                    const boost::asio::ip::address& client) const {
  const auto it = of.children.find(name);
  if (it == of.children.end()) {
    return nullptr;
  }
  const PseudoNode* node = find(it->second);
  return visible(*node, client) ? node : nullptr;
}

PseudoId PseudoTree::mounted_on(ExportId id) const {
  const auto it = x_junctions.find(id);
  return it == x_junctions.end() ? 0 : it->second;
}

ns::FileAttributes PseudoTree::attributes(const PseudoNode& node) const {
  ns::FileAttributes out;
  out.id = {.root = 0, .ino = node.id};
  out.type = ns::FileType::directory;
  out.mode = 0555;
  out.uid = out.gid = 0;
  out.change = static_cast<std::uint64_t>(x_built_ns);
  out.mtime_ns = out.ctime_ns = out.atime_ns = out.btime_ns = x_built_ns;
  return out;
}

PseudoTreePtr PseudoFs::tree(const ExportListPtr& exports, std::int64_t wall_ns) {
  const std::lock_guard lock(x_mutex);
  if (!x_tree || x_exports != exports) {
    const std::int64_t before = x_tree ? x_tree->x_built_ns : 0;
    const std::shared_ptr<PseudoTree> built = build(*exports);
    built->x_built_ns = std::max(before + 1, wall_ns);
    x_tree = built;
    x_exports = exports;
  }
  return x_tree;
}

std::shared_ptr<PseudoTree> PseudoFs::build(const ExportList& exports) {
  auto out = std::make_shared<PseudoTree>();
  const auto node_at = [&](const std::string& path) -> PseudoNode& {
    PseudoId id = id_of(path);
    while (out->x_nodes.contains(id) && out->x_nodes[id].path != path) {
      ++id;  // two paths of one hash
    }
    PseudoNode& node = out->x_nodes[id];
    node.id = id;
    node.path = path;
    return node;
  };
  node_at("");
  for (const ExportPtr& e : exports) {
    PseudoId parent = kPseudoRoot;
    std::string path;
    for (const std::string& component : path_components(e->path)) {
      path += '/' + component;
      PseudoNode& node = node_at(path);
      node.parent = parent;
      node.name = component;
      out->x_nodes[parent].children[component] = node.id;
      parent = node.id;
    }
    out->x_nodes[parent].junction = e;
    out->x_junctions[e->id] = parent;
  }
  return out;
}

}  // namespace outcrop::nfs::v4
