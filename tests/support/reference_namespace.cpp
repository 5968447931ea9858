#include "tests/support/reference_namespace.h"

#include <algorithm>
#include <span>

#include "storage/digest/digest.h"
#include "tests/support/reference_conditions.h"

namespace outcrop::testing {
namespace {

Result<void> check_key(std::string_view key) {
  if (key.empty()) {
    return fail(Errc::invalid_argument, "empty key");
  }
  return key.size() > ns::kMaxKeyBytes ? fail(Errc::key_too_long) : ok();
}

template <class Map>
void move_below(Map& map, std::string_view from, std::string_view to) {
  Map moved;
  for (auto at = map.lower_bound(from); at != map.end() && at->first.starts_with(from);
       at = map.erase(at)) {
    moved.emplace(std::string(to) + at->first.substr(from.size()), std::move(at->second));
  }
  map.merge(moved);
}

/// Of an object that was `before` and got bytes that have `more`: a CRC is that of all bytes, the
/// rest is a checksum of the parts' checksums.
void extend_checksum(const ns::ObjectInfo& before,
                     const digest::Checksum& more,
                     std::string_view data,
                     ns::ObjectInfo& now) {
  using digest::Algorithm;
  const Algorithm algorithm = before.checksum.algorithm;
  const bool crc = algorithm == Algorithm::crc32 || algorithm == Algorithm::crc32c ||
                   algorithm == Algorithm::crc64nvme;
  const bool full = crc && before.checksum.type == digest::ChecksumType::full_object;
  const bool first = before.size == 0 && before.parts.empty();
  const auto add = [&](std::uint64_t size, const std::string& value) {
    now.parts.push_back({now.parts.empty() ? 1 : now.parts.back().number + 1, size, value});
  };
  now.parts = before.parts;
  if (algorithm != Algorithm::none && !full && !first && now.parts.empty()) {
    add(before.size, before.checksum.value);
  }
  if (!now.parts.empty()) {
    add(data.size() - before.size, algorithm == Algorithm::none ? std::string() : more.value);
  }
  now.checksum = {};
  if (algorithm != Algorithm::none && (full || first)) {
    now.checksum = {algorithm, {}, digest::Digest::of(algorithm, as_bytes(data))};
  } else if (algorithm != Algorithm::none) {
    std::string values;
    for (const ns::PartSummary& part : now.parts) {
      values += part.checksum;
    }
    now.checksum = {algorithm, digest::ChecksumType::composite,
                    digest::Digest::of(algorithm, as_bytes(values))};
  }
}

}  // namespace

class ReferenceNamespace::Writer final : public ns::ObjectWriter {
 public:
  Writer(std::size_t piece, ns::WriteOptions options)
      : x_piece(piece), x_options(std::move(options)) {}
  Task<MutBytes> buffer() override {
    x_data.resize(x_size + x_piece);
    co_return std::as_writable_bytes(std::span(x_data).subspan(x_size));
  }
  Task<> advance(std::size_t n) override {
    OUTCROP_ASSERT(x_size + n <= x_data.size());
    x_size += n;
    co_return ok();
  }
  std::uint64_t size() const override { return x_size; }
  const ns::WriteOptions& options() const { return x_options; }
  std::string take() {
    x_data.resize(x_size);
    return std::move(x_data);
  }

 private:
  std::size_t x_piece;
  ns::WriteOptions x_options;
  std::string x_data;
  std::size_t x_size = 0;
};

class ReferenceNamespace::Reader final : public ns::ObjectReader {
 public:
  Reader(Object object, std::size_t piece)
      : x_object(std::move(object)), x_piece(piece), x_range{0, x_object.info.size} {}
  const ns::ObjectInfo& info() const override { return x_object.info; }
  void unseal(const ns::DataKey& key) override { x_key = key; }
  void seek(ns::ByteRange range) override {
    OUTCROP_ASSERT(range.offset + range.length <= x_object.info.size);
    x_range = range;
  }
  Task<std::vector<Buffer>> next() override {
    std::vector<Buffer> out;
    const std::size_t n = std::min<std::size_t>(x_piece, x_range.length);
    if (n > 0 && x_object.key && x_key != x_object.key) {
      co_return fail(x_key ? Errc::corrupt : Errc::sealed);
    }
    if (n > 0) {
      out.push_back(Buffer::copy_of(as_bytes(*x_object.data).subspan(x_range.offset, n)));
      x_range = {x_range.offset + n, x_range.length - n};
    }
    co_return out;
  }
  std::string text(ns::ByteRange range) const {
    return x_object.data->substr(range.offset, range.length);
  }

