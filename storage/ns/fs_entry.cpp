#include "storage/ns/fs_entry.h"

#include <algorithm>

#include "storage/ns/keys.h"

namespace outcrop::ns {
namespace {

Task<std::optional<Entry>> get_entry(Core& core, InodeId directory, std::string name) {
  CO_TRY(auto dirent, co_await get_dirent(core, directory, name));
  if (!dirent) {
    co_return std::nullopt;
  }
  co_return Entry{std::move(name), *std::move(dirent)};
}

// The dirent that an alias stands for, whether or not it needs one.
Task<std::optional<Entry>> find_aliased(Core& core, InodeId directory, std::string_view alias) {
  const auto parsed = parse_alias(alias);
  if (!parsed) {
    co_return std::nullopt;
  }
  if (parsed->whole) {
    // Only the one spelling that is shown counts; the marker object is never shown.
    if (parsed->name.empty() || alias_of(parsed->name) != alias) {
      co_return std::nullopt;
    }
    co_return co_await get_entry(core, directory, parsed->name);
  }
  const std::string lower = dirent_key(directory, parsed->name);
  meta::ScanRequest request{.lower = lower, .upper = meta::prefix_end(lower)};
  for (bool more = true; more;) {
    CO_TRY(const meta::ScanPage page, co_await core.meta.scan(request));
    for (const auto& [key, value] : page.entries) {
      if (alias_of(dirent_name(key)) == alias) {
        CO_TRY(DirentRecord dirent, decode_dirent(value));
        co_return Entry{std::string(dirent_name(key)), std::move(dirent)};
      }
    }
    more = page.more && !page.entries.empty();
    if (more) {
      request.lower = page.entries.back().key + '\0';
    }
  }
  co_return std::nullopt;
}

// With their true dirents, so that paths and flags are current.
Task<std::optional<std::vector<ImplicitDirectory>>> try_implicit(Core& core, FileId directory) {
  std::vector<ImplicitDirectory> out;
  for (InodeId at = directory.ino; at != directory.root;) {
    CO_TRY(const FoundInode found, co_await find_inode(core, at));
    if (!found.object) {
      if (at == directory.ino) {
        co_return fail(Errc::stale);
      }
      co_return std::nullopt;  // what was in it has moved
    }
    const InodeRecord& record = found.object->record;
    if (record.posix) {
      break;  // and what is above an explicit directory is explicit too
    }
    CO_TRY(const auto dirent, co_await get_dirent(core, record.parent, record.name));
    if (!dirent || dirent->ino != at) {
      co_return std::nullopt;
    }
    if (!dirent->implicit) {
      break;
    }
    out.push_back({at, record.parent, record.name});
    at = record.parent;
  }
  co_return out;
}

}  // namespace

std::string shown_name(std::string_view dirent_name, bool shadowed) {
  const std::string_view component = component_of(dirent_name);
  return !shadowed && shows_plainly(component) ? std::string(component) : alias_of(dirent_name);
}

Task<std::optional<Entry>> find_entry(Core& core, InodeId directory, std::string_view name) {
  CO_TRYV(check_name(name));
  if (!is_alias(name)) {
    CO_TRY(auto entry, co_await get_entry(core, directory, std::string(name) + '/'));
    if (entry) {
      co_return entry;
    }
    co_return co_await get_entry(core, directory, std::string(name));
  }
  CO_TRY(auto entry, co_await find_aliased(core, directory, name));
  if (!entry || !shows_plainly(component_of(entry->name))) {
    co_return entry;
  }
  if (entry->name.ends_with('/')) {
    co_return std::nullopt;  // shows as it is
  }
  CO_TRY(const auto above, co_await get_dirent(core, directory, entry->name + '/'));
  co_return above ? std::move(entry) : std::nullopt;
}

Task<ObjectPtr> find_directory(Core& core, FileId id) {
  CO_TRY(FoundInode found, co_await find_inode(core, id));
  if (found.object->record.type != InodeType::directory) {
    co_return fail(Errc::not_directory);
  }
  co_return std::move(found.object);
}

Task<std::string> path_of(Core& core, FileId directory) {
  std::string path;
  for (InodeId at = directory.ino; at != directory.root;) {
    CO_TRY(const FoundInode found, co_await find_inode(core, FileId{directory.root, at}));
    path.insert(0, found.object->record.name);
    at = found.object->record.parent;
  }
  co_return path;
}

Task<std::vector<ImplicitDirectory>> find_implicit(Core& core, FileId directory) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(auto found, co_await try_implicit(core, directory));
    if (found) {
      co_return *std::move(found);
    }
  }
  co_return fail(Errc::overloaded, "directories move faster than a path can be walked");
}

