// Inodes, attributes, looking up and listing; names change in mem_file_names.cpp, bytes in
// mem_file_data.cpp.
#include "tests/support/mem_file_system.h"

#include <algorithm>

#include "storage/ns/types.h"

namespace outcrop::test {

Result<void> MemFileSystem::check_name(std::string_view name) {
  if (name.size() > ns::kMaxFileNameBytes) {
    return fail(Errc::name_too_long);
  }
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos ||
      name.find('\0') != std::string_view::npos) {
    return fail(Errc::invalid_argument);
  }
  return ok();
}

Result<void> MemFileSystem::check_new_name(std::string_view name) {
  TRYV(check_name(name));
  return name.starts_with(ns::kAliasPrefix) ? fail(Errc::invalid_argument) : ok();
}

Task<> MemFileSystem::enter(std::string_view call) {
  if (x_hook) {
    CO_TRYV(co_await x_hook(call));
  }
  if (x_fail_any) {
    co_return fail(*std::exchange(x_fail_any, std::nullopt));
  }
  if (const auto it = x_fail.find(call); it != x_fail.end()) {
    const Errc code = it->second;
    x_fail.erase(it);
    co_return fail(code);
  }
  co_return ok();
}

InodeId MemFileSystem::add_bucket(std::string_view name) {
  Node& root = new_node(x_next, ns::FileType::directory, {});
  root.parent = root.attributes.id.ino;
  x_buckets.emplace(name, root.attributes.id.ino);
  return root.attributes.id.ino;
}

void MemFileSystem::drop_bucket(std::string_view name) {
  const InodeId root = x_buckets.extract(x_buckets.find(name)).mapped();
  std::erase_if(x_nodes, [root](const auto& n) { return n.second.attributes.id.root == root; });
}

void MemFileSystem::crash() {
  ++x_boot;
  x_given_out.clear();
  for (auto& [ino, node] : x_nodes) {
    node.holds = 0;
    if (node.durable) {
      node.content = *std::exchange(node.durable, std::nullopt);
    }
    // Change numbers never repeat: what is seen after a restart has none from before it.
    node.attributes.change = x_boot << 40 | ++x_changes;
  }
}

Result<MemFileSystem::Node*> MemFileSystem::node(ns::FileId file) {
  const auto it = x_nodes.find(file.ino);
  if (it == x_nodes.end() || it->second.attributes.id.root != file.root) {
    return fail(Errc::stale);
  }
  return &it->second;
}

Result<MemFileSystem::Node*> MemFileSystem::directory(ns::FileId file) {
  TRY(Node * found, node(file));
  if (found->attributes.type != ns::FileType::directory) {
    return fail(Errc::not_directory);
  }
  return found;
}

ns::FileAttributes MemFileSystem::attributes_of(const Node& node) const {
  ns::FileAttributes out = node.attributes;
  if (out.type == ns::FileType::regular) {
    out.size = node.content.size();
    out.used = node.content.used();
  } else if (out.type == ns::FileType::symlink) {
    out.size = node.target.size();
  }
  return out;
}

MemFileSystem::Entries::iterator MemFileSystem::find(Node& directory, std::string_view name) {
  const auto it = directory.entries.find(name);
  return it != directory.entries.end() ? it : directory.entries.find(std::string(name) + "/");
}

MemFileSystem::Node& MemFileSystem::new_node(InodeId root,
                                             ns::FileType type,
                                             const ns::SetAttributes& set) {
  const InodeId ino = x_next++;
  Node& node = x_nodes[ino];
  ns::FileAttributes& a = node.attributes;
  a.id = {root, ino};
  a.type = type;
  a.mode = type == ns::FileType::directory ? 0755 : type == ns::FileType::symlink ? 0777 : 0644;
  a.links = 0;  // until add()
  if (type == ns::FileType::directory) {
    a.links = 1;
  }
  a.btime_ns = a.atime_ns = a.mtime_ns = a.ctime_ns = x_clock.wall_ns();
  touch(node, true);
  apply(node, set);
  return node;
}

void MemFileSystem::touch(Node& node, bool data) {
  const std::int64_t now = x_clock.wall_ns();
  node.attributes.change = x_boot << 40 | ++x_changes;
  node.attributes.ctime_ns = now;
  if (data) {
    node.attributes.mtime_ns = now;
  }
}

void MemFileSystem::apply(Node& node, const ns::SetAttributes& set) {
  ns::FileAttributes& a = node.attributes;
  a.mode = set.mode.value_or(a.mode) & 07777;
  a.uid = set.uid.value_or(a.uid);
  a.gid = set.gid.value_or(a.gid);
  if (set.size) {
    node.content.resize(*set.size);
    node.durable.reset();
    a.mtime_ns = x_clock.wall_ns();
  }
  a.atime_ns = set.atime_ns.value_or(a.atime_ns);
  a.mtime_ns = set.mtime_ns.value_or(a.mtime_ns);
}

