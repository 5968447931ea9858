#include "storage/io/sim_drive.h"

#include <algorithm>

namespace outcrop::io::sim {

std::pair<std::string_view, std::string_view> split_path(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) {
    return {"", path};
  }
  return {path.substr(0, slash), path.substr(slash + 1)};
}

Drive::Drive() {
  auto root = std::make_shared<Inode>();
  root->directory = true;
  x_inodes.emplace(kRoot, std::move(root));
}

Inode& Drive::writable(Ino ino) {
  auto& inode = x_inodes.at(ino);
  if (inode.use_count() > 1) {
    inode = std::make_shared<Inode>(*inode);
  }
  return *inode;
}

FileData* Drive::file(Ino ino) { return x_inodes.contains(ino) ? &writable(ino).data : nullptr; }

Result<Ino> Drive::lookup(std::string_view path) const {
  const std::string bounded = "/" + std::string(path) + "/";
  if (bounded.starts_with("//") ? !path.empty() : bounded.find("/../") != std::string::npos) {
    return fail(Errc::invalid_argument, "path leaves the drive: " + std::string(path));
  }
  Ino at = kRoot;
  while (!path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    if (name == "." || name.empty()) {
      continue;
    }
    const Inode& dir = *x_inodes.at(at);
    const auto it = dir.entries.find(name);
    if (it == dir.entries.end()) {
      return fail(Errc::not_found, ENOENT);
    }
    at = it->second;
  }
  return at;
}

const Inode* Drive::find(std::string_view path) const {
  const auto ino = lookup(path);
  return ino ? x_inodes.at(*ino).get() : nullptr;
}

Result<Ino> Drive::parent(std::string_view path) const {
  const auto [dir, name] = split_path(path);
  if (name.empty() || name == "." || name == "..") {
    return fail(Errc::invalid_argument, "not the name of a file: " + std::string(path));
  }
  TRY(const Ino ino, lookup(dir));
  return is_directory(ino) ? Result<Ino>(ino) : fail(Errc::io_error, ENOTDIR);
}

Result<Ino> Drive::create(std::string_view path, bool directory) {
  TRY(const Ino dir, parent(path));
  if (lookup(path)) {
    return fail(Errc::already_exists, EEXIST);
  }
  const Ino ino = x_next++;
  auto inode = std::make_shared<Inode>();
  inode->directory = directory;
  x_inodes.emplace(ino, std::move(inode));
  apply({.to_dir = dir, .to = std::string(split_path(path).second), .ino = ino});
  return ino;
}

Result<void> Drive::rename(std::string_view from, std::string_view to) {
  TRY(const Ino ino, lookup(from));
  TRY(const Ino from_dir, parent(from));
  TRY(const Ino to_dir, parent(to));
  if (const auto replaced = lookup(to); replaced && is_directory(*replaced)) {
    if (!x_inodes.at(*replaced)->entries.empty() || !is_directory(ino)) {
      return fail(Errc::io_error, ENOTEMPTY);
    }
  }
  apply({.from_dir = from_dir,
         .from = std::string(split_path(from).second),
         .to_dir = to_dir,
         .to = std::string(split_path(to).second),
         .ino = ino});
  return ok();
}

Result<void> Drive::unlink(std::string_view path) {
  TRY(const Ino ino, lookup(path));
  TRY(const Ino dir, parent(path));
  if (is_directory(ino)) {
    return fail(Errc::io_error, EISDIR);
  }
  apply({.from_dir = dir, .from = std::string(split_path(path).second)});
  return ok();
}

void Drive::unlink_tree(std::string_view path, const SectorChoice& choice) {
  const Inode* node = find(path);
  if (node == nullptr) {
    return;
  }
  std::vector<std::string> names;
  for (const auto& [name, ino] : node->entries) {
    names.push_back(name);
  }
  for (const std::string& name : names) {
    unlink_tree(std::string(path) + "/" + name, choice);
  }
  if (node = find(path); node->entries.empty() && (!choice || choice())) {
    apply({.from_dir = *parent(path), .from = std::string(split_path(path).second)});
  }
}

