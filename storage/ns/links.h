// The names of an inode. Nearly every file has one, and then the inode's back pointer is all there
// is. A file with more has a link record for each of them: by inode and name, with the cookie that
// the name has in directory listings, and for a cookie that does not hold the inode number a record
// that leads back to the name. The back pointer is one of the names. Everything here needs the
// inode's exclusive lock, or shows a moment.
//
// A cookie is a position in a directory: what was listed with it had one name there and never
// another, so that who reads on behind it neither skips nor repeats what lies still. Therefore an
// inode gets another one with every rename: its number, and in the upper bits how many it had
// before. A further name of a hard-linked file starts with a number of its own.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/ns/core.h"
#include "storage/ns/keys.h"
#include "storage/ns/link_record.h"

namespace outcrop::ns {

class Transaction;

inline constexpr unsigned kCookieInodeBits = 48;
inline constexpr std::uint64_t kMostCookieMoves = 0x7fff;  ///< then again from 0; 63 bits in all

constexpr std::uint64_t cookie_of(InodeId ino, std::uint32_t moves) {
  return ino | (moves & kMostCookieMoves) << kCookieInodeBits;
}
constexpr InodeId inode_of_cookie(std::uint64_t cookie) {
  return cookie & ((std::uint64_t{1} << kCookieInodeBits) - 1);
}

struct LinkName {
  InodeId parent = 0;
  std::string name;
  std::uint64_t cookie = 0;
  bool operator==(const LinkName&) const = default;
};

/// Every name of the inode, none if it is an orphan or a version that is not current.
Task<std::vector<LinkName>> names_of(Core& core, const Object& object);
/// The cookie of one name of an inode with several; empty if it is not its name.
Task<std::optional<std::uint64_t>> link_cookie(Core& core,
                                               InodeId ino,
                                               InodeId parent,
                                               std::string_view name);
/// The name that a cookie belongs to which holds no inode number.
Task<std::optional<CookieRecord>> link_of_cookie(Core& core, std::uint64_t cookie);

/// Of its stored extended attributes, in byte order.
Task<std::vector<std::string>> xattr_names(Core& core, const Object& object);

/// One name of an inode that is about to go, with what must be known before the commit is put
/// together: nothing may suspend from then on.
struct Leaving {
  ObjectPtr object{};  ///< null: there is nothing
  InodeId parent = 0;
  std::string name{};
  std::uint64_t cookie = 0;         ///< of the name
  std::optional<LinkName> other{};  ///< of an inode with several names, one that stays
  std::vector<std::string> xattrs{};
};
/// Under the inode's exclusive lock.
Task<Leaving> plan_leaving(Core& core, ObjectPtr object, InodeId parent, std::string_view name);

/// The dirents of all names show the record's size, time and ETag.
Task<> put_summaries(Core& core, Transaction& tx, const Object& object);

}  // namespace outcrop::ns
