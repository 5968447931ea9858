// The file view of the one tree, for NFS: everything by inode number, with POSIX attributes, random
// writes, links and directory reading. The same inodes and dirents as namespace.h: a change through
// one facade is seen through the other as soon as the call that made it has returned.
//
// Names are what a file client sees. Objects whose keys a file system cannot name (an empty last
// component, ".", "..", a NUL, more than 255 bytes, or a file beside a directory of the same name)
// appear under a reversible alias that starts with kAliasPrefix; it can be read, renamed and
// removed but not created. The rules are docs/guide/nfs.md, "What a file client sees".
//
// Encrypted files (ObjectAttributes::envelope) are read with what NamespaceConfig::keys opens, and
// their bytes do not change; neither do those of any file in a bucket that promises to hold nothing
// in the clear (Namespace::put_sealing). Calls that would change them fail with access_denied, and
// so does reading where there is no key.
//
// Thread: any worker. Durability: every call that changes names or attributes is durable when it
// returns; write() only if it says so, else after commit(). Errors beside those named: stale (the
// inode is gone), not_directory, is_directory, name_too_long, invalid_argument (a name with '/' or
// NUL, or an alias that would be created), no_space, read_only, io_error, corrupt, unavailable.
// Permission bits are the caller's business. Views are borrowed until completion.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/ids.h"
#include "storage/base/task.h"

namespace outcrop::ns {

inline constexpr std::string_view kAliasPrefix = ".s3~";
inline constexpr std::size_t kMaxFileNameBytes = 255;
inline constexpr std::size_t kMaxSymlinkBytes = 4096;
inline constexpr std::size_t kMaxXattrNameBytes = 255;
inline constexpr std::size_t kMaxXattrValueBytes = 64 << 10;
inline constexpr std::size_t kMaxXattrBytes = 64 << 10;  ///< all of one inode
inline constexpr std::uint32_t kMaxLinks = 65'000;
inline constexpr std::uint64_t kMaxWriteBytes = 1 << 20;  ///< of one write() or read()
/// uid and gid of what S3 made: nobody's in particular, the export says whose it looks like.
inline constexpr std::uint32_t kNoOwner = UINT32_MAX;

/// An inode and the bucket root that it must lie under; a call with a wrong root fails with stale.
struct FileId {
  InodeId root = 0;
  InodeId ino = 0;
  bool operator==(const FileId&) const = default;
};

enum class FileType : std::uint8_t {
  regular,
  directory,
  symlink,
  // Special nodes: a name and attributes for the client's kernel, without data and unseen by S3.
  fifo,
  socket,
  block_device,
  character_device,
};
constexpr bool is_device(FileType type) {
  return type == FileType::block_device || type == FileType::character_device;
}
constexpr bool is_special(FileType type) {
  return type == FileType::fifo || type == FileType::socket || is_device(type);
}

/// What a device node stands for, on the client.
struct DeviceNumber {
  std::uint32_t major = 0, minor = 0;
  bool operator==(const DeviceNumber&) const = default;
};

struct FileAttributes {
  FileId id;
  FileType type = FileType::regular;
  std::uint32_t mode = 0;  ///< permission bits with set-id and sticky: 07777
  std::uint32_t uid = kNoOwner, gid = kNoOwner;
  std::uint32_t links = 1;  ///< of a directory always 1; of an unlinked open file 0
  std::uint64_t size = 0;   ///< with what is written and not yet durable; of a symlink its length
  std::uint64_t used = 0;   ///< bytes that are not holes, before erasure coding
  /// Moves with every change of data, attributes or (of a directory) entries, by any protocol;
  /// never repeats, also not over restarts.
  std::uint64_t change = 0;
  std::int64_t mtime_ns = 0, ctime_ns = 0, atime_ns = 0, btime_ns = 0;
  DeviceNumber device{};  ///< of devices
  bool fixed = false;     ///< a file whose bytes file clients cannot change, whatever its mode
};

struct SetAttributes {
  std::optional<std::uint32_t> mode, uid, gid;
  std::optional<std::uint64_t> size;
  std::optional<std::int64_t> atime_ns, mtime_ns;
  bool empty() const { return !mode && !uid && !gid && !size && !atime_ns && !mtime_ns; }
};

/// A directory's change attribute before and after one operation; nothing else moved it in between.
struct DirectoryChange {
  std::uint64_t before = 0, after = 0;
};

enum class CreateMode : std::uint8_t {
  unchecked,  ///< an existing regular file is opened as it is (but `size` applies)
  guarded,    ///< already_exists if the name is taken
  exclusive,  ///< as guarded, but a file made with the same verifier is success: a repeat
};

struct CreateRequest {
  CreateMode how = CreateMode::unchecked;
  std::uint64_t verifier = 0;  ///< exclusive: stored with the inode
  SetAttributes attributes;    ///< absent mode: 0644 for files, 0755 for directories
};

struct Created {
  FileAttributes attributes;
  DirectoryChange parent;
  bool made = true;  ///< false: it was there (unchecked, or an exclusive repeat)
};

enum class RemoveKind : std::uint8_t { file, directory, any };  ///< file: all but directories

struct Removed {
  DirectoryChange parent;
  FileId id;  ///< of what lost the name
};

struct Renamed {
  DirectoryChange from, to;
};

struct DirectoryEntry {
  std::string name;
  std::uint64_t cookie = 0;  ///< read_directory with it continues behind this entry; > 2
  FileAttributes attributes;
};

inline constexpr std::size_t kUsualEntryBytes = 24;

struct DirectoryPage {
  std::vector<DirectoryEntry> entries;  ///< without "." and ".."
  bool eof = false;
};

struct ReadResult {
  std::vector<Buffer> data;  ///< in order; shares of caches and extents, never written again
  std::uint64_t bytes = 0;
  bool eof = false;
};

struct WriteResult {
  bool stable = false;  ///< durable already; else it is in memory until commit()
  FileAttributes attributes;
};

struct SeekResult {
  std::uint64_t offset = 0;
  bool eof = false;  ///< no more of what was looked for
};

struct FileSystemSpace {
  std::uint64_t total_bytes = 0, free_bytes = 0;  ///< after erasure coding
  std::uint64_t files = 0, free_files = 0;        ///< none free: nothing new can be made
  std::uint64_t used_bytes = 0;                   ///< of a bucket: by what it holds
};

/// Keeps an inode alive while a client has it open: once unlinked it becomes an orphan, which the
/// last hold's end removes. Any thread. After a crash orphans are removed by reap_orphans().
class OpenHold {
 public:
  virtual ~OpenHold() = default;
};
using OpenHoldPtr = std::shared_ptr<const OpenHold>;

class FileSystem {
 public:
  virtual ~FileSystem() = default;

