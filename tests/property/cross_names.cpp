// The names that file clients see, in the cross-protocol model.
#include <algorithm>

#include "storage/ns/fs_name.h"
#include "tests/property/cross_model.h"

namespace outcrop::test {
namespace {

// A file system can name it as it is.
bool is_plain(std::string_view component) {
  return !component.empty() && component != "." && component != ".." &&
         component.find('\0') == component.npos && component.size() <= ns::kMaxFileNameBytes &&
         !component.starts_with(ns::kAliasPrefix);
}

}  // namespace

CrossModel::Expected CrossModel::check_name(const std::string& name) {
  if (name.size() > ns::kMaxFileNameBytes) {
    return Errc::name_too_long;
  }
  const bool good =
      !name.empty() && name != "." && name != ".." && !name.contains('/') && !name.contains('\0');
  return good ? Expected{} : Errc::invalid_argument;
}

// Of all bytes that the test uses only these are no UTF-8.
CrossModel::Expected CrossModel::check_new_name(const std::string& name) {
  if (const Expected bad = check_name(name)) {
    return bad;
  }
  const bool good = !name.starts_with(ns::kAliasPrefix) && !name.contains('\xff');
  return good ? Expected{} : Errc::invalid_argument;
}

bool CrossModel::shadowed(const Node& directory, const std::string& dirent) const {
  return !dirent.ends_with('/') && directory.entries.contains(dirent + '/');
}

std::string CrossModel::shown(const Node& directory, const std::string& dirent) const {
  const std::string component(ns::component_of(dirent));
  return is_plain(component) && !shadowed(directory, dirent) ? component : ns::alias_of(dirent);
}

std::optional<std::string> CrossModel::dirent(const Node& directory,
                                              const std::string& name) const {
  if (!name.starts_with(ns::kAliasPrefix)) {
    if (directory.entries.contains(name + '/')) {
      return name + '/';
    }
    return directory.entries.contains(name) ? std::optional(name) : std::nullopt;
  }
  for (const auto& [dirent, id] : directory.entries) {
    if (!dirent.empty() && shown(directory, dirent) == name) {
      return dirent;
    }
  }
  return std::nullopt;
}

CrossModel::Expected CrossModel::as_directory(InodeId ino, NodeId& directory) const {
  directory = id_of(ino);
  if (directory == 0) {
    return Errc::stale;
  }
  return node(directory).directory() ? Expected{} : Errc::not_directory;
}

CrossModel::Expected CrossModel::find_in(const Op& op, NodeId& directory) {
  const Expected bad = as_directory(op.file.ino, directory);
  const Expected bad_name = check_name(op.name);
  // Of two things that are wrong either may be said.
  x_other_error = bad ? bad_name : Expected{};
  return bad ? bad : bad_name;
}

void CrossModel::judge_names(const Op& op, const Answer& answer) {
  switch (op.kind) {
    case OpKind::lookup:
      return lookup(op, answer);
    case OpKind::parent: {
      NodeId directory = 0;
      if (outcome(answer, as_directory(op.file.ino, directory))) {
        see(node(directory).parent, answer.as<ns::FileAttributes>());
      }
      return;
    }
    case OpKind::read_directory:
      return read_directory(op, answer);
    case OpKind::create:
    case OpKind::mkdir:
    case OpKind::symlink:
      return create(op, answer);
    case OpKind::read_symlink: {
      NodeId id = 0;
      Expected expected = as_any(op.file.ino, id);
      if (!expected && node(id).type != ns::FileType::symlink) {
        expected = Errc::invalid_argument;
      }
      if (outcome(answer, expected)) {
        same("target", answer.as<std::string>(), node(id).target);
      }
      return;
    }
    case OpKind::link:
      return link(op, answer);
    case OpKind::remove:
      return remove(op, answer);
    default:
      return rename(op, answer);
  }
}

void CrossModel::lookup(const Op& op, const Answer& answer) {
  NodeId directory = 0;
  Expected expected = find_in(op, directory);
  std::optional<std::string> found;
  if (!expected) {
    found = dirent(node(directory), op.name);
    expected = found ? expected : Errc::not_found;
  }
  if (outcome(answer, expected)) {
    see(entry(directory, *found), answer.as<ns::FileAttributes>());
  }
}

// Behind the place where the entry of the cookie was when it was listed last.
void CrossModel::read_directory(const Op& op, const Answer& answer) {
  NodeId directory = 0;
  if (!outcome(answer, as_directory(op.file.ino, directory))) {
    return;
  }
  const auto& page = answer.as<ns::DirectoryPage>();
  const Node dir = node(directory);
  auto at = op.offset == 0 ? dir.entries.begin()
                           : dir.entries.upper_bound(x_positions.at({directory, op.offset}));
  std::set<std::uint64_t> cookies;
  for (const ns::DirectoryEntry& entry : page.entries) {
    if (at != dir.entries.end() && at->first.empty()) {
      ++at;  // the marker
    }
    if (at == dir.entries.end()) {
      return problem("entry " + entry.name + " that is not there");
    }
    same("entry", entry.name, shown(dir, at->first));
    see(at->second, entry.attributes);
    if (entry.cookie <= 2 || !cookies.insert(entry.cookie).second) {
      problem("cookie " + std::to_string(entry.cookie));
    }
    x_positions[{directory, entry.cookie}] = at->first;
    ++at;
  }
  if (at != dir.entries.end() && at->first.empty()) {
    ++at;
  }
  same("end of directory", page.eof, at == dir.entries.end());
  if (!page.eof) {
    same("entries of a page", page.entries.size(), std::max<std::uint64_t>(op.length, 1));
  }
}

void CrossModel::create(const Op& op, const Answer& answer) {
  NodeId directory = 0;
  Expected expected = check_name(op.name);
  if (!expected) {
    expected = as_directory(op.file.ino, directory);
  }
  if (!expected) {
    if (const auto there = dirent(node(directory), op.name)) {
      return keep_existing(op, answer, directory, entry(directory, *there));
    }
    expected = check_new_name(op.name);
  }
  if (!outcome(answer, expected)) {
    return;
  }
  make_explicit(directory);
  const auto& created = answer.as<ns::Created>();
  same("made", created.made, true);
  see_touch(directory, created.parent, answer);
  const auto type = op.kind == OpKind::create  ? ns::FileType::regular
                    : op.kind == OpKind::mkdir ? ns::FileType::directory
                                               : ns::FileType::symlink;
  const NodeId id = add(type, answer);
  Node& node = at(id);
  const ns::SetAttributes& set = op.kind == OpKind::create ? op.create.attributes : op.set;
  node.mode = set.mode.value_or(node.mode) & 07777;
  node.uid = set.uid.value_or(node.uid);
  node.gid = set.gid.value_or(node.gid);
  if (set.mtime_ns) {
    node.mtime = {*set.mtime_ns, *set.mtime_ns};
  }
  if (type == ns::FileType::regular) {
    node.content = std::make_shared<const std::string>(set.size.value_or(0), '\0');
    node.etag_state = EtagState::fresh;
    settle(node);
    if (op.create.how == ns::CreateMode::exclusive) {
      node.verifier = op.create.verifier;
    }
  } else if (type == ns::FileType::symlink) {
    node.target = op.name2;
  }
  enter(directory, type == ns::FileType::directory ? op.name + '/' : op.name, id);
  see(id, created.attributes);
}

void CrossModel::keep_existing(const Op& op, const Answer& answer, NodeId directory, NodeId there) {
  Node& node = at(there);
  const bool unchecked = op.kind == OpKind::create && op.create.how == ns::CreateMode::unchecked;
  const bool repeat = op.kind == OpKind::create && op.create.how == ns::CreateMode::exclusive &&
                      node.verifier == op.create.verifier;
  Expected expected;
  if (node.directory() && unchecked) {
    expected = Errc::is_directory;
  } else if (!node.regular() || !(unchecked || repeat)) {
    expected = Errc::already_exists;
  }
  if (!outcome(answer, expected)) {
    return;
  }
  const auto& created = answer.as<ns::Created>();
  same("made", created.made, false);
  same("directory change", created.parent.before, created.parent.after);
  if (!x_relaxed && x_settings.exact_times && !at(directory).moved) {
    same("directory change", created.parent.after, at(directory).change);
  }
  if (unchecked && op.create.attributes.size) {
    set_size(node, *op.create.attributes.size, answer);
  }
  see(there, created.attributes);
}

void CrossModel::link(const Op& op, const Answer& answer) {
  NodeId directory = 0, id = 0;
  Expected expected = check_new_name(op.name);
  if (!expected) {
    expected = as_directory(op.file.ino, directory);
  }
  if (!expected) {
    expected = as_any(op.other.ino, id);
  }
  if (!expected) {
    const Node& node = at(id);
    if (node.directory()) {
      expected = Errc::is_directory;
    } else if (node.links == 0) {
      expected = Errc::stale;
    } else if (dirent(at(directory), op.name)) {
      expected = Errc::already_exists;
    }
  }
  if (!outcome(answer, expected)) {
    return;
  }
  make_explicit(directory);
  const auto& created = answer.as<ns::Created>();
  see_touch(directory, created.parent, answer);
  ++at(id).links;
  changed(at(id));
  enter(directory, op.name, id);
  see(id, created.attributes);
}

void CrossModel::remove(const Op& op, const Answer& answer) {
  NodeId directory = 0;
  Expected expected = find_in(op, directory);
  std::optional<std::string> found;
  if (!expected) {
    found = dirent(node(directory), op.name);
    expected = found ? expected : Errc::not_found;
  }
  const NodeId id = found ? entry(directory, *found) : 0;
  if (id != 0) {
    const Node& there = node(id);
    const auto& entries = there.entries;
    if (op.how == ns::RemoveKind::file && there.directory()) {
      expected = Errc::is_directory;
    } else if (op.how == ns::RemoveKind::directory && !there.directory()) {
      expected = Errc::not_directory;
    } else if (entries.size() > 1 || (entries.size() == 1 && !entries.begin()->first.empty())) {
      expected = Errc::not_empty;
    }
  }
  if (!outcome(answer, expected)) {
    return;
  }
  make_explicit(directory);
  const auto& removed = answer.as<ns::Removed>();
  see_ino(id, removed.id.ino);
  if (node(id).directory()) {
    unlink(id, "");
    at(directory).entries.erase(*found);
    forget(id);
  } else {
    unlink(directory, *found);
  }
  see_touch(directory, removed.parent, answer);
}

void CrossModel::rename(const Op& op, const Answer& answer) {
  NodeId from = 0, to = 0;
  const Expected bad_name = check_name(op.name) ? check_name(op.name) : check_new_name(op.name2);
  Expected expected = as_directory(op.file.ino, from);
  const auto source = expected ? std::nullopt : dirent(node(from), op.name);
  if (!expected && !source) {
    expected = Errc::not_found;
  }
  expected = expected ? expected : as_directory(op.other.ino, to);
  if (expected || bad_name) {
    // Of two things that are wrong either may be said.
    x_other_error = bad_name ? expected : Expected{};
    outcome(answer, bad_name ? bad_name : expected);
    return;
  }
  const auto target = dirent(node(to), op.name2);
  const NodeId moved = entry(from, *source), there = target ? entry(to, *target) : 0;
  const bool below = [&] {
    NodeId id = to;
    for (; id != x_root && id != moved; id = node(id).parent) {
    }
    return id == moved;
  }();
  if (there != 0 && node(there).directory() != node(moved).directory()) {
    expected = Errc::already_exists;
  } else if (below && node(moved).directory()) {
    expected = Errc::invalid_argument;
  } else if (there != 0 && there != moved && node(there).directory()) {
    const auto& entries = node(there).entries;
    const bool marker = entries.size() == 1 && entries.begin()->first.empty();
    expected = entries.empty() || marker ? Expected{} : Errc::not_empty;
  }
  if (!outcome(answer, expected)) {
    return;
  }
  if (there == moved) {
    const auto& renamed = answer.as<ns::Renamed>();
    same("directory change", renamed.from.before, renamed.from.after);
    return same("directory change", renamed.to.before, renamed.to.after);
  }
  move_entry(op, answer, from, *source, to);
}

void CrossModel::move_entry(
    const Op& op, const Answer& answer, NodeId from, const std::string& dirent, NodeId to) {
  const NodeId moved = entry(from, dirent);
  const bool directory = node(moved).directory();
  const std::string name = directory ? op.name2 + '/' : op.name2;
  make_explicit(from);
  make_explicit(to);
  if (const NodeId there = entry(to, name); there != 0) {
    if (directory) {
      unlink(there, "");
      at(to).entries.erase(name);
      forget(there);
    } else {
      unlink(to, name);
    }
  }
  at(from).entries.erase(dirent);
  enter(to, name, moved);
  at(moved).implicit = false;
  forget_upload(at(moved));
  changed(at(moved));
  const auto& renamed = answer.as<ns::Renamed>();
  see_touch(from, renamed.from, answer);
  if (to != from) {
    see_touch(to, renamed.to, answer);
  }
}

}  // namespace outcrop::test
