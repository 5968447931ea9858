// The file view: directory reading. Entries come in dirent order, which is S3 key order; a position
// is the cookie of an entry (links.h), and leads back to its name through the inode, a link record,
// or the names that left lately.
#include <algorithm>

#include "storage/ns/file_state.h"
#include "storage/ns/fs_entry.h"
#include "storage/ns/fs_operations.h"
#include "storage/ns/keys.h"
#include "storage/ns/left_names.h"

namespace outcrop::ns {
namespace {

constexpr std::uint64_t kLastReservedCookie = 2;
constexpr std::size_t kLargestPage = 1024;
constexpr std::size_t kSmallestPage = 16;

class DirectoryReader {
 public:
  DirectoryReader(Core& core,
                  FileId directory,
                  std::size_t max_entries,
                  std::size_t max_bytes,
                  std::size_t entry_bytes)
      : x_core(core),
        x_directory(directory),
        x_max_entries(max_entries),
        x_max_bytes(max_bytes),
        x_entry_bytes(entry_bytes),
        x_limit(std::clamp(max_entries + 1, kSmallestPage, kLargestPage)) {}

  Task<DirectoryPage> run(std::uint64_t cookie) {
    CO_TRY(std::string lower, co_await position(cookie));
    while (!x_full) {
      CO_TRY(x_scan, co_await x_core.meta.scan({.lower = std::move(lower),
                                                .upper = dirent_end(x_directory.ino),
                                                .limit = x_limit}));
      for (std::size_t i = 0; i < x_scan.entries.size() && !x_full; ++i) {
        CO_TRYV(co_await visit(i));
      }
      if (!x_scan.more || x_scan.entries.empty()) {
        break;
      }
      lower = x_scan.entries.back().key + '\0';
    }
    x_page.eof = !x_full;
    co_return std::move(x_page);
  }

 private:
  // Where to go on behind the entry that has the cookie.
  Task<std::string> position(std::uint64_t cookie) {
    if (cookie == 0) {
      co_return dirent_key(x_directory.ino, {});
    }
    CO_TRY(const auto name, co_await name_of(cookie));
    if (cookie <= kLastReservedCookie || !name) {
      co_return fail(Errc::bad_cookie);
    }
    co_return dirent_key(x_directory.ino, *name) + '\0';
  }

  // An entry is noted as gone before it goes: who does not find it here finds it among those.
  Task<std::optional<std::string>> name_of(std::uint64_t cookie) {
    if (auto left = x_core.recent.find(x_directory.ino, cookie)) {
      co_return left;
    }
    CO_TRY(auto here, co_await present_name_of(cookie));
    if (here) {
      co_return here;
    }
    if (auto left = x_core.recent.find(x_directory.ino, cookie)) {
      co_return left;
    }
    co_return co_await find_left_name(x_core, x_directory.ino, cookie);
  }

  Task<std::optional<std::string>> present_name_of(std::uint64_t cookie) {
    CO_TRY(const FoundInode inode, co_await find_inode(x_core, inode_of_cookie(cookie)));
    if (!inode.object) {
      CO_TRY(auto link, co_await link_of_cookie(x_core, cookie));
      const bool here = link && link->parent == x_directory.ino;
      co_return here ? std::optional(std::move(link->name)) : std::nullopt;
    }
    CO_TRY(const auto names, co_await names_of(x_core, *inode.object));
    for (const LinkName& link : names) {
      if (link.parent == x_directory.ino && link.cookie == cookie) {
        co_return link.name;
      }
    }
    co_return std::nullopt;
  }

  // A file shows under an alias while a directory of its name lies beside it. That is nearly always
  // decided by the entries that were read anyway.
  Task<bool> is_shadowed(std::string_view key) {
    const std::string directory = std::string(key) + '/';
    const auto it = std::ranges::lower_bound(x_scan.entries, directory, {}, &meta::KeyValue::key);
    if (it != x_scan.entries.end()) {
      co_return it->key == directory;
    }
    if (!x_scan.more) {
      co_return false;
    }
    CO_TRY(const auto value, co_await x_core.meta.get(directory));
    co_return value.has_value();
  }

