// Contents and attributes of files, and what clients have open, in the cross-protocol model.
#include <algorithm>

#include "tests/property/cross_model.h"
#include "tests/support/file_fixture.h"

namespace outcrop::test {

CrossModel::Expected CrossModel::as_any(InodeId ino, NodeId& id) const {
  id = id_of(ino);
  return id == 0 ? Expected(Errc::stale) : Expected{};
}

CrossModel::Expected CrossModel::as_file(InodeId ino, NodeId& id) const {
  id = id_of(ino);
  if (id == 0) {
    return Errc::stale;
  }
  if (node(id).directory()) {
    return Errc::is_directory;
  }
  return node(id).regular() ? Expected{} : Errc::invalid_argument;
}

void CrossModel::judge_data(const Op& op, const Answer& answer) {
  NodeId id = 0;
  switch (op.kind) {
    case OpKind::read:
      return read(op, answer);
    case OpKind::write:
      return write(op, answer);
    case OpKind::commit:
      if (outcome(answer, as_file(op.file.ino, id))) {
        settle(at(id));
        see(id, answer.as<ns::FileAttributes>());
      }
      return;
    case OpKind::get_attributes:
      if (outcome(answer, as_any(op.file.ino, id))) {
        see(id, answer.as<ns::FileAttributes>());
      }
      return;
    case OpKind::set_attributes:
      return set_attributes(op, answer);
    case OpKind::allocate:
      return allocate(op, answer);
    case OpKind::deallocate:
      return deallocate(op, answer);
    case OpKind::seek:
      return seek(op, answer);
    default:
      return clone(op, answer);
  }
}

void CrossModel::read(const Op& op, const Answer& answer) {
  NodeId id = 0;
  if (!outcome(answer, as_file(op.file.ino, id))) {
    return;
  }
  const auto& result = answer.as<ns::ReadResult>();
  const std::string& content = *node(id).content;
  const std::size_t from = std::min<std::size_t>(op.offset, content.size());
  const std::string_view wanted = std::string_view(content).substr(from, op.length);
  see_data("read", joined(result.data), wanted);
  same("bytes", result.bytes, wanted.size());
  same("eof", result.eof, op.offset + op.length >= content.size());
}

void CrossModel::write(const Op& op, const Answer& answer) {
  NodeId id = 0;
  if (!outcome(answer, as_file(op.file.ino, id))) {
    return;
  }
  Node& node = at(id);
  if (!op.data.empty()) {
    std::string content = *node.content;
    content.resize(std::max<std::size_t>(content.size(), op.offset + op.data.size()));
    content.replace(op.offset, op.data.size(), op.data);
    content_changed(node, std::move(content), answer);
    node.dirty = true;
  }
  const auto& result = answer.as<ns::WriteResult>();
  same("stable", result.stable, op.flag);
  if (op.flag) {
    settle(node);
  }
  see(id, result.attributes);
}

void CrossModel::set_attributes(const Op& op, const Answer& answer) {
  NodeId id = 0;
  Expected expected = as_any(op.file.ino, id);
  const ns::SetAttributes& set = op.set;
  if (!expected && set.size && !node(id).regular()) {
    expected = node(id).directory() ? Errc::is_directory : Errc::invalid_argument;
  }
  // The generator gives the ctime that was seen last, or another one.
  if (!expected && op.guard && (node(id).ctime_moved || *op.guard != node(id).ctime)) {
    expected = Errc::precondition_failed;
  }
  if (!outcome(answer, expected)) {
    return;
  }
  Node& n = at(id);
  if (set.mtime_ns && n.regular()) {
    settle(n);
  }
  if (set.size) {
    set_size(n, *set.size, answer);
  }
  n.mode = set.mode.value_or(n.mode) & 07777;
  n.uid = set.uid.value_or(n.uid);
  n.gid = set.gid.value_or(n.gid);
  if (set.mtime_ns) {
    set_mtime(n, {*set.mtime_ns, *set.mtime_ns});
  }
  if (!set.empty()) {
    changed(n);
    if (n.directory()) {
      make_explicit(id);
    }
  }
  see(id, answer.as<ns::FileAttributes>());
}

void CrossModel::allocate(const Op& op, const Answer& answer) {
  NodeId id = 0;
  Expected expected = op.length == 0 ? Errc::invalid_argument : as_file(op.file.ino, id);
  if (!outcome(answer, expected)) {
    return;
  }
  if (op.offset + op.length > node(id).content->size()) {
    resize(at(id), op.offset + op.length, answer);
  }
  see(id, answer.as<ns::FileAttributes>());
}

void CrossModel::deallocate(const Op& op, const Answer& answer) {
  NodeId id = 0;
  Expected expected = op.length == 0 ? Errc::invalid_argument : as_file(op.file.ino, id);
  if (!outcome(answer, expected)) {
    return;
  }
  std::string content = *node(id).content;
  if (op.offset < content.size()) {
    const std::size_t n = std::min<std::size_t>(op.length, content.size() - op.offset);
    content.replace(op.offset, n, n, '\0');
    content_changed(at(id), std::move(content), answer);
  }
  settle(at(id));
  see(id, answer.as<ns::FileAttributes>());
}

// Where holes are is a matter of storage, but what is said to be one must be zeros.
void CrossModel::seek(const Op& op, const Answer& answer) {
  NodeId id = 0;
  Expected expected = as_file(op.file.ino, id);
  if (!expected && op.offset >= node(id).content->size()) {
    expected = Errc::not_found;
  }
  if (!outcome(answer, expected)) {
    return;
  }
  const std::string& content = *node(id).content;
  const auto& found = answer.as<ns::SeekResult>();
  if (found.offset < op.offset || found.offset > content.size()) {
    return problem("seek to " + std::to_string(found.offset));
  }
  same("eof", found.eof, found.offset == content.size());
  const auto skipped = std::string_view(content).substr(op.offset, found.offset - op.offset);
  if (op.flag && skipped.find_first_not_of('\0') != skipped.npos) {
    problem("data in what is said to be a hole");
  }
}

void CrossModel::clone(const Op& op, const Answer& answer) {
  NodeId from = 0, to = 0;
  Expected expected = as_file(op.file.ino, from);
  expected = expected ? expected : as_file(op.other.ino, to);
  std::uint64_t n = op.length;
  if (!expected) {
    const std::uint64_t size = node(from).content->size();
    if (op.offset > size || op.length > size - op.offset) {
      expected = Errc::invalid_argument;
    } else {
      n = n == 0 ? size - op.offset : n;
      const bool overlaps = from == to && op.offset < op.offset2 + n && op.offset2 < op.offset + n;
      expected = overlaps ? Expected(Errc::invalid_argument) : expected;
    }
  }
  if (!outcome(answer, expected)) {
    return;
  }
  same("bytes cloned", answer.as<std::uint64_t>(), n);
  if (n > 0) {
    const std::string part = node(from).content->substr(op.offset, n);
    std::string content = *node(to).content;
    content.resize(std::max<std::size_t>(content.size(), op.offset2 + n));
    content.replace(op.offset2, n, part);
    content_changed(at(to), std::move(content), answer);
  }
  settle(at(from));
  settle(at(to));
}

std::map<std::string, std::string> CrossModel::all_xattrs(const Node& node) const {
  auto out = node.xattrs;
  if (!node.attributes.content_type.empty()) {
    out["user.s3.content-type"] = node.attributes.content_type;
  }
  for (const auto& [name, value] : node.attributes.user_meta) {
    out["user.s3.meta." + name] = value;
  }
  return out;
}

// The names that the test uses: plain ones, those of S3, and such as are none.
void CrossModel::judge_xattr(const Op& op, const Answer& answer) {
  NodeId id = 0;
  Expected expected = as_any(op.file.ino, id);
  if (op.kind == OpKind::list_xattrs) {
    if (outcome(answer, expected)) {
      std::vector<std::string> names;
      for (const auto& [name, value] : all_xattrs(node(id))) {
        names.push_back(name);
      }
      same("names of attributes", answer.as<std::vector<std::string>>(), names);
    }
    return;
  }
  const std::string meta_prefix = "user.s3.meta.", type_name = "user.s3.content-type";
  const bool of_s3 = op.name.starts_with("user.s3."), is_meta = op.name.starts_with(meta_prefix);
  const bool good = op.name.starts_with("user.") && op.name.size() > 5 &&
                    (!of_s3 || is_meta || op.name == type_name);
  if (!expected && (!good || (of_s3 && !node(id).regular()))) {
    expected = Errc::invalid_argument;
  }
  std::map<std::string, std::string> all;
  if (!expected) {
    all = all_xattrs(node(id));
    const bool there = all.contains(op.name);
    using Mode = ns::FileSystem::XattrMode;
    if (op.kind == OpKind::set_xattr && op.mode == Mode::create && there) {
      expected = Errc::already_exists;
    } else if (!there && (op.kind != OpKind::set_xattr || op.mode == Mode::replace)) {
      expected = Errc::no_xattr;
    } else if (op.kind == OpKind::set_xattr && op.name == type_name && op.name2.empty()) {
      expected = Errc::invalid_argument;
    }
  }
  if (!outcome(answer, expected)) {
    return;
  }
  if (op.kind == OpKind::get_xattr) {
    return same("attribute", answer.as<std::string>(), all[op.name]);
  }
  change_xattr(at(id), op);
  if (node(id).directory()) {
    make_explicit(id);
  }
  changed(at(id));
  see(id, answer.as<ns::FileAttributes>());
}

void CrossModel::change_xattr(Node& node, const Op& op) {
  const bool set = op.kind == OpKind::set_xattr;
  const std::string meta_prefix = "user.s3.meta.";
  if (op.name == "user.s3.content-type") {
    node.attributes.content_type = set ? op.name2 : "";
  } else if (op.name.starts_with(meta_prefix)) {
    auto& meta = node.attributes.user_meta;
    const std::string name = op.name.substr(meta_prefix.size());
    const auto it = std::ranges::find(meta, name, &std::pair<std::string, std::string>::first);
    if (!set) {
      std::erase_if(meta, [&](const auto& pair) { return pair.first == name; });
    } else if (it != meta.end()) {
      it->second = op.name2;
    } else {
      meta.emplace_back(name, op.name2);
    }
  } else if (set) {
    node.xattrs[op.name] = op.name2;
  } else {
    node.xattrs.erase(op.name);
  }
}

void CrossModel::judge_open(const Op& op, const Answer& answer) {
  NodeId id = 0;
  switch (op.kind) {
    case OpKind::hold:
      if (outcome(answer, as_any(op.file.ino, id))) {
        Node& node = at(id);
        if (node.directory()) {
          make_explicit(id);
        } else {
          for (const auto& [other, directory] : x_nodes) {
            if (directory.directory() &&
                std::ranges::any_of(directory.entries,
                                    [&](const auto& entry) { return entry.second == id; })) {
              make_explicit(other);
            }
          }
        }
        ++node.holds;
        x_holds[op.slot] = id;
      }
      return;
    case OpKind::release:
      outcome(answer, {});
      if (const auto it = x_holds.find(op.slot); it != x_holds.end()) {
        --at(it->second).holds;
        x_holds.erase(it);
      }
      return;
    case OpKind::reap:
    case OpKind::tick:
      outcome(answer, {});
      for (auto& [other, node] : x_nodes) {
        node.repacked = node.repacked || node.regular();
      }
      return reap(op.kind == OpKind::reap);
    case OpKind::flush:
      outcome(answer, {});
      for (auto& [other, node] : x_nodes) {
        settle(node);
      }
      return reap(false);
    default:
      outcome(answer, {});
      return start_again(op.kind == OpKind::crash);
  }
}

// What has no name and is not open goes. `all`: also what an earlier start left.
void CrossModel::reap(bool all) {
  std::vector<NodeId> gone;
  for (auto& [id, node] : x_nodes) {
    if (node.directory() || node.links > 0) {
      continue;
    }
    if (node.holds == 0 && (node.watched || all)) {
      gone.push_back(id);
    } else if (all) {
      node.watched = true;
    }
  }
  for (const NodeId id : gone) {
    forget(id);
  }
}

void CrossModel::start_again(bool crashed) {
  x_holds.clear();
  x_readers.clear();
  x_positions.clear();
  if (!crashed) {
    for (auto& [id, node] : x_nodes) {
      settle(node);
    }
    reap(false);
  }
  for (auto& [id, node] : x_nodes) {
    node.holds = 0;
    node.watched = false;
    if (node.directory()) {
      changed(node);  // its times live in memory, and clients look again
      node.mtime = crashed ? TimeRange{} : node.mtime;
    } else if (node.dirty) {
      node.mtime = {};
      node.modified = TimeRange{};
      node.change = 0;
      node.ctime = 0;
      node.etag_state = EtagState::any;
      node.past_etags.clear();
      node.revived = true;
      node.old_upload = node.lost_upload;
    }
  }
}

std::string CrossModel::survived(InodeId ino, const std::string& content) {
  Node& node = at(id_of(ino));
  for (const Content& stored : node.stored) {
    if (*stored == content) {
      node.content = stored;
      settle(node);
      return {};
    }
  }
  const auto at_byte = std::ranges::mismatch(content, *node.content).in1 - content.begin();
  return "inode " + std::to_string(ino) + " has " + std::to_string(content.size()) +
         " bytes that were never its content since the last commit; the last one had " +
         std::to_string(node.content->size()) + ", and differs at " + std::to_string(at_byte);
}

}  // namespace outcrop::test
