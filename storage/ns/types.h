// What the namespace facade takes and gives: buckets, objects, listings, uploads, conditions.
// Shared by S3 and NFS; no protocol words, no wire formats.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/ids.h"
#include "storage/digest/algorithm.h"
#include "storage/ns/data_key.h"
#include "storage/ns/object_lock.h"
#include "storage/ns/version_id.h"

namespace outcrop::ns {

inline constexpr std::size_t kMaxKeyBytes = 1024;
inline constexpr std::uint64_t kMaxObjectBytes = std::uint64_t{50} << 40;  // 50 TiB
inline constexpr std::uint64_t kMinPartBytes = std::uint64_t{5} << 20;
inline constexpr std::uint64_t kMaxPartBytes = std::uint64_t{5} << 30;
inline constexpr std::uint32_t kMaxParts = 10'000;
inline constexpr std::size_t kMaxListKeys = 1000;

using StringPairs = std::vector<std::pair<std::string, std::string>>;

/// What a bucket holds (docs/adr/0014-quotas.md), or by how much that changes.
struct Usage {
  std::int64_t bytes = 0, objects = 0;
  bool operator==(const Usage&) const = default;
};

/// What a bucket may hold; absent: any amount.
struct QuotaLimits {
  std::optional<std::uint64_t> bytes{}, objects{};
  bool empty() const { return !bytes && !objects; }
  bool operator==(const QuotaLimits&) const = default;
};

/// Of quota_exceeded, which limit it is; without one of these it is that of the bucket's bytes.
inline constexpr std::string_view kBytesQuota = "bytes";
inline constexpr std::string_view kObjectsQuota = "objects";
inline constexpr std::string_view kGroupBytesQuota = "bytes of the group";
inline constexpr std::string_view kGroupObjectsQuota = "objects of the group";

struct BucketUsage {
  std::string name;
  Usage used{};
  std::uint64_t reserved = 0;  ///< bytes that file clients have written and nobody has stored yet
  QuotaLimits limits{};
  bool counted = true;  ///< false: nobody knows what it holds before the next start
};

struct BucketInfo {
  std::string name;
  InodeId root = 0;
  std::int64_t created_ns = 0;
  std::string region;  ///< as given at creation; empty: the default region
  Versioning versioning = Versioning::off;
  bool sealing = false;  ///< file clients bring no bytes into it in the clear: put_sealing
  BucketLock lock{};
};

/// Tags that a decision was made on. A change on the condition that they are still those of the
/// object fails with conflict if they are not; empty: no condition.
using ExpectedTags = std::optional<StringPairs>;

/// What the client set on an object; stored and given back verbatim.
struct ObjectAttributes {
  std::string content_type;
  /// Lower-case names: cache-control, content-disposition, content-encoding, content-language,
  /// expires, x-amz-website-redirect-location, x-amz-storage-class (only if not STANDARD).
  StringPairs headers;
  StringPairs user_meta;  ///< lower-case names without "x-amz-meta-"
  StringPairs tags{};     ///< by key
  std::string acl{};      ///< opaque here (auth/access/acl.h); empty: none was given
  /// The wrapped data key of a payload that is sealed, opaque here; empty: it is not sealed. Of an
  /// object or an upload it may become another one, but never come or go.
  std::string envelope{};
  ObjectLock lock{};  ///< in a bucket with Object Lock
  bool operator==(const ObjectAttributes&) const = default;
};

/// What a file client sees of a file beside its bytes; absent: not known, or not to be changed.
struct FileFields {
  std::optional<std::uint32_t> mode{};  ///< permission bits
  std::optional<std::uint32_t> uid{}, gid{};
  std::optional<std::int64_t> mtime_ns{};
  bool empty() const { return !mode && !uid && !gid && !mtime_ns; }
  bool operator==(const FileFields&) const = default;
};

struct PartSummary {
  std::uint32_t number = 0;
  std::uint64_t size = 0;
  std::string checksum;  ///< raw value in the object's algorithm; empty: none
  bool operator==(const PartSummary&) const = default;
};

struct ObjectInfo {
  InodeId ino = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::string etag;  ///< without quotes; "<32 hex>" or "<32 hex>-<parts>"
  ObjectAttributes attributes;
  digest::Checksum checksum;
  std::vector<PartSummary> parts;  ///< of a multipart object, ascending; empty otherwise
  /// Of what a file client made or changed, or what was put with fields; empty: it has none.
  std::optional<FileFields> file{};
  std::string version_id{};  ///< empty in a bucket that never had versions
  bool current = true;       ///< it is what the key shows without a version id
  /// When it last changed in any way; no sooner than it came to its key, unlike mtime_ns.
  std::int64_t changed_ns = 0;
};

/// A version as a listing showed it, for who deletes it by its id for that reason: one that is not
/// current, or the delete marker that is all that is left of its key.
struct SeenVersion {
  std::uint64_t number = 0;                ///< VersionEntry::number
  std::optional<std::int64_t> since_ns{};  ///< VersionEntry::since_ns
  bool alone = false;                      ///< there is nothing else at its key
  bool operator==(const SeenVersion&) const = default;
};

/// RFC 9110 preconditions; ETag fields hold the header's raw value ("*", or a list of ETags,
/// quoted or not, weak or not). Evaluation order is RFC 9110 section 13.2.2.
struct Conditions {
  std::optional<std::string> if_match, if_none_match;
  std::optional<std::int64_t> if_modified_since, if_unmodified_since;  ///< seconds since 1970
  // Of deletes: what the object must be like, if there is one.
  std::optional<std::uint64_t> if_size{};
  std::optional<std::int64_t> if_mtime{};  ///< seconds since 1970
  /// no_such_key where there is no object; no header says so. For who deletes what he has seen:
  /// in a bucket with versions, deleting what is not there makes a delete marker.
  bool must_exist = false;
  /// conflict where the object has other tags; no header says so. Changing them changes no time.
  ExpectedTags tags{};
  /// Of a delete by version id: precondition_failed if the version is not as it was seen. (The id
  /// alone does not do: "null" names one version after another, and what was not current may be.)
  std::optional<SeenVersion> seen{};
  /// Of a delete by version id, by who may: retention in governance mode does not count.
  bool bypass_governance = false;
  bool empty() const {
    return !if_match && !if_none_match && !if_modified_since && !if_unmodified_since && !if_size &&
           !if_mtime && !must_exist && !tags && !seen;
  }
};

/// How a payload is to be written.
struct WriteOptions {
  std::uint64_t size_hint = 0;    ///< its size if known, else 0
  std::optional<DataKey> seal{};  ///< it is stored encrypted with this
  std::uint32_t part = 0;         ///< its number, if it is to be a part of an upload; with `seal`
  std::string upload_id{};        ///< the upload, then
  bool append = false;            ///< it comes to what is at the key, and replaces nothing
  bool about = false;             ///< the hint is above the size: no quota is judged by it
};

struct PutRequest {
  /// `envelope`: if and only if the payload was opened with WriteOptions::seal.
  ObjectAttributes attributes;
  std::string etag;  ///< without quotes; empty: one is made that no other bytes ever get
  digest::Checksum checksum;
  Conditions conditions;  ///< if_match/if_none_match against the object that is replaced
  FileFields file{};
  /// The payload goes to the end of the object that is there, which has so many bytes; 0 makes one
  /// where there is none. The object stays what it is but for its bytes: attributes and file fields
  /// are those of an object that is made. `checksum` is the payload's, in the object's algorithm.
  std::optional<std::uint64_t> append_at{};
};

struct CopyRequest {
  std::string source_bucket, source_key;
  Conditions source_conditions;
  Conditions conditions;  ///< on the destination
  /// Empty: copy the source's. Its tags, ACL and envelope do not count.
  std::optional<ObjectAttributes> replace;
  FileFields file{};                  ///< with `replace`; else the source's are copied
  std::string source_version{};       ///< empty: the current one
  std::optional<StringPairs> tags{};  ///< empty: copy the source's
  ExpectedTags source_tags{};
  std::string acl{};                        ///< of the copy; the source's is its own
  std::optional<std::string> source_acl{};  ///< as source_tags
  /// Of the copy, which has the same data key; empty: the source's. invalid_argument if one of it
  /// and the source's is empty and the other is not: what is sealed stays so, and the opposite.
  std::optional<std::string> envelope{};
  std::optional<std::string> source_envelope{};  ///< as source_tags
  ObjectLock lock{};                             ///< of the copy; the source's is its own
};

struct ByteRange {
  std::uint64_t offset = 0, length = 0;
};

struct ListRequest {
  std::string prefix;
  std::string delimiter;    ///< empty: none; any string
  std::string start_after;  ///< entries must be > this in byte order; empty: from the first
  std::size_t max_keys = kMaxListKeys;
};

struct ListEntry {
  std::string key;  ///< a key, or a common prefix that ends with the delimiter
  bool is_prefix = false;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::string etag;
  digest::Algorithm checksum_algorithm = digest::Algorithm::none;
  digest::ChecksumType checksum_type = digest::ChecksumType::full_object;
};

/// Entries in byte order, keys and common prefixes merged; both count towards max_keys. The next
/// page's start_after is the last entry's key: with the delimiter, a start_after that is itself a
/// common prefix skips everything under it.
struct ListPage {
  std::vector<ListEntry> entries;
  bool truncated = false;
};

/// What a delete did.
struct Deletion {
  bool found = false;        ///< there was something to delete
  bool marker = false;       ///< a delete marker was made, or (with a version id) removed
  std::string version_id{};  ///< of what was removed for good, or of the new marker
};

struct VersionListRequest {
  std::string prefix{}, delimiter{};
  /// Entries are behind this key's version `version_marker`; behind all its versions without one.
  std::string key_marker{}, version_marker{};
  std::size_t max_keys = kMaxListKeys;
};

struct VersionEntry {
  ListEntry entry;  ///< of a delete marker: key and mtime
  std::string version_id{};
  bool marker = false, latest = false;
  std::uint64_t number = 0;  ///< tells it from all others of its key that there ever were
  /// When a version ceased to be current. Empty: it is current, it is a marker, or it is older than
  /// the records that say so.
  std::optional<std::int64_t> since_ns{};
};

/// By key, and the newest version of a key first; common prefixes in between.
struct VersionPage {
  std::vector<VersionEntry> entries;
  bool truncated = false;
  std::string next_version_marker{};  ///< of the last entry, if it is a version and more follow
};

struct UploadInfo {
  std::string key, upload_id;  ///< id: URL-safe text
  std::int64_t created_ns = 0;
  ObjectAttributes attributes;
  digest::Algorithm checksum_algorithm = digest::Algorithm::none;
  digest::ChecksumType checksum_type = digest::ChecksumType::full_object;
};

struct PartInfo {
  std::uint32_t number = 0;
  std::uint64_t size = 0;
  std::int64_t mtime_ns = 0;
  std::string etag;  ///< hex MD5, without quotes
  digest::Checksum checksum;
};

/// One line of CompleteMultipartUpload.
struct CompletePart {
  std::uint32_t number = 0;
  std::string etag;      ///< without quotes
  std::string checksum;  ///< raw value if the client gave one, in the upload's algorithm
};

struct CompleteRequest {
  std::vector<CompletePart> parts;
  Conditions conditions;
  std::optional<std::uint64_t> object_size;  ///< x-amz-mp-object-size
  std::optional<digest::Checksum> checksum;  ///< the client's full-object or composite value
  FileFields file{};
};

struct PartList {
  UploadInfo upload;
  std::vector<PartInfo> parts;
  bool truncated = false;
};

struct UploadListRequest {
  std::string prefix, delimiter, key_marker, upload_id_marker;
  std::size_t max_uploads = kMaxListKeys;
};

struct UploadList {
  std::vector<UploadInfo> uploads;  ///< by key, then by creation
  std::vector<std::string> common_prefixes;
  bool truncated = false;
  std::string next_key_marker, next_upload_id_marker;
};

}  // namespace outcrop::ns
