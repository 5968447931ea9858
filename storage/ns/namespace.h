// The one facade that S3 and NFS share: buckets, objects, listings, multipart uploads over one
// ordered tree. Every call is linearizable per key; a Task that returns ok is durable. Called on
// any worker; not cancellable after it has started to commit. Strings by view are borrowed until
// completion.
#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/task.h"
#include "storage/ns/types.h"

namespace outcrop::ns {

/// A payload on its way in; nothing is visible until it is given to put() or put_part().
/// Destroying it gives up the data. One worker, one caller at a time.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  /// Where the next bytes go (not empty). Valid until advance() or the next buffer().
  virtual Task<MutBytes> buffer() = 0;
  virtual Task<> advance(std::size_t n) = 0;
  virtual std::uint64_t size() const = 0;  ///< bytes advanced so far, before they are sealed
};

/// One version of an object, pinned: later writes and deletes do not change what it reads.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  virtual const ObjectInfo& info() const = 0;
  /// The data key of a sealed payload; before next(). Nothing happens to one that is not sealed.
  virtual void unseal(const DataKey& key) = 0;
  /// What next() gives from now on; within [0, info().size].
  virtual void seek(ByteRange range) = 0;
  /// The next verified bytes, up to about 1 MiB; empty at the end of the range. Errors: sealed;
  /// corrupt, also if the payload does not authenticate under the data key.
  virtual Task<std::vector<Buffer>> next() = 0;
};

class Namespace {
 public:
  virtual ~Namespace() = default;

  virtual Task<std::vector<BucketInfo>> list_buckets() = 0;  ///< by name
  virtual Task<BucketInfo> get_bucket(std::string_view name) = 0;
  /// bucket_exists if it does. The name's syntax is the caller's business.
  virtual Task<BucketInfo> create_bucket(std::string_view name,
                                         std::string_view region,
                                         bool object_lock) = 0;
  Task<BucketInfo> create_bucket(std::string_view name, std::string_view region) {
    return create_bucket(name, region, false);
  }
  /// bucket_not_empty while any key is left; open multipart uploads are aborted with it.
  virtual Task<> delete_bucket(std::string_view name) = 0;

  /// Once it has been enabled, a bucket has versions for ever: `state` is not off. bucket_state for
  /// suspending it in a bucket with Object Lock.
  virtual Task<> put_versioning(std::string_view bucket, Versioning state) = 0;
  /// Object Lock, which a bucket then has for ever, with this default for new versions.
  /// bucket_state unless versioning is enabled; invalid_argument.
  virtual Task<> put_object_lock(std::string_view bucket, BucketLock lock) = 0;

  /// Whether the bucket promises that nothing is stored in it in the clear. What S3 clients store
  /// is the caller's to seal; file clients cannot bring bytes into such a bucket.
  virtual Task<> put_sealing(std::string_view bucket, bool sealing) = 0;

  /// What a bucket holds and may hold; exact. Of all buckets, by name.
  virtual Task<BucketUsage> get_usage(std::string_view bucket) = 0;
  virtual Task<std::vector<BucketUsage>> list_usage() = 0;
  /// Replaces them; in force and durable on return. What is above them stays. Everything below that
  /// makes a bucket larger fails with quota_exceeded then if it would be above a limit; deletes and
  /// aborts never do. invalid_argument.
  virtual Task<> put_limits(std::string_view bucket, QuotaLimits limits) = 0;

  /// Errors: no_such_bucket, key_too_long, no_space; quota_exceeded if the size is known, and too
  /// much whatever the payload replaces.
  virtual Task<std::unique_ptr<ObjectWriter>> open_write(std::string_view bucket,
                                                         std::string_view key,
                                                         WriteOptions options) = 0;
  Task<std::unique_ptr<ObjectWriter>> open_write(std::string_view bucket,
                                                 std::string_view key,
                                                 std::uint64_t size_hint) {
    return open_write(bucket, key, WriteOptions{.size_hint = size_hint});
  }
  /// Makes the payload the object at `key`, replacing what is there, atomically.
  /// precondition_failed as the conditions say; no_such_key for if_match on an absent key;
  /// invalid_argument for an envelope without a sealed payload, and the opposite. Of an append
  /// also: range_not_satisfiable if the object has another size, invalid_part if it has parts
  /// already as many as there can be, conflict if it came to be, got another checksum algorithm, or
  /// was sealed, since the request was made up.
  virtual Task<ObjectInfo> put(std::string_view bucket,
                               std::string_view key,
                               std::unique_ptr<ObjectWriter> payload,
                               PutRequest request) = 0;
  /// no_such_bucket, no_such_key; key_deleted where the newest version is a delete marker. With a
  /// version id: that version, or no_such_version, delete_marker, invalid_argument.
  virtual Task<std::unique_ptr<ObjectReader>> open_read(std::string_view bucket,
                                                        std::string_view key,
                                                        std::string_view version_id) = 0;
  virtual Task<ObjectInfo> stat(std::string_view bucket,
                                std::string_view key,
                                std::string_view version_id) = 0;
  /// Without a version id: in a bucket without versions the object goes; else it becomes a version
  /// (the null version of a bucket where versioning is suspended goes), and a delete marker comes
  /// to be, also for a key that there is not. With one: that version or marker goes for good, and
  /// the newest that is left is current. What is not there is no error without conditions; a
  /// version that is not there is none with them, either: what was asked for is done. object_locked
  /// for a version that Object Lock keeps.
  virtual Task<Deletion> remove_version(std::string_view bucket,
                                        std::string_view key,
                                        std::string_view version_id,
                                        Conditions conditions) = 0;
  /// Replaces the tags; the object keeps its time, its ETag and its version. Without a version id
  /// those of the current object. Errors as of stat; conflict if it has other tags than `expected`.
  virtual Task<ObjectInfo> set_tags(std::string_view bucket,
                                    std::string_view key,
                                    std::string_view version_id,
                                    StringPairs tags,
                                    ExpectedTags expected) = 0;
  /// Replaces what ObjectAttributes::acl holds, in the same way; conflict also if it is not
  /// `expected`.
  virtual Task<ObjectInfo> set_acl(std::string_view bucket,
                                   std::string_view key,
                                   std::string_view version_id,
                                   std::string acl,
                                   std::optional<std::string> expected,
                                   ExpectedTags tags) = 0;

