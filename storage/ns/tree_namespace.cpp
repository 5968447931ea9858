// The namespace facade over the operations of this folder.
#include "storage/ns/operations.h"
#include "storage/ns/quota.h"
#include "storage/ns/relocate.h"
#include "storage/ns/tree_file_system.h"

namespace outcrop::ns {
namespace {

class TreeQuotaGroups final : public QuotaGroups {
 public:
  explicit TreeQuotaGroups(Core& core) : x_core(core) {}
  Task<> put_limits(QuotaGroupId group, QuotaLimits limits) override {
    return put_group_limits(x_core, group, limits);
  }
  void assign(InodeId root, QuotaGroupId group) override { x_core.groups.assign(root, group); }
  GroupUsage usage(QuotaGroupId group) const override { return x_core.groups.usage(group); }

 private:
  Core& x_core;
};

class TreeNamespaceImpl final : public TreeNamespace {
 public:
  TreeNamespaceImpl(meta::MetaStore& meta,
                    segment::BlobStore& blobs,
                    const Clock& clock,
                    Random& random,
                    const NamespaceConfig& config)
      : x_core(meta, blobs, clock, random, config) {}

  Task<> open() override { return x_core.open(); }
  FileSystem& files() override { return x_files; }
  QuotaGroups& quota_groups() override { return x_groups; }
  Task<Relocated> relocate(SegmentId segment,
                           std::uint64_t most_bytes,
                           segment::Purpose purpose) override {
    return ns::relocate(x_core, segment, most_bytes, purpose);
  }
  Task<Relocated> relocate_parts(SegmentId segment,
                                 std::uint64_t most_bytes,
                                 PartPosition& from,
                                 segment::Purpose purpose) override {
    return ns::relocate_parts(x_core, segment, most_bytes, from, purpose);
  }

  Task<std::vector<BucketInfo>> list_buckets() override { return ns::list_buckets(x_core); }
  Task<BucketInfo> get_bucket(std::string_view name) override {
    return ns::get_bucket(x_core, name);
  }
  Task<BucketInfo> create_bucket(std::string_view name,
                                 std::string_view region,
                                 bool object_lock) override {
    return ns::create_bucket(x_core, name, region, object_lock);
  }
  Task<> delete_bucket(std::string_view name) override { return ns::delete_bucket(x_core, name); }
  Task<> put_versioning(std::string_view name, Versioning state) override {
    return ns::put_versioning(x_core, name, state);
  }
  Task<> put_sealing(std::string_view name, bool sealing) override {
    return ns::put_sealing(x_core, name, sealing);
  }
  Task<> put_object_lock(std::string_view name, BucketLock lock) override {
    return put_bucket_lock(x_core, name, lock);
  }

  Task<BucketUsage> get_usage(std::string_view bucket) override {
    return ns::get_usage(x_core, bucket);
  }
  Task<std::vector<BucketUsage>> list_usage() override { return ns::list_usage(x_core); }
  Task<> put_limits(std::string_view bucket, QuotaLimits limits) override {
    return ns::put_limits(x_core, bucket, limits);
  }

