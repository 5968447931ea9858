#include "tests/property/cross_model.h"

#include <algorithm>

#include "storage/ns/keys.h"

namespace outcrop::test {
namespace {
constexpr std::size_t kRemembered = 40;
}

CrossModel::CrossModel(const Settings& settings) : x_settings(settings) {
  x_root = add(ns::FileType::directory, {});
  at(x_root).parent = x_root;
  at(x_root).mtime = {};
  see_ino(x_root, settings.root.ino);
}

std::string CrossModel::judge(const Op& op, const Answer& answer) {
  x_problem.clear();
  if (op.kind <= OpKind::check_reader) {
    judge_key(op, answer);
  } else if (op.kind <= OpKind::abort) {
    judge_upload(op, answer);
  } else if (op.kind <= OpKind::rename) {
    judge_names(op, answer);
  } else if (op.kind <= OpKind::clone) {
    judge_data(op, answer);
  } else if (op.kind <= OpKind::list_xattrs) {
    judge_xattr(op, answer);
  } else {
    judge_open(op, answer);
  }
  return x_problem;
}

void CrossModel::problem(std::string text) {
  if (!x_problem.empty()) {
    x_problem += "; ";
  }
  x_problem += text;
}

bool CrossModel::outcome(const Answer& answer, Expected expected) {
  const Expected other = std::exchange(x_other_error, {});
  if (answer.error != expected && (!other || answer.error != other)) {
    const auto name = [](const Expected& e) {
      return e ? std::string(to_string(*e)) : std::string("success");
    };
    problem("expected " + name(expected) + ", got " + name(answer.error) + " " + answer.detail);
  }
  return !answer.error && !expected;
}

const Node* CrossModel::find(InodeId ino) const {
  const auto it = x_by_ino.find(ino);
  return it == x_by_ino.end() ? nullptr : &x_nodes.at(it->second);
}

NodeId CrossModel::id_of(InodeId ino) const {
  const auto it = x_by_ino.find(ino);
  return it == x_by_ino.end() ? 0 : it->second;
}

NodeId CrossModel::add(ns::FileType type, const Answer& answer) {
  const NodeId id = x_next++;
  Node& node = x_nodes[id];
  node.type = type;
  node.mode = type == ns::FileType::directory ? 0755 : type == ns::FileType::symlink ? 0777 : 0644;
  node.mtime = {answer.from_ns, answer.to_ns};
  node.content = std::make_shared<const std::string>();
  node.stored = {node.content};
  return id;
}

NodeId CrossModel::entry(NodeId directory, const std::string& name) const {
  const auto& entries = x_nodes.at(directory).entries;
  const auto it = entries.find(name);
  return it == entries.end() ? 0 : it->second;
}

NodeId CrossModel::find_directory(std::string_view path) const {
  NodeId dir = x_root;
  while (dir != 0 && !path.empty()) {
    const std::string_view name = ns::first_component(path);
    dir = entry(dir, std::string(name));
    path.remove_prefix(name.size());
  }
  return dir;
}

// An entry of the directory came, went or leads elsewhere.
void CrossModel::touch(NodeId directory, const Answer& answer) {
  Node& node = at(directory);
  node.mtime = {answer.from_ns, answer.to_ns};
  changed(node);
}

void CrossModel::changed(Node& node) {
  node.moved = true;
  node.ctime_moved = true;
}

void CrossModel::enter(NodeId directory, const std::string& name, NodeId child) {
  at(directory).entries[name] = child;
  Node& node = at(child);
  if (node.directory()) {
    node.parent = directory;
    node.name = name;
  }
}

// A file's or symlink's name goes, and with the last one the inode, unless it is open.
void CrossModel::unlink(NodeId directory, const std::string& name) {
  const NodeId id = entry(directory, name);
  if (id == 0) {
    return;
  }
  at(directory).entries.erase(name);
  Node& node = at(id);
  changed(node);
  if (--node.links > 0) {
    return;
  }
  if (node.holds > 0) {
    node.watched = true;
  } else {
    forget(id);
  }
}

void CrossModel::forget(NodeId id) {
  const Node& node = at(id);
  if (node.ino != 0) {
    x_by_ino.erase(node.ino);
  }
  if (node.ino != 0 && x_settings.versioned && node.directory()) {
    x_used.erase(node.ino);
  } else if (node.ino != 0) {
    x_gone.push_back(node.ino);
    if (x_gone.size() > kRemembered) {
      x_gone.erase(x_gone.begin());
    }
  }
  std::erase_if(x_holds, [&](const auto& hold) { return hold.second == id; });
  x_nodes.erase(id);
}

// After an entry went by S3: implicit directories vanish with their last one.
void CrossModel::prune(NodeId directory, const Answer& answer) {
  while (at(directory).implicit && at(directory).entries.empty()) {
    const NodeId parent = at(directory).parent;
    at(parent).entries.erase(at(directory).name);
    forget(directory);
    directory = parent;
  }
  touch(directory, answer);
}

void CrossModel::make_explicit(NodeId directory) {
  for (NodeId id = directory; id != x_root && at(id).implicit; id = at(id).parent) {
    at(id).implicit = false;
  }
}

// The directory at the end of the path; the one that is there and gets an entry is touched.
NodeId CrossModel::install_directories(std::string_view path, bool implicit, const Answer& answer) {
  NodeId dir = x_root;
  bool made = false;
  while (!path.empty()) {
    const std::string name(ns::first_component(path));
    path.remove_prefix(name.size());
    NodeId next = entry(dir, name);
    if (next == 0) {
      if (!made) {
        touch(dir, answer);
        made = true;
      }
      next = add(ns::FileType::directory, answer);
      at(next).implicit = implicit;
      enter(dir, name, next);
    } else if (!implicit) {
      at(next).implicit = false;
    }
    dir = next;
  }
  if (!made) {
    touch(dir, answer);
  }
  return dir;
}

std::string CrossModel::path_of(NodeId directory) const {
  std::string path;
  for (NodeId id = directory; id != x_root; id = node(id).parent) {
    path.insert(0, node(id).name);
  }
  return path;
}

std::vector<std::string> CrossModel::paths() const {
  std::vector<std::string> out;
  for (const auto& [id, directory] : x_nodes) {
    if (!directory.directory()) {
      continue;
    }
    const std::string path = path_of(id);
    for (const auto& [name, child] : directory.entries) {
      if (node(child).regular()) {
        out.push_back(path + name);
      }
    }
  }
  std::ranges::sort(out);
  return out;
}

std::vector<std::string> CrossModel::keys() const {
  std::vector<std::string> out = paths();
  std::erase_if(out, [](const std::string& key) { return key.size() > ns::kMaxKeyBytes; });
  return out;
}

bool CrossModel::may_hold(const Node& node) const { return node.directory() || node.links <= 1; }

}  // namespace outcrop::test
