// ns::Namespace on std::map: simple and obviously right. The double behind the S3 tests, and the
// model that the real namespace is compared with. One thread; nothing survives it.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/clock.h"
#include "storage/ns/namespace.h"

namespace outcrop::testing {

class ReferenceNamespace : public ns::Namespace {
 public:
  struct Options {
    std::uint64_t min_part_bytes = ns::kMinPartBytes;
    std::size_t piece_bytes = 64 * 1024;  ///< of writers' buffers and readers' slices
  };
  /// `clock` is borrowed.
  explicit ReferenceNamespace(const Clock& clock) : ReferenceNamespace(clock, Options{}) {}
  ReferenceNamespace(const Clock& clock, Options options) : x_clock(clock), x_options(options) {}

  /// For tests of races: called when a stat() or open_read() has its answer.
  std::function<void()> after_look;

  Task<std::vector<ns::BucketInfo>> list_buckets() override;
  Task<ns::BucketInfo> get_bucket(std::string_view name) override;
  using ns::Namespace::create_bucket;
  Task<ns::BucketInfo> create_bucket(std::string_view name,
                                     std::string_view region,
                                     bool object_lock) override;
  Task<> put_object_lock(std::string_view name, ns::BucketLock lock) override;
  Task<ns::ObjectInfo> set_lock(std::string_view bucket,
                                std::string_view key,
                                std::string_view version_id,
                                ns::LockChange change) override;
  Task<> delete_bucket(std::string_view name) override;
  Task<> put_versioning(std::string_view name, ns::Versioning state) override;
  Task<> put_sealing(std::string_view name, bool sealing) override;
  Task<ns::BucketUsage> get_usage(std::string_view name) override;
  Task<std::vector<ns::BucketUsage>> list_usage() override;
  Task<> put_limits(std::string_view name, ns::QuotaLimits limits) override;
  Task<std::unique_ptr<ns::ObjectWriter>> open_write(std::string_view bucket,
                                                     std::string_view key,
                                                     ns::WriteOptions options) override;
  Task<ns::ObjectInfo> put(std::string_view bucket,
                           std::string_view key,
                           std::unique_ptr<ns::ObjectWriter> payload,
                           ns::PutRequest request) override;
  using ns::Namespace::open_read;
  using ns::Namespace::open_write;
  using ns::Namespace::set_tags;
  using ns::Namespace::stat;
  Task<std::unique_ptr<ns::ObjectReader>> open_read(std::string_view bucket,
                                                    std::string_view key,
                                                    std::string_view version_id) override;
  Task<ns::ObjectInfo> stat(std::string_view bucket,
                            std::string_view key,
                            std::string_view version_id) override;
  Task<ns::Deletion> remove_version(std::string_view bucket,
                                    std::string_view key,
                                    std::string_view version_id,
                                    ns::Conditions conditions) override;
  Task<ns::ObjectInfo> set_tags(std::string_view bucket,
                                std::string_view key,
                                std::string_view version_id,
                                ns::StringPairs tags,
                                ns::ExpectedTags expected) override;
  Task<ns::ObjectInfo> set_acl(std::string_view bucket,
                               std::string_view key,
                               std::string_view version_id,
                               std::string acl,
                               std::optional<std::string> expected,
                               ns::ExpectedTags tags) override;
  Task<ns::ObjectInfo> copy(std::string_view bucket,
                            std::string_view key,
                            ns::CopyRequest request) override;
  Task<std::string> rename(std::string_view bucket,
                           std::string_view from_key,
                           std::string_view to_key,
                           ns::ExpectedTags expected) override;
  using ns::Namespace::rename;
  Task<ns::ListPage> list(std::string_view bucket, ns::ListRequest request) override;
  Task<ns::VersionPage> list_versions(std::string_view bucket,
                                      ns::VersionListRequest request) override;
  Task<ns::UploadInfo> create_upload(std::string_view bucket,
                                     std::string_view key,
                                     ns::ObjectAttributes attributes,
                                     digest::Algorithm algorithm,
                                     digest::ChecksumType type) override;
  Task<ns::UploadInfo> get_upload(std::string_view bucket,
                                  std::string_view key,
                                  std::string_view upload_id) override;
  Task<ns::PartInfo> put_part(std::string_view bucket,
                              std::string_view key,
                              std::string_view upload_id,
                              std::uint32_t number,
                              std::unique_ptr<ns::ObjectWriter> payload,
                              std::string etag,
                              digest::Checksum checksum) override;
  Task<ns::PartInfo> copy_part(std::string_view bucket,
                               std::string_view key,
                               std::string_view upload_id,
                               std::uint32_t number,
                               ns::ObjectReader& source,
                               ns::ByteRange range,
                               std::string etag,
                               digest::Checksum checksum) override;
  Task<ns::ObjectInfo> complete_upload(std::string_view bucket,
                                       std::string_view key,
                                       std::string_view upload_id,
                                       ns::CompleteRequest request) override;
  Task<> abort_upload(std::string_view bucket,
                      std::string_view key,
                      std::string_view upload_id) override;
  Task<ns::PartList> list_parts(std::string_view bucket,
                                std::string_view key,
                                std::string_view upload_id,
                                std::uint32_t after,
                                std::size_t max_parts) override;
  Task<ns::UploadList> list_uploads(std::string_view bucket,
                                    ns::UploadListRequest request) override;

