#include "storage/ns/fs_inode.h"

#include <algorithm>

#include "storage/ns/file_state.h"
#include "storage/ns/fs_data.h"
#include "storage/ns/keys.h"
#include "storage/ns/link_record.h"
#include "storage/ns/transaction.h"

namespace outcrop::ns {
namespace {

// Inodes on the way up to the bucket root that were not in the cache.
struct Step {
  std::shared_ptr<Object> object;
  GuardedCache<ObjectPtr>::Token token;
};

Task<InodeId> root_of_orphan(Core& core, InodeId ino) {
  CO_TRY(const auto value, co_await core.meta.get(orphan_key(ino)));
  if (!value) {
    co_return InodeId{0};  // it was removed for good meanwhile
  }
  CO_TRY(const InodeId root, decode_number(*value));
  co_return root;
}

// The root that `step` lies under if that is known without going up, else 0.
Task<InodeId> known_root(Core& core, const Object& object) {
  const InodeRecord& record = object.record;
  if (record.type == InodeType::directory && record.parent == kRootOfBuckets) {
    co_return object.ino;
  }
  if (record.links() == 0) {
    co_return co_await root_of_orphan(core, object.ino);
  }
  const auto above = core.objects.lookup(object_cache_key(record.parent));
  co_return above ? (*above)->root : InodeId{0};
}

// Loads the inode and those above it until one is known to lie under a root. Empty: a directory on
// the way went while its content moved elsewhere. Null first object: the inode is gone.
Task<std::optional<std::vector<Step>>> walk_up(Core& core, InodeId ino, InodeId& root) {
  std::vector<Step> steps;
  for (InodeId at = ino; root == 0;) {
    const auto token = core.objects.begin(object_cache_key(at));
    CO_TRY(auto object, co_await load_object(core, at, 0));
    if (!object) {
      co_return at == ino ? std::optional(std::vector<Step>(1)) : std::nullopt;
    }
    steps.push_back({object, token});
    CO_TRY(root, co_await known_root(core, *object));
    if (root == 0 && object->record.links() == 0) {
      co_return std::vector<Step>(1);
    }
    at = object->record.parent;
  }
  co_return steps;
}

std::uint64_t used_bytes(const InodeRecord& record) {
  std::uint64_t total = record.inline_data.size();
  for (const Piece& piece : record.lists.pieces) {
    total += piece.hole() ? 0 : piece.length;
  }
  return total;
}

FileType type_of(InodeType type) {
  switch (type) {
    case InodeType::file:
      return FileType::regular;
    case InodeType::directory:
      return FileType::directory;
    case InodeType::symlink:
      return FileType::symlink;
    case InodeType::fifo:
      return FileType::fifo;
    case InodeType::socket:
      return FileType::socket;
    case InodeType::block_device:
      return FileType::block_device;
    case InodeType::character_device:
      return FileType::character_device;
  }
  OUTCROP_ASSERT(false);
  return FileType::regular;
}

}  // namespace

Task<FoundInode> find_inode(Core& core, InodeId ino) {
  auto hit = core.objects.find(object_cache_key(ino));
  if (hit.value) {
    co_return FoundInode{*std::move(hit.value), hit.token};
  }
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    InodeId root = 0;
    CO_TRY(auto steps, co_await walk_up(core, ino, root));
    if (!steps) {
      continue;
    }
    for (const Step& step : *steps) {
      if (step.object) {
        step.object->root = root;
        core.objects.fill(object_cache_key(step.object->ino), step.token, step.object,
                          cache_bytes(*step.object));
      }
    }
    co_return FoundInode{std::move(steps->front().object), steps->front().token};
  }
  co_return fail(Errc::overloaded, "directories move faster than a path can be walked");
}

Task<FoundInode> find_inode(Core& core, FileId id) {
  CO_TRY(FoundInode found, co_await find_inode(core, id.ino));
  if (!found.object || found.object->root != id.root || found.object->record.history) {
    co_return fail(Errc::stale);
  }
  co_return found;
}

Task<ObjectPtr> load_inode(Core& core, FileId id) {
  CO_TRYV(co_await find_inode(core, id));  // the root
  CO_TRY(ObjectPtr object, co_await load_object(core, id.ino, id.root));
  if (!object) {
    co_return fail(Errc::stale);
  }
  co_return object;
}

FileAttributes attributes_of(Core& core, const Object& object) {
  FileAttributes out = stored_attributes(core, object);
  if (object.record.type == InodeType::file) {
    overlay_attributes(core, object.ino, out);
  }
  return out;
}

FileAttributes stored_attributes(Core& core, const Object& object) {
  const InodeRecord& record = object.record;
  InodeRecord defaults{.type = record.type, .mtime_ns = record.mtime_ns};
  const PosixAttributes& posix = record.posix ? *record.posix : ensure_posix(defaults);
  FileAttributes out{.id = {object.root, object.ino},
                     .type = type_of(record.type),
                     .mode = posix.mode,
                     .uid = posix.uid,
                     .gid = posix.gid,
                     .links = posix.links,
                     .size = record.size,
                     .used = used_bytes(record),
                     .change = record.change,
                     .mtime_ns = record.file_mtime_ns(),
                     .ctime_ns = posix.ctime_ns,
                     .atime_ns = posix.atime_ns,
                     .btime_ns = posix.btime_ns,
                     .device = record.device,
                     .fixed = is_fixed(core, object)};
  if (record.type == InodeType::directory) {
    const DirectoryState state = core.times.get(object.ino, record);
    out.change = state.change;
    out.mtime_ns = state.mtime_ns;
    out.ctime_ns = state.ctime_ns;
  } else if (record.type == InodeType::symlink) {
    out.size = record.target.size();
  }
  return out;
}

std::string file_etag(InodeId ino, std::uint64_t change) {
  std::string out;
  for (const std::uint64_t half : {ino, change}) {
    for (int shift = 60; shift >= 0; shift -= 4) {
      out.push_back("0123456789abcdef"[half >> shift & 15]);
    }
  }
  return out.append("-0");
}

bool is_file_etag_since(std::string_view etag, InodeId ino, std::uint64_t change) {
  constexpr std::size_t kInodeDigits = 16;
  const std::string then = file_etag(ino, change);
  return etag.size() == then.size() && etag.ends_with("-0") &&
         etag.starts_with(std::string_view(then).substr(0, kInodeDigits)) && etag >= then;
}

}  // namespace outcrop::ns