  Task<std::unique_ptr<ObjectWriter>> open_write(std::string_view bucket,
                                                 std::string_view key,
                                                 WriteOptions options) override {
    return ns::open_write(x_core, bucket, key, std::move(options));
  }
  Task<ObjectInfo> put(std::string_view bucket,
                       std::string_view key,
                       std::unique_ptr<ObjectWriter> payload,
                       PutRequest request) override {
    return put_object(x_core, bucket, key, std::move(payload), std::move(request));
  }
  Task<std::unique_ptr<ObjectReader>> open_read(std::string_view bucket,
                                                std::string_view key,
                                                std::string_view version_id) override {
    return ns::open_read(x_core, bucket, key, version_id);
  }
  Task<ObjectInfo> stat(std::string_view bucket,
                        std::string_view key,
                        std::string_view version_id) override {
    return stat_object(x_core, bucket, key, version_id);
  }
  Task<Deletion> remove_version(std::string_view bucket,
                                std::string_view key,
                                std::string_view version_id,
                                Conditions conditions) override {
    return remove_object(x_core, bucket, key, version_id, std::move(conditions));
  }
  Task<ObjectInfo> set_acl(std::string_view bucket,
                           std::string_view key,
                           std::string_view version_id,
                           std::string acl,
                           std::optional<std::string> expected,
                           ExpectedTags tags) override {
    return set_object_acl(x_core, bucket, key, version_id, std::move(acl), std::move(expected),
                          std::move(tags));
  }
  Task<ObjectInfo> set_tags(std::string_view bucket,
                            std::string_view key,
                            std::string_view version_id,
                            StringPairs tags,
                            ExpectedTags expected) override {
    return set_object_tags(x_core, bucket, key, version_id, std::move(tags), std::move(expected));
  }
  Task<ObjectInfo> set_lock(std::string_view bucket,
                            std::string_view key,
                            std::string_view version_id,
                            LockChange change) override {
    return set_object_lock(x_core, bucket, key, version_id, change);
  }
  Task<ObjectInfo> copy(std::string_view bucket,
                        std::string_view key,
                        CopyRequest request) override {
    return copy_object(x_core, bucket, key, std::move(request));
  }
  Task<std::string> rename(std::string_view bucket,
                           std::string_view from_key,
                           std::string_view to_key,
                           ExpectedTags expected) override {
    const bool directory = from_key.ends_with('/');
    if (directory != to_key.ends_with('/')) {
      co_return fail(Errc::invalid_argument, "rename between a file and a directory");
    }
    if (!directory) {
      co_return co_await rename_object(x_core, bucket, from_key, to_key, std::move(expected));
    }
    if (expected) {
      co_return fail(Errc::invalid_argument, "a directory has no tags");
    }
    CO_TRYV(co_await rename_directory(x_core, bucket, from_key, to_key));
    co_return std::string();
  }
  Task<ListPage> list(std::string_view bucket, ListRequest request) override {
    return list_objects(x_core, bucket, std::move(request));
  }
  Task<VersionPage> list_versions(std::string_view bucket, VersionListRequest request) override {
    return ns::list_versions(x_core, bucket, std::move(request));
  }

  Task<UploadInfo> create_upload(std::string_view bucket,
                                 std::string_view key,
                                 ObjectAttributes attributes,
                                 digest::Algorithm algorithm,
                                 digest::ChecksumType type) override {
    return ns::create_upload(x_core, bucket, key, std::move(attributes), algorithm, type);
  }
  Task<UploadInfo> get_upload(std::string_view bucket,
                              std::string_view key,
                              std::string_view upload_id) override {
    return ns::get_upload(x_core, bucket, key, upload_id);
  }
  Task<PartInfo> put_part(std::string_view bucket,
                          std::string_view key,
                          std::string_view upload_id,
                          std::uint32_t number,
                          std::unique_ptr<ObjectWriter> payload,
                          std::string etag,
                          digest::Checksum checksum) override {
    return ns::put_part(x_core, bucket, key, upload_id, number, std::move(payload), std::move(etag),
                        std::move(checksum));
  }
  Task<PartInfo> copy_part(std::string_view bucket,
                           std::string_view key,
                           std::string_view upload_id,
                           std::uint32_t number,
                           ObjectReader& source,
                           ByteRange range,
                           std::string etag,
                           digest::Checksum checksum) override {
    return ns::copy_part(x_core, bucket, key, upload_id, number, source, range, std::move(etag),
                         std::move(checksum));
  }
  Task<ObjectInfo> complete_upload(std::string_view bucket,
                                   std::string_view key,
                                   std::string_view upload_id,
                                   CompleteRequest request) override {
    return ns::complete_upload(x_core, bucket, key, upload_id, std::move(request));
  }
  Task<> abort_upload(std::string_view bucket,
                      std::string_view key,
                      std::string_view upload_id) override {
    return ns::abort_upload(x_core, bucket, key, upload_id);
  }
  Task<PartList> list_parts(std::string_view bucket,
                            std::string_view key,
                            std::string_view upload_id,
                            std::uint32_t after,
                            std::size_t max_parts) override {
    return ns::list_parts(x_core, bucket, key, upload_id, after, max_parts);
  }
  Task<UploadList> list_uploads(std::string_view bucket, UploadListRequest request) override {
    return ns::list_uploads(x_core, bucket, std::move(request));
  }

 private:
  Core x_core;
  TreeFileSystem x_files{x_core};
  TreeQuotaGroups x_groups{x_core};
};

}  // namespace

std::unique_ptr<TreeNamespace> make_namespace(meta::MetaStore& meta,
                                              segment::BlobStore& blobs,
                                              const Clock& clock,
                                              Random& random,
                                              NamespaceConfig config) {
  return std::make_unique<TreeNamespaceImpl>(meta, blobs, clock, random, config);
}

}  // namespace outcrop::ns