  /// A bucket's root directory: no_such_bucket.
  virtual Task<FileAttributes> bucket_root(std::string_view bucket) = 0;
  /// A directory below a bucket's root by path "x/y" (no alias): not_found.
  virtual Task<FileAttributes> resolve(std::string_view bucket, std::string_view path) = 0;

  virtual Task<FileAttributes> get_attributes(FileId file) = 0;
  /// `guard_ctime_ns`: fail with precondition_failed unless it is the file's ctime (NFSv3). Setting
  /// a size drops or zero-fills; mode, uid or gid on an implicit directory make it explicit.
  virtual Task<FileAttributes> set_attributes(FileId file,
                                              SetAttributes set,
                                              std::optional<std::int64_t> guard_ctime_ns = {}) = 0;

  virtual Task<FileAttributes> lookup(FileId directory, std::string_view name) = 0;  ///< not_found
  virtual Task<FileAttributes> parent(FileId directory) = 0;  ///< of the bucket root: itself
  /// The key of a file (one of them, if it has links), "d/e/" of a directory, "" of the root.
  virtual Task<std::string> path(FileId file) = 0;
  /// Behind `cookie` (0: from the start), at most `max_entries` and as many as take `max_bytes`,
  /// the last one perhaps in part: each its name and `entry_bytes` beside it. In S3 key order;
  /// resumes also behind an entry that was removed or renamed meanwhile. Errors: bad_cookie.
  virtual Task<DirectoryPage> read_directory(FileId directory,
                                             std::uint64_t cookie,
                                             std::size_t max_entries,
                                             std::size_t max_bytes,
                                             std::size_t entry_bytes = kUsualEntryBytes) = 0;