  /// The version's record is as old as those that do not say when it ceased to be current.
  void forget_since(std::string_view bucket, std::string_view key, std::uint64_t number);

 private:
  /// What a put with `fields` shows; empty: nothing.
  std::optional<ns::FileFields> file_of(ns::FileFields fields) const;
  struct Object {
    ns::ObjectInfo info;
    std::shared_ptr<const std::string> data;
    std::string upload_id;             ///< of the upload it is the untouched result of
    std::optional<ns::DataKey> key{};  ///< that all of it was sealed with
    ns::VersionStamp stamp{};
  };
  /// What is not current.
  struct Past {
    Object object;  ///< of a marker: its time only
    bool marker = false;
    std::optional<std::int64_t> since_ns{};  ///< of a version
  };
  struct Part {
    ns::PartInfo info;
    std::shared_ptr<const std::string> data;
    std::optional<ns::DataKey> key{};
  };
  struct Upload {
    ns::UploadInfo info;
    std::map<std::uint32_t, Part> parts;
  };
  struct Bucket {
    ns::BucketInfo info;
    std::map<std::string, Object, std::less<>> objects;
    std::map<std::string, std::vector<Past>, std::less<>> past;  ///< the newest first
    /// By key, then by id: ids are numbers of fixed width, so that is by creation.
    std::map<std::pair<std::string, std::string>, Upload> uploads;
    ns::QuotaLimits limits{};
  };
  class Writer;
  class Reader;

  std::int64_t now_seconds() const;
  /// Object Lock keeps the version.
  bool kept(const Object& object, bool bypass) const;
  /// What a new version has of Object Lock.
  Result<void> lock_new(const Bucket& in, ns::ObjectAttributes& attributes);

  /// The bytes given to one of our writers, and what it was opened with.
  struct Payload {
    std::shared_ptr<const std::string> data;
    ns::WriteOptions options{};
  };
  /// invalid_argument if it was opened for something else.
  static Result<Payload> take(ns::ObjectWriter& writer,
                              std::uint32_t part,
                              const ns::ObjectAttributes& attributes);
  static ns::Usage usage_of(const Bucket& in);
  /// quota_exceeded if so much more is too much.
  static Result<void> check_room(const Bucket& in, const ns::Usage& more);
  /// What `size` bytes at the key, or as a part, add.
  static ns::Usage growth(const Bucket& in, std::string_view key, std::uint64_t size);
  static ns::Usage growth(const Upload& upload, std::uint32_t number, std::uint64_t size);
  /// A range of one of our readers.
  static std::shared_ptr<const std::string> text_of(const ns::ObjectReader& reader,
                                                    ns::ByteRange range);
  Result<Bucket*> bucket(std::string_view name);
  Result<Object*> object(std::string_view bucket, std::string_view key);
  Result<Upload*> upload(std::string_view bucket, std::string_view key, std::string_view id);
  Result<std::string> assemble(const Upload& upload,
                               const ns::CompleteRequest& request,
                               ns::ObjectInfo& info) const;
  /// What is at the key becomes what it has to; gives the stamp of what comes.
  ns::VersionStamp supersede(Bucket& in, std::string_view key);
  ns::ObjectInfo install(Bucket& in, std::string_view key, Object fresh);
  /// The payload of `request` as more of `old`.
  Result<ns::ObjectInfo> append(Bucket& in,
                                std::string_view key,
                                const Object& old,
                                const std::string& more,
                                const ns::PutRequest& request);
  std::string new_etag();  ///< of nothing else
  void mark_deleted(Bucket& in, std::string_view key, ns::Deletion& out);
  /// Attributes of the current object or of a version.
  Result<void> put_attributes(std::string_view name, std::string_view key, const Object& changed);
  Result<Object> find_version(std::string_view bucket,
                              std::string_view key,
                              std::string_view version_id);
  Result<ns::Deletion> erase_version(Bucket& in,
                                     std::string_view key,
                                     const ns::VersionId& id,
                                     const ns::Conditions& conditions);
  Result<void> rename_directory(Bucket& in, std::string_view from, std::string_view to);

  const Clock& x_clock;
  Options x_options;
  std::map<std::string, Bucket, std::less<>> x_buckets;
  InodeId x_next_ino = 2;
  std::uint64_t x_next_upload = 1;
  std::uint64_t x_next_version = 1;
};

}  // namespace outcrop::testing
