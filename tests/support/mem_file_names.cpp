// Of the reference file system: what makes, moves and removes names.
#include "storage/ns/types.h"
#include "tests/support/mem_file_system.h"

namespace outcrop::test {
namespace {

std::string sort_key(std::string_view name, ns::FileType type) {
  return std::string(name) + (type == ns::FileType::directory ? "/" : "");
}

}  // namespace

Result<MemFileSystem::Node*> MemFileSystem::linked_directory(ns::FileId file) {
  TRY(Node * found, directory(file));
  if (found->attributes.links == 0) {
    return fail(Errc::stale);
  }
  return found;
}

Result<ns::Created> MemFileSystem::add(Node& directory,
                                       std::string_view name,
                                       Node& child,
                                       bool made) {
  const bool first =
      child.attributes.type == ns::FileType::directory || child.attributes.links == 0;
  const Entry entry{child.attributes.id.ino, first ? child.attributes.id.ino : x_next++};
  directory.entries.emplace(sort_key(name, child.attributes.type), entry);
  if (child.attributes.type == ns::FileType::directory) {
    child.parent = directory.attributes.id.ino;
  } else {
    ++child.attributes.links;
  }
  ns::Created out{.attributes = attributes_of(child),
                  .parent = {.before = directory.attributes.change, .after = 0},
                  .made = made};
  touch(directory, true);
  out.parent.after = directory.attributes.change;
  return out;
}

Result<ns::Created> MemFileSystem::existing(Node& directory,
                                            Node& child,
                                            const ns::CreateRequest& request) {
  const std::uint64_t change = directory.attributes.change;
  if (request.how == ns::CreateMode::unchecked) {
    if (child.attributes.type == ns::FileType::directory) {
      return fail(Errc::is_directory);
    }
    if (child.attributes.type == ns::FileType::regular) {
      if (request.attributes.size) {
        touch(child, false);
        ns::SetAttributes set;
        set.size = request.attributes.size;
        apply(child, set);
      }
      return ns::Created{attributes_of(child), {change, change}, false};
    }
  }
  if (request.how == ns::CreateMode::exclusive && child.verifier == request.verifier) {
    return ns::Created{attributes_of(child), {change, change}, false};
  }
  return fail(Errc::already_exists);
}

Task<ns::Created> MemFileSystem::create(ns::FileId directory_id,
                                        std::string_view name,
                                        ns::CreateRequest request) {
  CO_TRYV(co_await enter("create"));
  CO_TRY(Node* const in, linked_directory(directory_id));
  CO_TRYV(check_name(name));
  if (request.attributes.size.value_or(0) > ns::kMaxObjectBytes) {
    co_return fail(Errc::entity_too_large);
  }
  if (const auto it = find(*in, name); it != in->entries.end()) {
    co_return existing(*in, x_nodes.at(it->second.ino), request);
  }
  CO_TRYV(check_new_name(name));
  Node& child = new_node(directory_id.root, ns::FileType::regular, request.attributes);
  if (request.how == ns::CreateMode::exclusive) {
    child.verifier = request.verifier;
  }
  co_return add(*in, name, child, true);
}

Task<ns::Created> MemFileSystem::make_directory(ns::FileId directory_id,
                                                std::string_view name,
                                                ns::SetAttributes attributes) {
  CO_TRYV(co_await enter("make_directory"));
  CO_TRY(Node* const in, linked_directory(directory_id));
  CO_TRYV(check_new_name(name));
  if (find(*in, name) != in->entries.end()) {
    co_return fail(Errc::already_exists);
  }
  attributes.size.reset();
  co_return add(*in, name, new_node(directory_id.root, ns::FileType::directory, attributes), true);
}

Task<ns::Created> MemFileSystem::make_symlink(ns::FileId directory_id,
                                              std::string_view name,
                                              std::string_view target,
                                              ns::SetAttributes attributes) {
  CO_TRYV(co_await enter("make_symlink"));
  CO_TRY(Node* const in, linked_directory(directory_id));
  CO_TRYV(check_new_name(name));
  if (target.empty() || target.find('\0') != std::string_view::npos) {
    co_return fail(Errc::invalid_argument);
  }
  if (target.size() > ns::kMaxSymlinkBytes) {
    co_return fail(Errc::name_too_long);
  }
  if (find(*in, name) != in->entries.end()) {
    co_return fail(Errc::already_exists);
  }
  attributes.size.reset();
  Node& child = new_node(directory_id.root, ns::FileType::symlink, attributes);
  child.target = target;
  co_return add(*in, name, child, true);
}

Task<ns::Created> MemFileSystem::make_node(ns::FileId directory_id,
                                           std::string_view name,
                                           ns::FileType type,
                                           ns::DeviceNumber device,
                                           ns::SetAttributes attributes) {
  CO_TRYV(co_await enter("make_node"));
  CO_TRY(Node* const in, linked_directory(directory_id));
  CO_TRYV(check_new_name(name));
  if (!ns::is_special(type)) {
    co_return fail(Errc::invalid_argument);
  }
  if (find(*in, name) != in->entries.end()) {
    co_return fail(Errc::already_exists);
  }
  attributes.size.reset();
  Node& child = new_node(directory_id.root, type, attributes);
  child.attributes.device = ns::is_device(type) ? device : ns::DeviceNumber{};
  co_return add(*in, name, child, true);
}

Task<std::string> MemFileSystem::read_symlink(ns::FileId file) {
  CO_TRYV(co_await enter("read_symlink"));
  CO_TRY(const Node* const found, node(file));
  if (found->attributes.type != ns::FileType::symlink) {
    co_return fail(Errc::invalid_argument);
  }
  co_return found->target;
}

Task<ns::Created> MemFileSystem::link(ns::FileId file,
                                      ns::FileId directory_id,
                                      std::string_view name) {
  CO_TRYV(co_await enter("link"));
  CO_TRY(Node* const child, node(file));
  if (child->attributes.type == ns::FileType::directory) {
    co_return fail(Errc::is_directory);
  }
  CO_TRY(Node* const in, linked_directory(directory_id));
  CO_TRYV(check_new_name(name));
  if (file.root != directory_id.root) {
    co_return fail(Errc::cross_bucket);
  }
  if (child->attributes.links == 0) {
    co_return fail(Errc::stale);  // an orphan stays one
  }
  if (find(*in, name) != in->entries.end()) {
    co_return fail(Errc::already_exists);
  }
  if (child->attributes.links >= ns::kMaxLinks) {
    co_return fail(Errc::too_many_links);
  }
  touch(*child, false);
  co_return add(*in, name, *child, true);
}

void MemFileSystem::unlink(Node& node) {
  node.attributes.links -= 1;
  touch(node, false);
  if (node.attributes.links == 0 && node.holds == 0) {
    x_nodes.erase(node.attributes.id.ino);
  }
}

Task<ns::Removed> MemFileSystem::remove(ns::FileId directory_id,
                                        std::string_view name,
                                        ns::RemoveKind kind) {
  CO_TRYV(co_await enter("remove"));
  CO_TRY(Node* const in, directory(directory_id));
  CO_TRYV(check_name(name));
  const auto it = find(*in, name);
  if (it == in->entries.end()) {
    co_return fail(Errc::not_found);
  }
  Node& child = x_nodes.at(it->second.ino);
  const bool is_directory = child.attributes.type == ns::FileType::directory;
  if (is_directory && kind == ns::RemoveKind::file) {
    co_return fail(Errc::is_directory);
  }
  if (!is_directory && kind == ns::RemoveKind::directory) {
    co_return fail(Errc::not_directory);
  }
  if (!child.entries.empty()) {
    co_return fail(Errc::not_empty);
  }
  ns::Removed out{.parent = {in->attributes.change, 0}, .id = child.attributes.id};
  in->entries.erase(it);
  touch(*in, true);
  out.parent.after = in->attributes.change;
  child.parent = 0;
  unlink(child);
  co_return out;
}

bool MemFileSystem::is_below(InodeId ino, InodeId ancestor) const {
  for (;;) {
    if (ino == ancestor) {
      return true;
    }
    const auto it = x_nodes.find(ino);
    if (it == x_nodes.end() || it->second.parent == ino) {
      return false;
    }
    ino = it->second.parent;
  }
}

Result<void> MemFileSystem::may_replace(const Node& source, const Node& target) const {
  const bool target_directory = target.attributes.type == ns::FileType::directory;
  if ((source.attributes.type == ns::FileType::directory) != target_directory) {
    return fail(Errc::already_exists);
  }
  return target.entries.empty() ? ok() : fail(Errc::not_empty);
}

Task<ns::Renamed> MemFileSystem::rename(ns::FileId from_directory,
                                        std::string_view from_name,
                                        ns::FileId to_directory,
                                        std::string_view to_name) {
  CO_TRYV(co_await enter("rename"));
  CO_TRY(Node* const from, directory(from_directory));
  CO_TRY(Node* const to, linked_directory(to_directory));
  CO_TRYV(check_name(from_name));
  CO_TRYV(check_new_name(to_name));
  if (from_directory.root != to_directory.root) {
    co_return fail(Errc::cross_bucket);
  }
  const auto source = find(*from, from_name);
  if (source == from->entries.end()) {
    co_return fail(Errc::not_found);
  }
  Node& moved = x_nodes.at(source->second.ino);
  if (is_below(to_directory.ino, moved.attributes.id.ino)) {
    co_return fail(Errc::invalid_argument);
  }
  ns::Renamed out{{from->attributes.change, from->attributes.change},
                  {to->attributes.change, to->attributes.change}};
  if (const auto target = find(*to, to_name); target != to->entries.end()) {
    Node& replaced = x_nodes.at(target->second.ino);
    if (&replaced == &moved) {
      co_return out;  // two names of one file: nothing happens, as POSIX wants it
    }
    CO_TRYV(may_replace(moved, replaced));
    to->entries.erase(target);
    replaced.parent = 0;
    unlink(replaced);
  }
  const Entry entry = source->second;
  from->entries.erase(source);
  to->entries.emplace(sort_key(to_name, moved.attributes.type), entry);
  if (moved.attributes.type == ns::FileType::directory) {
    moved.parent = to_directory.ino;
  }
  touch(moved, false);
  touch(*from, true);
  out.from.after = from->attributes.change;
  if (from != to) {
    touch(*to, true);
  }
  out.to.after = to->attributes.change;
  co_return out;
}

}  // namespace outcrop::test
