// The rest of the reference file system: bytes, extended attributes, holds.
#include <algorithm>

#include "storage/ns/types.h"
#include "tests/support/mem_file_system.h"

namespace outcrop::test {
namespace {

/// Reads come in pieces, as from extents, so that users do not rely on one buffer.
constexpr std::size_t kPiece = 64 << 10;

Result<void> check_range(std::uint64_t offset, std::uint64_t length) {
  if (offset > ns::kMaxObjectBytes || length > ns::kMaxObjectBytes - offset) {
    return fail(Errc::entity_too_large);
  }
  return ok();
}

Result<void> check_xattr_name(std::string_view name) {
  if (name.size() > ns::kMaxXattrNameBytes) {
    return fail(Errc::name_too_long);
  }
  if (!name.starts_with("user.") || name == "user." || name.find('\0') != std::string_view::npos) {
    return fail(Errc::invalid_argument);
  }
  return ok();
}

}  // namespace

/// Ends at its destruction, unless a crash ended it before.
class MemFileSystem::Hold final : public ns::OpenHold {
 public:
  Hold(const std::shared_ptr<MemFileSystem*>& of, InodeId ino)
      : x_of(of), x_ino(ino), x_boot((*of)->x_boot) {}
  ~Hold() override {
    if (const auto of = x_of.lock()) {
      (*of)->end_hold(x_ino, x_boot);
    }
  }

 private:
  std::weak_ptr<MemFileSystem*> x_of;
  InodeId x_ino;
  std::uint64_t x_boot;
};

Result<MemFileSystem::Node*> MemFileSystem::regular(ns::FileId file) {
  TRY(Node * found, node(file));
  if (found->attributes.type == ns::FileType::directory) {
    return fail(Errc::is_directory);
  }
  if (found->attributes.type != ns::FileType::regular) {
    return fail(Errc::invalid_argument);
  }
  return found;
}

Task<ns::ReadResult> MemFileSystem::read(ns::FileId file,
                                         std::uint64_t offset,
                                         std::uint64_t length) {
  CO_TRYV(co_await enter("read"));
  CO_TRY(const Node* const found, regular(file));
  const std::string bytes = found->content.read(offset, std::min(length, ns::kMaxWriteBytes));
  ns::ReadResult out;
  for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
    out.data.push_back(Buffer::copy_of(as_bytes(std::string_view(bytes).substr(at, kPiece))));
  }
  out.bytes = bytes.size();
  out.eof = offset >= found->content.size() || bytes.size() == found->content.size() - offset;
  co_return out;
}

Task<ns::WriteResult> MemFileSystem::write(ns::FileId file,
                                           std::uint64_t offset,
                                           std::vector<Buffer> data,
                                           bool stable) {
  CO_TRYV(co_await enter("write"));
  CO_TRY(Node* const found, regular(file));
  std::string bytes;
  for (const Buffer& piece : data) {
    bytes.append(as_text(piece.view()));
  }
  if (bytes.size() > ns::kMaxWriteBytes) {
    co_return fail(Errc::invalid_argument);
  }
  CO_TRYV(check_range(offset, bytes.size()));
  if (!bytes.empty()) {
    if (!found->durable) {
      found->durable = found->content;
    }
    found->content.write(offset, bytes);
    touch(*found, true);
  }
  if (stable) {
    found->durable.reset();
  }
  co_return ns::WriteResult{stable, attributes_of(*found)};
}

Task<ns::FileAttributes> MemFileSystem::commit(ns::FileId file) {
  CO_TRYV(co_await enter("commit"));
  CO_TRY(Node* const found, regular(file));
  found->durable.reset();
  co_return attributes_of(*found);
}

Task<ns::FileAttributes> MemFileSystem::allocate(ns::FileId file,
                                                 std::uint64_t offset,
                                                 std::uint64_t length) {
  CO_TRYV(co_await enter("allocate"));
  CO_TRY(Node* const found, regular(file));
  CO_TRYV(check_range(offset, length));
  found->durable.reset();
  if (offset + length > found->content.size()) {
    found->content.resize(offset + length);
    touch(*found, true);
  }
  co_return attributes_of(*found);
}

Task<ns::FileAttributes> MemFileSystem::deallocate(ns::FileId file,
                                                   std::uint64_t offset,
                                                   std::uint64_t length) {
  CO_TRYV(co_await enter("deallocate"));
  CO_TRY(Node* const found, regular(file));
  CO_TRYV(check_range(offset, length));
  found->durable.reset();
  found->content.punch(offset, length);
  touch(*found, true);
  co_return attributes_of(*found);
}

Task<ns::SeekResult> MemFileSystem::seek(ns::FileId file, std::uint64_t offset, bool data) {
  CO_TRYV(co_await enter("seek"));
  CO_TRY(const Node* const found, regular(file));
  const SparseContent& content = found->content;
  if (offset >= content.size()) {
    co_return fail(Errc::not_found);
  }
  if (!data) {
    const std::uint64_t hole = content.next_hole(offset);
    co_return ns::SeekResult{hole, hole == content.size()};
  }
  const auto next = content.next_data(offset);
  co_return ns::SeekResult{next.value_or(content.size()), !next};
}