Task<ns::FileAttributes> MemFileSystem::bucket_root(std::string_view bucket) {
  CO_TRYV(co_await enter("bucket_root"));
  const auto it = x_buckets.find(bucket);
  if (it == x_buckets.end()) {
    co_return fail(Errc::no_such_bucket);
  }
  co_return attributes_of(x_nodes.at(it->second));
}

Task<ns::FileAttributes> MemFileSystem::resolve(std::string_view bucket, std::string_view path) {
  CO_TRYV(co_await enter("resolve"));
  const auto root = x_buckets.find(bucket);
  if (root == x_buckets.end()) {
    co_return fail(Errc::no_such_bucket);
  }
  Node* at = &x_nodes.at(root->second);
  while (!path.empty()) {
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), name.size() + 1));
    const auto it = at->entries.find(std::string(name) + "/");
    if (it == at->entries.end()) {
      co_return fail(Errc::not_found);
    }
    at = &x_nodes.at(it->second.ino);
  }
  co_return attributes_of(*at);
}

Task<ns::FileAttributes> MemFileSystem::get_attributes(ns::FileId file) {
  CO_TRYV(co_await enter("get_attributes"));
  CO_TRY(const Node* const found, node(file));
  co_return attributes_of(*found);
}

Task<ns::FileAttributes> MemFileSystem::set_attributes(ns::FileId file,
                                                       ns::SetAttributes set,
                                                       std::optional<std::int64_t> guard_ctime_ns) {
  CO_TRYV(co_await enter("set_attributes"));
  CO_TRY(Node* const found, node(file));
  if (guard_ctime_ns && *guard_ctime_ns != found->attributes.ctime_ns) {
    co_return fail(Errc::precondition_failed);
  }
  if (set.size) {
    CO_TRYV(regular(file));
    if (*set.size > ns::kMaxObjectBytes) {
      co_return fail(Errc::entity_too_large);
    }
  }
  if (!set.empty()) {
    touch(*found, false);
    apply(*found, set);
  }
  co_return attributes_of(*found);
}

Task<ns::FileAttributes> MemFileSystem::lookup(ns::FileId directory_id, std::string_view name) {
  CO_TRYV(co_await enter("lookup"));
  CO_TRY(Node* const in, directory(directory_id));
  CO_TRYV(check_name(name));
  const auto it = find(*in, name);
  if (it == in->entries.end()) {
    co_return fail(Errc::not_found);
  }
  co_return attributes_of(x_nodes.at(it->second.ino));
}

Task<ns::FileAttributes> MemFileSystem::parent(ns::FileId directory_id) {
  CO_TRYV(co_await enter("parent"));
  CO_TRY(const Node* const of, directory(directory_id));
  const auto it = x_nodes.find(of->parent);
  if (it == x_nodes.end()) {
    co_return fail(Errc::stale);  // of a directory that was removed while it was held
  }
  co_return attributes_of(it->second);
}

Task<std::string> MemFileSystem::path(ns::FileId file) {
  CO_TRYV(co_await enter("path"));
  std::string out;
  for (InodeId at = file.ino; at != file.root;) {
    const auto above = std::ranges::find_if(x_nodes, [at](const auto& node) {
      return std::ranges::any_of(node.second.entries,
                                 [at](const auto& entry) { return entry.second.ino == at; });
    });
    if (above == x_nodes.end()) {
      co_return fail(Errc::stale);
    }
    const auto entry =
        std::ranges::find(above->second.entries, at, [](const auto& e) { return e.second.ino; });
    out.insert(0, entry->first);  // with its slash if it is a directory
    at = above->first;
  }
  co_return out;
}

Task<ns::DirectoryPage> MemFileSystem::read_directory(ns::FileId directory_id,
                                                      std::uint64_t cookie,
                                                      std::size_t max_entries,
                                                      std::size_t max_bytes,
                                                      std::size_t entry_bytes) {
  CO_TRYV(co_await enter("read_directory"));
  CO_TRY(Node* const in, directory(directory_id));
  auto it = in->entries.begin();
  if (cookie != 0) {
    const auto given = x_given_out.find({directory_id.ino, cookie});
    if (given != x_given_out.end()) {
      it = in->entries.upper_bound(given->second);
    } else {
      it = std::ranges::find(in->entries, cookie, [](const auto& e) { return e.second.cookie; });
      if (it == in->entries.end()) {
        co_return fail(Errc::bad_cookie);
      }
      ++it;
    }
  }
  ns::DirectoryPage page;
  std::size_t bytes = 0;
  for (; it != in->entries.end(); ++it) {
    std::string_view name = it->first;
    name.remove_suffix(name.ends_with('/') ? 1 : 0);
    if (page.entries.size() == max_entries || (!page.entries.empty() && bytes >= max_bytes)) {
      co_return page;
    }
    bytes += name.size() + entry_bytes;
    ++x_entries_read;
    x_given_out.insert_or_assign({directory_id.ino, it->second.cookie}, it->first);
    page.entries.push_back(
        {std::string(name), it->second.cookie, attributes_of(x_nodes.at(it->second.ino))});
  }
  page.eof = true;
  co_return page;
}

}  // namespace outcrop::test
