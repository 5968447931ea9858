// The operations of the namespace, one function each; TreeNamespace hands its calls to them.
// Contracts as in namespace.h. Objects in op_*.cpp, uploads in upload_*.cpp.
#pragma once
#include "storage/ns/core.h"

namespace outcrop::ns {

Task<std::vector<BucketInfo>> list_buckets(Core& core);
/// As of `at`; empty: while nobody changes them.
Task<std::vector<BucketInfo>> list_buckets(Core& core, meta::SnapshotPtr at);
Task<BucketInfo> get_bucket(Core& core, std::string_view name);
Task<BucketInfo> create_bucket(Core& core,
                               std::string_view name,
                               std::string_view region,
                               bool object_lock);
Task<> delete_bucket(Core& core, std::string_view name);
Task<> put_versioning(Core& core, std::string_view name, Versioning state);
Task<> put_sealing(Core& core, std::string_view name, bool sealing);
Task<> put_bucket_lock(Core& core, std::string_view name, BucketLock lock);

Task<std::unique_ptr<ObjectWriter>> open_write(Core& core,
                                               std::string_view bucket,
                                               std::string_view key,
                                               WriteOptions options);
Task<ObjectInfo> put_object(Core& core,
                            std::string_view bucket,
                            std::string_view key,
                            std::unique_ptr<ObjectWriter> payload,
                            PutRequest request);
Task<std::unique_ptr<ObjectReader>> open_read(Core& core,
                                              std::string_view bucket,
                                              std::string_view key,
                                              std::string_view version_id);
Task<ObjectInfo> stat_object(Core& core,
                             std::string_view bucket,
                             std::string_view key,
                             std::string_view version_id);
Task<Deletion> remove_object(Core& core,
                             std::string_view bucket,
                             std::string_view key,
                             std::string_view version_id,
                             Conditions conditions);
Task<ObjectInfo> set_object_acl(Core& core,
                                std::string_view bucket,
                                std::string_view key,
                                std::string_view version_id,
                                std::string acl,
                                std::optional<std::string> expected,
                                ExpectedTags tags);
Task<ObjectInfo> set_object_tags(Core& core,
                                 std::string_view bucket,
                                 std::string_view key,
                                 std::string_view version_id,
                                 StringPairs tags,
                                 ExpectedTags expected);
Task<ObjectInfo> set_object_lock(Core& core,
                                 std::string_view bucket,
                                 std::string_view key,
                                 std::string_view version_id,
                                 LockChange change);
Task<ObjectInfo> copy_object(Core& core,
                             std::string_view bucket,
                             std::string_view key,
                             CopyRequest request);
Task<std::string> rename_object(Core& core,
                                std::string_view bucket,
                                std::string_view from,
                                std::string_view to,
                                ExpectedTags expected);
Task<> rename_directory(Core& core,
                        std::string_view bucket,
                        std::string_view from,
                        std::string_view to);
Task<ListPage> list_objects(Core& core, std::string_view bucket, ListRequest request);
Task<VersionPage> list_versions(Core& core, std::string_view bucket, VersionListRequest request);

Task<UploadInfo> create_upload(Core& core,
                               std::string_view bucket,
                               std::string_view key,
                               ObjectAttributes attributes,
                               digest::Algorithm algorithm,
                               digest::ChecksumType type);
Task<UploadInfo> get_upload(Core& core,
                            std::string_view bucket,
                            std::string_view key,
                            std::string_view upload_id);
Task<PartInfo> put_part(Core& core,
                        std::string_view bucket,
                        std::string_view key,
                        std::string_view upload_id,
                        std::uint32_t number,
                        std::unique_ptr<ObjectWriter> payload,
                        std::string etag,
                        digest::Checksum checksum);
Task<PartInfo> copy_part(Core& core,
                         std::string_view bucket,
                         std::string_view key,
                         std::string_view upload_id,
                         std::uint32_t number,
                         ObjectReader& source,
                         ByteRange range,
                         std::string etag,
                         digest::Checksum checksum);
Task<ObjectInfo> complete_upload(Core& core,
                                 std::string_view bucket,
                                 std::string_view key,
                                 std::string_view upload_id,
                                 CompleteRequest request);
Task<> abort_upload(Core& core,
                    std::string_view bucket,
                    std::string_view key,
                    std::string_view upload_id);
Task<PartList> list_parts(Core& core,
                          std::string_view bucket,
                          std::string_view key,
                          std::string_view upload_id,
                          std::uint32_t after,
                          std::size_t max_parts);
Task<UploadList> list_uploads(Core& core, std::string_view bucket, UploadListRequest request);

/// What was stored before there were versions is the null version once there are.
ObjectInfo info_in(const BucketRecord& bucket, ObjectInfo info);
/// invalid_argument for what was never a version id.
Result<VersionId> check_version_id(std::string_view text);
/// Attributes, ETag and checksum fit their records: invalid_argument if not.
Result<void> check_attributes(const ObjectAttributes& attributes);
Result<void> check_digests(std::string_view etag, const digest::Checksum& checksum);
/// For a plan that was outrun too often.
std::unexpected<Error> outrun();

}  // namespace outcrop::ns
