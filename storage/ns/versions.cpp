#include "storage/ns/versions.h"

#include "storage/ns/keys.h"
#include "storage/ns/link_record.h"

namespace outcrop::ns {
namespace {

// A read under a snapshot, when the mirror behind it goes away.
constexpr int kMirrorTries = 3;

// The directory of a key, in the tree or not; empty: neither.
Task<std::optional<InodeId>> directory_of(Core& core,
                                          InodeId root,
                                          std::string_view key,
                                          const meta::SnapshotPtr& at) {
  InodeId dir = root;
  for (std::string_view rest = split_key(key).directory; !rest.empty();) {
    const std::string_view component = first_component(rest);
    CO_TRY(const auto entry, co_await get_dirent(core, dir, component, at));
    if (entry) {
      dir = entry->ino;
    } else {
      CO_TRY(const auto history, co_await find_history_directory(core, dir, component, at));
      if (!history) {
        co_return std::nullopt;
      }
      dir = *history;
    }
    rest.remove_prefix(component.size());
  }
  co_return dir;
}

struct Sought {
  InodeId ino = 0;
  std::optional<VersionRecord> marker{};
};

Task<Sought> seek(
    Core& core, InodeId root, std::string_view key, VersionId id, const meta::SnapshotPtr& at) {
  CO_TRY(const auto dir, co_await directory_of(core, root, key, at));
  if (!dir) {
    co_return Sought{};
  }
  const std::string_view name = split_key(key).name;
  CO_TRY(const auto dirent, co_await get_dirent(core, *dir, name, at));
  if (dirent && dirent->type == InodeType::file && id.names(dirent->version)) {
    co_return Sought{.ino = dirent->ino};
  }
  CO_TRY(auto found, co_await find_version(core, *dir, name, id, at));
  if (!found) {
    co_return Sought{};
  }
  if (found->marker) {
    co_return Sought{.ino = 0, .marker = std::move(found)};
  }
  co_return Sought{.ino = found->summary.ino};
}

std::vector<Extent> extents_of(const InodeRecord& record) {
  std::vector<Extent> out;
  for (const Piece& piece : record.lists.pieces) {
    if (!piece.hole()) {
      out.push_back(piece.extent);
    }
  }
  return out;
}

// Empty: what was found has gone or changed before it could be pinned.
Task<std::optional<FoundVersion>> try_version(
    Core& core, InodeId root, std::string_view key, VersionId id, bool pin) {
  const meta::SnapshotPtr at = core.meta.snapshot();
  CO_TRY(Sought sought, co_await seek(core, root, key, id, at));
  FoundVersion out{.object = {}, .pin = {}, .marker = std::move(sought.marker)};
  if (sought.ino == 0) {
    co_return out;
  }
  CO_TRY(out.object, co_await load_object(core, sought.ino, root, at));
  if (!out.object) {
    co_return fail(Errc::corrupt, "version without inode");
  }
  if (pin && !out.object->record.lists.pieces.empty()) {
    out.pin = core.blobs.pin(extents_of(out.object->record));
    CO_TRY(const bool current, co_await still_current(core, *out.object));
    if (!current) {
      co_return std::nullopt;
    }
  }
  co_return out;
}

Task<std::optional<VersionRecord>> try_marker(Core& core, InodeId root, std::string_view key) {
  const meta::SnapshotPtr at = core.meta.snapshot();
  CO_TRY(const auto dir, co_await directory_of(core, root, key, at));
  if (!dir) {
    co_return std::nullopt;
  }
  CO_TRY(auto newest, co_await newest_version(core, *dir, split_key(key).name, at));
  co_return newest && newest->marker ? std::move(newest) : std::nullopt;
}

}  // namespace

Task<std::optional<VersionRecord>> newest_version(Core& core,
                                                  InodeId directory,
                                                  std::string_view name,
                                                  meta::SnapshotPtr at) {
  const std::string prefix = version_prefix(directory, name);
  CO_TRY(const meta::ScanPage page,
         co_await core.meta.scan({.lower = prefix, .upper = meta::prefix_end(prefix), .limit = 1},
                                 std::move(at)));
  if (page.entries.empty()) {
    co_return std::nullopt;
  }
  const auto key = parse_version_key(page.entries[0].key);
  if (!key) {
    co_return fail(Errc::corrupt, "version key malformed");
  }
  CO_TRY(VersionRecord record, decode_version(page.entries[0].value, key->number));
  co_return record;
}

Task<std::optional<VersionRecord>> find_version(
    Core& core, InodeId directory, std::string_view name, VersionId id, meta::SnapshotPtr at) {
  std::uint64_t number = id.number.value_or(0);
  if (!id.number) {
    CO_TRY(const auto pointer, co_await core.meta.get(null_version_key(directory, name), at));
    if (!pointer) {
      co_return std::nullopt;
    }
    CO_TRY(number, decode_number(*pointer));
  }
  CO_TRY(const auto value, co_await core.meta.get(version_key(directory, name, number), at));
  if (!value) {
    co_return std::nullopt;
  }
  CO_TRY(VersionRecord record, decode_version(*value, number));
  co_return id.names(record.stamp) ? std::optional(std::move(record)) : std::nullopt;
}

Task<bool> has_history(Core& core, InodeId directory, std::size_t but) {
  std::string lower = version_end(directory - 1);
  CO_TRY(const meta::ScanPage page, co_await core.meta.scan({.lower = std::move(lower),
                                                             .upper = version_end(directory),
                                                             .limit = but + 1,
                                                             .keys_only = true}));
  co_return page.entries.size() > but;
}

Task<bool> keeps_keys(Core& core, InodeId root, InodeId directory) {
  if (!core.versioned.lock_of(root).enabled) {
    co_return false;
  }
  CO_TRY(const meta::ScanPage page, co_await core.meta.scan({.lower = dirent_key(directory, {}),
                                                             .upper = dirent_end(directory),
                                                             .limit = 1,
                                                             .keys_only = true}));
  if (!page.entries.empty()) {
    co_return true;
  }
  co_return co_await has_history(core, directory);
}

Task<std::optional<InodeId>> find_history_directory(Core& core,
                                                    InodeId parent,
                                                    std::string_view name,
                                                    meta::SnapshotPtr at) {
  CO_TRY(const auto value,
         co_await core.meta.get(history_directory_key(parent, name), std::move(at)));
  if (!value) {
    co_return std::nullopt;
  }
  CO_TRY(const InodeId ino, decode_number(*value));
  co_return ino;
}

Task<FoundVersion> find_object_version(
    Core& core, InodeId root, std::string_view key, VersionId id, bool pin) {
  int tries = 0;
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    auto found = co_await try_version(core, root, key, id, pin);
    if (!found && found.error().code() == Errc::unavailable && ++tries < kMirrorTries) {
      continue;
    }
    CO_TRY(auto done, std::move(found));
    if (done) {
      co_return *std::move(done);
    }
  }
  co_return fail(Errc::overloaded, "version changes faster than it can be opened");
}

std::unexpected<Error> fail_marker(const VersionRecord& marker) {
  return fail(Errc::delete_marker, marker_detail(marker.stamp, marker.summary.mtime_ns));
}

Task<std::optional<VersionRecord>> find_marker(Core& core, InodeId root, std::string_view key) {
  for (int attempt = 1;; ++attempt) {
    auto marker = co_await try_marker(core, root, key);
    if (marker || marker.error().code() != Errc::unavailable || attempt == kMirrorTries) {
      co_return marker;
    }
  }
}

}  // namespace outcrop::ns
