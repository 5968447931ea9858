// The one error type of the code base: what went wrong, in gateway vocabulary.
// Protocol edges (api/s3/error_map, later api/nfs/status_map) translate it in one switch without a
// default, so a new Errc does not build until every protocol has decided.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace outcrop {

enum class Errc : std::uint16_t {
  internal,               ///< a bug or an unexpected state; never the client's fault
  cancelled,              ///< the caller went away or the server is stopping
  timed_out,              ///< a deadline passed
  overloaded,             ///< back-pressure: try again later
  invalid_argument,       ///< malformed input that no more exact code describes
  access_denied,          ///< authenticated but not allowed, or not authenticated where needed
  no_such_bucket,         ///
  no_such_key,            ///
  no_such_version,        ///< the key has no version of that id
  key_deleted,            ///< the key's current version is a delete marker; detail is its id
  delete_marker,          ///< the version asked for is a delete marker; detail is its id
  no_such_upload,         ///< unknown, completed or aborted multipart upload
  invalid_part,           ///< CompleteMultipartUpload names a part that is not there or differs
  invalid_part_order,     ///< CompleteMultipartUpload parts are not in ascending order
  entity_too_small,       ///< a part other than the last is below the minimum
  entity_too_large,       ///< object or part above the limit
  object_locked,          ///< retention or a legal hold keeps a version as it is
  no_object_lock,         ///< the bucket has no Object Lock configuration
  bucket_state,           ///< versioning or Object Lock of the bucket does not allow it
  bucket_exists,          ///< CreateBucket on a bucket this owner has already
  bucket_not_empty,       ///
  key_too_long,           ///
  precondition_failed,    ///< If-Match and friends: 412
  not_modified,           ///< If-None-Match/If-Modified-Since on a read: 304
  conflict,               ///< a conditional request lost a race: 409
  range_not_satisfiable,  ///
  bad_digest,             ///< payload does not match a checksum the client sent
  not_found,              ///< storage-level: no such record, file or drive
  already_exists,         ///< storage-level: record, file or drive exists
  no_space,               ///< ENOSPC; never a drive failure
  quota_exceeded,         ///< a limit of a bucket, not of the drives
  read_only,              ///< fewer live drives than m+1, or a fenced store
  io_error,               ///< the drive failed the operation
  corrupt,                ///< on-disk bytes that do not verify: starts a repair, never an assertion
  unavailable,            ///< more than m drives are missing for this data
  not_implemented,        ///
  config,                 ///< bad configuration; detail is the one line for the user
  sealed,                 ///< an encrypted payload, and no key was given to read it
  // Of the file view (storage/ns/file_system.h); S3 never meets them.
  stale,           ///< the inode that an id names is gone
  not_directory,   ///
  is_directory,    ///
  not_empty,       ///< a directory that is to be removed or replaced
  name_too_long,   ///< one path component above 255 bytes
  too_many_links,  ///
  cross_bucket,    ///< rename or link from one bucket to another
  bad_cookie,      ///< a directory position that cannot be resumed
  no_xattr,        ///< no such extended attribute
  not_permitted,   ///< only the owner or the superuser may (EPERM, not EACCES)
};

std::string_view to_string(Errc code) noexcept;

class Error {
 public:
  explicit Error(Errc code, int sys_errno = 0) noexcept : x_code(code), x_errno(sys_errno) {}
  Error(Errc code, std::string detail)
      : x_code(code), x_detail(std::make_shared<const std::string>(std::move(detail))) {}

  Errc code() const noexcept { return x_code; }
  int sys_errno() const noexcept { return x_errno; }
  /// For logs and operators; not sent to clients, but for ids that a code says are in it.
  std::string_view detail() const noexcept {
    return x_detail ? std::string_view(*x_detail) : std::string_view{};
  }
  /// "io_error: drive 3: EIO", for logs.
  std::string describe() const;

 private:
  Errc x_code;
  int x_errno = 0;
  std::shared_ptr<const std::string> x_detail;
};
static_assert(sizeof(Error) <= 24);

}  // namespace outcrop