 private:
  Object x_object;
  std::size_t x_piece;
  ns::ByteRange x_range;
  std::optional<ns::DataKey> x_key{};
};

Result<ReferenceNamespace::Payload> ReferenceNamespace::take(
    ns::ObjectWriter& writer, std::uint32_t part, const ns::ObjectAttributes& attributes) {
  Writer& ours = static_cast<Writer&>(writer);
  const bool sealed = ours.options().seal.has_value();
  if (sealed == attributes.envelope.empty() || (sealed && ours.options().part != part)) {
    return fail(Errc::invalid_argument, "a payload that was opened for something else");
  }
  return Payload{std::make_shared<const std::string>(ours.take()), ours.options()};
}

std::shared_ptr<const std::string> ReferenceNamespace::text_of(const ns::ObjectReader& reader,
                                                               ns::ByteRange range) {
  return std::make_shared<const std::string>(static_cast<const Reader&>(reader).text(range));
}

Result<ReferenceNamespace::Bucket*> ReferenceNamespace::bucket(std::string_view name) {
  const auto at = x_buckets.find(name);
  return at == x_buckets.end() ? Result<Bucket*>(fail(Errc::no_such_bucket)) : &at->second;
}

Result<ReferenceNamespace::Object*> ReferenceNamespace::object(std::string_view name,
                                                               std::string_view key) {
  TRY(Bucket* const in, bucket(name));
  const auto at = in->objects.find(key);
  return at == in->objects.end() ? Result<Object*>(fail(Errc::no_such_key)) : &at->second;
}

Result<ReferenceNamespace::Upload*> ReferenceNamespace::upload(std::string_view name,
                                                               std::string_view key,
                                                               std::string_view id) {
  TRY(Bucket* const in, bucket(name));
  const auto at = in->uploads.find({std::string(key), std::string(id)});
  return at == in->uploads.end() ? Result<Upload*>(fail(Errc::no_such_upload)) : &at->second;
}

Task<std::vector<ns::BucketInfo>> ReferenceNamespace::list_buckets() {
  std::vector<ns::BucketInfo> out;
  for (const auto& [name, in] : x_buckets) {
    out.push_back(in.info);
  }
  co_return out;
}

Task<ns::BucketInfo> ReferenceNamespace::get_bucket(std::string_view name) {
  CO_TRY(const Bucket* const in, bucket(name));
  co_return in->info;
}

Task<ns::BucketInfo> ReferenceNamespace::create_bucket(std::string_view name,
                                                       std::string_view region,
                                                       bool object_lock) {
  if (x_buckets.contains(name)) {
    co_return fail(Errc::bucket_exists);
  }
  Bucket in;
  in.info = {std::string(name), x_next_ino++, x_clock.wall_ns(), std::string(region)};
  if (object_lock) {
    in.info.versioning = ns::Versioning::enabled;
    in.info.lock.enabled = true;
  }
  co_return x_buckets.emplace(name, std::move(in)).first->second.info;
}

Task<> ReferenceNamespace::delete_bucket(std::string_view name) {
  CO_TRY(const Bucket* const in, bucket(name));
  if (!in->objects.empty() || !in->past.empty()) {
    co_return fail(Errc::bucket_not_empty);
  }
  x_buckets.erase(x_buckets.find(name));
  co_return ok();
}

Task<std::unique_ptr<ns::ObjectWriter>> ReferenceNamespace::open_write(std::string_view name,
                                                                       std::string_view key,
                                                                       ns::WriteOptions options) {
  CO_TRYV(check_key(key));
  CO_TRY(const Bucket* const in, bucket(name));
  if (options.size_hint > ns::kMaxObjectBytes) {
    co_return fail(Errc::entity_too_large);
  }
  if (options.about) {
    co_return std::make_unique<Writer>(x_options.piece_bytes, std::move(options));
  }
  if (options.part > 0) {
    if (const auto found = upload(name, key, options.upload_id)) {
      CO_TRYV(check_room(*in, growth(**found, options.part, options.size_hint)));
    }
  } else if (options.append) {
    CO_TRYV(check_room(*in, {static_cast<std::int64_t>(options.size_hint), 0}));
  } else {
    CO_TRYV(check_room(*in, growth(*in, key, options.size_hint)));
  }
  co_return std::make_unique<Writer>(x_options.piece_bytes, std::move(options));
}

std::optional<ns::FileFields> ReferenceNamespace::file_of(ns::FileFields fields) const {
  if (fields.empty()) {
    return std::nullopt;
  }
  fields.mode = fields.mode.value_or(0644) & 0777;
  fields.mtime_ns = fields.mtime_ns.value_or(x_clock.wall_ns());
  return fields;
}

Task<ns::ObjectInfo> ReferenceNamespace::put(std::string_view name,
                                             std::string_view key,
                                             std::unique_ptr<ns::ObjectWriter> payload,
                                             ns::PutRequest request) {
  CO_TRYV(check_key(key));
  CO_TRY(Bucket* const in, bucket(name));
  const auto existing = in->objects.find(key);
  const ns::ObjectInfo* const old =
      existing == in->objects.end() ? nullptr : &existing->second.info;
  if (!old && request.append_at.value_or(0) != 0) {
    co_return fail(Errc::range_not_satisfiable);
  }
  CO_TRYV(check_write(request.conditions, old));
  CO_TRY(Payload taken, take(*payload, 0, request.attributes));
  if (old && request.append_at) {
    co_return append(*in, key, existing->second, *taken.data, request);
  }
  Object fresh;
  fresh.data = std::move(taken.data);
  fresh.key = taken.options.seal;
  fresh.info = {.ino = x_next_ino++,
                .size = fresh.data->size(),
                .mtime_ns = x_clock.wall_ns(),
                .etag = std::move(request.etag),
                .attributes = std::move(request.attributes),
                .checksum = std::move(request.checksum),
                .parts = {},
                .file = file_of(request.file)};
  if (fresh.info.etag.empty()) {
    fresh.info.etag = new_etag();
  }
  CO_TRYV(lock_new(*in, fresh.info.attributes));
  CO_TRYV(check_room(*in, growth(*in, key, fresh.info.size)));
  co_return install(*in, key, std::move(fresh));
}

Result<ns::ObjectInfo> ReferenceNamespace::append(Bucket& in,
                                                  std::string_view key,
                                                  const Object& old,
                                                  const std::string& more,
                                                  const ns::PutRequest& request) {
  if (old.info.size != *request.append_at) {
    return fail(Errc::range_not_satisfiable);
  }
  const bool fits = old.info.checksum.algorithm == digest::Algorithm::none ||
                    old.info.checksum.algorithm == request.checksum.algorithm;
  const bool sealed = !old.info.attributes.envelope.empty() || !request.attributes.envelope.empty();
  if (!fits || sealed || !request.attributes.user_meta.empty() ||
      !request.attributes.tags.empty()) {
    return fail(Errc::conflict);
  }
  if (!old.info.parts.empty() && old.info.parts.back().number == ns::kMaxParts) {
    return fail(Errc::invalid_part);
  }
  Object fresh = old;
  fresh.upload_id.clear();
  fresh.data = std::make_shared<const std::string>(*old.data + more);
  fresh.info.size = fresh.data->size();
  fresh.info.mtime_ns = x_clock.wall_ns();
  TRYV(check_room(in, growth(in, key, fresh.info.size)));
  fresh.info.etag = new_etag();
  extend_checksum(old.info, request.checksum, *fresh.data, fresh.info);
  return install(in, key, std::move(fresh));
}

std::string ReferenceNamespace::new_etag() {
  const std::string number = std::to_string(x_next_ino++);
  return std::string(32 - number.size(), '0') + number + "-0";
}

Task<std::unique_ptr<ns::ObjectReader>> ReferenceNamespace::open_read(std::string_view name,
                                                                      std::string_view key,
                                                                      std::string_view version_id) {
  CO_TRY(Object found, find_version(name, key, version_id));
  auto reader = std::make_unique<Reader>(std::move(found), x_options.piece_bytes);
  if (after_look) {
    after_look();
  }
  co_return std::move(reader);
}

Task<ns::ObjectInfo> ReferenceNamespace::stat(std::string_view name,
                                              std::string_view key,
                                              std::string_view version_id) {
  CO_TRY(const Object found, find_version(name, key, version_id));
  if (after_look) {
    after_look();
  }
  co_return found.info;
}

Task<ns::ObjectInfo> ReferenceNamespace::copy(std::string_view name,
                                              std::string_view key,
                                              ns::CopyRequest request) {
  CO_TRYV(check_key(key));
  CO_TRYV(check_key(request.source_key));
  CO_TRY(const Object source,
         find_version(request.source_bucket, request.source_key, request.source_version));
  CO_TRY(Bucket* const in, bucket(name));
  const auto existing = in->objects.find(key);
  if (request.source_tags && *request.source_tags != source.info.attributes.tags) {
    co_return fail(Errc::conflict);
  }
  if (request.source_acl && *request.source_acl != source.info.attributes.acl) {
    co_return fail(Errc::conflict);
  }
  const std::string& envelope = source.info.attributes.envelope;
  if (request.source_envelope && *request.source_envelope != envelope) {
    co_return fail(Errc::conflict);
  }
  if (request.envelope && request.envelope->empty() != envelope.empty()) {
    co_return fail(Errc::invalid_argument, "a copy is sealed if and only if its source is");
  }
  CO_TRYV(check_copy_source(request.source_conditions, source.info));
  CO_TRYV(check_write(request.conditions,
                      existing == in->objects.end() ? nullptr : &existing->second.info));
  const bool in_place = request.source_bucket == name && request.source_key == key &&
                        existing != in->objects.end() &&
                        existing->second.info.ino == source.info.ino && !in->info.lock.enabled;
  Object fresh = source;
  fresh.upload_id.clear();
  fresh.info.ino = in_place ? fresh.info.ino : x_next_ino++;
  fresh.info.mtime_ns = x_clock.wall_ns();
  if (request.replace) {
    fresh.info.attributes = std::move(*request.replace);
    fresh.info.attributes.tags = source.info.attributes.tags;
    fresh.info.attributes.envelope = envelope;
    fresh.info.file = file_of(request.file);
  }
  if (request.tags) {
    fresh.info.attributes.tags = *std::move(request.tags);
  }
  fresh.info.attributes.acl = std::move(request.acl);
  if (request.envelope) {
    fresh.info.attributes.envelope = *std::move(request.envelope);
  }
  fresh.info.attributes.lock = request.lock;
  CO_TRYV(lock_new(*in, fresh.info.attributes));
  CO_TRYV(check_room(*in, growth(*in, key, fresh.info.size)));
  co_return install(*in, key, std::move(fresh));
}

Result<void> ReferenceNamespace::rename_directory(Bucket& in,
                                                  std::string_view from,
                                                  std::string_view to) {
  if (to.starts_with(from) && to != from) {
    return fail(Errc::invalid_argument, "a directory cannot move below itself");
  }
  const auto any_below = [](const auto& map, std::string_view prefix) {
    const auto at = map.lower_bound(prefix);
    return at != map.end() && at->first.starts_with(prefix);
  };
  if (!any_below(in.objects, from)) {
    return fail(Errc::no_such_key);
  }
  if (from == to) {
    return ok();
  }
  if (in.info.lock.enabled) {
    return fail(Errc::object_locked);
  }
  if (any_below(in.objects, to) || any_below(in.past, to)) {
    return fail(Errc::already_exists);
  }
  move_below(in.past, from, to);
  move_below(in.objects, from, to);
  return ok();
}

Task<std::string> ReferenceNamespace::rename(std::string_view name,
                                             std::string_view from,
                                             std::string_view to,
                                             ns::ExpectedTags expected) {
  CO_TRYV(check_key(from));
  CO_TRYV(check_key(to));
  CO_TRY(Bucket* const in, bucket(name));
  if (from.ends_with('/') != to.ends_with('/')) {
    co_return fail(Errc::invalid_argument, "an object and a directory");
  }
  if (from.ends_with('/')) {
    if (expected) {
      co_return fail(Errc::invalid_argument, "a directory has no tags");
    }
    CO_TRYV(rename_directory(*in, from, to));
    co_return std::string();
  }
  const auto at = in->objects.find(from);
  if (at == in->objects.end()) {
    co_return fail(Errc::no_such_key);
  }
  if (expected && *expected != at->second.info.attributes.tags) {
    co_return fail(Errc::conflict);
  }
  if (from == to) {
    co_return in->info.versioning == ns::Versioning::off ? std::string()
                                                         : ns::version_text(at->second.stamp);
  }
  Object moved = at->second;
  moved.upload_id.clear();
  moved.info.attributes.lock = {};
  CO_TRYV(lock_new(*in, moved.info.attributes));
  // File clients may go on to write it.
  moved.info.attributes.lock.writing = moved.info.attributes.lock != ns::ObjectLock{};
  const std::string id = install(*in, to, std::move(moved)).version_id;
  ns::Deletion left;
  mark_deleted(*in, from, left);
  co_return id;
}

Task<ns::ListPage> ReferenceNamespace::list(std::string_view name, ns::ListRequest request) {
  CO_TRY(const Bucket* const in, bucket(name));
  ns::ListPage page;
  for (const auto& [key, value] : in->objects) {
    if (!key.starts_with(request.prefix)) {
      continue;
    }
    ns::ListEntry entry;
    const auto cut = request.delimiter.empty() ? std::string::npos
                                               : key.find(request.delimiter, request.prefix.size());
    if (cut != std::string::npos) {
      entry.key = key.substr(0, cut + request.delimiter.size());
      entry.is_prefix = true;
    } else {
      const ns::ObjectInfo& info = value.info;
      entry = {key,
               false,
               info.size,
               info.mtime_ns,
               info.etag,
               info.checksum.algorithm,
               info.checksum.type};
    }
    const bool repeated = !page.entries.empty() && page.entries.back().is_prefix &&
                          page.entries.back().key == entry.key && entry.is_prefix;
    if (entry.key <= request.start_after || repeated) {
      continue;
    }
    if (page.entries.size() == request.max_keys) {
      page.truncated = request.max_keys > 0;
      break;
    }
    page.entries.push_back(std::move(entry));
  }
  co_return page;
}

}  // namespace outcrop::testing