  /// Changes the lock of a version in the same way; that of a file that a client writes just now is
  /// of the version as it is, and what he writes next begins another. no_object_lock in a bucket
  /// without Object Lock, object_locked for what is not allowed.
  virtual Task<ObjectInfo> set_lock(std::string_view bucket,
                                    std::string_view key,
                                    std::string_view version_id,
                                    LockChange change) = 0;

  // The same for what is current.
  Task<std::unique_ptr<ObjectReader>> open_read(std::string_view bucket, std::string_view key) {
    return open_read(bucket, key, {});
  }
  Task<ObjectInfo> stat(std::string_view bucket, std::string_view key) {
    return stat(bucket, key, {});
  }
  /// True if there was something to delete.
  Task<bool> remove(std::string_view bucket, std::string_view key, Conditions conditions) {
    CO_TRY(const Deletion done, co_await remove_version(bucket, key, {}, std::move(conditions)));
    co_return done.found;
  }
  Task<ObjectInfo> set_tags(std::string_view bucket,
                            std::string_view key,
                            StringPairs tags,
                            ExpectedTags expected) {
    return set_tags(bucket, key, {}, std::move(tags), std::move(expected));
  }
  /// By reference: no payload byte is copied. Source = destination replaces attributes in place.
  virtual Task<ObjectInfo> copy(std::string_view bucket,
                                std::string_view key,
                                CopyRequest request) = 0;
  /// Atomic, O(1); replaces an object at `to_key`. A key that ends in '/' names the whole
  /// directory: everything below it moves (the destination must not exist: already_exists), and
  /// nothing can be expected of its tags. The version id of what is at `to_key` now; empty for a
  /// directory, and without versions.
  virtual Task<std::string> rename(std::string_view bucket,
                                   std::string_view from_key,
                                   std::string_view to_key,
                                   ExpectedTags expected) = 0;
  Task<std::string> rename(std::string_view bucket,
                           std::string_view from_key,
                           std::string_view to_key) {
    return rename(bucket, from_key, to_key, std::nullopt);
  }
  virtual Task<ListPage> list(std::string_view bucket, ListRequest request) = 0;
  /// All versions and delete markers. Also of a bucket without versions: each key has one.
  virtual Task<VersionPage> list_versions(std::string_view bucket, VersionListRequest request) = 0;

  virtual Task<UploadInfo> create_upload(std::string_view bucket,
                                         std::string_view key,
                                         ObjectAttributes attributes,
                                         digest::Algorithm algorithm,
                                         digest::ChecksumType type) = 0;
  virtual Task<UploadInfo> get_upload(std::string_view bucket,
                                      std::string_view key,
                                      std::string_view upload_id) = 0;
  /// Replaces a part of the same number. `etag` is the payload's hex MD5. invalid_argument unless
  /// the payload is sealed, as that part, if the upload has an envelope, and only then.
  virtual Task<PartInfo> put_part(std::string_view bucket,
                                  std::string_view key,
                                  std::string_view upload_id,
                                  std::uint32_t number,
                                  std::unique_ptr<ObjectWriter> payload,
                                  std::string etag,
                                  digest::Checksum checksum) = 0;
  /// Part by reference to a range of a pinned source. `etag`: what the caller computed for it, or
  /// empty to derive a stable one from the source's ETag and the range. invalid_argument if the
  /// source or the upload is sealed: then the bytes go through the caller.
  virtual Task<PartInfo> copy_part(std::string_view bucket,
                                   std::string_view key,
                                   std::string_view upload_id,
                                   std::uint32_t number,
                                   ObjectReader& source,
                                   ByteRange range,
                                   std::string etag,
                                   digest::Checksum checksum) = 0;
  /// Checks order, ETags, checksums and minimum sizes; the ETag is md5-of-md5s "-N". Repeating a
  /// Complete that already succeeded gives the same answer while the object is still its result.
  virtual Task<ObjectInfo> complete_upload(std::string_view bucket,
                                           std::string_view key,
                                           std::string_view upload_id,
                                           CompleteRequest request) = 0;
  virtual Task<> abort_upload(std::string_view bucket,
                              std::string_view key,
                              std::string_view upload_id) = 0;
  /// Parts with number > `after`, at most `max_parts`.
  virtual Task<PartList> list_parts(std::string_view bucket,
                                    std::string_view key,
                                    std::string_view upload_id,
                                    std::uint32_t after,
                                    std::size_t max_parts) = 0;
  virtual Task<UploadList> list_uploads(std::string_view bucket, UploadListRequest request) = 0;
};

}  // namespace outcrop::ns
