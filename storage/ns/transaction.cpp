#include "storage/ns/transaction.h"

#include <algorithm>

#include "storage/ns/keys.h"

namespace outcrop::ns {

std::vector<Extent> distinct_extents(const std::vector<Piece>& pieces) {
  std::vector<Extent> out;
  out.reserve(pieces.size());
  for (const Piece& piece : pieces) {
    out.push_back(piece.extent);
  }
  const auto place = [](const Extent& e) { return std::pair(e.segment, e.offset); };
  std::ranges::sort(out, {}, place);
  const auto repeated = std::ranges::unique(out, {}, place);
  out.erase(repeated.begin(), repeated.end());
  return out;
}

void Transaction::put_refs(InodeId owner, const std::vector<Piece>& pieces) {
  for (const Extent& extent : distinct_extents(pieces)) {
    Writer w;
    w.varint(extent.length);
    batch.put(meta::extent_ref_key(extent, owner), std::move(w).take());
  }
}

void Transaction::erase_refs(InodeId owner, const std::vector<Piece>& pieces) {
  for (const Extent& extent : distinct_extents(pieces)) {
    batch.erase(meta::extent_ref_key(extent, owner));
  }
}

void Transaction::put_object(InodeId ino, InodeRecord record) {
  put_refs(ino, record.lists.pieces);
  EncodedRecord encoded = encode(std::move(record));
  batch.put(inode_key(ino), std::move(encoded.main));
  for (std::uint32_t i = 0; i < encoded.tails.size(); ++i) {
    batch.put(inode_tail_key(ino, i), std::move(encoded.tails[i]));
  }
}

void Transaction::put_main(const Object& object) {
  InodeRecord main = object.record;
  if (main.tails > 0) {
    main.lists = {};
  }
  batch.put(inode_key(object.ino), encode_main(main));
}

void Transaction::erase_object(const Object& object) {
  erase_refs(object.ino, object.record.lists.pieces);
  batch.erase(inode_key(object.ino));
  for (std::uint32_t i = 0; i < object.record.tails; ++i) {
    batch.erase(inode_tail_key(object.ino, i));
  }
}

void Transaction::put_directory(
    InodeId ino, InodeId parent, std::string_view name, bool implicit, std::int64_t now_ns) {
  InodeRecord record{.type = InodeType::directory,
                     .parent = parent,
                     .name = std::string(name),
                     .mtime_ns = now_ns};
  batch.put(inode_key(ino), encode_main(record));
  batch.put(dirent_key(parent, name),
            encode(DirentRecord{.ino = ino, .type = InodeType::directory, .implicit = implicit}));
}

void Transaction::erase_directory(InodeId ino, InodeId parent, std::string_view name) {
  batch.erase(dirent_key(parent, name));
  batch.erase(inode_key(ino));
}

}  // namespace outcrop::ns