  virtual Task<Created> create(FileId directory, std::string_view name, CreateRequest request) = 0;
  virtual Task<Created> make_directory(FileId directory,
                                       std::string_view name,
                                       SetAttributes attributes) = 0;
  virtual Task<Created> make_symlink(FileId directory,
                                     std::string_view name,
                                     std::string_view target,
                                     SetAttributes attributes) = 0;
  /// A special node: already_exists, invalid_argument for another `type`. `device`: of devices.
  virtual Task<Created> make_node(FileId directory,
                                  std::string_view name,
                                  FileType type,
                                  DeviceNumber device,
                                  SetAttributes attributes) = 0;
  virtual Task<std::string> read_symlink(FileId file) = 0;
  /// A further name of anything but a directory: already_exists, is_directory,
  /// too_many_links, cross_bucket.
  virtual Task<Created> link(FileId file, FileId directory, std::string_view name) = 0;
  /// not_found, not_empty (also for aliases; a directory's own marker object goes with it).
  virtual Task<Removed> remove(FileId directory, std::string_view name, RemoveKind kind) = 0;
  /// Atomic, O(1) for files and directories; replaces as POSIX does. not_found, already_exists,
  /// not_empty, cross_bucket, invalid_argument (below itself).
  virtual Task<Renamed> rename(FileId from_directory,
                               std::string_view from_name,
                               FileId to_directory,
                               std::string_view to_name) = 0;

  virtual Task<ReadResult> read(FileId file, std::uint64_t offset, std::uint64_t length) = 0;
  /// `data`: at most kMaxWriteBytes, not written by anyone any more. `stable`: durable on return.
  virtual Task<WriteResult> write(FileId file,
                                  std::uint64_t offset,
                                  std::vector<Buffer> data,
                                  bool stable) = 0;
  /// Everything written to the file so far is durable on return.
  virtual Task<FileAttributes> commit(FileId file) = 0;
  /// Reserves nothing (the store is a log) but grows the file to offset + length; no_space if the
  /// drives could not take it.
  virtual Task<FileAttributes> allocate(FileId file,
                                        std::uint64_t offset,
                                        std::uint64_t length) = 0;
  /// Makes a hole; the size stays.
  virtual Task<FileAttributes> deallocate(FileId file,
                                          std::uint64_t offset,
                                          std::uint64_t length) = 0;
  /// The next data (or hole) at or behind `offset`; not_found behind the end (NXIO).
  virtual Task<SeekResult> seek(FileId file, std::uint64_t offset, bool data) = 0;
  /// By reference: no payload byte is copied, any alignment. cross_bucket for an encrypted source.
  /// `length` 0: to the source's end. Bytes cloned. invalid_argument for overlapping ranges of one
  /// file; also between buckets.
  virtual Task<std::uint64_t> clone(FileId source,
                                    std::uint64_t source_offset,
                                    FileId target,
                                    std::uint64_t target_offset,
                                    std::uint64_t length) = 0;

  /// Names with their "user." prefix. "user.s3.meta.<k>" is x-amz-meta-<k>, "user.s3.content-type"
  /// the Content-Type. no_xattr if absent.
  virtual Task<std::string> get_xattr(FileId file, std::string_view name) = 0;
  enum class XattrMode : std::uint8_t { either, create, replace };  ///< already_exists, no_xattr
  virtual Task<FileAttributes> set_xattr(FileId file,
                                         std::string_view name,
                                         std::string_view value,
                                         XattrMode mode) = 0;
  virtual Task<FileAttributes> remove_xattr(FileId file, std::string_view name) = 0;
  virtual Task<std::vector<std::string>> list_xattrs(FileId file) = 0;  ///< in byte order

  /// Of the drives, or of what the bucket's limits leave of them.
  virtual Task<FileSystemSpace> space(InodeId root) = 0;

  /// stale if the inode is gone already.
  virtual Task<OpenHoldPtr> hold(FileId file) = 0;
  /// Removes what crashed clients left: once after start, after the grace period.
  virtual Task<> reap_orphans() = 0;
  /// Changes with every start of the server: the NFS write verifier.
  virtual std::uint64_t boot_id() const = 0;
  /// Makes durable what has waited in memory since before `older_than_ns` (steady clock); the
  /// engine calls it from time to time and, with INT64_MAX, before it closes.
  virtual Task<> flush_idle(std::int64_t older_than_ns) = 0;
};

}  // namespace outcrop::ns