Task<std::uint64_t> MemFileSystem::clone(ns::FileId source,
                                         std::uint64_t source_offset,
                                         ns::FileId target,
                                         std::uint64_t target_offset,
                                         std::uint64_t length) {
  CO_TRYV(co_await enter("clone"));
  CO_TRY(const Node* const from, regular(source));
  CO_TRY(Node* const to, regular(target));
  const std::uint64_t size = from->content.size();
  if (source_offset > size || length > size - source_offset) {
    co_return fail(Errc::invalid_argument);
  }
  if (length == 0) {
    length = size - source_offset;
  }
  CO_TRYV(check_range(target_offset, length));
  if (from == to && source_offset < target_offset + length &&
      target_offset < source_offset + length) {
    co_return fail(Errc::invalid_argument);
  }
  to->content.clone(from->content, source_offset, target_offset, length);
  to->durable.reset();
  touch(*to, true);
  co_return length;
}

Task<std::string> MemFileSystem::get_xattr(ns::FileId file, std::string_view name) {
  CO_TRYV(co_await enter("get_xattr"));
  CO_TRY(const Node* const found, node(file));
  CO_TRYV(check_xattr_name(name));
  const auto it = found->xattrs.find(name);
  if (it == found->xattrs.end()) {
    co_return fail(Errc::no_xattr);
  }
  co_return it->second;
}

Task<ns::FileAttributes> MemFileSystem::set_xattr(ns::FileId file,
                                                  std::string_view name,
                                                  std::string_view value,
                                                  XattrMode mode) {
  CO_TRYV(co_await enter("set_xattr"));
  CO_TRY(Node* const found, node(file));
  CO_TRYV(check_xattr_name(name));
  if (value.size() > ns::kMaxXattrValueBytes) {
    co_return fail(Errc::entity_too_large);
  }
  const auto it = found->xattrs.find(name);
  const bool there = it != found->xattrs.end();
  if (mode == XattrMode::create && there) {
    co_return fail(Errc::already_exists);
  }
  if (mode == XattrMode::replace && !there) {
    co_return fail(Errc::no_xattr);
  }
  std::size_t total = name.size() + value.size();
  for (const auto& [other, bytes] : found->xattrs) {
    total += other == name ? 0 : other.size() + bytes.size();
  }
  if (total > ns::kMaxXattrBytes) {
    co_return fail(Errc::no_space);
  }
  found->xattrs.insert_or_assign(std::string(name), std::string(value));
  touch(*found, false);
  co_return attributes_of(*found);
}

Task<ns::FileAttributes> MemFileSystem::remove_xattr(ns::FileId file, std::string_view name) {
  CO_TRYV(co_await enter("remove_xattr"));
  CO_TRY(Node* const found, node(file));
  CO_TRYV(check_xattr_name(name));
  const auto it = found->xattrs.find(name);
  if (it == found->xattrs.end()) {
    co_return fail(Errc::no_xattr);
  }
  found->xattrs.erase(it);
  touch(*found, false);
  co_return attributes_of(*found);
}

Task<std::vector<std::string>> MemFileSystem::list_xattrs(ns::FileId file) {
  CO_TRYV(co_await enter("list_xattrs"));
  CO_TRY(const Node* const found, node(file));
  std::vector<std::string> names;
  for (const auto& [name, value] : found->xattrs) {
    names.push_back(name);
  }
  co_return names;
}

Task<ns::FileSystemSpace> MemFileSystem::space(InodeId root) {
  CO_TRYV(co_await enter("space"));
  CO_TRYV(node({root, root}));
  ns::FileSystemSpace out{.total_bytes = std::uint64_t{1} << 40,
                          .free_bytes = std::uint64_t{1} << 40,
                          .files = std::uint64_t{1} << 30,
                          .free_files = (std::uint64_t{1} << 30) - x_nodes.size()};
  for (const auto& [ino, n] : x_nodes) {
    out.free_bytes -= std::min(out.free_bytes, n.content.used());
    out.used_bytes += n.content.used();
  }
  co_return out;
}

Task<ns::OpenHoldPtr> MemFileSystem::hold(ns::FileId file) {
  CO_TRYV(co_await enter("hold"));
  CO_TRY(Node* const found, node(file));
  ++found->holds;
  co_return std::make_shared<const Hold>(x_self, file.ino);
}

void MemFileSystem::end_hold(InodeId ino, std::uint64_t boot) {
  const auto it = x_nodes.find(ino);
  if (boot != x_boot || it == x_nodes.end()) {
    return;
  }
  if (--it->second.holds == 0 && it->second.attributes.links == 0) {
    x_nodes.erase(it);
  }
}

Task<> MemFileSystem::reap_orphans() {
  CO_TRYV(co_await enter("reap_orphans"));
  std::erase_if(
      x_nodes, [](const auto& n) { return n.second.attributes.links == 0 && n.second.holds == 0; });
  co_return ok();
}

Task<> MemFileSystem::flush_idle(std::int64_t) {
  CO_TRYV(co_await enter("flush_idle"));
  for (auto& [ino, found] : x_nodes) {
    found.durable.reset();
  }
  co_return ok();
}

}  // namespace outcrop::test
