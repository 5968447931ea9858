// What is set on buckets beside who may use them: documents that are given back as they are kept,
// and what follows from them, ready for use. Immutable; any thread.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/s3/cors.h"
#include "api/s3/error.h"
#include "api/s3/lifecycle.h"
#include "auth/access/access_table.h"
#include "storage/base/ids.h"

namespace outcrop::s3 {

/// All documents together: they are all in memory.
inline constexpr std::size_t kMaxSettingBytesTogether = 64 << 20;

/// Its value is what records have. Unsigned, so that the order of documents is that of the bytes
/// also where a newer version has letters of its own.
enum class Setting : std::uint8_t {
  cors = 'c',
  etag = 'f',  ///< the form: "md5" or "fast"; of the admin API, no S3 request sets it
  lifecycle = 'l',
  /// Without text: of lifecycle transitions, of which there are none here, the smallest object
  /// varies by storage class; else it is 128 KiB.
  minimum_varies = 'm',
  no_ownership = 'o',  ///< of earlier versions, and without effect: see BucketAccess::ownership
  tagging = 't',
};

/// What the ETag of an object is that is put in one request, or of a part.
enum class EtagKind : std::uint8_t {
  md5,   ///< of the bytes, as on AWS
  fast,  ///< a name for them that no other bytes get; ends in "-0", which clients know is no MD5
};
/// "md5" or "fast".
std::optional<EtagKind> parse_etag_kind(std::string_view text);
std::string_view to_string(EtagKind kind);

struct BucketSettings {
  std::string bucket;
  InodeId root = 0;  ///< of the bucket: a bucket made again under the name has another
  std::map<Setting, std::string> documents{};
  std::shared_ptr<const CorsRules> cors{};            ///< null: no rules
  std::shared_ptr<const LifecycleRules> lifecycle{};  ///< the same
  std::optional<EtagKind> etag{};                     ///< empty: the server's default
  /// Its record is damaged: nothing is in force, and nobody knows what was set. What is put next
  /// takes the place of all of it.
  bool unreadable = false;

  bool empty() const { return documents.empty() && !unreadable; }
  std::size_t bytes() const;
};
using BucketSettingsPtr = std::shared_ptr<const BucketSettings>;

/// Takes a document that a client sent, in the form that it is then given back in. The errors of
/// its parser; the settings stay as they were.
Outcome<> set_document(BucketSettings& settings, Setting setting, std::string text);
void erase_document(BucketSettings& settings, Setting setting);
/// InternalError for settings that are unreadable.
Outcome<> check_readable(const BucketSettings& settings);

std::string bucket_settings_key(InodeId root);
std::string encode(const BucketSettings& settings);
/// corrupt. A document that is not understood is kept, and is not in force.
Result<BucketSettings> decode_bucket_settings(std::string_view key, std::string_view value);

/// Of all buckets that have any. Changes are made under the lock of the access table, which is also
/// what orders them with the making and deleting of buckets.
class SettingsTable {
 public:
  using Held = access::AccessTable::Held;
  /// A damaged record is an error in the log, and its bucket's settings are unreadable.
  static Task<std::unique_ptr<SettingsTable>> open(meta::MetaStore& meta,
                                                   const access::BucketRoots& buckets);

  /// Null: nothing is set.
  BucketSettingsPtr find(std::string_view bucket) const { return x_table.find(bucket); }
  /// Of all buckets, as it is now.
  auto snapshot() const { return x_table.snapshot(); }
  /// Durable and visible on return. no_space beyond kMaxSettingBytesTogether.
  Task<> put(const Held& /*held*/, BucketSettings next) { return x_table.put(std::move(next)); }
  /// After the bucket was deleted.
  Task<> forget(const Held& held, std::string_view bucket);

 private:
  struct Codec {
    static std::string key(InodeId root) { return bucket_settings_key(root); }
    static std::string encode(const BucketSettings& settings) { return s3::encode(settings); }
    static Result<BucketSettings> decode(std::string_view key, std::string_view value) {
      return decode_bucket_settings(key, value);
    }
    static BucketSettings unreadable(std::string bucket, InodeId root) {
      return {.bucket = std::move(bucket), .root = root, .unreadable = true};
    }
  };
  explicit SettingsTable(meta::MetaStore& meta) : x_table(meta, kMaxSettingBytesTogether) {}

  access::BucketTable<BucketSettings, Codec> x_table;
};

}  // namespace outcrop::s3
