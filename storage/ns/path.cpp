#include "storage/ns/path.h"

#include <algorithm>

#include "storage/base/worker.h"
#include "storage/ns/keys.h"
#include "storage/ns/sealed_reader.h"
#include "storage/ns/transaction.h"

namespace outcrop::ns {
namespace {

// Writers of one bucket share it through the stripe of their worker, so that the one lock that
// all of them take is not one cache line that all of them write.
constexpr unsigned kBucketStripes = 8;
constexpr int kLookupAttempts = 4;
constexpr int kMirrorTries = 3;  // a read under a snapshot, when the mirror behind it goes away

LockName bucket_stripe(InodeId root, unsigned stripe) {
  return lock_name('B', root * kBucketStripes + stripe);
}

std::uint64_t payload_bytes(const InodeRecord& record) {
  std::uint64_t total = record.inline_data.size();
  for (const Piece& piece : record.lists.pieces) {
    total += piece.length;
  }
  return total;
}

std::vector<Extent> extents_of(const InodeRecord& record) {
  std::vector<Extent> out;
  out.reserve(record.lists.pieces.size());
  for (const Piece& piece : record.lists.pieces) {
    if (!piece.hole()) {
      out.push_back(piece.extent);
    }
  }
  return out;
}

// The longest prefix of `path` that the cache knows.
ResolvedDir cached_prefix(Core& core,
                          InodeId root,
                          std::string_view path,
                          std::optional<std::uint64_t> generation) {
  for (std::string_view at = path; generation && !at.empty(); at = parent_path(at)) {
    if (const auto hit = core.dirs.lookup(path_key(root, at), *generation)) {
      return {*hit, at.size()};
    }
  }
  return {{.ino = root, .implicit = false}, 0};
}

// One consistent view: for readers that a stream of directory renames keeps overtaking.
Task<ObjectPtr> find_in_snapshot(Core& core, InodeId root, std::string_view key) {
  const meta::SnapshotPtr at = core.meta.snapshot();
  InodeId dir = root;
  for (std::string_view rest = key; rest.find('/') != rest.npos;) {
    const std::string_view component = first_component(rest);
    CO_TRY(const auto entry, co_await get_dirent(core, dir, component, at));
    if (!entry) {
      co_return nullptr;
    }
    dir = entry->ino;
    rest.remove_prefix(component.size());
  }
  CO_TRY(const auto file, co_await get_dirent(core, dir, split_key(key).name, at));
  if (!file || file->type != InodeType::file) {
    co_return nullptr;
  }
  CO_TRY(ObjectPtr object, co_await load_object(core, file->ino, root, at));
  if (!object) {
    co_return fail(Errc::corrupt, "dirent without inode");
  }
  co_return object;
}

}  // namespace

Task<bool> still_current(Core& core, const Object& object) {
  CO_TRY(const auto main, co_await core.meta.get(inode_key(object.ino)));
  if (!main) {
    co_return false;
  }
  CO_TRY(const InodeRecord now, decode_inode(*main));
  co_return now.change == object.record.change;
}

namespace {

bool has_name(const Object& object, InodeId parent, std::string_view name) {
  return object.record.parent == parent && object.record.name == name &&
         object.record.links() > 0 && object.record.type == InodeType::file &&
         !object.record.history;
}

// What the dirent leads to; a null object: nothing, or nothing that S3 shows. Empty: it was moved
// meanwhile.
Task<std::optional<FoundInode>> follow_dirent(Core& core,
                                              InodeId root,
                                              InodeId parent,
                                              std::string_view name) {
  CO_TRY(const auto dirent, co_await get_dirent(core, parent, name));
  if (!dirent || dirent->type != InodeType::file) {
    co_return FoundInode{};
  }
  CO_TRY(FoundInode found, co_await find_inode(core, dirent->ino, root));
  if (!found.object) {
    co_return std::nullopt;
  }
  if (has_name(*found.object, parent, name)) {
    co_return found;
  }
  if (found.object->record.links() <= 1) {
    // It was moved away, and may have changed since, before it was read.
    co_return std::nullopt;
  }
  // One of several names: it is still one, and the inode is still what was read.
  CO_TRY(const auto again, co_await get_dirent(core, parent, name));
  const bool same = again && again->ino == dirent->ino &&
                    core.objects.unchanged(object_cache_key(dirent->ino), found.token);
  co_return same ? std::optional(std::move(found)) : std::nullopt;
}

// From the caches alone, without a suspension: nearly every read. Empty: that does not do. A name
// hint counts only if the inode that it leads to has that name in that directory: the inode is
// never older than the last acknowledged write, so the hint may be.
std::optional<FoundObject> find_cached(Core& core, InodeId root, std::string_view key, bool pin) {
  const auto generation = core.generations.current(root);
  if (!generation) {
    return std::nullopt;
  }
  const auto hint = core.names.lookup(path_key(root, key), *generation);
  if (!hint) {
    return std::nullopt;
  }
  const std::string inode = object_cache_key(hint->ino);
  auto hit = core.objects.find(inode);
  if (!hit.value || !has_name(**hit.value, hint->parent, split_key(key).name) ||
      core.generations.current(root) != generation) {
    return std::nullopt;
  }
  FoundObject found{.object = *std::move(hit.value), .pin = {}};
  if (pin && !found.object->record.lists.pieces.empty()) {
    found.pin = core.blobs.pin(extents_of(found.object->record));
    if (!core.objects.unchanged(inode, hit.token)) {
      return std::nullopt;
    }
  }
  return found;
}

// One try without a snapshot: empty if a writer came in between.
Task<std::optional<FoundObject>> try_find(Core& core,
                                          InodeId root,
                                          std::string_view key,
                                          bool pin) {
  const auto generation = core.generations.current(root);
  if (!generation) {
    co_return std::nullopt;
  }
  const std::string cache_key = path_key(root, key);
  const auto token = core.names.begin(cache_key);
  const auto [directory, name] = split_key(key);
  FoundInode inode;
  CO_TRY(const ResolvedDir dir, co_await resolve_dir(core, root, directory));
  if (dir.found == directory.size()) {
    CO_TRY(auto followed, co_await follow_dirent(core, root, dir.dir.ino, name));
    if (!followed) {
      co_return std::nullopt;
    }
    inode = *std::move(followed);
  }
  if (core.generations.current(root) != generation) {
    co_return std::nullopt;
  }
  if (inode.object) {
    core.names.fill(cache_key, token, {dir.dir.ino, inode.object->ino}, 0, *generation);
  }
  FoundObject found{.object = std::move(inode.object), .pin = {}};
  if (pin && found.object && !found.object->record.lists.pieces.empty()) {
    found.pin = core.blobs.pin(extents_of(found.object->record));
    if (!core.objects.unchanged(object_cache_key(found.object->ino), inode.token)) {
      CO_TRY(const bool current, co_await still_current(core, *found.object));
      if (!current) {
        co_return std::nullopt;
      }
    }
  }
  co_return found;
}

// The whole inode as one moment saw it; null if it is gone.
Task<std::shared_ptr<Object>> read_object(Core& core, InodeId ino, meta::SnapshotPtr at) {
  CO_TRY(const auto main, co_await core.meta.get(inode_key(ino), at));
  if (!main) {
    co_return nullptr;
  }
  auto object = std::make_shared<Object>();
  object->ino = ino;
  CO_TRY(object->record, decode_inode(*main));
  for (std::uint32_t i = 0; at && i < object->record.tails; ++i) {
    CO_TRY(const auto tail, co_await core.meta.get(inode_tail_key(ino, i), at));
    if (!tail || !append_tail(*tail, object->record.lists)) {
      co_return fail(Errc::corrupt, "inode continuation record missing or malformed");
    }
  }
  co_return object;
}

}  // namespace

std::size_t cache_bytes(const Object& o) {
  std::size_t bytes =
      sizeof(Object) + o.record.name.size() + o.record.etag.size() + o.record.inline_data.size() +
      o.record.upload_id.size() + o.record.target.size() + o.record.attributes.acl.size() +
      o.record.attributes.envelope.size() + o.record.lists.pieces.size() * sizeof(Piece);
  for (const PartSummary& p : o.record.lists.parts) {
    bytes += sizeof p + p.checksum.size();
  }
  for (const StringPairs* pairs :
       {&o.record.attributes.headers, &o.record.attributes.user_meta, &o.record.attributes.tags}) {
    for (const auto& [name, value] : *pairs) {
      bytes += 2 * sizeof(std::string) + name.size() + value.size();
    }
  }
  return bytes;
}

ObjectInfo info_of(const Object& object) {
  const InodeRecord& r = object.record;
  return {.ino = object.ino,
          .size = r.size,
          .mtime_ns = r.mtime_ns,
          .etag = r.etag,
          .attributes = r.attributes,
          .checksum = r.checksum,
          .parts = r.lists.parts,
          .file = file_fields(r),
          .version_id = r.version.number == 0 ? std::string() : version_text(r.version),
          .current = !r.history,
          .changed_ns = r.posix ? r.posix->ctime_ns : r.mtime_ns};
}

DirentRecord dirent_of(InodeId ino, const InodeRecord& record) {
  return {.ino = ino,
          .type = record.type,
          .implicit = false,
          .version = record.version,
          .size = record.size,
          .mtime_ns = record.mtime_ns,
          .etag = record.etag,
          .checksum_algorithm = record.checksum.algorithm,
          .checksum_type = record.checksum.type};
}

void lock_bucket_shared(LockPlan& plan, InodeId root) {
  plan.add(bucket_stripe(root, worker_index() % kBucketStripes), LockMode::shared);
}

void lock_bucket_exclusive(LockPlan& plan, InodeId root) {
  for (unsigned i = 0; i < kBucketStripes; ++i) {
    plan.add(bucket_stripe(root, i), LockMode::exclusive);
  }
}

Task<BucketRecord> find_bucket(Core& core, std::string_view name) {
  if (auto hit = core.buckets.lookup(name)) {
    co_return *std::move(hit);
  }
  const auto token = core.buckets.begin(name);
  CO_TRY(const auto value, co_await core.meta.get(bucket_key(name)));
  if (!value) {
    co_return fail(Errc::no_such_bucket);
  }
  CO_TRY(BucketRecord record, decode_bucket(*value));
  core.buckets.fill(name, token, record, record.region.size());
  co_return record;
}

Task<std::optional<DirentRecord>> get_dirent(Core& core,
                                             InodeId parent,
                                             std::string_view name,
                                             meta::SnapshotPtr at) {
  CO_TRY(const auto value, co_await core.meta.get(dirent_key(parent, name), std::move(at)));
  if (!value) {
    co_return std::nullopt;
  }
  CO_TRY(DirentRecord record, decode_dirent(*value));
  co_return record;
}

Task<ResolvedDir> resolve_dir(Core& core, InodeId root, std::string_view path) {
  const auto generation = core.generations.current(root);
  ResolvedDir out = cached_prefix(core, root, path, generation);
  while (out.found < path.size()) {
    const std::string_view component = first_component(path.substr(out.found));
    const std::string_view upto = path.substr(0, out.found + component.size());
    const std::string cache_key = path_key(root, upto);
    const auto token = core.dirs.begin(cache_key);
    CO_TRY(const auto entry, co_await get_dirent(core, out.dir.ino, component));
    if (!entry) {
      break;
    }
    out = {{.ino = entry->ino, .implicit = entry->implicit}, upto.size()};
    if (generation && core.generations.current(root) == generation) {
      core.dirs.fill(cache_key, token, out.dir, 0, *generation);
    }
  }
  co_return out;
}

Task<std::vector<DirEntry>> resolve_chain(Core& core, InodeId root, std::string_view path) {
  std::vector<DirEntry> out;
  for (std::size_t end = path.find('/'); end != path.npos; end = path.find('/', end + 1)) {
    const std::string_view upto = path.substr(0, end + 1);
    CO_TRY(const ResolvedDir dir, co_await resolve_dir(core, root, upto));
    if (dir.found != upto.size()) {
      co_return std::vector<DirEntry>{};
    }
    out.push_back(dir.dir);
  }
  co_return out;
}

Task<std::shared_ptr<Object>> load_object(Core& core,
                                          InodeId ino,
                                          InodeId root,
                                          meta::SnapshotPtr at) {
  CO_TRY(auto object, co_await read_object(core, ino, at));
  // Several records: a writer may come between them, so they are read under a snapshot.
  for (int attempt = 1; !at && object && object->record.tails > 0; ++attempt) {
    auto whole = co_await read_object(core, ino, core.meta.snapshot());
    if (!whole && whole.error().code() == Errc::unavailable && attempt < kMirrorTries) {
      continue;
    }
    CO_TRY(object, std::move(whole));
    break;
  }
  if (!object) {
    co_return nullptr;
  }
  object->root = root;
  if (object->record.type == InodeType::file &&
      stored_size(object->record) != payload_bytes(object->record)) {
    co_return fail(Errc::corrupt, "inode size differs from its payload");
  }
  co_return object;
}

Task<FoundInode> find_inode(Core& core, InodeId ino, InodeId root) {
  const std::string cache_key = object_cache_key(ino);
  auto hit = core.objects.find(cache_key);
  if (hit.value) {
    co_return FoundInode{*std::move(hit.value), hit.token};
  }
  CO_TRY(ObjectPtr object, co_await load_object(core, ino, root));
  if (object) {
    core.objects.fill(cache_key, hit.token, object, cache_bytes(*object));
  }
  co_return FoundInode{std::move(object), hit.token};
}

Task<FoundObject> find_object(Core& core, InodeId root, std::string_view key, bool pin) {
  if (key.size() > kMaxKeyBytes) {
    co_return FoundObject{};  // a file may lie there, but no object
  }
  if (auto cached = find_cached(core, root, key, pin)) {
    co_return *std::move(cached);
  }
  for (int attempt = 0; attempt < kLookupAttempts; ++attempt) {
    CO_TRY(auto found, co_await try_find(core, root, key, pin));
    if (found) {
      co_return *std::move(found);
    }
  }
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    FoundObject found;
    CO_TRY(found.object, co_await find_in_snapshot(core, root, key));
    if (!pin || !found.object || found.object->record.lists.pieces.empty()) {
      co_return found;
    }
    found.pin = core.blobs.pin(extents_of(found.object->record));
    CO_TRY(const bool current, co_await still_current(core, *found.object));
    if (current) {
      co_return found;
    }
  }
  co_return fail(Errc::overloaded, "object changes faster than it can be opened");
}

}  // namespace outcrop::ns
