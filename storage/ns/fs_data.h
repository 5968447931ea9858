// The data half of the file view: payload of files, and what is written to them and not durable
// yet. Contracts as in file_system.h.
//
// How the halves meet: a file's record, its payload and its names are modified under
// inode_lock(ino) (path.h). Written data waits in Core::dirty, by inode, until a flush makes it
// durable in one transaction (Transaction::rewrite_object, put_summaries).
#pragma once
#include <memory>
#include <optional>
#include <vector>

#include "storage/ns/core.h"
#include "storage/ns/file_system.h"
#include "storage/ns/path.h"

namespace outcrop::ns {

class Transaction;

Task<ReadResult> read_file(Core& core, FileId file, std::uint64_t offset, std::uint64_t length);
Task<WriteResult> write_file(
    Core& core, FileId file, std::uint64_t offset, std::vector<Buffer> data, bool stable);
Task<FileAttributes> commit_file(Core& core, FileId file);
Task<FileAttributes> allocate_file(Core& core,
                                   FileId file,
                                   std::uint64_t offset,
                                   std::uint64_t length);
Task<FileAttributes> deallocate_file(Core& core,
                                     FileId file,
                                     std::uint64_t offset,
                                     std::uint64_t length);
Task<SeekResult> seek_file(Core& core, FileId file, std::uint64_t offset, bool data);
Task<std::uint64_t> clone_file(Core& core,
                               FileId source,
                               std::uint64_t source_offset,
                               FileId target,
                               std::uint64_t target_offset,
                               std::uint64_t length);

/// Makes what was written to the inode durable. Takes its lock: the caller holds none. Nothing to
/// do for a clean inode, and for one that is gone.
Task<> flush_file(Core& core, InodeId ino);
/// find_object() for S3: what a file client has written before is stored first, so that size, ETag
/// and extents are those of one version.
Task<FoundObject> find_flushed(Core& core, InodeId root, std::string_view key, bool pin);
/// The same for an operation that looks the key up itself: conditions, copies.
Task<> flush_key(Core& core, std::string_view bucket, std::string_view key);
/// The same for all inodes with data that has waited since before `older_than_ns` (steady clock).
Task<> flush_dirty(Core& core, std::int64_t older_than_ns);
/// Gives files that were written in many small pieces large ones again, some of their bytes per
/// call; those that flushes have found (Core::fragmented).
Task<> defragment(Core& core);
Task<> defragment_file(Core& core, InodeId ino);
/// Sets a file's size within a transaction that changes its record. `before`: the record as it is
/// stored. `object`: the same, with what else changes already, its change attribute too; gets the
/// new lists, size, ETag and mtime. The inode's lock is held exclusively. Puts what it needs into
/// the batch but the inode's own records: the caller goes on with rewrite_object and put_summaries.
Task<> resize_locked(
    Core& core, const Object& before, Object& object, Transaction& tx, std::uint64_t size);
/// Lays size, mtime, ctime and change of what is not durable yet over the record's: never
/// backwards. False: the inode is clean.
bool overlay_attributes(Core& core, InodeId ino, FileAttributes& attributes);
/// Before the bytes of a file change: in a bucket with versions, what they are becomes a version if
/// the change begins a session of writing (hold_table.h). The caller holds no locks.
Task<> begin_version(Core& core, FileId file);
inline bool needs_version(const Core& core, FileId file) {
  return core.versioned.of(file.root) != Versioning::off;
}
/// A change of a file's bytes that begins a version as above. Once more if the version that it met
/// was locked between the two (mark_content); with Object Lock only.
template <class Change>
Task<> change_bytes(Core& core, FileId file, Change change) {
  for (int attempt = 1;; ++attempt) {
    if (needs_version(core, file)) {
      CO_TRYV(co_await begin_version(core, file));
    }
    auto done = co_await change();
    if (done || done.error().code() != Errc::object_locked || attempt == kMaxAttempts) {
      co_return done;
    }
  }
}
/// The inode is gone: its data is given up. Under its exclusive lock.
void drop_dirty(Core& core, InodeId ino);
std::shared_ptr<DirtyTable> make_dirty_table(Core& core);

}  // namespace outcrop::ns