  // Not through the cache: a walk over millions of files must not empty it.
  Task<ObjectPtr> inode_of(InodeId ino) {
    if (auto hit = x_core.objects.lookup(object_cache_key(ino))) {
      co_return *std::move(hit);
    }
    CO_TRY(ObjectPtr object, co_await load_object(x_core, ino, x_directory.root));
    co_return object;
  }

  // The position of a name of the object in this directory; empty if it is not its name any more.
  // A cookie of another name would lead a reader on from there.
  Task<std::optional<std::uint64_t>> cookie_here(const Object& object, std::string_view name) {
    const InodeRecord& record = object.record;
    if (record.links() > 1) {
      co_return co_await link_cookie(x_core, object.ino, x_directory.ino, name);
    }
    const bool here =
        record.links() == 1 && record.parent == x_directory.ino && record.name == name;
    co_return here ? std::optional(cookie_of(object.ino, record.moves)) : std::nullopt;
  }

  Task<> visit(std::size_t i) {
    const std::string& key = x_scan.entries[i].key;
    const std::string_view name = dirent_name(key);
    if (name.empty()) {
      co_return ok();  // the marker is the directory itself
    }
    if (x_page.entries.size() >= x_max_entries ||
        (x_bytes >= x_max_bytes && !x_page.entries.empty())) {
      x_full = true;
      co_return ok();
    }
    CO_TRY(const DirentRecord dirent, decode_dirent(x_scan.entries[i].value));
    // Whether memory has anything of the file is asked before the record is read.
    const bool dirty = x_core.dirty->find(dirent.ino) != nullptr;
    CO_TRY(const ObjectPtr object, co_await inode_of(dirent.ino));
    if (!object) {
      co_return ok();  // removed since the scan
    }
    CO_TRY(const auto cookie, co_await cookie_here(*object, name));
    if (!cookie) {
      co_return ok();  // renamed since the scan
    }
    bool shadowed = false;
    if (dirent.type != InodeType::directory && shows_plainly(name)) {
      CO_TRY(shadowed, co_await is_shadowed(key));
    }
    FileAttributes attributes = stored_attributes(x_core, *object);
    if (dirty) {
      auto now = co_await current_attributes(x_core, {x_directory.root, dirent.ino});
      if (!now && now.error().code() == Errc::stale) {
        co_return ok();
      }
      CO_TRY(attributes, std::move(now));
    }
    DirectoryEntry entry{
        .name = shown_name(name, shadowed), .cookie = *cookie, .attributes = attributes};
    x_bytes += entry.name.size() + x_entry_bytes;
    x_page.entries.push_back(std::move(entry));
    co_return ok();
  }

  Core& x_core;
  const FileId x_directory;
  const std::size_t x_max_entries, x_max_bytes, x_entry_bytes;
  const std::size_t x_limit;  ///< of one scan
  meta::ScanPage x_scan;
  DirectoryPage x_page;
  std::size_t x_bytes = 0;
  bool x_full = false;
};

}  // namespace

Task<DirectoryPage> read_directory(Core& core,
                                   FileId directory,
                                   std::uint64_t cookie,
                                   std::size_t max_entries,
                                   std::size_t max_bytes,
                                   std::size_t entry_bytes) {
  CO_TRYV(co_await find_directory(core, directory));
  core.recent.reading(directory.ino, core.clock.steady_ns());
  CO_TRYV(co_await remember_readers(core));
  DirectoryReader reader(core, directory, std::max<std::size_t>(max_entries, 1), max_bytes,
                         entry_bytes);
  CO_TRY(DirectoryPage page, co_await reader.run(cookie));
  co_return page;
}

}  // namespace outcrop::ns