void lock_implicit(LockPlan& plan, const std::vector<ImplicitDirectory>& directories) {
  for (const ImplicitDirectory& d : directories) {
    plan.add(dir_lock(d.ino), LockMode::shared);
    plan.add(inode_lock(d.ino), LockMode::exclusive);
    plan.add(dirent_lock(d.parent, d.name), LockMode::exclusive);
  }
}

Task<> make_explicit(Core& core,
                     Transaction& tx,
                     InodeId root,
                     const std::vector<ImplicitDirectory>& directories,
                     InodeId but) {
  if (directories.empty()) {
    co_return ok();
  }
  CO_TRY(std::string path, co_await path_of(core, {root, directories.front().ino}));
  for (const ImplicitDirectory& d : directories) {
    CO_TRY(const auto object, co_await load_object(core, d.ino, root));
    if (!object) {
      co_return fail(Errc::corrupt, "dirent without inode");
    }
    tx.block_directory(root, path);
    path.resize(path.size() - d.name.size());
    tx.batch.put(dirent_key(d.parent, d.name),
                 encode(DirentRecord{.ino = d.ino, .type = InodeType::directory}));
    if (d.ino != but) {
      ensure_posix(object->record);
      tx.put_main(*object);
    }
  }
  co_return ok();
}

Task<Slot> plan_slot(Core& core, FileId directory, std::string_view name, bool look) {
  CO_TRYV(check_name(name));
  Slot slot{.directory = directory, .name = name, .component = std::string(name)};
  CO_TRYV(co_await find_directory(core, directory));
  if (is_alias(name)) {
    CO_TRY(const auto entry, co_await find_aliased(core, directory.ino, name));
    if (!entry) {
      co_return fail(Errc::not_found);
    }
    slot.component = component_of(entry->name);
  }
  if (look) {
    CO_TRY(slot.entry, co_await find_entry(core, directory.ino, name));
  }
  CO_TRY(slot.implicit, co_await find_implicit(core, directory));
  co_return slot;
}

void lock_slot(LockPlan& plan, const Slot& slot) {
  lock_bucket_shared(plan, slot.directory.root);
  plan.add(dir_lock(slot.directory.ino), LockMode::shared);
  plan.add(dirent_lock(slot.directory.ino, slot.file_name()), LockMode::exclusive);
  plan.add(dirent_lock(slot.directory.ino, slot.directory_name()), LockMode::exclusive);
  if (slot.entry) {
    plan.add(inode_lock(slot.entry->dirent.ino), LockMode::exclusive);
  }
  lock_implicit(plan, slot.implicit);
}

Task<bool> confirm_slot(Core& core, Slot& slot) {
  CO_TRYV(co_await find_directory(core, slot.directory));
  CO_TRY(auto entry, co_await find_entry(core, slot.directory.ino, slot.name));
  CO_TRY(const auto implicit, co_await find_implicit(core, slot.directory));
  const auto ino = [](const std::optional<Entry>& e) { return e ? e->dirent.ino : 0; };
  const auto name = [](const std::optional<Entry>& e) {
    return e ? std::string_view(e->name) : std::string_view{};
  };
  const bool same = ino(entry) == ino(slot.entry) && name(entry) == name(slot.entry);
  if ((slot.entry && !same) || implicit != slot.implicit) {
    co_return false;
  }
  slot.entry = std::move(entry);
  co_return true;
}

}  // namespace outcrop::ns