void Drive::apply(Change change) {
  if (change.from_dir != 0) {
    writable(change.from_dir).entries.erase(change.from);
  }
  if (change.to_dir != 0) {
    writable(change.to_dir).entries[change.to] = change.ino;
  }
  x_pending.push_back(std::move(change));
}

void Drive::settle(const Change& change) {
  if (change.from_dir != 0 && x_inodes.contains(change.from_dir)) {
    writable(change.from_dir).durable_entries.erase(change.from);
  }
  if (change.to_dir != 0 && x_inodes.contains(change.to_dir)) {
    writable(change.to_dir).durable_entries[change.to] = change.ino;
  }
}

/// Settles every pending change of `dir`, and whatever must come before one of those.
void Drive::sync_dir(Ino dir) {
  std::set<Ino> dirs{dir};
  std::vector<bool> wanted(x_pending.size());
  for (std::size_t i = x_pending.size(); i-- > 0;) {
    const Change& change = x_pending[i];
    if (change.touches(dirs)) {
      wanted[i] = true;
      for (const Ino also : {change.from_dir, change.to_dir}) {
        if (also != 0) {
          dirs.insert(also);
        }
      }
    }
  }
  std::deque<Change> left;
  for (std::size_t i = 0; i < x_pending.size(); ++i) {
    if (wanted[i]) {
      settle(x_pending[i]);
    } else {
      left.push_back(std::move(x_pending[i]));
    }
  }
  x_pending = std::move(left);
}

void Drive::power_cut(Random& random) {
  // By directory a prefix: once one change is lost, all later ones of its directories are.
  std::set<Ino> cut;
  const std::uint64_t mode = random.next() % 4;  // none, all, short prefixes, long prefixes
  for (const Change& change : x_pending) {
    const std::uint64_t coin = random.next() % 8;
    const bool kept = mode == 1 || (mode == 2 && coin < 4) || (mode == 3 && coin < 7);
    if (kept && !change.touches(cut)) {
      settle(change);
      continue;
    }
    for (const Ino dir : {change.from_dir, change.to_dir}) {
      if (dir != 0) {
        cut.insert(dir);
      }
    }
  }
  x_pending.clear();
  for (auto& [ino, shared] : x_inodes) {
    if (!shared->data.clean() || shared->entries != shared->durable_entries) {
      Inode& inode = writable(ino);
      inode.entries = inode.durable_entries;
      inode.data.power_cut(random);
    }
  }
  collect();
  lock_holder = nullptr;
}

Space Drive::measured() const {
  if (size == 0) {
    return space;
  }
  std::uint64_t used = 0;
  std::vector<Ino> todo{kRoot};
  while (!todo.empty()) {
    const Inode& inode = *x_inodes.at(todo.back());
    todo.pop_back();
    used += inode.data.size();
    for (const auto& [name, child] : inode.entries) {
      todo.push_back(child);
    }
  }
  return {.total_bytes = size, .free_bytes = size - std::min(size, used)};
}

void Drive::collect() {
  std::set<Ino> reached{kRoot};
  std::vector<Ino> todo{kRoot};
  const auto reach = [&](Ino ino) {
    if (ino != 0 && reached.insert(ino).second) {
      todo.push_back(ino);
    }
  };
  for (const Change& change : x_pending) {
    reach(change.from_dir);
    reach(change.to_dir);
    reach(change.ino);
  }
  while (!todo.empty()) {
    const Inode& inode = *x_inodes.at(todo.back());
    todo.pop_back();
    for (const auto* entries : {&inode.entries, &inode.durable_entries}) {
      for (const auto& [name, child] : *entries) {
        reach(child);
      }
    }
  }
  std::erase_if(x_inodes, [&](const auto& item) { return !reached.contains(item.first); });
}

}  // namespace outcrop::io::sim
