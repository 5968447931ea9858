// Names for people: the bucket and key of an inode, and what a metadata record is of.
#pragma once
#include <string>
#include <string_view>

#include "storage/meta/meta_store.h"

namespace outcrop::check {

/// `object "bucket/a/b"`, by back pointers; "inode 17" and what it is if it has no name.
Task<std::string> name_inode(meta::MetaStore& meta, InodeId ino);
/// Table and numbers of a key: "reference: segment 3, offset 8192, owner 77".
std::string describe_key(std::string_view key);

}  // namespace outcrop::check
