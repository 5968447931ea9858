// The key space of the metadata store: one byte of table, then the key. docs/ON_DISK_FORMAT.md
// lists the values. Each table's records are encoded and decoded by the folder named here.
#pragma once
#include <string>
#include <string_view>

#include "storage/base/codec.h"
#include "storage/base/ids.h"

namespace outcrop::meta {

enum class Table : char {
  bucket = 'b',       ///< name -> bucket record (ns)
  dirent = 'd',       ///< BE64 parent inode . name ['/' if directory] -> dirent record (ns)
  extent_ref = 'r',   ///< BE64 segment . BE64 offset . BE64 owner inode -> varint length (ns)
  identity = 'k',     ///< users, groups, roles, policies, access keys (auth/identity)
  inode = 'i',        ///< BE64 inode [. BE32 continuation] -> inode record (ns)
  journal = 'j',      ///< BE64 worker -> applied journal position (meta)
  left_name = 'n',    ///< BE64 period . BE64 directory . BE64 cookie -> name that left (ns)
  link = 'l',         ///< names of hard-linked files, by inode and by directory cookie (ns)
  orphan = 'o',       ///< BE64 inode without a name that was open -> varint bucket root (ns)
  segment = 's',      ///< BE64 segment -> segment record (segment)
  system = 'x',       ///< counters and singletons, by name
  tally = 't',        ///< BE64 bucket root [. BE32 cell] -> limits, or a cell of what it holds (ns)
  upload = 'u',       ///< bucket root inode . key . upload id -> upload record (ns)
  upload_part = 'p',  ///< BE64 upload inode . BE32 part number -> part record (ns)
  version = 'v',      ///< BE64 directory . name . number -> a version that is not current (ns)
  xattr = 'a',        ///< BE64 inode . name -> value of an extended attribute (ns)
};

inline std::string table_key(Table table, std::string_view rest = {}) {
  std::string key(1, static_cast<char>(table));
  key.append(rest);
  return key;
}

/// First key after all keys of `table` that start with `rest`.
inline std::string prefix_end(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) {
    prefix.pop_back();
  }
  if (!prefix.empty()) {
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  }
  return prefix;
}

inline std::string segment_key(SegmentId id) {
  std::string key(1, static_cast<char>(Table::segment));
  put_be64(key, id);
  return key;
}

/// A reference: `owner` uses the run of payload that starts at this extent. Written by the
/// transaction that makes the owner point to it, erased by the one that makes it stop. Space is
/// free when no reference record of a sealed segment is left.
inline std::string extent_ref_key(const Extent& extent, InodeId owner) {
  std::string key(1, static_cast<char>(Table::extent_ref));
  put_be64(key, extent.segment);
  put_be64(key, extent.offset);
  put_be64(key, owner);
  return key;
}

}  // namespace outcrop::meta
